"""The opcodes that import, call and build, and those that fill containers."""

from __future__ import annotations

from toadstone.core.fact import Call, Import, PersistentLoad, Unread
from toadstone.core.value import Excerpt, Items, Opaque, Result, Symbol, Table, Value
from toadstone.readers.flood import KEPT
from toadstone.readers.pickle.indirection import resolved
from toadstone.readers.pickle.python2 import python3_name
from toadstone.readers.pickle.state import COST_OF_CALL, Broken, Raw, State

_BY_PROXY = (Symbol("copyreg", "_reconstructor"), Symbol("copyreg", "__newobj__"), Symbol("copyreg", "__newobj_ex__"))
_SPREAD = (Symbol("builtins", "tuple"), Symbol("builtins", "list"))
_PERHAPS_TEXT = (str, Result, Opaque, Symbol, Excerpt)
"""What may be text once the file is loaded; a symbol may stand for a module's constant (``os.name``)."""
LONGEST_NAME = 4096
"""Characters of a name that are kept; no file system and no honest class needs as many."""

_IMPORTS = 100_000
"""Names of one stream that are reported, each once; what is called is judged in any case."""

_CALLS = 20_000
_GROWN = 16 << 20
"""Characters of text that one stream may make by joining and decoding."""

_STATES = 8
"""States of one object that are kept (`Result.state`)."""


class Calls(State):
    """Opcodes on whole values. Each method gets the opcode's argument and its offset."""

    def imported_name(self, symbol: Symbol, how: str, offset: int) -> Symbol:
        if self.protocol < 3:
            symbol = python3_name(symbol)
        self.stream.acted = True
        if symbol not in self.imported and len(self.imported) <= _IMPORTS:
            self.imported.add(symbol)
            self.work += COST_OF_CALL
            if len(self.imported) > _IMPORTS:
                reason = f"more than {_IMPORTS:,} names are imported; the rest is not judged"
                self.facts.append(Unread(self.place.at(offset), reason))
                return symbol
            self.facts.append(Import(self.place.at(offset), symbol, how, "pickle"))
        return symbol

    def called(
        self, callee: Value, args: tuple[Value, ...], kwargs: tuple[tuple[str, Value], ...], how: str, offset: int
    ) -> Value:
        """Report a call; give what it gives as far as that is known (see `toadstone.readers.pickle.indirection`)."""
        self.stream.acted = True
        given = self.bounded(resolved(callee, args, self.decoding.call))
        if isinstance(given, Symbol):
            self.report(callee, args, kwargs, f"{how} resolved", offset)
            return self.imported_name(given, "getattr" if given.name else "import_module", offset)
        if isinstance(given, Items):
            self.report(callee, args, kwargs, f"{how} resolved", offset)
            found = [self.imported_name(item, "getattr", offset) if isinstance(item, Symbol) else item for item in given.items]
            return Items(given.kind, found)
        if isinstance(given, Result) and not isinstance(given.callee, Result):
            self.report(callee, args, kwargs, f"{how} resolved", offset)
            if not (
                isinstance(given.callee, Symbol)
                and given.callee.module == "builtins"
                and given.callee.name.startswith(("str.", "bytes."))
            ):
                return self.called(given.callee, given.args, given.kwargs, how, offset)
            return given
        self.report(callee, args, kwargs, how, offset)
        if given is not None:
            self.worked_at = offset
            return given
        if isinstance(callee, Result) and isinstance(callee.callee, Symbol) and callee.callee.module == "builtins":
            bound = self.bounded(self.decoding.call(str(callee.callee), [*callee.args, *args]))  # a method of known text, called
            if bound is not None:
                return bound
        if callee in _BY_PROXY and args and isinstance(args[0], Symbol):
            return Result(args[0], args[1:], kwargs)  # an instance of the first argument, made by the protocol's own function
        return Result(callee, args, kwargs)

    def bounded(self, given: Value) -> Value:
        """Give what a step on names and text gave; None when it grows beyond all measure."""
        if isinstance(given, (str, bytes)):
            self.grown += len(given)
            self.work += len(given) >> 6
            return given if self.grown <= _GROWN else None
        if isinstance(given, Symbol) and len(given.name) > LONGEST_NAME:
            return Symbol(given.module, given.name[:LONGEST_NAME])
        return given

    def report(
        self, callee: Value, args: tuple[Value, ...], kwargs: tuple[tuple[str, Value], ...], how: str, offset: int
    ) -> None:
        """Report a call; one that comes again and again with the same arguments is reported a few times."""
        self.work += 4
        if self.crowded() or not self.new(_key(callee, args, kwargs, how) if len(args) <= _SHORT else None):
            return
        cut = self.handing.cut(callee, args, kwargs, how)
        self.work += self.handing.work
        self.handing.work = 0
        if cut is not None:
            if not self.new(None if cut.sign is None else ("cut", how, *cut.sign)):
                return
            callee, args, kwargs = cut.callee, cut.args, cut.kwargs
            if cut.lost and not self.lost:
                self.lost = True
                reason = "calls are handed the same large values again and again; not all of them are looked into every time"
                self.facts.append(Unread(self.place.at(offset), reason))
        self.work += COST_OF_CALL
        self.facts.append(Call(self.place.at(offset), callee, args, kwargs, how, "pickle"))

    def new(self, key: tuple[object, ...] | None) -> bool:
        """Whether something has not been told often yet."""
        if key is None or None in key:
            return True
        count = self.told.get(key, 0) + 1
        if count <= KEPT and (count > 1 or len(self.told) < _CALLS):
            self.told[key] = count
        return count <= KEPT

    def persistent(self, identity: Value, offset: int) -> None:
        if len(self.stream.persistent) < _IMPORTS:
            self.stream.persistent.append(identity)
        self.stream.acted = True
        if self.new(("persistent", _part(identity, 2))):
            self.work += COST_OF_CALL
            self.facts.append(PersistentLoad(self.place.at(offset), identity))
        fields = identity.items if isinstance(identity, Items) else []
        if len(fields) > 1 and fields[0] == "module" and isinstance(fields[1], Symbol):
            self.stack.append(fields[1])  # legacy PyTorch: a class, with its source for comparison only
        elif len(fields) == 4 and fields[0] == "reduce_package":  # torch.package: func(importer, *args)
            given = tuple(fields[3].items) if isinstance(fields[3], Items) else ()
            self.stack.append(self.called(fields[2], (Opaque("importer"), *given), (), "REDUCE", offset))
        else:
            self.stack.append(Result(Symbol("", "persistent_load"), (identity,)))

    def op_proto(self, version: int, _offset: int) -> None:
        if version > 5:
            raise Broken(f"protocol {version} does not exist")
        self.protocol = version

    def op_frame(self, length: int, offset: int) -> None:
        end = offset + 9 + length
        if offset < self.frame_end:
            self.note("frame-mismatch", "a frame begins inside another", offset)
            if self.frame_end < end and self.frame_end <= self.tape.size:
                self.cuts.append((offset + 9, self.frame_end))
        if end > self.tape.size:
            self.note(
                "frame-mismatch", f"a frame claims {length:,} bytes, more than there are; the C unpickler stops here", offset
            )
        self.frame_end = end

    def op_stack_global(self, _argument: int, offset: int) -> None:
        name, module = _short(self.pop(offset)), _short(self.pop(offset))
        if isinstance(name, str) and isinstance(module, str):
            self.stack.append(self.imported_name(Symbol(module, name), "STACK_GLOBAL", offset))
        elif isinstance(name, _PERHAPS_TEXT) and isinstance(module, _PERHAPS_TEXT):
            shown = module if isinstance(module, str) else ""
            self.stack.append(
                self.imported_name(Symbol(shown, name if isinstance(name, str) else ""), "STACK_GLOBAL computed", offset)
            )
        else:
            raise Broken("STACK_GLOBAL needs two strings")

    def op_extension(self, code: int, offset: int) -> None:
        self.stack.append(self.imported_name(Symbol("", f"extension-{code}"), "EXT", offset))

    def op_reduce(self, _argument: int, offset: int) -> None:
        args, callee = self.pop(offset), self.pop(offset)
        self.stack.append(self.called(callee, _arguments(args), _unknown_rest(args), "REDUCE", offset))

    def op_newobj(self, _argument: int, offset: int) -> None:
        args, callee = self.pop(offset), self.pop(offset)
        self.stack.append(self.called(callee, _arguments(args), _unknown_rest(args), "NEWOBJ", offset))

    def op_newobj_ex(self, _argument: int, offset: int) -> None:
        kwargs, args, callee = self.pop(offset), self.pop(offset), self.pop(offset)
        self.stack.append(self.called(callee, _arguments(args), _named(kwargs), "NEWOBJ_EX", offset))

    def op_obj(self, _argument: int, offset: int) -> None:
        values = self.to_mark(offset)
        callee = values.pop(0) if values else self.underflow(offset)
        self.stack.append(self.called(callee, tuple(values), (), "OBJ", offset))

    def op_build(self, _argument: int, offset: int) -> None:
        state = self.pop(offset)
        target = self.stack[-1] if len(self.stack) > self.fence else self.underflow(offset)
        self.changed(target, state, "BUILD", offset)
        if isinstance(target, Result) and isinstance(target.callee, Symbol):
            detour = self.detours.get(target.callee.name.rpartition(".")[2])
            if detour is not None:
                self.facts.append(Raw(self.place, detour, target))

    def changed(self, target: Value, value: Value, how: str, offset: int) -> None:
        """Something is set on an object that is no plain container: its class's code runs."""
        if isinstance(target, Result):
            if len(target.state) >= _STATES:  # the last one always counts, and that others were there
                target.state[_STATES - 2 :] = [Opaque("...")]
            target.state.append(value)
        callee = target.callee if isinstance(target, Result) else target
        self.stream.acted = True
        how = how if not isinstance(target, Symbol) else f"{how} on import"
        self.report(callee, (value,), (), how, offset)

    def extended(self, target: Value, values: list[Value], kind: str, how: str, offset: int) -> None:
        if isinstance(target, Items):
            target.add(values)
        elif isinstance(target, (Result, Symbol)):
            kept = Items(kind)
            kept.add(values)
            self.changed(target, values[0] if kind == "dict" else kept, how, offset)

    def op_append(self, _argument: int, offset: int) -> None:
        value = self.pop(offset)
        target = self.stack[-1] if len(self.stack) > self.fence else self.underflow(offset)
        self.extended(target, [value], "list", "APPENDS", offset)

    def op_appends(self, _argument: int, offset: int) -> None:
        values = self.to_mark(offset)
        target = self.stack[-1] if len(self.stack) > self.fence else self.underflow(offset)
        self.extended(target, values, "list", "APPENDS", offset)

    def op_additems(self, _argument: int, offset: int) -> None:
        values = self.to_mark(offset)
        target = self.stack[-1] if len(self.stack) > self.fence else self.underflow(offset)
        self.extended(target, values, "set", "ADDITEMS", offset)

    def op_setitem(self, _argument: int, offset: int) -> None:
        value, key = self.pop(offset), self.pop(offset)
        target = self.stack[-1] if len(self.stack) > self.fence else self.underflow(offset)
        self.set_items(target, [key, value], offset)

    def op_setitems(self, _argument: int, offset: int) -> None:
        values = self.to_mark(offset)
        target = self.stack[-1] if len(self.stack) > self.fence else self.underflow(offset)
        self.set_items(target, values, offset)

    def set_items(self, target: Value, values: list[Value], offset: int) -> None:
        if isinstance(target, Table):
            target.add_flat(values)
        else:
            kept = Table()
            kept.add_flat(values)
            self.extended(target, [kept], "dict", "SETITEMS", offset)

    def op_dict(self, _argument: int, offset: int) -> None:
        made = Table()
        made.add_flat(self.to_mark(offset))
        self.stack.append(made)

    def op_tuple(self, kind: str, offset: int) -> None:
        made = Items(kind)
        made.add(self.to_mark(offset))
        self.stack.append(made)

    def op_small_tuple(self, size: int, offset: int) -> None:
        stack = self.stack
        if len(stack) - self.fence >= size:
            stack[-size:] = [Items("tuple", stack[-size:])]
        else:
            values = [self.pop(offset) for _ in range(size)]
            values.reverse()
            stack.append(Items("tuple", values))

    def op_pop(self, _argument: int, offset: int) -> None:
        """POP removes a mark when nothing lies above it, as both unpicklers do."""
        if len(self.stack) > self.fence:
            self.stack.pop()
        elif self.marks:
            self.fence = self.marks.pop()
        else:
            self.underflow(offset)

    def op_dup(self, _argument: int, offset: int) -> None:
        self.stack.append(self.stack[-1] if len(self.stack) > self.fence else self.underflow(offset))

    def op_push(self, value: Value, _offset: int) -> None:
        self.stack.append(value)


_SHORT = 4
_LARGE = 1e6
_LONG = 256
_PLAIN = frozenset({str, bytes, int, float, bool, type(None)})


def _key(callee: Value, args: tuple[Value, ...], kwargs: tuple[tuple[str, Value], ...], how: str) -> tuple[object, ...] | None:
    """Give what makes a call the same as another one; None when that takes more than a look."""
    if not isinstance(callee, Symbol) or kwargs:
        return None
    return (how, callee, *(_part(value, 2) for value in args))


def _part(value: Value, depth: int) -> object:
    kind = type(value)
    if isinstance(value, (int, float)):  # what numbers do depends on how large they are
        return (kind, value.bit_length() if isinstance(value, int) else abs(value) > _LARGE)
    if kind in _PLAIN:
        if isinstance(value, (str, bytes)) and len(value) > _LONG:
            return kind, len(value), hash(value)  # nothing long is kept for its own sake
        return kind, value
    if isinstance(value, Symbol):
        return value
    if isinstance(value, Result):
        if value.state or value.kwargs or not depth:
            return value  # the very same object
        keys = ["made", _part(value.callee, depth - 1), *(_part(item, depth - 1) for item in value.args[:_SHORT])]
        return None if None in keys or len(value.args) > _SHORT else tuple(keys)
    if isinstance(value, Items) and depth and not value.more:
        inner = value.flat if isinstance(value, Table) else value.items
        if len(inner) <= _SHORT:
            keys = [value.kind, *(_part(item, depth - 1) for item in inner)]
            return None if None in keys else tuple(keys)
    return None


def _short(name: Value) -> Value:
    """Cut a name that is longer than any real one."""
    if isinstance(name, Excerpt) and name.kind == "str":
        return name.head[:LONGEST_NAME].decode("utf-8", "replace")
    return name[:LONGEST_NAME] if isinstance(name, str) else name


def _arguments(value: Value) -> tuple[Value, ...]:
    """Spread a call's argument tuple; the pure-Python unpickler spreads any iterable, the C one any kind of tuple."""
    value = _listed(value)
    return tuple(value.items) if isinstance(value, Items) else (value,)


def _unknown_rest(value: Value) -> tuple[tuple[str, Value], ...]:
    """Say that there may be further arguments, when their tuple is itself made while loading or was cut."""
    value = _listed(value)
    if isinstance(value, Items):
        return (("**", Opaque("...")),) if value.more else ()
    return (("**", value),)


def _listed(value: Value) -> Value:
    for _ in range(_SHORT):
        if isinstance(value, Result) and value.callee in _SPREAD and len(value.args) == 1:
            value = value.args[0]
    return value


def _named(value: Value) -> tuple[tuple[str, Value], ...]:
    if not isinstance(value, Items):
        return (("**", value),)
    pairs = [item.items for item in value.items if isinstance(item, Items) and len(item.items) == 2]
    return tuple((key if isinstance(key, str) else "?", argument) for key, argument in pairs)
