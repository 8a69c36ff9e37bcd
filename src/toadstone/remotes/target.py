"""From a remote TARGET to its files."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator

from toadstone.core.errors import UsageError
from toadstone.remotes.client import Client
from toadstone.remotes.files import RemoteFile
from toadstone.remotes.hub import Hub
from toadstone.remotes.s3 import Bucket
from toadstone.remotes.trouble import RemoteError
from toadstone.remotes.web import file


def expand(client: Client, target: str, exclude: tuple[str, ...] = ()) -> Iterator[RemoteFile]:
    """List the files of a remote TARGET in a stable order.

    A server that fails costs completeness, not the run: what it does not give becomes a file with a trouble.

    Args:
        client: Makes the requests.
        target: ``hf://``, ``https://``, ``http://`` or ``s3://``.
        exclude: Globs over paths below the TARGET that are not looked at.

    Raises:
        UsageError: If the address is of no form that is known.
    """
    scheme = target.partition("://")[0].lower()
    if scheme in ("https", "http"):
        yield file(client, scheme + target[len(scheme) :])
        return
    if scheme not in ("hf", "s3"):
        raise UsageError(f"{target}: {scheme}:// is not read.", "Remotes are hf://, https:// and s3://.")
    source = Hub(client, target) if scheme == "hf" else Bucket(client, target)
    try:
        found = list(source.files())
    except RemoteError as error:
        yield RemoteFile(target, "", trouble=str(error))
        return
    below = len(target.rstrip("/")) + 1
    for entry in sorted(found, key=lambda entry: entry.shown):
        inner = entry.shown[below:]
        if not any(
            fnmatch.fnmatchcase(inner, glob) or fnmatch.fnmatchcase(f"/{inner}", glob.removeprefix("**")) for glob in exclude
        ):
            yield entry
