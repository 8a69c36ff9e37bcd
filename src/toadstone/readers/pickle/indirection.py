"""Calls that only pass a name on: what they give is known before loading.

Gadget chains reach a function through ``getattr``, ``importlib.import_module``, ``operator.attrgetter`` or
``functools.partial`` and build its name from pieces. Followed to the end, such a chain becomes an ordinary import that
is judged like any other. Only pure steps on known values are followed; everything else stays a `Result`.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence

from toadstone.core.value import Items, Result, Symbol, Value

_MODULES = frozenset(
    {
        "builtins.__import__", "importlib.__import__", "importlib.import_module", "importlib._bootstrap._gcd_import",
        "importlib._bootstrap.__import__", "sys.modules.get", "sys.modules.__getitem__", "dill._dill._import_module",
    },
)  # fmt: skip
_ATTRIBUTES = frozenset(
    {"builtins.getattr", "operator.getattr", "_operator.getattr", "inspect.getattr_static", "dill._dill._get_attr"}
)
_GETTERS = frozenset({"operator.attrgetter", "_operator.attrgetter"})
_ITEMS = frozenset(
    {
        "operator.getitem",
        "_operator.getitem",
        "operator.__getitem__",
        "_operator.__getitem__",
        "builtins.dict.__getitem__",
        "builtins.dict.get",
    }
)
_PARTIALS = frozenset({"functools.partial", "_functools.partial"})
_TYPES = ("dill._dill._load_type", ".cloudpickle._builtin_type")
"""Ends of the names (cloudpickle lives on in copies inside other packages)."""
_TRACKERS = (".cloudpickle._lookup_class_or_track", ".cloudpickle_fast._lookup_class_or_track")
_IMPORTS = frozenset({"builtins.__import__", "importlib.__import__", "importlib._bootstrap.__import__"})
"""Of a dotted name these give the first part, unless a list of names is asked for."""
_TYPE_NAMES = {
    "PartialType": Symbol("functools", "partial"),
    "ItemGetterType": Symbol("operator", "itemgetter"),
    "AttrGetterType": Symbol("operator", "attrgetter"),
    "FileType": Symbol("io", "open"),
    "BufferedRandomType": Symbol("io", "BufferedRandom"),
    "BufferedReaderType": Symbol("io", "BufferedReader"),
    "BufferedWriterType": Symbol("io", "BufferedWriter"),
    "TextWrapperType": Symbol("io", "TextIOWrapper"),
    "PyTextWrapperType": Symbol("_pyio", "TextIOWrapper"),
    "ClassType": Symbol("builtins", "type"),
    "ExitType": Symbol("_sitebuiltins", "Quitter"),
}
"""Names in dill's table of types (``dill._dill._typemap``) that are no names of the module ``types``."""
_DILL_SETATTR = "dill._dill._setattr"
"""dill writes ``getattr(dill._dill, '_setattr', setattr)`` so that old versions of itself can read it."""
_METACLASSES = (Symbol("builtins", "type"), Symbol("abc", "ABCMeta"), Symbol("enum", "EnumMeta"), Symbol("enum", "EnumType"))


Decode = Callable[[str, list[Value]], Value]
"""Works out a pure function of known values by its name; gives None when that cannot be done."""


def resolved(callee: Value, args: Sequence[Value], decode: Decode) -> Value:
    """Give what a call gives, if it only passes on a name or makes one known text of another; None otherwise.

    Returns:
        A `Symbol` (a module has an empty name), text or bytes, a `Result` of the function that a partial stands for, or
        None.
    """
    if isinstance(callee, Symbol):
        made = _by_name(str(callee), list(args))
        return made if made is not None else decode(str(callee), list(args))
    if isinstance(callee, Result) and isinstance(callee.callee, Symbol):
        return _second(str(callee.callee), callee, list(args))
    return None


def _by_name(name: str, args: list[Value]) -> Value:  # noqa: PLR0911  (one family of functions after the other)
    if name in _MODULES or name.endswith("cloudpickle.subimport"):
        return _module(name, args)
    if name == "pkgutil.resolve_name" and args and isinstance(args[0], str):
        module, _, attribute = args[0].partition(":")
        return Symbol(module, attribute) if attribute else _dotted(args[0])
    if name == "pydoc.locate" and args and isinstance(args[0], str):
        return _dotted(args[0])
    if name in _ATTRIBUTES and (len(args) == 2 or (len(args) == 3 and f"{args[0]!s}.{args[1]!s}" == _DILL_SETATTR)):
        return _attribute(args[0], args[1])  # a third argument would be given instead when there is no such attribute
    if name in _ITEMS and len(args) == 2:
        return _item(args[0], args[1])
    if name.endswith(_TRACKERS) and len(args) == 2 and isinstance(args[1], (Symbol, Result, str, bytes)):
        return args[1]
    if name.startswith("dill._dill."):
        made = _by_dill(name.removeprefix("dill._dill."), args)
        if made is not None:
            return made
    if name.endswith(_TYPES) and args and isinstance(args[0], str):
        return _TYPE_NAMES.get(args[0]) or Symbol("types" if args[0].endswith("Type") else "builtins", args[0])
    return None


def _by_dill(name: str, args: list[Value]) -> Value:
    """Give what dill's own helpers do with names and callables that they are handed."""
    if name == "_import_module" and args and isinstance(args[0], str) and "." in args[0]:
        return _dotted(args[0])  # gives attributes as well
    if name == "_eval_repr" and args and isinstance(args[0], str) and args[0] in ("Ellipsis", "NotImplemented"):
        return Symbol("builtins", args[0])
    if name == "_create_namedtuple" and len(args) > 2 and isinstance(args[0], str) and isinstance(args[2], str):
        return Symbol(args[2], args[0])
    if name == "_get_attr" and len(args) == 2 and isinstance(args[1], str) and hasattr(builtins, args[1]):
        return Symbol("builtins", args[1])  # where it looks when the object has no such attribute
    if name == "_create_type" and args and args[0] not in _METACLASSES:
        return Result(args[0], tuple(args[1:]))  # that is all it does: it calls
    if name == "_create_array" and len(args) > 1 and isinstance(args[1], Items):
        return Result(args[0], tuple(args[1].items))
    return None


def _module(name: str, args: list[Value]) -> Value:
    """Give the module that an importing function gives; None when that is not certain."""
    if not args or not isinstance(args[0], str):
        return None
    wanted, rest = args[0], args[1:]
    if name in _IMPORTS:
        listed = rest[2] if len(rest) > 2 else None
        if len(rest) > 3 and rest[3] != 0:
            return None  # relative to a module that only the call knows
        if not (isinstance(listed, Items) and (listed.items or listed.more)):
            wanted = wanted.partition(".")[0]
        return Symbol(wanted, "")
    if wanted.startswith("."):
        package = rest[0] if len(rest) == 1 else None
        if not isinstance(package, str):
            return None
        dots = len(wanted) - len(wanted.lstrip("."))
        parents = package.split(".")
        base = parents[: len(parents) - dots + 1]
        return Symbol(".".join([*base, wanted[dots:]]), "") if base else None
    if rest and name.startswith("sys.modules"):
        return None  # the second argument is given instead when there is no such module
    return Symbol(wanted, "")


def _dotted(text: str) -> Symbol:
    module, _, attribute = text.rpartition(".")
    return Symbol(module, attribute) if module else Symbol(text, "")


def _second(maker: str, made: Result, args: list[Value]) -> Value:
    """Call what ``attrgetter``, ``methodcaller`` or ``partial`` made."""
    if maker in _PARTIALS:
        return _partial(made, args)
    if made.state or not made.args:
        return None
    if maker in _GETTERS and len(args) == 1:
        found = [_attribute(args[0], name) for name in made.args]
        return found[0] if len(found) == 1 else Items("tuple", found) if all(isinstance(item, Symbol) for item in found) else None
    if maker.endswith(".itemgetter") and len(args) == 1:
        return _item(args[0], made.args[0]) if len(made.args) == 1 else None
    if maker.endswith(".methodcaller") and len(args) == 1:
        method = _attribute(args[0], made.args[0])
        return Result(method, tuple(made.args[1:]), made.kwargs) if method is not None else None
    return None


def _partial(made: Result, args: list[Value]) -> Value:
    """Call a partial: what its one state exchanged counts; None when there is no telling what it holds.

    ``copyreg`` gives classes with named arguments as ``partial(C.__new__, C, ...)`` to protocols 2 and 3.
    """
    held = _exchanged(made.state) if made.state else (made.args, made.kwargs)
    if held is None or not held[0]:
        return None
    (function, *given), named = held
    if (
        isinstance(function, Symbol)
        and given
        and isinstance(given[0], Symbol)
        and function == Symbol(given[0].module, f"{given[0].name}.__new__")
    ):
        return Result(given[0], (*given[1:], *args), named)
    return Result(function, (*given, *args), named)


def _exchanged(states: list[Value]) -> tuple[tuple[Value, ...], tuple[tuple[str, Value], ...]] | None:
    """Read the state of a partial: function, arguments, named arguments, attributes (``functools.partial.__setstate__``)."""
    state = states[0] if len(states) == 1 else None
    if not isinstance(state, Items) or state.kind != "tuple" or len(state.items) != 4 or state.more:
        return None
    function, args, named, _ = state.items
    if not isinstance(args, Items) or args.kind != "tuple" or args.more or (isinstance(named, Items) and named.more):
        return None
    pairs = [pair.items for pair in named.items if isinstance(pair, Items)] if isinstance(named, Items) else []
    if not all(len(pair) == 2 and isinstance(pair[0], str) for pair in pairs) or (
        named is not None and not isinstance(named, Items)
    ):
        return None
    return (function, *args.items), tuple((str(pair[0]), pair[1]) for pair in pairs)


def _attribute(owner: Value, name: Value) -> Value:
    if not isinstance(name, str):
        return None
    if isinstance(owner, Symbol) and owner.module:
        return Symbol(owner.module, f"{owner.name}.{name}" if owner.name else name)
    if isinstance(owner, (str, bytes)):
        return Result(Symbol("builtins", f"{'str' if isinstance(owner, str) else 'bytes'}.{name}"), (owner,))
    return None


def _item(owner: Value, key: Value) -> Value:
    if isinstance(owner, Items):
        return _element(owner, key)
    if isinstance(owner, Symbol) and isinstance(key, str):
        if str(owner) == "sys.modules":
            return Symbol(key, "")
        if owner.name.endswith("__dict__"):
            return Symbol(owner.module, owner.name.removesuffix("__dict__") + key)
        if owner.name == "__builtins__":
            return Symbol("builtins", key)
    return None


def _element(owner: Items, key: Value) -> Value:
    """Give a callable out of a container that was written down; None for anything else."""
    found: Value = None
    if (
        owner.kind in ("tuple", "list")
        and isinstance(key, int)
        and -len(owner.items) <= key < len(owner.items)
        and not owner.more
    ):
        found = owner.items[key]
    elif owner.kind == "dict" and isinstance(key, (str, bytes, int)):
        for pair in owner.items:  # of equal keys the last one counts
            if isinstance(pair, Items) and len(pair.items) == 2 and pair.items[0] == key:
                found = pair.items[1]
    return found if isinstance(found, (Symbol, Result)) else None
