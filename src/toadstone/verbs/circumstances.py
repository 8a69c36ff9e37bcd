"""Under which circumstances something ran: code, packages, machine."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib import metadata

from toadstone.core.finding import Json

_PACKAGES = 400
"""Installed packages that are listed; the digest is over all."""


def code_of(folder: str) -> dict[str, Json] | None:
    """Give commit and state of the Git checkout that a folder is in; None when it is in none, or Git is not there."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    remote = _git(folder, "config", "--get", "remote.origin.url")
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    found: dict[str, Json] = {"digest": {"gitCommit": commit}, "dirty": bool(changed)}
    if remote and "@" not in remote.partition("://")[2].partition("/")[0]:  # a password is nobody's business
        found["uri"] = remote
    if changed:
        patch = _git(folder, "diff", "HEAD") or ""
        found["patch"] = {"sha256": hashlib.sha256(patch.encode()).hexdigest()}
    return found


def _git(folder: str, *words: str) -> str | None:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    program = shutil.which("git")
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603  (fixed words)
            [program, "-C", folder, *words], capture_output=True, env=environment, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace").strip()


def environment_of() -> dict[str, Json]:
    """Give the interpreter and the installed packages, as a list and as one digest over ``name==version`` lines."""
    found = {f"{one.metadata['Name']}=={one.version}" for one in metadata.distributions() if one.metadata["Name"]}
    packages = sorted(found, key=str.lower)
    listed: list[Json] = list(packages[:_PACKAGES])
    digest = hashlib.sha256("".join(f"{line}\n" for line in packages).encode()).hexdigest()
    return {
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "packages": listed,
        "packagesDigest": {"sha256": digest},
    }


def hardware_of() -> dict[str, Json]:
    """Give what the machine is: its processor, how many cores, how much memory; nothing that names it."""
    found: dict[str, Json] = {"machine": platform.machine(), "system": platform.system(), "cores": os.cpu_count() or 0}
    with suppress(AttributeError, ValueError, OSError):
        found["memory"] = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return found
