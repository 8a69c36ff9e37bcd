"""The modules of a package, without the cost of importing the library's package tools."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

INDEX = "index"
"""Name of the generated module of a package that says what its other modules hold, so that few have to be imported."""


def names_below(package: ModuleType, *, deep: bool = True) -> list[str]:
    """List the dotted names of the modules and packages below a package, in a stable order, without its index.

    Args:
        package: The package.
        deep: Whether to list what is inside packages as well.
    """
    found: list[str] = []
    for folder in package.__path__:
        if os.path.isdir(folder):  # noqa: PTH112  (one call, no object)
            found += _listed(folder, package.__name__, deep=deep)
        else:  # inside an archive
            import pkgutil  # noqa: PLC0415  (twice the time of reading a folder)

            walk = pkgutil.walk_packages if deep else pkgutil.iter_modules
            found += [module.name for module in walk([folder], f"{package.__name__}.")]
    return sorted({name for name in found if name != f"{package.__name__}.{INDEX}"})


def index_of(package: ModuleType) -> ModuleType | None:
    """Give the generated index of a package; None if it is not there or does not list the modules that are there.

    An index has ``MODULES``, what `names_below` gave when it was made, and ``DEEP``, how it was asked.
    """
    name = f"{package.__name__}.{INDEX}"
    try:
        index = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None
    return index if list(index.MODULES) == names_below(package, deep=index.DEEP) else None


def _listed(folder: str, prefix: str, *, deep: bool) -> list[str]:
    found: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            name, dot, suffix = entry.name.partition(".")
            if dot and suffix in ("py", "pyc") and name != "__init__":
                found.append(f"{prefix}.{name}")
            elif not dot and name != "__pycache__" and entry.is_dir():
                found.append(f"{prefix}.{name}")
                found += _listed(entry.path, f"{prefix}.{name}", deep=deep) if deep else []
    return found
