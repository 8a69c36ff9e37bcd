"""`lua-code`: functions of Lua that travel in a file of Torch7."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Call, Code, Fact, Moment
from toadstone.core.finding import Finding, Json, Severity
from toadstone.core.place import Place
from toadstone.core.value import Symbol

_DOES = {
    "os.execute": "run commands",
    "io.popen": "run commands",
    "ffi.cdef": "call any function of any C library",
    "package.loadlib": "load a native library",
    "loadstring": "run text as code",
    "dofile": "run another file",
    "loadfile": "run another file",
}


@check(
    "lua-code",
    severity=Severity.HIGH,
    reads=(Code, Call),
    languages=("lua",),
    references=("CWE-502", "CWE-94", "CWE-506", "MITRE ATLAS 2026.08 AML.T0011.000", "OWASP ML 2023 ML06"),
)
class LuaCode(Check):
    """A file of Torch7 carries functions as bytecode.

    ## Why it matters
    `torch.load` of Torch7 gives every function in a file to `loadstring`, and Lua does not verify bytecode: crafted code reads
    and writes memory at will. The function runs when the program calls what looks like a method of the model.

    ## How it decides
    A function is `medium`: graphs and training states hold some, models that are only used need none. One whose constants name
    what runs commands, loads code or calls C (`os.execute`, `io.popen`, `loadstring`, `package.loadlib`, `ffi.cdef`) is `high`.

    ## What it misses
    What the bytecode does with its constants, and names that it puts together while it runs.

    ## Remedy
    Keep weights as tensors without functions, and convert old models once, in a sandbox, to a format without code.

    ## References
    Lua 5.1 reference manual, `loadstring`, `string.dump`; torch7, `File.lua`; CWE-502.
    """

    def examine(self, fact: Code | Call) -> Iterator[Finding]:
        """Judge a function, or what one names."""
        if isinstance(fact, Code):
            if fact.language != "lua":
                return
            message = f"Loading this hands bytecode to Lua: {fact.summary}."
            yield self.finding(fact.place, message, severity=Severity.MEDIUM, key="function", summary=fact.summary)
            return
        name = str(fact.callee).removeprefix(".")
        if name in _DOES:
            told: list[Json] = [text for text in fact.args if isinstance(text, str)]
            message = f"A function inside the file names {name}, which can {_DOES[name]}."
            yield self.finding(fact.place, message, key=name, constants=told)

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give a function, and one that names a way to run commands."""
        place = Place("model.t7", offset=40)
        yield Code(place, "lua", "function", "a function of 120 bytes of Lua bytecode")
        yield Call(place, Symbol("os", "execute"), ("echo toadstone",), (), "function", "lua", Moment.USE)

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give a call of another kind and code of another language."""
        place = Place("model.t7", offset=40)
        yield Call(place, Symbol("os", "time"), (), (), "function", "lua", Moment.USE)
        yield Code(place, "r", "function", "a function: stats::dnorm(x)")
