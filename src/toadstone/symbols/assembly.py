"""Functions that cloudpickle and dill emit to put functions and classes together again.

They run nothing of what they assemble. The code itself is read where it stands (`embedded-code` judges it); what matters
here is who *calls* an assembled function while loading.
"""

from __future__ import annotations

from toadstone.core.value import Items, Result, Symbol, Value

_CLOUDPICKLE = frozenset(
    {
        "_make_function", "_builtin_type", "_function_setstate", "_make_skeleton_class", "_class_setstate", "_make_empty_cell", "_make_cell",
        "_make_skeleton_enum", "_fill_function", "_make_skel_func", "_cell_set", "_make_typevar", "_make_dict_keys", "_make_dict_values",
        "_make_dict_items", "_gen_ellipsis", "_gen_not_implemented", "_empty_cell_value", "_get_cell_contents", "_cell_set_factory_value",
        "_lookup_class_or_track", "_rehydrate_skeleton_class", "_modules_to_main", "subimport",
    },
)  # fmt: skip
_DILL = frozenset(
    {
        "_create_code", "_create_function", "_create_type", "_load_type", "_create_cell", "_create_array", "_create_namedtuple", "_setattr",
        "_create_dtypemeta", "_create_weakref", "_create_weakproxy", "_create_ndarraysubclass", "_import_module", "_get_attr", "",
    },
)  # fmt: skip
_MAKERS = frozenset({"_make_function", "_create_function", "_make_skel_func", "FunctionType", "LambdaType", "_builtin_type"})


def is_assembler(symbol: Symbol) -> bool:
    """Whether a symbol only assembles functions or classes (also in the copies of cloudpickle inside other packages)."""
    module, name = symbol.module, symbol.name.partition(".")[0]
    if (module, name) == ("dill", "_dill"):
        module, name = "dill._dill", symbol.name.partition(".")[2]
    if module == "cloudpickle" or module.endswith((".cloudpickle", "cloudpickle.cloudpickle", "cloudpickle.cloudpickle_fast")):
        return name in _CLOUDPICKLE
    if module in ("dill._dill", "dill"):
        return name in _DILL
    return module == "types" and symbol.name == "CodeType"


def makes_function(value: Value) -> bool:
    """Whether a value is a function assembled from code that the artefact carries."""
    if not isinstance(value, Result) or not isinstance(value.callee, Symbol):
        return False
    symbol = value.callee
    return (symbol.module == "types" or is_assembler(symbol)) and symbol.name in _MAKERS and bool(value.args)


def is_own(value: Value) -> bool:
    """Whether a value was made by the artefact itself, so that changing it changes nothing of the process."""
    return isinstance(value, (Result, Items))
