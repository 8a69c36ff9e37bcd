"""Whether a path or address that an artefact names leads out of the artefact's folder."""

from __future__ import annotations

import posixpath
import re

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
"""A URL scheme or a Windows drive."""


def escapes(target: str, *, nested: bool) -> bool:
    """Whether a path leads out of the folder of the file that names it.

    Args:
        target: Path or URL as written; both kinds of slashes count.
        nested: Whether the file is inside an archive, so that it has no folder and every path leads out.
    """
    path = target.replace("\\", "/")
    if nested or path.startswith(("/", "~")) or _SCHEME.match(path):
        return True
    return posixpath.normpath(path).split("/", 1)[0] == ".."
