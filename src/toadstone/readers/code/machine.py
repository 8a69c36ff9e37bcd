"""What reading a name, an attribute, an item or making a call means, for source and for bytecode alike.

The machine never runs anything: it follows names to the symbols they stand for, through aliases, ``getattr``, ``__import__``,
``vars``, ``partial`` and the like, and tells its owner which imports and calls it met.
"""

# ruff: noqa: SLF001  (the table of special functions names methods of its own class)
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from toadstone.core.value import Items, Opaque, Result, Symbol, Value
from toadstone.readers.code.names import MODULE_NAMES, MODULES, SILENT
from toadstone.readers.code.stages import Revealing
from toadstone.readers.code.strings import Strings
from toadstone.readers.code.values import (
    GETATTR,
    GETITEM,
    UNKNOWN,
    Bound,
    Either,
    Held,
    Instance,
    Known,
    Local,
    Namespace,
    bound,
    global_name,
    noted,
    options_of,
    result,
)

Args = tuple[Value, ...]
Kwargs = tuple[tuple[str, Value], ...]

_RUNNERS: dict[str, tuple[int, str]] = {
    "atexit.register": (0, ""),
    "threading.Thread": (-1, "target"),
    "threading.Timer": (1, "function"),
    "_thread.start_new_thread": (0, ""),
    "multiprocessing.Process": (-1, "target"),
    "multiprocessing.context.Process": (-1, "target"),
    "builtins.filter": (0, ""),
    "functools.reduce": (0, ""),
    "asyncio.run": (0, ""),
    "builtins.map": (0, ""),
    "signal.signal": (1, ""),
    "weakref.finalize": (1, ""),
    "builtins.iter": (0, ""),
    "trace.run": (0, ""),
}
"""Functions that call an argument of theirs: its position (-1: none) and its keyword."""


class Machine:
    """Follows values; a front end overrides the three hooks.

    Args:
        modules: Dotted modules that are known to be imported (filled while reading).
    """

    def __init__(self) -> None:
        self.strings = Strings()
        self.modules: set[str] = set()
        self.stars: list[str] = []
        self.constants: dict[tuple[int, int], Value] = {}
        self.revealing = Revealing()

    # hooks

    def on_import(self, symbol: Symbol, how: str) -> None:
        """A name is imported."""
        raise NotImplementedError

    def on_call(self, callee: Value, args: Args, kwargs: Kwargs, how: str) -> Value:
        """Something noteworthy is called; gives its result when the owner can work it out, else `UNKNOWN`."""
        raise NotImplementedError

    def on_local(self, local: Local, args: Args, kwargs: Kwargs) -> Value:
        """A function or class of the code itself is called; gives its result."""
        raise NotImplementedError

    def lookup(self, name: str) -> Value:
        """Give what a global name holds."""
        raise NotImplementedError

    def notice(self, value: Value) -> None:
        """A value was worked out."""

    # names

    def from_stars(self, name: str) -> Value:
        """Give what a name means that only ``from module import *`` can have brought."""
        return Symbol(self.stars[-1], name) if self.stars and name not in MODULE_NAMES else UNKNOWN

    def import_module(self, name: str) -> Value:
        """Import a module by name."""
        self.modules.add(name)
        while "." in name and name.rpartition(".")[0] not in self.modules:
            self.modules.add(name.rpartition(".")[0])
            name = name.rpartition(".")[0]
        return Symbol(name, "")

    def attribute(self, base: Value, name: str) -> Value:
        """Give what ``base.name`` is."""
        if isinstance(base, Symbol):
            return self._symbol_attribute(base, name)
        if isinstance(base, Opaque):
            return self._opaque_attribute(base, name)
        if isinstance(base, Bound) and base.name in ("__class__", "__self__") and name.startswith("__"):
            return bound(base, name)
        if isinstance(base, (Result, str, bytes, Items, int)):
            return bound(base, name)
        return UNKNOWN

    def _symbol_attribute(self, base: Symbol, name: str) -> Value:
        if not base.name:
            dotted = f"{base.module}.{name}"
            if dotted in self.modules:
                return Symbol(dotted, "")
            if name == "__dict__":
                return Namespace(base.module)
            if base.module == "os" and name == "path":
                return Symbol("os.path", "")
            return Symbol(base.module, name)
        if name == "__call__":
            return base
        if name == "__self__" and base.module == "builtins":
            return Symbol("builtins", "")
        if len(base.name) > 200:
            return UNKNOWN
        return Symbol(base.module, f"{base.name}.{name}")

    def _opaque_attribute(self, base: Opaque, name: str) -> Value:
        if isinstance(base, Either):
            found = [self.attribute(option, name) for option in base.options]
            kept = tuple(value for value in found if noted(value))
            return Either(kept) if len(kept) > 1 else kept[0] if kept else UNKNOWN
        if isinstance(base, (Local, Instance)):
            return self.member(base, name)
        if isinstance(base, (Namespace, Held)):
            return bound(base, name)
        if name in ("__globals__", "__builtins__", "f_globals", "f_builtins"):
            return Namespace("builtins" if "builtins" in name else "")
        return UNKNOWN

    def member(self, owner: Local | Instance, name: str) -> Value:
        """Give an attribute of a function, class or object that the code defines."""
        del owner
        return Namespace() if name == "__globals__" else UNKNOWN

    def item(self, base: Value, key: Value) -> Value:
        """Give what ``base[key]`` is."""
        if isinstance(base, Namespace):
            return self._named(base.module, key)
        if isinstance(base, Symbol) and base == Symbol("sys", "modules") and isinstance(self.strings.plain(key), str):
            self.on_import(Symbol(str(self.strings.plain(key)), ""), "sys.modules")
            return self.import_module(str(self.strings.plain(key)))
        if isinstance(base, Bound) and base.name in ("__globals__", "__dict__", "__builtins__"):
            return self._escaped(base, key)
        if isinstance(base, Either):
            return self.item(base.options[-1], key)
        if isinstance(base, Items) and base.kind == "dict":
            return self._entry(base, key)
        made = self.strings.item(base, key)
        if made is not UNKNOWN or not isinstance(base, (Symbol, Result)):
            return made
        return result(GETITEM, (base, key))

    def _entry(self, base: Items, key: Value) -> Value:
        wanted = self.strings.plain(key)
        if isinstance(wanted, Opaque):
            return UNKNOWN
        for pair in reversed(base.items):
            if isinstance(pair, Items) and len(pair.items) == 2 and self.strings.plain(pair.items[0]) == wanted:
                return pair.items[1]
        return UNKNOWN

    def _named(self, module: str, key: Value) -> Value:
        name = self.strings.plain(key)
        if not isinstance(name, str):
            return result(GETITEM, (Symbol(module, "__dict__"), key)) if module else UNKNOWN
        if not module:
            return self.lookup(name)
        return self.attribute(Symbol(module, ""), name)

    def _escaped(self, base: Bound, key: Value) -> Value:
        """An item of some function's globals: whoever digs there looks for a module or a built-in."""
        name = self.strings.plain(key)
        if not isinstance(name, str):
            return result(GETITEM, (base, key))
        if name in MODULES:
            return Symbol(name, "")
        if name in ("system", "popen", "execv"):
            return Symbol("os", name)
        guess = global_name(name)
        return guess if guess is not UNKNOWN else result(GETITEM, (base, key))

    # calls

    def call(self, callee: Value, args: Args, kwargs: Kwargs, how: str = "call") -> Value:
        """Give the result of a call, and tell the owner about it."""
        if isinstance(callee, Either):
            made = [self.call(option, args, kwargs, how) for option in callee.options]
            return made[-1]
        if isinstance(callee, Local):
            return self.on_local(callee, args, kwargs)
        if isinstance(callee, Symbol):
            return self._call_symbol(callee, args, kwargs, how)
        if isinstance(callee, Bound):
            return self._call_method(callee, args, kwargs, how)
        if isinstance(callee, Result):
            return self._call_result(callee, args, kwargs, how)
        if isinstance(callee, Instance):
            method = self.member(callee, "__call__")
            return UNKNOWN if isinstance(method, (Instance, Either)) else self.call(method, args, kwargs, how)
        return UNKNOWN

    def _call_symbol(self, callee: Symbol, args: Args, kwargs: Kwargs, how: str) -> Value:
        if callee.module == "builtins" or callee.module in _REFLECTION:
            special = _SPECIAL.get(f"{callee.module}.{callee.name}")
            if special is not None:
                special_result: Value = special(self, args, kwargs)
                if special_result is not None:
                    return special_result
        if callee.name.endswith("__getattribute__") and args:
            return self._getattr(
                (Symbol(callee.module, callee.name.removesuffix("__getattribute__").rstrip(".")), *args[-1:]), ()
            )
        made = self.strings.call(callee, args, kwargs)
        if callee.module != "builtins" or callee.name not in SILENT:
            seen: Value = UNKNOWN
            for given in _alternatives(args):
                seen = self.on_call(callee, given, kwargs, how)
            self._implied(callee, args, kwargs)
            if seen is not UNKNOWN:
                return seen
        return made if made is not UNKNOWN else result(callee, args, kwargs)

    def _implied(self, callee: Symbol, args: Args, kwargs: Kwargs) -> None:
        """Calls that the callee makes of its arguments."""
        runner = _RUNNERS.get(f"{callee.module}.{callee.name}")
        if runner is None:
            return
        position, keyword = runner
        target = dict(kwargs).get(keyword, args[position] if 0 <= position < len(args) else UNKNOWN)
        if not isinstance(target, (Symbol, Local, Bound, Result, Either)):
            return
        given = dict(kwargs).get("args", args[position + 1] if position >= 0 and len(args) > position + 1 else UNKNOWN)
        if callee.name in ("map", "filter", "reduce") and isinstance(given, Items):
            for item in given.items[:16]:
                self.call(target, (item,), (), "call")
        elif callee.name == "register":
            self.call(target, args[1:], (), "call")
        else:
            self.call(target, tuple(given.items) if isinstance(given, Items) else (), (), "call")

    def _call_method(self, callee: Bound, args: Args, kwargs: Kwargs, how: str) -> Value:
        base, name = callee.base, callee.name
        if isinstance(base, Namespace):
            return self.item(base, args[0]) if name in ("get", "__getitem__", "pop") and args else UNKNOWN
        if name == "get" and isinstance(base, Items) and base.kind == "dict" and args:
            return self._entry(base, args[0])
        if name == "__getattribute__" and args:
            return self._getattr((base, *args), ())
        if name in ("__enter__", "__aenter__", "__iter__"):
            return base
        made = self.strings.method(callee, base, name, args, kwargs)
        if made is not UNKNOWN:
            return made
        if isinstance(base, Result) and not isinstance(base, Known):
            self.on_call(callee, args, kwargs, how)
        elif isinstance(base, (str, bytes)) and not any(map(noted, args)):
            return result(callee, args, kwargs) if name in ("format", "join") else UNKNOWN
        return result(callee, args, kwargs)

    def _call_result(self, callee: Result, args: Args, kwargs: Kwargs, how: str) -> Value:
        maker = callee.callee
        if isinstance(maker, Symbol) and maker.module in ("functools", "operator"):
            if maker.name == "partial" and callee.args:
                return self.call(callee.args[0], (*callee.args[1:], *args), (*callee.kwargs, *kwargs), how)
            if maker.name == "methodcaller" and callee.args and args:
                return self.call(self._getattr((args[0], callee.args[0]), ()), callee.args[1:], callee.kwargs, how)
            if maker.name == "attrgetter" and callee.args and args:
                return self._getattr((args[0], callee.args[0]), ())
            if maker.name == "itemgetter" and callee.args and args:
                return self.item(args[0], callee.args[0])
        self.on_call(callee, args, kwargs, how)
        return result(callee, args, kwargs)

    # reflection

    def _getattr(self, args: Args, _kwargs: Kwargs) -> Value:
        if len(args) < 2:
            return UNKNOWN
        name = self.strings.plain(args[1])
        if not isinstance(name, str):
            for option in options_of(args[1]):
                if isinstance(self.strings.plain(option), str):
                    return self._getattr((args[0], option), ())
            return result(GETATTR, args[:2]) if isinstance(args[0], (Symbol, Result)) else UNKNOWN
        value = args[0]
        for part in name.split(".") if len(name) < 300 else ():
            value = self.attribute(value, part)
        return value

    def _import_call(self, args: Args, kwargs: Kwargs, how: str, whole: bool) -> Value | None:
        given = args[0] if args else dict(kwargs).get("name", UNKNOWN)
        name = self.strings.plain(given)
        if not isinstance(name, str):
            self.on_import(Symbol("", ""), how)
            return None
        self.on_import(Symbol(name, ""), how)
        self.import_module(name)
        full = whole or bool(args[3:]) or "fromlist" in dict(kwargs)
        return Symbol(name if full else name.partition(".")[0], "")

    def _dunder_import(self, args: Args, kwargs: Kwargs) -> Value | None:
        return self._import_call(args, kwargs, "__import__", whole=False)

    def _importlib(self, args: Args, kwargs: Kwargs) -> Value | None:
        return self._import_call(args, kwargs, "importlib.import_module", whole=True)

    def _vars(self, args: Args, _kwargs: Kwargs) -> Value:
        return (
            Namespace(args[0].module)
            if args and isinstance(args[0], Symbol) and not args[0].name
            else Namespace()
            if not args
            else UNKNOWN
        )

    def _resolve_name(self, args: Args, _kwargs: Kwargs) -> Value | None:
        name = self.strings.plain(args[0]) if args else UNKNOWN
        if not isinstance(name, str):
            return None
        module, _, attribute = name.partition(":") if ":" in name else name.rpartition(".")
        self.on_import(Symbol(module or attribute, attribute if module else ""), "pkgutil.resolve_name")
        return Symbol(module, attribute) if module else Symbol(attribute, "")


def _alternatives(args: Args) -> Iterator[Args]:
    """Give the arguments once for each value that the first uncertain one may have."""
    uncertain = next((index for index, value in enumerate(args[:8]) if isinstance(value, Either)), -1)
    for option in options_of(args[uncertain]) if uncertain >= 0 else ():
        yield (*args[:uncertain], option, *args[uncertain + 1 :])
    if uncertain < 0:
        yield args


_SPECIAL: dict[str, Callable[[Any, Args, Kwargs], Value]] = {
    "builtins.getattr": Machine._getattr,
    "builtins.__import__": Machine._dunder_import,
    "importlib.import_module": Machine._importlib,
    "importlib.__import__": Machine._dunder_import,
    "builtins.vars": Machine._vars,
    "builtins.globals": lambda *_: Namespace(),
    "builtins.locals": lambda *_: Namespace(),
    "pkgutil.resolve_name": Machine._resolve_name,
    "operator.getitem": lambda machine, args, _: machine.item(*args[:2]) if len(args) >= 2 else UNKNOWN,
    "operator.call": lambda machine, args, kwargs: machine.call(args[0], args[1:], kwargs) if args else UNKNOWN,
    "inspect.currentframe": lambda *_: UNKNOWN,
    "sys._getframe": lambda *_: UNKNOWN,
    "builtins.apply": lambda machine, args, kwargs: (
        machine.call(args[0], tuple(args[1].items) if len(args) > 1 and isinstance(args[1], Items) else (), kwargs)
        if args
        else UNKNOWN
    ),
}

_REFLECTION = frozenset({"importlib", "pkgutil", "operator", "sys", "inspect"})
