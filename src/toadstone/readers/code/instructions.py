"""What each opcode does to the symbolic stack (the language reference of `dis`, all versions from 3.6 to 3.14)."""

from __future__ import annotations

from toadstone.core.value import Items, Symbol, Value
from toadstone.readers.code.disassemble import Instruction
from toadstone.readers.code.stack import NULL, SYMBOL_BUILD_CLASS, Walk, handles
from toadstone.readers.code.values import UNKNOWN, join

# constants and variables


@handles("LOAD_CONST")
def _load_const(walk: Walk, step: Instruction) -> None:
    known = step.arg < len(walk.code.consts)
    walk.odd += not known
    walk.push(walk.constant(step.arg) if known else UNKNOWN)


@handles("RETURN_CONST")
def _return_const(walk: Walk, step: Instruction) -> None:
    _load_const(walk, step)
    _return(walk, step)


@handles("LOAD_SMALL_INT")
def _small_int(walk: Walk, step: Instruction) -> None:
    walk.push(step.arg)


@handles("LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW", "LOAD_FAST_AND_CLEAR")
def _load_fast(walk: Walk, step: Instruction) -> None:
    walk.push(walk.locals.get(walk.local(step.arg), UNKNOWN))


@handles("LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW")
def _load_two(walk: Walk, step: Instruction) -> None:
    for index in (step.arg >> 4, step.arg & 15):
        walk.push(walk.locals.get(walk.local(index), UNKNOWN))


@handles("STORE_FAST", "STORE_FAST_MAYBE_NULL")
def _store_fast(walk: Walk, step: Instruction) -> None:
    walk.store(walk.local(step.arg), walk.pop(), walk.locals)


@handles("STORE_FAST_LOAD_FAST")
def _store_load(walk: Walk, step: Instruction) -> None:
    walk.store(walk.local(step.arg >> 4), walk.pop(), walk.locals)
    walk.push(walk.locals.get(walk.local(step.arg & 15), UNKNOWN))


@handles("STORE_FAST_STORE_FAST")
def _store_two(walk: Walk, step: Instruction) -> None:
    for index in (step.arg >> 4, step.arg & 15):
        walk.store(walk.local(index), walk.pop(), walk.locals)


@handles("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_CLOSURE")
def _load_deref(walk: Walk, step: Instruction) -> None:
    walk.push(walk.locals.get(walk.cell(step.arg), UNKNOWN))


@handles("LOAD_FROM_DICT_OR_DEREF")
def _load_dict_deref(walk: Walk, step: Instruction) -> None:
    walk.pop()
    _load_deref(walk, step)


@handles("STORE_DEREF")
def _store_deref(walk: Walk, step: Instruction) -> None:
    walk.store(walk.cell(step.arg), walk.pop(), walk.locals)


@handles("LOAD_NAME")
def _load_name(walk: Walk, step: Instruction) -> None:
    walk.push(walk.global_name(walk.name(step.arg)))


@handles("LOAD_FROM_DICT_OR_GLOBALS")
def _load_dict_global(walk: Walk, step: Instruction) -> None:
    walk.pop()
    walk.push(walk.global_name(walk.name(step.arg)))


@handles("LOAD_GLOBAL")
def _load_global(walk: Walk, step: Instruction) -> None:
    minor = walk.opcodes.minor
    marked = minor >= 11 and step.arg & 1
    if marked and minor <= 12:
        walk.push(NULL)
    walk.push(walk.global_name(walk.name(step.arg >> 1 if minor >= 11 else step.arg)))
    if marked and minor >= 13:
        walk.push(NULL)


@handles("STORE_NAME", "STORE_GLOBAL")
def _store_name(walk: Walk, step: Instruction) -> None:
    walk.store(walk.name(step.arg), walk.pop(), walk.names)


@handles("LOAD_LOCALS")
def _load_locals(walk: Walk, _step: Instruction) -> None:
    walk.push(walk.namespace())


# moving


@handles("POP_TOP", "END_FOR", "POP_ITER")
def _pop_top(walk: Walk, _step: Instruction) -> None:
    walk.pop()


@handles("ROT_TWO", "ROT_THREE", "ROT_FOUR", "ROT_N")
def _rotate(walk: Walk, step: Instruction) -> None:
    count = {"ROT_TWO": 2, "ROT_THREE": 3, "ROT_FOUR": 4}.get(step.name, step.arg)
    if 1 < count <= len(walk.stack):
        walk.stack.insert(-(count - 1), walk.stack.pop())


@handles("DUP_TOP", "COPY")
def _copy(walk: Walk, step: Instruction) -> None:
    depth = step.arg if step.name == "COPY" else 1
    walk.push(walk.stack[-depth] if 0 < depth <= len(walk.stack) else UNKNOWN)


@handles("DUP_TOP_TWO")
def _copy_two(walk: Walk, _step: Instruction) -> None:
    walk.stack += walk.stack[-2:] if len(walk.stack) >= 2 else [UNKNOWN, UNKNOWN]


@handles("SWAP")
def _swap(walk: Walk, step: Instruction) -> None:
    if 1 < step.arg <= len(walk.stack):
        walk.stack[-1], walk.stack[-step.arg] = walk.stack[-step.arg], walk.stack[-1]


@handles("PUSH_NULL")
def _push_null(walk: Walk, _step: Instruction) -> None:
    walk.push(NULL)


@handles("IMPORT_NAME")
def _import_name(walk: Walk, step: Instruction) -> None:
    names, level = walk.machine.strings.plain(walk.pop()), walk.machine.strings.plain(walk.pop())
    depth = level if isinstance(level, int) and 0 <= level < 64 else 0
    module = "." * depth + walk.name(step.arg)
    if not isinstance(names, list):
        walk.machine.on_import(Symbol(module, ""), "IMPORT_NAME")
    top = walk.machine.import_module(module)
    walk.push(Symbol(module, "") if isinstance(names, list) else top)


@handles("IMPORT_FROM")
def _import_from(walk: Walk, step: Instruction) -> None:
    base = walk.stack[-1] if walk.stack else UNKNOWN
    name = walk.name(step.arg)
    if isinstance(base, Symbol):
        walk.machine.on_import(Symbol(base.module, f"{base.name}.{name}".lstrip(".")), "IMPORT_FROM")
    walk.push(walk.machine.attribute(base, name))


def _star(walk: Walk, base: Symbol) -> None:
    walk.machine.on_import(Symbol(base.module, "*"), "IMPORT_STAR")
    walk.machine.stars.append(base.module)


@handles("IMPORT_STAR")
def _import_star(walk: Walk, _step: Instruction) -> None:
    base = walk.pop()
    if isinstance(base, Symbol):
        _star(walk, base)


@handles("CALL_INTRINSIC_1")
def _intrinsic(walk: Walk, step: Instruction) -> None:
    value = walk.pop()
    if step.arg == 2 and isinstance(value, Symbol):
        _star(walk, value)
    walk.push(value if step.arg == 6 else UNKNOWN)  # 6: a list becomes the tuple of arguments


@handles("LOAD_ATTR")
def _load_attr(walk: Walk, step: Instruction) -> None:
    modern = walk.opcodes.minor >= 12
    base = walk.pop()
    walk.push(walk.machine.attribute(base, walk.name(step.arg >> 1 if modern else step.arg)))
    if modern and step.arg & 1:
        walk.push(NULL)


@handles("LOAD_METHOD")
def _load_method(walk: Walk, step: Instruction) -> None:
    walk.push(walk.machine.attribute(walk.pop(), walk.name(step.arg)))
    walk.push(NULL)


@handles("LOAD_SUPER_ATTR")
def _load_super(walk: Walk, step: Instruction) -> None:
    walk.pops(3)
    walk.push(UNKNOWN)
    if step.arg & 1:
        walk.push(NULL)


@handles("STORE_ATTR")
def _store_attr(walk: Walk, step: Instruction) -> None:
    base, value = walk.pop(), walk.pop()
    if isinstance(base, Symbol):
        walk.machine.on_call(Symbol("builtins", "setattr"), (base, walk.name(step.arg), value), (), "STORE_ATTR")


@handles("STORE_SUBSCR")
def _store_subscr(walk: Walk, _step: Instruction) -> None:
    key, base, value = walk.pop(), walk.pop(), walk.pop()
    if isinstance(base, Symbol):
        walk.machine.on_call(Symbol("operator", "setitem"), (base, key, value), (), "STORE_SUBSCR")


# functions, loops, results


@handles("MAKE_FUNCTION")
def _make_function(walk: Walk, step: Instruction) -> None:
    if walk.opcodes.minor <= 10:
        walk.pop()
    code = walk.pop()
    defaults: Value = UNKNOWN
    if walk.opcodes.minor <= 12:
        parts = walk.pops(step.arg.bit_count() if step.arg < 16 else 0)
        defaults = parts[0] if parts and step.arg & 1 else UNKNOWN
    walk.push(walk.function_of(code, defaults))


@handles("SET_FUNCTION_ATTRIBUTE")
def _function_attribute(walk: Walk, step: Instruction) -> None:
    function = walk.pop()
    given = walk.pop()
    walk.push(walk.function_of(function, given) if step.arg == 1 else function)


@handles("LOAD_BUILD_CLASS")
def _build_class(walk: Walk, _step: Instruction) -> None:
    walk.push(SYMBOL_BUILD_CLASS)


@handles("FOR_ITER")
def _for_iter(walk: Walk, _step: Instruction) -> None:
    iterated = walk.stack[-1] if walk.stack else UNKNOWN
    value: Value = UNKNOWN
    for option in iterated.items[:4] if isinstance(iterated, Items) and iterated.kind != "dict" else ():
        value = join(value, option)
    walk.push(value)


@handles("BEFORE_WITH", "BEFORE_ASYNC_WITH", "SETUP_WITH")
def _before_with(walk: Walk, _step: Instruction) -> None:
    manager = walk.pop()
    walk.push(UNKNOWN)
    walk.push(manager)


@handles("LOAD_SPECIAL")
def _load_special(walk: Walk, step: Instruction) -> None:
    walk.push(walk.machine.attribute(walk.pop(), "__enter__" if step.arg in (0, 2) else "__exit__"))
    walk.push(NULL)


@handles("UNPACK_SEQUENCE")
def _unpack(walk: Walk, step: Instruction) -> None:
    value = walk.pop()
    exact = isinstance(value, Items) and len(value.items) == step.arg and not value.more
    for index in reversed(range(min(step.arg, 1000))):
        walk.push(value.items[index] if exact and isinstance(value, Items) else UNKNOWN)


@handles("YIELD_VALUE")
def _yield(walk: Walk, _step: Instruction) -> None:
    walk.function.yielded = join(walk.function.yielded, walk.pop())
    walk.push(UNKNOWN)


@handles("RETURN_VALUE")
def _return(walk: Walk, _step: Instruction) -> None:
    walk.function.returned = join(walk.function.returned, walk.pop())
