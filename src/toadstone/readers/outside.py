"""Whether a path or address that an artefact names leads out of the artefact's folder."""

from __future__ import annotations

import posixpath

from toadstone.core.regex import regex

_SCHEME = regex(r"[A-Za-z][A-Za-z0-9+.-]*:")
"""A URL scheme or a Windows drive."""


_OTHER_DOTS = {0xFF0E: ".", 0x2024: ".", 0x2025: "..", 0xFF0F: "/", 0x2044: "/", 0x2215: "/", 0xFF3C: "/"}
_DOTS = regex(r"(?i)%(?:2e|2f|5c)")


def _spelled(target: str) -> str:
    """Give a path as whoever decodes or normalises it sees it."""
    if "%" in target:
        target = _DOTS.sub(lambda found: {"%2e": ".", "%2f": "/", "%5c": "/"}[found[0].lower()], target)
    return target if target.isascii() else target.translate(_OTHER_DOTS)


def escapes(target: str, *, nested: bool) -> bool:
    """Whether a reference leads out of the folder of the file that names it.

    Absolute paths of either system, drives, homes and addresses do; so does any ``..`` wherever it stands (``a/../../b``
    passed the checks of onnx before 1.16, CVE-2024-27318), also spelled ``%2e%2e`` or with look-alikes of dots and slashes; so
    does an embedded zero byte, at which C stops.

    Args:
        target: Path or URL as written; both kinds of slashes count.
        nested: Whether the file is inside an archive, so that it has no folder and every path leads out.
    """
    path = _spelled(target).replace("\\", "/")
    if nested or path.startswith(("/", "~")) or _SCHEME.match(path) or "\0" in path:
        return True
    return ".." in path.split("/")


def link_escapes(name: str, target: str, *, from_root: bool = False) -> bool:
    """Whether a link called ``name`` leads out of the folder into which its archive is unpacked.

    A link is followed by the file system: a tilde or a colon in its target is a character like any other, and ``..`` is
    resolved against the folder of the link.

    Args:
        name: Name of the link in the archive.
        target: What it points to.
        from_root: Whether the target is relative to the root of the archive (hard links) and not to the link's folder.
    """
    path = target.replace("\\", "/")
    if path.startswith("/") or (path[1:2] == ":" and path[0].isalpha()):
        return True
    folder = "" if from_root else posixpath.dirname(name.replace("\\", "/"))
    return posixpath.normpath(posixpath.join(folder, path)).split("/", 1)[0] == ".."
