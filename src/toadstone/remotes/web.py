"""``https://`` addresses: one file."""

from __future__ import annotations

import base64
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from toadstone.core.errors import UsageError
from toadstone.remotes.client import Client, origin
from toadstone.remotes.files import RemoteFile
from toadstone.remotes.ranges import Remote

_SECRETS = ("sig", "token", "secret", "credential", "key", "password", "auth")


def file(client: Client, target: str) -> RemoteFile:
    """Give the file that an address names.

    A name and password inside the address are sent to its host only, and shown nowhere.

    Raises:
        UsageError: If it is no web address.
    """
    try:
        parts = urlsplit(target)
        _, host, port = origin(parts)
    except ValueError:
        raise UsageError(f"{target!r} is no web address.") from None
    if not host or any(not "!" <= character <= "~" for character in target):
        raise UsageError(f"{target!r} is no web address.", "Special characters are written as %20 and the like.")
    client.reach.name(host, port)
    secret = ""
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        secret = "Basic " + base64.b64encode(pair.encode()).decode()
    shown = without_secrets(target)
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
    name = unquote(parts.path.rpartition("/")[2]) or host
    remote = Remote(client, lambda: bare, secret=secret)
    return RemoteFile(shown, name, host, remote, origin={"url": without_secrets(bare)})


def without_secrets(target: str) -> str:
    """Give an address as it may be shown: without a password, and without the signatures and tokens of its query."""
    parts = urlsplit(target)
    netloc = f"…@{parts.netloc.rpartition('@')[2]}" if "@" in parts.netloc else parts.netloc
    query = parts.query
    for key, value in parse_qsl(query, keep_blank_values=False):
        if any(word in key.lower() for word in _SECRETS):
            for written in {part.partition("=")[2] for part in query.split("&") if unquote(part.partition("=")[0]) == key}:
                query = query.replace(f"={written}", "=…") if written and value else query
    return urlunsplit(parts._replace(netloc=netloc, query=query))
