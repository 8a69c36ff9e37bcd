"""What a call in program code is out to do, judged by what is called, with what, and where the arguments come from.

Ordinary programs run commands, fetch pages and write files; what gives hostile ones away is *what* they run and *when*: text
that was decoded or fetched a moment ago, a shell wired to a socket, a start-up file that is written while a module is imported.
Used for sources, notebooks and bytecode alike; see ATT&CK T1059 (interpreters), T1027 (obfuscation), T1105 (ingress transfer),
T1547 and T1053 (persistence), T1552.001 (credentials in files).
"""

from __future__ import annotations

from functools import lru_cache

from toadstone.core.fact import Call
from toadstone.core.finding import Severity
from toadstone.core.record import dataclass
from toadstone.core.value import Excerpt, Items, Opaque, Result, Symbol, Value
from toadstone.forensics.steps import HIDING_STEPS
from toadstone.symbols import Effect, Knowledge, effects_of
from toadstone.symbols.hostile import (
    COMMAND_MODULES,
    CREDENTIAL,
    DECODERS,
    FETCHERS,
    FETCHING_MODULES,
    FETCHING_NAMES,
    FILE_FUNCTIONS,
    HOSTILE_COMMAND,
    NATIVE_MEMORY,
    PERSISTENT,
    QUERIES,
    SENDERS,
    SHELLS,
    SOCKETS,
    TEXT_RUNNERS,
)

_CLIENTS = {"serving.request": "request", "serving.page": "page"}
"""What stands for the words of a client in calls of program code, and the kind of client."""
_UNPICKLERS = frozenset(
    "pickle.loads pickle.load dill.loads dill.load cloudpickle.loads cloudpickle.load joblib.load torch.load marshal.loads"
    " jsonpickle.decode yaml.load yaml.unsafe_load yaml.full_load".split()
)
_IMPORTERS = frozenset({"builtins.__import__", "importlib.import_module", "importlib.__import__"})

_PARTS = 2000
"""Parts of a value that are looked at."""


@dataclass(frozen=True)
class Intent:
    """A judgement.

    Attributes:
        severity: If it happens when the module is imported or loaded, or, for what is hostile anyway, whenever it happens.
        deed: What it does, to follow "this code".
        kind: Short name of the deed, the same for all calls that do it.
    """

    severity: Severity
    deed: str
    kind: str


@dataclass(frozen=True)
class Origins:
    """Where a value comes from; ``known``: decoding gave content that could be worked out."""

    decoded: bool
    fetched: bool
    socket: bool
    environment: bool
    texts: tuple[str, ...]
    known: bool


def concrete(value: Value) -> str | bytes | None:
    """Give the text behind a value, if it is known."""
    if isinstance(value, (str, bytes)):
        return value
    held = getattr(value, "value", None) if isinstance(value, Result) else None
    return held if isinstance(held, (str, bytes)) else None


def revealed(call: Call) -> str:
    """Give the text that an encoded or computed argument of a call turned out to be; empty when none is known."""
    for value in (*call.args, *(value for _, value in call.kwargs)):
        text = concrete(value) if isinstance(value, Result) else None
        if text:
            return text if isinstance(text, str) else text.decode("latin-1")
    return ""


def origins(values: tuple[Value, ...]) -> Origins:
    """Say where values come from and what text is in them."""
    names: list[str] = []
    texts: list[str] = []
    known = False
    stack: list[Value] = list(reversed(values))
    seen: set[int] = set()
    for _ in range(_PARTS):
        if not stack:
            break
        top = stack.pop()
        text = concrete(top)
        if text is not None:
            known = known or isinstance(top, Result)
            texts.append(text[:20_000] if isinstance(text, str) else text[:20_000].decode("latin-1"))
        if HIDING_STEPS.intersection(getattr(top, "steps", ())):
            names.append("operator.xor")  # the code's own functions and loops took it off
        if isinstance(top, Symbol):
            names.append(str(top))
        elif isinstance(top, Excerpt):
            texts.append(top.head.decode("latin-1"))
        elif id(top) not in seen:
            seen.add(id(top))
            stack.extend(reversed(_inside(top)[:_PARTS]))
    return _summed(names, texts, known)


def _inside(value: Value) -> list[Value]:
    if isinstance(value, Items):
        return value.items
    if isinstance(value, Result):
        return [value.callee, *value.args, *(item for _, item in value.kwargs)]
    options = getattr(value, "options", ()) if isinstance(value, Opaque) else ()
    return list(options)


def _summed(names: list[str], texts: list[str], known: bool) -> Origins:
    characters = names.count("builtins.chr")
    socket = bool(SOCKETS.intersection(names))
    return Origins(
        decoded=bool(DECODERS.intersection(names)) or characters >= 4 or (characters > 0 and not known),
        fetched=any(_fetches(name) for name in names) or (socket and any(text.startswith("recv") for text in texts)),
        socket=socket,
        environment="os.environ" in names and "operator.getitem" not in names and "os.environ.get" not in names,
        texts=tuple(texts[:200]),
        known=known,
    )


@lru_cache(maxsize=4096)
def _fetches(name: str) -> bool:
    module, _, last = name.rpartition(".")
    return name in FETCHERS or (module in FETCHING_MODULES and last in FETCHING_NAMES)


def called(callee: Value) -> Symbol | None:
    """Name what is called: a symbol, or a method of what a named class or function gave."""
    if isinstance(callee, Symbol):
        return callee
    if isinstance(callee, Result) and callee.callee == Symbol("builtins", "getattr") and len(callee.args) == 2:
        base, name = callee.args
        if isinstance(base, Result) and isinstance(base.callee, Symbol) and isinstance(name, str):
            return Symbol(base.callee.module, f"{base.callee.name}.{name}")
    if isinstance(callee, Result) and callee.callee == Symbol("operator", "getitem") and len(callee.args) == 2:
        base, name = callee.args
        if isinstance(base, Symbol) and isinstance(name, str) and base.name in ("", "__dict__"):  # __builtins__['eval']
            return Symbol(base.module, name)
    return None


def intent_of(call: Call) -> Intent | None:
    """Judge one call of program code; None when nothing speaks against it.

    What is plainly hostile is judged the same whenever it runs; everything else only when it runs on import or load, and
    then ``severity`` is that of this moment (see `hostile_anyway`).
    """
    symbol = called(call.callee)
    if symbol is None:
        return None
    values = (*call.args, *(value for _, value in call.kwargs))
    name = str(symbol)
    if name in TEXT_RUNNERS:
        return _as_asked(symbol, values[:1]) or _runs_text(name, values[:1])
    if name == "os.dup2" and origins(values[:1]).socket and len(values) > 1 and not origins(values[1:2]).socket:
        return Intent(Severity.CRITICAL, "wires its input and output to a network connection (a reverse shell)", "reverse-shell")
    if symbol.name.rpartition(".")[2] in NATIVE_MEMORY:
        return Intent(Severity.HIGH, f"prepares memory for machine code with {symbol.name.rpartition('.')[2]}", "native-memory")
    if name in ("marshal.loads", "marshal.load"):
        return _as_asked(symbol, values[:1]) or _loads_code(values[:1])
    if name in FILE_FUNCTIONS:
        return _touches_file(symbol, call)
    knowledge = effects_of(symbol.module, symbol.name)
    if knowledge is not None and Effect.RUN_COMMAND in knowledge.effects and _is_direct(symbol, knowledge):
        return _as_asked(symbol, values[:1]) or _runs_command(symbol, values, _streams(call))
    return _as_asked(symbol, values[:1]) or _network(symbol, knowledge, call, values)


def _as_asked(symbol: Symbol, values: tuple[Value, ...]) -> Intent | None:
    """Judge a call that does what a client asks for in so many words."""
    first = values[0] if values else None
    if not isinstance(first, Result) or (client := _CLIENTS.get(str(first.callee))) is None:
        return None
    name = str(symbol)
    severity = Severity.HIGH if client == "request" else Severity.MEDIUM
    who = "a client of the model server" if client == "request" else "a visitor of its page"
    if name in TEXT_RUNNERS:
        return Intent(severity, f"runs the code that {who} sends", "requested-code")
    if name in _IMPORTERS:
        return Intent(severity, f"imports the module that {who} names", "requested-import")
    if name in _UNPICKLERS:
        return Intent(Severity.MEDIUM, f"deserialises, with {symbol}, what {who} sends", "requested-object")
    knowledge = effects_of(symbol.module, symbol.name)
    if knowledge is not None and Effect.RUN_COMMAND in knowledge.effects and _is_direct(symbol, knowledge):
        return Intent(severity, f"runs the command that {who} sends", "requested-command")
    return None


def _is_direct(symbol: Symbol, knowledge: Knowledge) -> bool:
    return symbol.module in COMMAND_MODULES or (
        knowledge.exact and any(way.effect is Effect.RUN_COMMAND and way.parameters for way in knowledge.sensitive)
    )


def _runs_text(name: str, values: tuple[Value, ...]) -> Intent | None:
    where = origins(values)
    if where.fetched:
        return Intent(Severity.CRITICAL, "runs code that it fetched from the network a moment before", "fetched-code")
    if where.decoded and (where.known or not name.startswith("types.")):
        return Intent(Severity.CRITICAL, f"decodes hidden content and hands it to {name.partition('.')[2]}", "decoded-code")
    return None


def _loads_code(values: tuple[Value, ...]) -> Intent | None:
    where = origins(values)
    if where.fetched:
        return Intent(Severity.CRITICAL, "loads compiled code that it fetched from the network", "fetched-code")
    data = concrete(values[0]) if values else None
    if isinstance(data, bytes) and len(data) >= 32 and data[:1] in (b"c", b"\xe3"):  # a marshalled code object
        return Intent(Severity.CRITICAL, "loads compiled code that is hidden in a constant", "decoded-code")
    return None


def _streams(call: Call) -> tuple[Value, ...]:
    """What a program gets as its input and outputs."""
    named = tuple(value for name, value in call.kwargs if name in ("stdin", "stdout", "stderr"))
    return named + (call.args[3:6] if str(call.callee) == "subprocess.Popen" else ())


def _runs_command(symbol: Symbol, values: tuple[Value, ...], streams: tuple[Value, ...]) -> Intent | None:
    where = origins(values)
    if origins(streams).socket:
        return Intent(Severity.CRITICAL, "starts a program wired to a network connection (a reverse shell)", "reverse-shell")
    if where.fetched:
        return Intent(Severity.CRITICAL, "runs what it fetched from the network", "fetched-command")
    if where.decoded:
        return Intent(Severity.CRITICAL, f"decodes a hidden command and runs it with {symbol}", "decoded-command")
    first = _command_text(values[0]) if values else ""
    for text in (first, *where.texts):
        if HOSTILE_COMMAND.search(text):
            return Intent(Severity.CRITICAL, "runs a command that no honest program runs", "hostile-command")
    if symbol.module == "pty" and first and SHELLS.search(first.split()[0]):
        return Intent(Severity.CRITICAL, "starts an interactive shell", "shell")
    if symbol.module not in COMMAND_MODULES or (first and QUERIES.match(first)):
        return None
    program = values[0].items[0] if values and isinstance(values[0], Items) and values[0].items else None
    named = bool(first) and not first.startswith("…") and not isinstance(program, (Symbol, Result))
    return Intent(Severity.HIGH if named else Severity.MEDIUM, f"runs a command with {symbol}", "command")


def _command_text(value: Value) -> str:
    """The command as a shell would show it; unknown words are left out."""
    text = concrete(value)
    if text is not None:
        return text if isinstance(text, str) else text.decode("latin-1")
    if isinstance(value, Items):
        return " ".join((not isinstance(item, Items) and _command_text(item)) or "…" for item in value.items[:64])
    if isinstance(value, Result) and value.callee == Symbol("operator", "concat"):
        return "".join(_command_text(part) or "…" for part in value.args[:64])
    return ""


def _touches_file(symbol: Symbol, call: Call) -> Intent | None:
    target = call.args[0] if call.args else dict(call.kwargs).get("file", None)
    if isinstance(call.callee, Result) and isinstance(call.callee.args[0], Result):
        target = call.callee.args[0].args[0] if call.callee.args[0].args else None
    if symbol.module == "shutil":
        target = call.args[1] if len(call.args) > 1 else None
    texts = origins((target,)).texts
    mode = (
        concrete(call.args[1])
        if len(call.args) > 1 and symbol.module != "shutil"
        else concrete(dict(call.kwargs).get("mode", ""))
    )
    writes = (
        symbol.module == "shutil"
        or symbol.name.endswith("write_text")
        or (isinstance(mode, str) and any(letter in mode for letter in "wax+"))
    )
    for text in (*texts, "".join(texts)):
        if writes and PERSISTENT.search(text):
            return Intent(Severity.CRITICAL, f"writes a file that runs or opens the door later ({text[:80]})", "persistence")
        if not writes and CREDENTIAL.search(text):
            return Intent(Severity.HIGH, f"reads credentials ({text[:80]})", "credentials")
    return None


def _network(symbol: Symbol, knowledge: Knowledge | None, call: Call, values: tuple[Value, ...]) -> Intent | None:
    name = str(symbol)
    fetches = _fetches(name) or _fetches(f"{symbol.module}.{symbol.name.partition('.')[0]}")
    sockets = name.startswith(("socket.socket.", "socket.create_connection"))
    if not fetches and not sockets and not (knowledge is not None and knowledge.exact and Effect.NETWORK in knowledge.effects):
        return None
    where = origins(values)
    if symbol.name.rpartition(".")[2] in SENDERS and (where.environment or any(CREDENTIAL.search(text) for text in where.texts)):
        return Intent(Severity.CRITICAL, "sends the environment or credentials over the network", "exfiltration")
    if name.endswith(("urlretrieve", "wget.download")) and where.texts:
        return Intent(Severity.HIGH, "downloads a file", "download")
    if name in ("socket.socket.connect", "socket.socket.connect_ex", "socket.create_connection") and where.texts:
        return Intent(Severity.HIGH, f"connects to {where.texts[0][:80]}", "connection")
    del call
    return None


_ANYWAY = frozenset({
    "reverse-shell", "fetched-code", "decoded-code", "fetched-command", "decoded-command", "hostile-command", "exfiltration",
    "requested-code", "requested-import", "requested-object", "requested-command",
})  # fmt: skip


def hostile_anyway(intent: Intent) -> bool:
    """Whether a deed is hostile whenever it happens, not only on import."""
    return intent.kind in _ANYWAY
