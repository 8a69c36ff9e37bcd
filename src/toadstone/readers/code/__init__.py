"""Code: Python sources, notebooks, start-up files, compiled modules and naked ``marshal`` data.

Kinds to ask for as the hint of a member: ``python`` (runs on import) and ``python-run`` (loading runs it) for source text,
``marshal`` (code that runs when it is used) and ``marshal-run`` (loading runs it) for marshal data of any CPython from 3.6
to 3.14.
"""

from __future__ import annotations

from toadstone.readers.code import compiled, notebook, source, startup
from toadstone.readers.reader import Reader

READERS = (
    Reader("python", source.read, claims=source.is_python, always=True, rank=60),
    Reader("python-run", source.read_run),
    Reader("startup", startup.read, suffixes=(".pth",), claims=startup.is_startup, rank=60),
    Reader("notebook", notebook.read, suffixes=(".ipynb",), claims=notebook.is_notebook, rank=60),
    Reader("pyc", compiled.read_pyc, claims=compiled.is_pyc, always=True, rank=20),
    Reader("marshal", compiled.read_used),
    Reader("marshal-run", compiled.read_run),
)
