"""Code: Python sources, notebooks, start-up files, compiled modules and naked ``marshal`` data.

Kinds to ask for as the hint of a member: ``python`` (runs on import), ``python-run`` (loading runs it) and ``python-used``
(somebody may run it later) for source text,
``marshal`` (code that runs when it is used) and ``marshal-run`` (loading runs it) for marshal data of any CPython from 3.6 to
3.14.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator

from toadstone.core.fact import Fact
from toadstone.readers.code import claims
from toadstone.readers.reader import Reader, Source


def _later(module: str, function: str = "read") -> Callable[[Source], Iterator[Fact]]:
    """Read with a module that is only imported once there is something for it to read."""

    def read(source: Source) -> Iterator[Fact]:
        reader: Callable[[Source], Iterator[Fact]] = getattr(importlib.import_module(f"{__name__}.{module}"), function)
        yield from reader(source)

    return read


READERS = (
    Reader("python", _later("source"), suffixes=(".py", ".pyw"), marks=((0, b"#!"),), claims=claims.is_python, rank=60),
    Reader("python-run", _later("source", "read_run")),
    Reader("packaged-python", _later("source", "read_packaged")),
    Reader("python-used", _later("source", "read_used")),
    Reader("startup", _later("startup"), suffixes=(".pth",), claims=claims.is_startup, rank=60),
    Reader("notebook", _later("notebook"), suffixes=(".ipynb",), claims=claims.is_notebook, rank=60),
    Reader("pyc", _later("compiled", "read_pyc"), marks=((2, b"\r\n"),), claims=claims.is_pyc, rank=20),
    Reader("marshal", _later("compiled", "read_used")),
    Reader("marshal-run", _later("compiled", "read_run")),
)
