"""Functions that cloudpickle and dill emit to put functions and classes together again.

They run nothing of what they assemble. The code itself is read where it stands (`embedded-code` judges it); what matters
here is who *calls* an assembled function while loading.
"""

from __future__ import annotations

from collections.abc import Sequence

from toadstone.core.value import Items, Result, Symbol, Value

_FUNCTIONS = frozenset({"_make_function", "_create_function", "_make_skel_func", "FunctionType", "LambdaType"})
_CLASSES = frozenset({"_make_skeleton_class", "_make_skeleton_enum", "_create_type", "_create_namedtuple", "_make_typevar"})
_CELLS = frozenset({"_make_empty_cell", "_make_cell", "_create_cell"})
_SETTERS = frozenset(
    {"_function_setstate", "_class_setstate", "_fill_function", "_cell_set", "_rehydrate_skeleton_class", "_setattr"}
)
"""Functions that change what they are given first: attributes of a class, the globals and the code of a function."""

_CLOUDPICKLE = frozenset(
    {
        "_make_function",
        "_builtin_type",
        "_function_setstate",
        "_make_skeleton_class",
        "_class_setstate",
        "_make_empty_cell",
        "_make_cell",
        "_make_skeleton_enum",
        "_fill_function",
        "_make_skel_func",
        "_cell_set",
        "_make_typevar",
        "_make_dict_keys",
        "_make_dict_values",
        "_make_dict_items",
        "_gen_ellipsis",
        "_gen_not_implemented",
        "_empty_cell_value",
        "_get_cell_contents",
        "_cell_set_factory_value",
        "_lookup_class_or_track",
        "_rehydrate_skeleton_class",
        "_get_dataclass_field_type_sentinel",
        "subimport",
    },
)
_DILL = frozenset(
    {
        "_create_code",
        "_create_function",
        "_create_type",
        "_load_type",
        "_create_cell",
        "_create_array",
        "_create_namedtuple",
        "_setattr",
        "_create_dtypemeta",
        "_create_weakref",
        "_create_weakproxy",
        "_create_ndarraysubclass",
        "_import_module",
        "_get_attr",
        "",
    },
)


def assembler(symbol: Symbol) -> str | None:
    """Give the bare name of a function of cloudpickle or dill that assembles functions or classes; None for all others.

    The whole name counts: what is an attribute of such a function (``_create_type.__globals__``) is something else.
    """
    package, _, rest = f"{symbol.module}.{symbol.name}".partition(".")
    inner, _, name = rest.rpartition(".")
    if package == "types":
        return name if (inner, name) == ("", "CodeType") else None
    if package == "dill":
        return name if inner == "_dill" and name in _DILL else "" if rest.strip(".") == "_dill" else None
    at_home = "cloudpickle" in (package, *inner.split("."))  # many packages carry a copy of it
    return name if at_home and name in _CLOUDPICKLE else None


def is_assembler(symbol: Symbol) -> bool:
    """Whether a symbol only assembles functions or classes (also in the copies of cloudpickle inside other packages)."""
    return assembler(symbol) is not None


def changes_foreign(symbol: Symbol, args: Sequence[Value]) -> bool:
    """Whether a call changes a function, class or cell that the stream has not made itself: a part of the process, then."""
    name = assembler(symbol)
    if name not in _SETTERS or not args:
        return False
    target = args[0]
    maker = target.callee if isinstance(target, Result) else None
    if isinstance(maker, Result):
        return not makes_class(maker)
    made = (assembler(maker) or maker.name) if isinstance(maker, Symbol) else ""
    return made not in _FUNCTIONS | _CLASSES | _CELLS | {"type"}


def makes_class(value: Value) -> bool:
    """Whether a value is a class that the stream has put together."""
    return isinstance(value, Result) and isinstance(value.callee, Symbol) and assembler(value.callee) in _CLASSES


def makes_function(value: Value) -> bool:
    """Whether a value is a function assembled from code that the artefact carries."""
    if not isinstance(value, Result) or not isinstance(value.callee, Symbol):
        return False
    symbol = value.callee
    return (
        (symbol.module == "types" or is_assembler(symbol)) and symbol.name.rpartition(".")[2] in _FUNCTIONS and bool(value.args)
    )


def is_own(value: Value) -> bool:
    """Whether a value was made by the artefact itself, so that changing it changes nothing of the process."""
    return isinstance(value, (Result, Items))
