"""A plugin of pytest that keeps what a scanner's own tests hand to the scanner, and what the scanner says to it.

It runs in an environment of the scanner. The tests write their files themselves; an audit hook refuses to unpickle by name, to
start processes and to connect while they run, so nothing that they make is ever loaded. ``SUITE_OUT`` names the folder.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_OUT = Path(os.environ["SUITE_OUT"])
_REFUSED = frozenset(
    {"pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "subprocess.Popen", "socket.connect",
     "socket.getaddrinfo"}
)  # fmt: skip
_ORDER = ("none", "info", "low", "medium", "high", "critical")
_LARGEST = 4 << 20
_now: dict[str, Any] = {"test": "", "depth": 0}


def _refuse(event: str, _arguments: tuple[Any, ...]) -> None:
    if _now["test"] and event in _REFUSED:
        raise PermissionError(f"{event} is refused while tests are recorded")


sys.addaudithook(_refuse)


def pytest_runtest_logstart(nodeid: str, location: tuple[str, int | None, str]) -> None:  # noqa: ARG001  (pytest's names)
    """Note which test runs."""
    _now["test"] = nodeid


def pytest_runtest_logfinish(nodeid: str, location: tuple[str, int | None, str]) -> None:  # noqa: ARG001
    """Note that none does."""
    _now["test"] = ""


def pytest_collection_finish() -> None:
    """Wrap the scanner's entry."""
    from hayward.scanner import ModelFileScanner  # type: ignore[import-not-found]  # noqa: PLC0415

    ModelFileScanner.scan_file = _kept(ModelFileScanner.scan_file)


def _kept(real: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(real)
    def scan_file(scanner: object, path: Path, *rest: Any, **more: Any) -> Any:  # noqa: ANN401  (as the scanner's own)
        _now["depth"] += 1
        try:
            found = real(scanner, path, *rest, **more)
        finally:
            _now["depth"] -= 1
        if not _now["depth"] and _now["test"]:
            worst = max((str(one.severity.value).lower() for one in found), key=_ORDER.index, default="none")
            _keep(Path(path), worst)
        return found

    return scan_file


def _keep(path: Path, verdict: str) -> None:
    try:
        if not path.is_file() or path.is_symlink() or path.stat().st_size > _LARGEST:
            return
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        target = _OUT / "files" / digest / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        with (_OUT / "records.jsonl").open("a", encoding="utf-8") as records:
            records.write(json.dumps([target.relative_to(_OUT).as_posix(), _now["test"], verdict]) + "\n")
    except OSError:  # tests that break the file system on purpose
        return
