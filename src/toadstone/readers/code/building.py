"""What the opcodes that call and build things do to the symbolic stack, all versions from 3.6 to 3.14."""

from __future__ import annotations

from toadstone.core.value import Items, Value
from toadstone.readers.code.disassemble import Instruction
from toadstone.readers.code.stack import NULL, Walk, handles
from toadstone.readers.code.values import UNKNOWN

# calls


@handles(
    "PRECALL",
    "RESUME",
    "NOP",
    "NOT_TAKEN",
    "CACHE",
    "EXTENDED_ARG",
    "MAKE_CELL",
    "COPY_FREE_VARS",
    "SETUP_ANNOTATIONS",
    "RESERVED",
)
def _nothing(walk: Walk, _step: Instruction) -> None:
    """These do nothing to the stack."""


@handles("KW_NAMES")
def _kw_names(walk: Walk, step: Instruction) -> None:
    names = walk.code.consts[step.arg] if step.arg < len(walk.code.consts) else ()
    walk.keywords = tuple(name for name in names if isinstance(name, str)) if isinstance(names, tuple) else ()


def _named(args: list[Value], names: tuple[str, ...]) -> tuple[list[Value], list[tuple[str, Value]]]:
    count = min(len(names), len(args))
    positional = args[: len(args) - count]
    return positional, list(zip(names[len(names) - count :], args[len(args) - count :], strict=True))


@handles("CALL")
def _call(walk: Walk, step: Instruction) -> None:
    args, kwargs = _named(walk.pops(min(step.arg, 10_000)), walk.keywords)
    walk.keywords = ()
    other, callee = walk.pop(), walk.pop()
    walk.call(callee, other, args, kwargs)


@handles("CALL_KW")
def _call_kw(walk: Walk, step: Instruction) -> None:
    names = walk.machine.strings.plain(walk.pop())
    args, kwargs = _named(walk.pops(min(step.arg, 10_000)), tuple(map(str, names)) if isinstance(names, list) else ())
    other, callee = walk.pop(), walk.pop()
    walk.call(callee, other, args, kwargs)


@handles("CALL_FUNCTION")
def _call_function(walk: Walk, step: Instruction) -> None:
    args = walk.pops(min(step.arg, 10_000))
    walk.call(walk.pop(), NULL, args, [])


@handles("CALL_FUNCTION_KW")
def _call_function_kw(walk: Walk, step: Instruction) -> None:
    names = walk.machine.strings.plain(walk.pop())
    args, kwargs = _named(walk.pops(min(step.arg, 10_000)), tuple(map(str, names)) if isinstance(names, list) else ())
    walk.call(walk.pop(), NULL, args, kwargs)


@handles("CALL_METHOD")
def _call_method(walk: Walk, step: Instruction) -> None:
    args = walk.pops(min(step.arg, 10_000))
    other, callee = walk.pop(), walk.pop()
    walk.call(callee, other, args, [])


@handles("CALL_FUNCTION_EX")
def _call_ex(walk: Walk, step: Instruction) -> None:
    named = walk.pop() if step.arg & 1 or walk.opcodes.minor >= 14 else UNKNOWN
    given = walk.pop()
    other = walk.pop()
    callee = walk.pop() if walk.opcodes.minor >= 11 else NULL
    pairs = (
        [pair.items for pair in named.items if isinstance(pair, Items) and len(pair.items) == 2]
        if isinstance(named, Items)
        else []
    )
    kwargs = [(str(walk.machine.strings.plain(key)), value) for key, value in pairs]
    walk.call(callee, other, list(given.items) if isinstance(given, Items) and given.kind != "dict" else [UNKNOWN], kwargs)


# building


@handles("BUILD_TUPLE", "BUILD_LIST", "BUILD_SET")
def _build(walk: Walk, step: Instruction) -> None:
    made = Items(step.name.partition("_")[2].lower())
    made.add(walk.pops(min(step.arg, 10_000)))
    walk.push(made)


@handles("BUILD_TUPLE_UNPACK", "BUILD_LIST_UNPACK", "BUILD_SET_UNPACK", "BUILD_TUPLE_UNPACK_WITH_CALL")
def _build_unpack(walk: Walk, step: Instruction) -> None:
    made = Items("list" if "LIST" in step.name else "tuple")
    for part in walk.pops(min(step.arg, 10_000)):
        made.add(part.items if isinstance(part, Items) else [UNKNOWN])
    walk.push(made)


@handles("BUILD_MAP")
def _build_map(walk: Walk, step: Instruction) -> None:
    parts = walk.pops(2 * min(step.arg, 5_000))
    made = Items("dict")
    made.add([Items("tuple", [key, value]) for key, value in zip(parts[::2], parts[1::2], strict=False)])
    walk.push(made)


@handles("BUILD_CONST_KEY_MAP")
def _build_const_map(walk: Walk, step: Instruction) -> None:
    keys = walk.pop()
    values = walk.pops(min(step.arg, 10_000))
    made = Items("dict")
    made.add(
        [Items("tuple", [key, value]) for key, value in zip(keys.items if isinstance(keys, Items) else (), values, strict=False)]
    )
    walk.push(made)


@handles("BUILD_STRING")
def _build_string(walk: Walk, step: Instruction) -> None:
    walk.made(walk.machine.strings.concat(tuple(walk.pops(min(step.arg, 10_000)))))


@handles("FORMAT_VALUE", "FORMAT_SIMPLE", "FORMAT_WITH_SPEC")
def _format(walk: Walk, step: Instruction) -> None:
    if step.name == "FORMAT_WITH_SPEC" or (step.name == "FORMAT_VALUE" and step.arg & 4):
        walk.pop()
    value = walk.machine.strings.plain(walk.stack[-1]) if walk.stack else UNKNOWN
    if isinstance(value, (int, float)) and walk.stack and not (isinstance(value, int) and value.bit_length() > 512):
        walk.stack[-1] = str(value)


@handles("LIST_EXTEND", "SET_UPDATE")
def _extend(walk: Walk, step: Instruction) -> None:
    added = walk.pop()
    position = -max(step.arg, 1)
    base = walk.stack[position] if -position <= len(walk.stack) else UNKNOWN
    if isinstance(base, Items) and isinstance(added, Items):
        made = Items(base.kind, list(base.items), base.more + added.more)
        made.items += added.items[:4096]
        walk.stack[position] = made
    elif isinstance(base, Items):
        walk.stack[position] = Items(base.kind, list(base.items), base.more + 1)


@handles("LIST_APPEND", "SET_ADD")
def _append(walk: Walk, step: Instruction) -> None:
    added = walk.pop()
    position = -max(step.arg, 1)
    base = walk.stack[position] if -position <= len(walk.stack) else UNKNOWN
    if isinstance(base, Items):
        made = Items(base.kind, list(base.items), base.more + 1)  # inside a loop: how often is not known
        made.add([added])
        walk.stack[position] = made


@handles("DICT_MERGE", "DICT_UPDATE")
def _merge(walk: Walk, step: Instruction) -> None:
    added = walk.pop()
    position = -max(step.arg, 1)
    base = walk.stack[position] if -position <= len(walk.stack) else UNKNOWN
    if isinstance(base, Items) and isinstance(added, Items):
        made = Items("dict", list(base.items), base.more)
        made.add(added.items)
        walk.stack[position] = made


@handles("LIST_TO_TUPLE", "GET_ITER", "GET_YIELD_FROM_ITER", "CONVERT_VALUE", "TO_BOOL", "GET_AWAITABLE", "UNARY_POSITIVE")
def _same(walk: Walk, _step: Instruction) -> None:
    """The value stays what it is, as far as it matters here."""


@handles("UNARY_NEGATIVE", "UNARY_INVERT", "UNARY_NOT")
def _unary(walk: Walk, step: Instruction) -> None:
    value = walk.machine.strings.plain(walk.pop())
    walk.push(-value if step.name == "UNARY_NEGATIVE" and isinstance(value, (int, float)) and abs(value) < 1 << 64 else UNKNOWN)


@handles("BUILD_SLICE")
def _build_slice(walk: Walk, step: Instruction) -> None:
    walk.push(Items("slice", walk.pops(3 if step.arg == 3 else 2)))


@handles("BINARY_OP")
def _binary_op(walk: Walk, step: Instruction) -> None:
    sign = walk.opcodes.operators[step.arg] if step.arg < len(walk.opcodes.operators) else "?"
    if sign == "[]":
        _subscribe(walk, step)
    else:
        walk._operator(sign)  # noqa: SLF001  (the walk and its instructions are one machine)


@handles("BINARY_SUBSCR")
def _subscribe(walk: Walk, _step: Instruction) -> None:
    key, base = walk.pop(), walk.pop()
    if isinstance(key, Items) and key.kind == "slice":
        walk.made(_sliced(walk, base, [walk.machine.strings.plain(part) for part in key.items]))
    else:
        walk.push(walk.machine.item(base, key) if base is not UNKNOWN else UNKNOWN)


@handles("BINARY_SLICE")
def _binary_slice(walk: Walk, _step: Instruction) -> None:
    stop, start, base = walk.pop(), walk.pop(), walk.pop()
    walk.made(_sliced(walk, base, [walk.machine.strings.plain(start), walk.machine.strings.plain(stop)]))


def _sliced(walk: Walk, base: Value, parts: list[object]) -> Value:
    if base is UNKNOWN or any(part is not None and type(part) is not int for part in parts):
        return base
    made = walk.machine.strings.item(base, slice(*parts))
    return made if made is not UNKNOWN else base
