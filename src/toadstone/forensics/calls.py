"""Calls of the interpreter: functions that take functions, iterators, methods, and functions of the code itself."""

# ruff: noqa: ANN401, SLF001  (values of any type are worked out; the table of functions names methods of its own class)
from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from toadstone.core.value import Symbol
from toadstone.forensics import methods
from toadstone.forensics.decoders import DECODERS, step_of
from toadstone.forensics.effort import ITEMS, NotWorkedOut
from toadstone.forensics.functions import FUNCTIONS, WITH_EFFORT, Buffer, Digest
from toadstone.forensics.interpreter import Expressions
from toadstone.forensics.objects import Numbers
from toadstone.forensics.values import Endless, Frame, Function, Hosted, Lazy, Method, Partial

_BUILTIN_TYPES = ("str", "bytes", "bytearray", "list", "dict", "set", "int", "tuple")
_STEPS = {"builtins.reversed": "reversed", "operator.xor": "xor", "_operator.xor": "xor", "builtins.int.from_bytes": "integer"}


class Calls(Expressions):
    """Calls what is known."""

    def call(self, callee: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self.effort.step()
        if isinstance(callee, Function):
            return self.run(callee, args, kwargs)
        if isinstance(callee, Hosted):
            return callee.run(args, kwargs)
        if isinstance(callee, Method):
            return self.method(callee.owner, callee.name, args, kwargs)
        if isinstance(callee, Partial):
            return self.call(callee.function, (*callee.args, *args), {**callee.kwargs, **kwargs})
        if isinstance(callee, Symbol):
            return self.symbol(str(callee), args, kwargs)
        raise NotWorkedOut("a callable that is not known")

    def run(self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function of the code itself."""
        raise NotImplementedError

    def symbol(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function by its dotted name."""
        higher = _HIGHER.get(name)
        if higher is not None:
            self.steps.note(_STEPS.get(name, ""))
            return higher(self, *args, **kwargs)
        args = tuple(self.solid(value) for value in args)
        self._account(args)
        if name in DECODERS:
            made = DECODERS[name][1](*args, **kwargs)
            self.steps.note(step_of(name, args, kwargs))
            return self.effort.made(made)
        self.steps.note(_STEPS.get(name, ""))
        if name in WITH_EFFORT:
            return WITH_EFFORT[name](self.effort, *args, **kwargs)
        if name in FUNCTIONS:
            self.effort.looked_into(*args)
            return self.effort.made(FUNCTIONS[name](*args, **kwargs))
        return self._of_type(name, args, kwargs)

    def _of_type(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a method through its class: ``bytes.decode(data)``, ``str.join('', parts)``."""
        module, _, rest = name.partition(".")
        kind, _, method = rest.partition(".")
        if module == "builtins" and kind in _BUILTIN_TYPES and method and args and type(args[0]).__name__ == kind:
            return self.method(args[0], method, args[1:], kwargs)
        raise NotWorkedOut(name)

    def _account(self, args: tuple[Any, ...]) -> None:
        for value in args:
            if isinstance(value, (str, bytes, bytearray)):
                self.effort.step(len(value) >> 6)
            elif isinstance(value, range) and len(value) > ITEMS:
                raise NotWorkedOut("size")
            elif isinstance(value, (list, tuple, dict, set, range)):
                self.effort.step(len(value) >> 2)

    def solid(self, value: Any) -> Any:
        """Give an iterator's items as a list; anything else as it is.

        Raises:
            NotWorkedOut: If it has no end.
        """
        if isinstance(value, Endless):
            raise NotWorkedOut("no end")
        return self.listed(value) if isinstance(value, Lazy) else value

    def listed(self, value: Any) -> list[Any]:
        """Give the items of anything as a list."""
        made: list[Any] = []
        for item in self.items(value):
            made.append(item)
            self.effort.hold(1)
            if len(made) > ITEMS:
                raise NotWorkedOut("size")
        return made

    def method(self, owner: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a method of a value."""
        if isinstance(owner, (Buffer, Digest, Numbers)):
            made = self.effort.made(owner.method(name, args, kwargs))
            self.steps.note(getattr(owner, "kind", "") if isinstance(made, bytes) and owner_kind(owner) else "")
            return made
        if name in _OPERATOR_METHODS and len(args) == 1:
            return self.item(owner, args[0]) if name == "__getitem__" else self.operate(_OPERATOR_METHODS[name], owner, args[0])
        if name == "join":
            args = tuple(self.listed(value) for value in args)
        args = tuple(self.solid(value) for value in args)
        if name == "sort" and isinstance(owner, list):
            owner[:] = self._sorted(owner, **kwargs)
            return None
        made = methods.method(self.effort, owner, name, args, kwargs)
        self.steps.note(methods.step_of(owner, name, args, kwargs))
        return made

    # functions that take functions, and iterators

    def _map(self, function: Any, *sources: Any) -> Lazy:
        return Lazy(self.call(function, values, {}) for values in zip(*map(self.items, sources), strict=False))

    def _filter(self, function: Any, source: Any) -> Lazy:
        return Lazy(item for item in self.items(source) if (item if function is None else self.call(function, (item,), {})))

    def _zip(self, *sources: Any, strict: Any = False) -> Lazy:
        del strict
        return Lazy(zip(*map(self.items, sources), strict=False))

    def _enumerate(self, source: Any, start: Any = 0) -> Lazy:
        return Lazy(enumerate(self.items(source), start))

    def _reversed(self, source: Any) -> Lazy:
        return Lazy(reversed(source if isinstance(source, (str, bytes, list, tuple, range)) else self.listed(source)))

    def _cycle(self, source: Any) -> Endless:
        held = self.listed(source)
        return Endless(held, itertools.cycle(held))

    def _iter(self, source: Any) -> Lazy:
        return source if isinstance(source, Lazy) else Lazy(self.items(source))

    def _next(self, source: Any, *default: Any) -> Any:
        if not isinstance(source, Lazy):
            raise NotWorkedOut("no iterator")
        self.effort.step()
        return next(source.items, *default)

    def _reduce(self, function: Any, source: Any, *start: Any) -> Any:
        items = self.items(source)
        value = start[0] if start else next(items)
        for item in items:
            value = self.call(function, (value, item), {})
        return value

    def _accumulate(self, source: Any, function: Any = None) -> list[Any]:
        made: list[Any] = []
        for item in self.items(source):
            value = item if not made else self.call(function or Symbol("operator", "add"), (made[-1], item), {})
            made.append(value)
        return made

    def _sorted(self, source: Any, *, key: Any = None, reverse: Any = False) -> list[Any]:
        items = self.listed(source)
        keys = items if key is None else [self.call(key, (item,), {}) for item in items]
        self.effort.looked_into(keys)
        self.effort.step(len(items) * 4)
        order = sorted(range(len(items)), key=keys.__getitem__, reverse=bool(reverse))
        return [items[index] for index in order]

    def _most(self, pick: Callable[..., Any], *sources: Any, key: Any = None) -> Any:
        items = self.listed(sources[0]) if len(sources) == 1 else list(sources)
        keys = items if key is None else [self.call(key, (item,), {}) for item in items]
        self.effort.looked_into(keys)
        return items[keys.index(pick(keys))]

    def _sum(self, source: Any, start: Any = 0) -> Any:
        value = start
        for item in self.items(source):
            value = self.operate("+", value, item)
        return value

    def _islice(self, source: Any, *limits: Any) -> list[Any]:
        cut = slice(*limits)
        start, stop, step = cut.start or 0, cut.stop, cut.step or 1
        if stop is None:
            return self.listed(self.solid(source))[start::step]
        return list(itertools.islice(self.items(source), start, stop, step))

    def _chain(self, *sources: Any) -> list[Any]:
        return [item for source in sources for item in self.listed(source)]

    def _repeat(self, value: Any, times: Any = None) -> Any:
        if times is None:
            return Endless([value], itertools.repeat(value))
        self.effort.hold(times, ITEMS)
        return [value] * times

    def _longest(self, *sources: Any, fillvalue: Any = None) -> list[Any]:
        return list(itertools.zip_longest(*map(self.listed, sources), fillvalue=fillvalue))

    def _truth(self, pick: Callable[..., Any], source: Any) -> bool:
        return bool(pick(bool(item) for item in self.items(source)))

    def _partial(self, function: Any, *args: Any, **kwargs: Any) -> Partial:
        return Partial(function, args, kwargs)

    def _getattr(self, owner: Any, name: Any, *_default: Any) -> Any:
        if not isinstance(name, str) or (isinstance(owner, Symbol) is False and not methods.has(owner, name)):
            raise NotWorkedOut("attribute")
        for part in name.split("."):
            owner = self.attribute(owner, part)
        return owner

    def _isinstance(self, value: Any, kind: Any) -> bool:
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if not all(isinstance(item, Symbol) and item.module == "builtins" for item in kinds):
            raise NotWorkedOut("a class")
        return type(value).__name__ in {item.name for item in kinds}

    def _import(self, name: Any, *_options: Any) -> Symbol:
        if not isinstance(name, str):
            raise NotWorkedOut("a module")
        return Symbol(name, "")

    def _decoder(self, name: Any) -> Hosted:
        """Give ``codecs.getdecoder(name)``: a function that gives the content and a length."""

        def decode(args: tuple[Any, ...], _kwargs: dict[str, Any]) -> tuple[Any, int]:
            return self.symbol("codecs.decode", (args[0], name), {}), len(args[0])

        return Hosted(decode)

    def _silent(self, *_args: Any, **_kwargs: Any) -> None:
        """Give nothing: printing says nothing about values."""


def owner_kind(owner: Any) -> bool:
    """Whether a buffer unpacks what is read from it."""
    return getattr(owner, "kind", "bytes") != "bytes"


def _pick(function: Callable[..., Any], handler: Callable[..., Any]) -> Callable[..., Any]:
    return lambda calls, *args, **kwargs: handler(calls, function, *args, **kwargs)


_OPERATOR_METHODS = {"__add__": "+", "__xor__": "^", "__mul__": "*", "__mod__": "%", "__getitem__": "[]"}

_HIGHER: dict[str, Callable[..., Any]] = {
    "builtins.map": Calls._map,
    "itertools.imap": Calls._map,
    "builtins.filter": Calls._filter,
    "builtins.zip": Calls._zip,
    "itertools.izip": Calls._zip,
    "builtins.enumerate": Calls._enumerate,
    "builtins.reversed": Calls._reversed,
    "builtins.iter": Calls._iter,
    "builtins.next": Calls._next,
    "builtins.sorted": Calls._sorted,
    "builtins.sum": Calls._sum,
    "builtins.min": _pick(min, Calls._most),
    "builtins.max": _pick(max, Calls._most),
    "builtins.any": _pick(any, Calls._truth),
    "builtins.all": _pick(all, Calls._truth),
    "builtins.getattr": Calls._getattr,
    "builtins.isinstance": Calls._isinstance,
    "builtins.__import__": Calls._import,
    "importlib.import_module": Calls._import,
    "builtins.print": Calls._silent,
    "codecs.getdecoder": Calls._decoder,
    "functools.reduce": Calls._reduce,
    "builtins.reduce": Calls._reduce,
    "functools.partial": Calls._partial,
    "itertools.cycle": Calls._cycle,
    "itertools.islice": Calls._islice,
    "itertools.chain": Calls._chain,
    "itertools.chain.from_iterable": lambda calls, source: Calls._chain(calls, *calls.listed(source)),
    "itertools.repeat": Calls._repeat,
    "itertools.accumulate": Calls._accumulate,
    "itertools.zip_longest": Calls._longest,
    "itertools.starmap": lambda calls, function, source: Lazy(
        calls.call(function, tuple(values), {}) for values in calls.items(source)
    ),
}
"""Functions that call others or give iterators."""


def parameters(node: ast.FunctionDef | ast.Lambda) -> Iterator[str]:
    """Give the names of the positional parameters."""
    for argument in (*node.args.posonlyargs, *node.args.args):
        yield argument.arg


def bound_frame(
    function: Function, args: tuple[Any, ...], kwargs: dict[str, Any], evaluate: Callable[[ast.expr, Frame], Any]
) -> Frame:
    """Bind the arguments of a call.

    Raises:
        NotWorkedOut: If they do not fit.
    """
    arguments = function.node.args
    names = list(parameters(function.node))
    if len(args) > len(names) and arguments.vararg is None:
        raise NotWorkedOut("too many arguments")
    known = {*names, *(argument.arg for argument in arguments.kwonlyargs)}
    rest = {name: value for name, value in kwargs.items() if name not in known}
    if rest and arguments.kwarg is None:
        raise NotWorkedOut("unknown arguments")
    frame = Frame(function.frame.outer, function.frame)
    frame.names.update(zip(names, args, strict=False))
    frame.names.update((name, value) for name, value in kwargs.items() if name in known)
    for name, default in _defaults(arguments):
        if name not in frame.names:
            frame.names[name] = evaluate(default, function.frame)
    if arguments.vararg is not None:
        frame.names[arguments.vararg.arg] = tuple(args[len(names) :])
    if arguments.kwarg is not None:
        frame.names[arguments.kwarg.arg] = rest
    if not known <= frame.names.keys():
        raise NotWorkedOut("missing arguments")
    return frame


def _defaults(arguments: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    for argument, default in zip(reversed(positional), reversed(arguments.defaults), strict=False):
        yield argument.arg, default
    for argument, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if value is not None:
            yield argument.arg, value


def known_function(name: str) -> bool:
    """Whether a function is one of those that are worked out, by its dotted name."""
    if name in DECODERS or name in FUNCTIONS or name in WITH_EFFORT or name in _HIGHER:
        return True
    module, _, rest = name.partition(".")
    kind, _, method = rest.partition(".")
    return module == "builtins" and kind in _BUILTIN_TYPES and bool(method)
