"""``hf://`` addresses: which repository, which revision, which part of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from toadstone.core.errors import UsageError

_KINDS = {"models": "models", "datasets": "datasets", "spaces": "spaces"}
_PART = re.compile(r"[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_SPECIAL = re.compile(r"refs/(?:pr/\d+|convert/[\w.-]+)", re.ASCII)
_FORM = "The form is hf://owner/name, hf://owner/name@revision, hf://owner/name/folder@revision or hf://datasets/owner/name."


@dataclass(frozen=True)
class HubAddress:
    """What an ``hf://`` TARGET names.

    Attributes:
        kind: ``models``, ``datasets`` or ``spaces``.
        repository: ``owner/name``.
        revision: Branch, tag or commit; ``main`` when none was given.
        path: File or folder inside; empty for everything.
    """

    kind: str
    repository: str
    revision: str = "main"
    path: str = ""

    @property
    def api(self) -> str:
        """Path of the repository in the API."""
        return f"/api/{self.kind}/{self.repository}"

    def page(self, commit: str, path: str) -> str:
        """Path at which a file of a commit is served."""
        prefix = "" if self.kind == "models" else f"/{self.kind}"
        return f"{prefix}/{self.repository}/resolve/{quote(commit, safe='')}/{quote(path)}"


def parse(target: str) -> HubAddress:
    """Read a TARGET.

    The revision stands behind an ``@``: at the end, or behind the repository as in the ``hf://`` addresses of
    `huggingface_hub` (where it ends at the next slash unless it is ``refs/pr/N`` or ``refs/convert/X``).

    Raises:
        UsageError: If it names no repository.
    """
    before, at, behind = target.removeprefix("hf://").partition("@")
    parts = before.strip("/").split("/")
    kind = _KINDS.get(parts[0], "")
    parts = parts[1:] if kind else parts
    if len(parts) < 2 or not all(_PART.fullmatch(part) and ".." not in part and "--" not in part for part in parts[:2]):
        advice = f"Did you mean hf://OWNER/{parts[0]}? {_FORM}" if len(parts) == 1 and _PART.fullmatch(parts[0]) else _FORM
        raise UsageError(f"{target!r} names no repository.", advice)
    path = unquote("/".join(parts[2:]))
    revision = unquote(behind)
    if at and not path:
        special = _SPECIAL.match(behind)
        cut = special.end() if special else (behind + "/").index("/")
        revision, path = unquote(behind[:cut]), unquote(behind[cut:].strip("/"))
    if at and (not revision or not revision.isprintable() or ".." in revision):
        raise UsageError(f"{target!r} has an @ and no revision behind it.", _FORM)
    return HubAddress(kind or "models", f"{parts[0]}/{parts[1]}", revision or "main", path)
