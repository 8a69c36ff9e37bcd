"""The modules of a package, without the cost of importing the library's package tools."""

from __future__ import annotations

import os
from types import ModuleType


def names_below(package: ModuleType) -> list[str]:
    """List the dotted names of all modules and packages below a package, in a stable order."""
    found: list[str] = []
    for folder in package.__path__:
        if os.path.isdir(folder):  # noqa: PTH112  (one call, no object)
            found += _listed(folder, package.__name__)
        else:  # inside an archive
            import pkgutil  # noqa: PLC0415  (twice the time of reading a folder)

            found += [module.name for module in pkgutil.walk_packages([folder], f"{package.__name__}.")]
    return sorted(set(found))


def _listed(folder: str, prefix: str) -> list[str]:
    found: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            name, dot, suffix = entry.name.partition(".")
            if dot and suffix in ("py", "pyc") and name != "__init__":
                found.append(f"{prefix}.{name}")
            elif not dot and name != "__pycache__" and entry.is_dir():
                found.append(f"{prefix}.{name}")
                found += _listed(entry.path, f"{prefix}.{name}")
    return found
