"""Code that runs inside IPython: what is asked of the shell object is what the notebook does."""

from __future__ import annotations

from toadstone.core.record import dataclass, field
from toadstone.core.value import Result, Symbol, Value
from toadstone.readers.code.machine import Args, Kwargs
from toadstone.readers.code.magics import FILES, PROGRAMS, SHELLS, TIMERS, as_python, options_stripped, runs_python
from toadstone.readers.code.reading import Reading
from toadstone.readers.code.values import UNKNOWN, Bound, plain

PRELUDE = "from IPython import get_ipython\n"
"""Binds the name that every IPython session has."""

_SHELL = frozenset(
    Symbol(module, name)
    for module in ("IPython", "IPython.core.getipython", "IPython.core.interactiveshell", "builtins")
    for name in ("get_ipython", "InteractiveShell.instance")
)
_SYSTEM = frozenset({"system", "system_piped", "system_raw", "getoutput", "getoutput_pexpect"})
_CODE = frozenset({"run_cell", "run_cell_async", "run_code", "ex", "ev", "safe_execfile"})
_OS_SYSTEM = Symbol("os", "system")
_FILES = 200


@dataclass(eq=False)
class Session(Reading):
    """Reads the cells of a notebook as one program.

    Attributes:
        files: Files that cells write: name and content, known as text.
    """

    files: list[tuple[str, str]] = field(default_factory=list)

    def on_call(self, callee: Value, args: Args, kwargs: Kwargs, how: str) -> Value:
        if isinstance(callee, Bound) and isinstance(callee.base, Result) and callee.base.callee in _SHELL:
            given = (*args, *(value for _, value in kwargs))
            return self._shell(callee.name, given)
        return UNKNOWN if callee in _SHELL else super().on_call(callee, args, kwargs, how)

    def _shell(self, method: str, args: Args) -> Value:
        texts = [text if isinstance(text := plain(value), str) else "" for value in args]
        if method in _SYSTEM and args:
            return self._command(args[0])
        if method in _CODE and texts:
            return self._code(texts[0])
        if method == "magic" and texts:
            name, _, text = texts[0].lstrip("%").partition(" ")
            return self._line_magic(name, text, text)
        if method == "run_line_magic" and len(args) > 1:
            return self._line_magic(texts[0], texts[1], args[1])
        if method == "run_cell_magic" and len(args) > 2:
            return self._cell_magic(texts[0], texts[1], texts[2], args[2])
        return UNKNOWN

    def _command(self, command: Value) -> Value:
        super().on_call(_OS_SYSTEM, (command,), (), "magic")
        return UNKNOWN

    def _code(self, text: str) -> Value:
        return self.execute(as_python(text))

    def _line_magic(self, name: str, text: str, value: Value) -> Value:
        if name in SHELLS or name == "sc":
            return self._command(value)
        if name in PROGRAMS:
            return self._command(f"{name} {text}")
        if name == "alias":
            return self._command(text.partition(" ")[2])
        if name in TIMERS:
            return self._code(options_stripped(text))
        if name in ("load_ext", "reload_ext") and text:
            self.on_import(Symbol(text.split(maxsplit=1)[0], ""), "%load_ext")
        if name == "run" and text:
            super().on_call(Symbol("runpy", "run_path"), (options_stripped(text).split(" ")[0],), (), "magic")
        return UNKNOWN

    def _cell_magic(self, name: str, line: str, text: str, value: Value) -> Value:
        if name in FILES:
            if len(self.files) < _FILES:
                self.files.append((line.rsplit(maxsplit=1)[-1] if line.split() else "file", text))
            return UNKNOWN
        if name in TIMERS or name.startswith(("python", "pypy")) or (name == "script" and runs_python(line)):
            return self._code(text)
        return self._command(value) if name in SHELLS else UNKNOWN
