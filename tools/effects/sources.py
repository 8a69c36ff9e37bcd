"""Finds and lowers the source files of a library tree."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Collection, Iterator
from pathlib import Path

from tools.effects.ir import Module
from tools.effects.lower import lower_module

SKIPPED_PARTS = frozenset({"__pycache__", "site-packages", "dist-packages", "tests", "lib-dynload", "node_modules", "idle_test"})
IDENTIFIER = re.compile(r"[^\W\d]\w*\Z")
MAX_SOURCE = 4 << 20


def module_name(relative: Path) -> tuple[str, bool] | None:
    """The dotted module name of a file and whether it is a package; ``None`` when it cannot be imported."""
    parts = list(relative.with_suffix("").parts)
    package = parts[-1] == "__init__"
    parts = parts[:-1] if package else parts
    if not parts or not all(IDENTIFIER.match(part) for part in parts):
        return None
    return ".".join(parts), package


def source_files(root: Path, *, stdlib: bool, only: frozenset[str] = frozenset()) -> Iterator[tuple[str, bool, Path]]:
    """The modules below a root, sorted; of the standard library's own tests only their support code."""
    found = (
        [*root.rglob("*.py")]
        if not only
        else [path for top in sorted(only) for path in (root / f"{top}.py", *(root / top).rglob("*.py"))]
    )
    for path in sorted(path for path in found if path.is_file()):
        relative = path.relative_to(root)
        parts = relative.parts
        if SKIPPED_PARTS & set(parts[:-1]):
            continue
        if "test" in parts[:-1] and (not stdlib or parts[:2] != ("test", "support")):
            continue
        if not stdlib and (path.stem.startswith("test_") or path.stem.endswith("_test")):
            continue
        named = module_name(relative)
        if named:
            yield named[0], named[1], path


def lower_tree(
    root: Path, *, stdlib: bool, failures: list[str], only: frozenset[str] = frozenset(), judged: Collection[str] = ()
) -> list[Module]:
    """Lower every module below a root but those inside a package that is judged as a whole.

    What cannot be parsed is added to ``failures``.
    """
    sys.setrecursionlimit(20_000)
    modules = []
    for name, package, path in source_files(root, stdlib=stdlib, only=only):
        if judged and any(name.startswith(f"{whole}.") for whole in judged):
            continue
        source = path.read_bytes()
        if len(source) > MAX_SOURCE:
            failures.append(f"{name}: larger than {MAX_SOURCE} bytes")
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                modules.append(lower_module(name, source, package=package))
        except (SyntaxError, RecursionError, ValueError) as error:
            failures.append(f"{name}: {error}")
    return modules


def walked_packages(root: Path, judged: Collection[str]) -> dict[str, tuple[str, str]]:
    """Top-level names below a folder of packages, each with its distribution and version.

    A package that the seeds judge as a whole is left out: every name in it has an effect already.
    """
    found: dict[str, tuple[str, str]] = {}
    for info in sorted(root.glob("*.dist-info")):
        name, _, version = info.name.removesuffix(".dist-info").partition("-")
        for top in sorted(tops_of(info) - set(judged)):
            found.setdefault(top, (name, version))
    return found


def tops_of(info: Path) -> set[str]:
    """The importable top-level names that a distribution's record lists."""
    record = info / "RECORD"
    if not record.is_file():
        return set()
    tops = set()
    for line in record.read_text(encoding="utf-8").splitlines():
        path = line.partition(",")[0]
        top = path.partition("/")[0].removesuffix(".py")
        if path.endswith(".py") and IDENTIFIER.match(top):
            tops.add(top)
    return tops
