"""Do the symbols of the gadget tables exist? Read from sources; only modules without source are imported, nothing is called.

``python -m benchmarks.corpus.malicious.symbols PYTHON... [--packages SITE_PACKAGES...]`` adds ``found_in`` to every row of the
gadgets' manifest: the interpreters and environments where the symbol was found.
"""

from __future__ import annotations

import argparse
import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from benchmarks.place import work_folder

_PROBE = """
import importlib, sys
module, _, name = sys.argv[1].partition(":")
value = importlib.import_module(module)
for part in name.split("."):
    value = getattr(value, part)
print("found")
"""
_RENAMED = {"__builtin__": "builtins", "commands": "subprocess", "httplib": "http.client", "cPickle": "pickle"}
_DEPTH = 12
_NO_IMPORT = frozenset({"antigravity", "this", "test", "idlelib"})
"""Importing these does something (a browser, a window, a test run): only their sources are read."""


@cache
def _source(root: Path, module: str) -> tuple[ast.Module, bool] | None:
    base = root.joinpath(*module.split("."))
    for path in (base / "__init__.py", base.with_name(base.name + ".py")):
        if path.is_file():
            try:
                return ast.parse(path.read_bytes()), path.name == "__init__.py"
            except SyntaxError:  # newer syntax than this interpreter's: run the tool with the newest one
                return None
    return None


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        for field in ("body", "orelse", "finalbody"):
            if isinstance(node, (ast.If, ast.Try, ast.With, ast.For)):
                yield from _statements(getattr(node, field, []))
        for handler in getattr(node, "handlers", []):
            yield from _statements(handler.body)


def _targets(node: ast.stmt) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {item.id for target in targets if target for item in ast.walk(target) if isinstance(item, ast.Name)}


def _absolute(module: str, node: ast.ImportFrom, package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    parts = parts[: len(parts) - node.level + (1 if package else 0)]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _through_import(root: Path, module: str, package: bool, node: ast.stmt, names: list[str], depth: int) -> bool:
    if isinstance(node, ast.ImportFrom):
        origin = _absolute(module, node, package)
        for alias in node.names:
            if alias.name == "*":
                if resolves(root, origin, names, depth - 1):
                    return True
            elif (alias.asname or alias.name) == names[0]:
                return resolves(root, origin, [alias.name, *names[1:]], depth - 1)
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname == names[0] or (not alias.asname and alias.name.partition(".")[0] == names[0]):
                target = alias.name if alias.asname else names[0]
                return len(names) == 1 or resolves(root, target, names[1:], depth - 1)
    return False


def _in_class(root: Path, module: str, node: ast.ClassDef, names: list[str], depth: int) -> bool:
    if not names or any(
        isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and item.name == names[0] for item in node.body
    ):
        return True
    bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
    return any(resolves(root, module, [base, *names], depth - 1) for base in bases)


def resolves(root: Path, module: str, names: list[str], depth: int = _DEPTH) -> bool:
    """Whether ``names`` can be followed from ``module`` in the sources below ``root`` (nothing is imported)."""
    found = _source(root, module)
    if depth <= 0 or found is None:
        return False
    if not names:
        return True
    if _source(root, f"{module}.{names[0]}") and resolves(root, f"{module}.{names[0]}", names[1:], depth - 1):
        return True
    tree, package = found
    for node in _statements(tree.body):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == names[0] and len(names) == 1:
            return True
        if isinstance(node, ast.ClassDef) and node.name == names[0]:
            return _in_class(root, module, node, names[1:], depth)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and names[0] in _targets(node):
            return True
        if _through_import(root, module, package, node, names, depth):
            return True
    return False


def _imported(python: str, symbol: str) -> bool:
    """A module without source (built-in or native) is imported in a child, and the attribute looked up."""
    argv = [python, "-I", "-c", _PROBE, symbol]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    return done.stdout.strip().endswith("found")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", nargs="+")
    parser.add_argument("--packages", nargs="*", type=Path, default=[])
    options = parser.parse_args()
    folder = work_folder() / "malicious" / "gadgets"
    rows = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    symbols = sorted({row["symbol"].partition("-")[0] for row in rows})
    where: dict[str, list[str]] = {symbol: [] for symbol in symbols}
    roots: list[tuple[str, Path, str]] = []
    for python in options.python:
        code = "import sysconfig, sys; print(sysconfig.get_path('stdlib'), '%d.%d' % sys.version_info[:2])"
        place, version = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.split()
        roots.append((f"cpython-{version}", Path(place), python))
    roots += [(path.parent.parent.parent.name, path, "") for path in options.packages]
    for label, root, python in roots:
        for symbol in symbols:
            module, _, name = symbol.partition(":")
            module = _RENAMED.get(module, module)
            if resolves(root, module, name.split(".")) or (python and _stdlib(root, module, name, python)):
                where[symbol].append(label)
        _source.cache_clear()  # the trees of one root alone take hundreds of megabytes
    document = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for row in document["files"]:
        row["found_in"] = where[row["symbol"].partition("-")[0]]
    (folder / "manifest.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    missing = [symbol for symbol, labels in where.items() if not labels]
    print(f"{len(symbols) - len(missing)} of {len(symbols)} symbols found; not found here:")
    print("\n".join(missing))


def _stdlib(root: Path, module: str, name: str, python: str) -> bool:
    top = module.partition(".")[0]
    known = _source(root, top) is not None or (top in sys.stdlib_module_names and not root.joinpath(top + ".py").exists())
    return top not in _NO_IMPORT and known and _imported(python, f"{module}:{name}")


if __name__ == "__main__":
    main()
