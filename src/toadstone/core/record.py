"""Data classes as the standard library has them, without what they cost at start-up.

``dataclasses`` imports ``inspect`` and compiles six methods for each class, whether or not anybody calls them: a third of
the time that a scan of a small file would take. Here ``__init__`` is compiled when the first object is made, and the other
methods compare and show what one getter reads. Type checkers see the standard library's own functions; so does whoever
passes these objects to ``dataclasses.replace``, ``fields`` or ``asdict``.
"""
# ruff: noqa: ANN401  (it takes any class)

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter, ge, gt, le, lt

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, without importing it
if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
    from typing import Any

__all__ = ["dataclass", "field", "replace"]


class _Missing:
    """Stands for a default that was not given."""


class _Field:
    """What is known of one field: its default, how to make one, and whether it is an argument."""

    def __init__(self, default: object = _Missing, default_factory: Any = None, *, init: bool = True) -> None:
        self.default = default
        self.factory = default_factory
        self.init = init


class _StandardFields:
    """Gives ``__dataclass_fields__`` to those who ask for it."""

    def __get__(self, _instance: object, owner: Any) -> dict[str, Any]:
        import dataclasses  # noqa: PLC0415  (what this module avoids)

        def standard(known: _Field) -> Any:
            if known.factory is not None:
                return dataclasses.field(default_factory=known.factory, init=known.init)
            if known.default is _Missing:
                return dataclasses.field(init=known.init)
            return dataclasses.field(default=known.default, init=known.init)

        listed = [(name, "object", standard(known)) for name, known in owner.__fields__.items()]
        twin: Any = dataclasses.make_dataclass(owner.__name__, listed, kw_only=True)
        owner.__dataclass_fields__ = twin.__dataclass_fields__
        return dict(twin.__dataclass_fields__)


def _dataclass(cls: Any = None, /, *, frozen: bool = False, eq: bool = True, order: bool = False, slots: bool = False) -> Any:
    """Make a data class of a class with annotated attributes; used as the standard library's decorator is."""

    def made(cls: Any) -> Any:
        fields = _fields(cls)
        if slots:
            cls = _with_slots(cls)
        else:
            _set_defaults(cls, fields)
        cls.__fields__ = fields = {**getattr(cls, "__fields__", {}), **fields}
        cls.__dataclass_fields__ = _StandardFields()
        matched = tuple(name for name, known in fields.items() if known.init)
        methods = {"__init__": _initializer(cls, frozen=frozen), "__repr__": _shown, "__match_args__": matched}
        get = attrgetter(*fields) if fields else lambda _self: ()
        if eq:
            methods |= _equality(get, frozen=frozen)
        if order:
            methods |= _ordering(get)
        if frozen:
            methods |= {"__setattr__": _refused, "__delattr__": _refused}
        for name, method in methods.items():
            if name not in vars(cls):
                setattr(cls, name, method)
        return cls

    return made if cls is None else made(cls)


def _fields(cls: Any) -> dict[str, _Field]:
    """Read the fields that a class itself declares."""
    found = {}
    for name, kind in cls.__annotations__.items():
        if "ClassVar" not in str(kind):
            default = vars(cls).get(name, _Missing)
            found[name] = default if isinstance(default, _Field) else _Field(default)
    return found


def _set_defaults(cls: Any, fields: dict[str, _Field]) -> None:
    """Leave plain defaults on the class, and nothing of the others."""
    for name, known in fields.items():
        if known.default is not _Missing:
            setattr(cls, name, known.default)
        elif name in vars(cls):
            delattr(cls, name)


def _with_slots(cls: Any) -> Any:
    """Make the class once more with slots, which have to be there from the beginning."""
    names = tuple(_fields(cls))
    body = {name: value for name, value in vars(cls).items() if name not in (*names, "__dict__", "__weakref__")}
    return type(cls)(cls.__name__, cls.__bases__, {**body, "__slots__": names})


def _initializer(cls: Any, *, frozen: bool) -> Callable[..., None]:
    def first(self: Any, *args: Any, **kwargs: Any) -> None:
        """Replaced by the real one when the first object is made."""
        cls.__init__ = _compiled(cls, frozen=frozen)
        cls.__init__(self, *args, **kwargs)

    return first


def _compiled(cls: Any, *, frozen: bool) -> Any:
    """Write ``__init__`` in Python and compile it: nothing else takes arguments as fast and refuses wrong ones."""
    names: dict[str, Any] = {"_set": object.__setattr__, "_missing": _Missing}
    parameters, body = ["self"], []
    for name, known in cls.__fields__.items():
        value = name
        if known.factory is not None:
            names[f"_make_{name}"] = known.factory
            value = f"_make_{name}() if {name} is _missing else {name}" if known.init else f"_make_{name}()"
        if known.init:
            names[f"_default_{name}"] = known.default
            given = "_missing" if known.factory is not None else f"_default_{name}"
            parameters.append(name if known.default is _Missing and known.factory is None else f"{name}={given}")
        if known.init or known.factory is not None:
            body.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    exec(f"def __init__({', '.join(parameters)}):\n " + "\n ".join(body or ["pass"]), names)  # noqa: S102  (our own fields' names)
    made = names["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _equality(get: Callable[[Any], Any], *, frozen: bool) -> dict[str, Any]:
    def equal(self: Any, other: Any) -> bool:
        return bool(get(self) == get(other)) if other.__class__ is self.__class__ else NotImplemented

    return {"__eq__": equal, "__hash__": (lambda self: hash(get(self))) if frozen else None}


def _ordering(get: Callable[[Any], Any]) -> dict[str, Any]:
    def compared(test: Callable[[Any, Any], Any]) -> Callable[[Any, Any], bool]:
        return lambda self, other: test(get(self), get(other)) if other.__class__ is self.__class__ else NotImplemented

    return {"__lt__": compared(lt), "__le__": compared(le), "__gt__": compared(gt), "__ge__": compared(ge)}


def _shown(self: Any) -> str:
    return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__fields__)})"


def _refused(self: Any, name: str, *_value: object) -> None:
    raise AttributeError(f"{type(self).__name__} is frozen: cannot change {name!r}")


def _replaced(record: Any, **changes: Any) -> Any:
    """Make a copy with some fields changed."""
    kept = {name: getattr(record, name) for name, known in record.__fields__.items() if known.init}
    return type(record)(**{**kept, **changes})


if not TYPE_CHECKING:
    dataclass, field, replace = _dataclass, _Field, _replaced
