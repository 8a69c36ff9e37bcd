"""What can go wrong with a server, as a person is told it."""

from __future__ import annotations

from toadstone.core.blob import BlobError


class RemoteError(BlobError):
    """A server did not give what it should; asking again is no use."""


class StalledError(RemoteError):
    """The server cannot be talked to now; files that lie there as well will fare no better."""


class PassingError(RemoteError):
    """A failure that may pass: the request is worth another try.

    Args:
        message: What happened.
        wait: Seconds that the server asks to wait; 0 when it does not say.
    """

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


class StatusError(RemoteError):
    """The server answered with a status that says no.

    Args:
        message: What happened and what to do.
        status: The HTTP status.
        code: The server's own word for it (``X-Error-Code``), or empty.
    """

    def __init__(self, message: str, status: int, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def plain(text: str, most: int = 200) -> str:
    """Give a server's text cut short, with what could steer a terminal escaped."""
    shown = "".join(character if character.isprintable() else repr(character)[1:-1] for character in text[: most + 1])
    return shown if len(text) <= most else shown[:most] + "…"
