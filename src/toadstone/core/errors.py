"""What can go wrong, as a user meets it: what happened, where, and what to do.

::

    ToadstoneError
    ├── UsageError        the command line, a setting or a path is wrong
    │   └── ConfigError   ... in a configuration file
    ├── UnreadError       a server did not give what was asked for; nothing was decided
    ├── RegistrationError a check or reader was declared wrongly (a programming error)
    └── UnsafeError       `open_clean` refused to hand over a file
"""

from __future__ import annotations

from collections.abc import Iterable


class ToadstoneError(Exception):
    """Root of every error that toadstone raises on purpose.

    Args:
        message: What happened and where, one sentence.
        advice: What to do about it, one sentence; may be empty.
    """

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __reduce__(self) -> tuple[type[ToadstoneError], tuple[str, str]]:
        """Travel between processes whole: an exception takes only what its base was given."""
        return type(self), (self.message, self.advice)

    def __str__(self) -> str:
        return f"{self.message}\n{self.advice}" if self.advice else self.message


class UsageError(ToadstoneError):
    """The command line, a setting or a path is wrong; nothing was scanned."""


class ConfigError(UsageError):
    """A configuration or suppression file is wrong; nothing was scanned."""


class UnreadError(ToadstoneError):
    """What was asked for cannot be read; nothing was decided, and nothing written."""


class RegistrationError(ToadstoneError):
    """A check or a reader was declared wrongly."""


class UnsafeError(ToadstoneError):
    """A file was not handed over because its report is not clean."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known word was probably meant.

    Returns:
        A sentence such as ``Did you mean 'unsafe-import'?``, or an empty string.
    """
    import difflib  # noqa: PLC0415  (only needed once something is already wrong)

    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"Did you mean {close[0]!r}?" if close else ""
