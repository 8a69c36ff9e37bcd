"""The helpers of cloudpickle and dill, used for something else than putting functions and classes together."""

from __future__ import annotations

import pytest
from writer import HEADER, call, clean, dotted, name, of, stopped, text

DUMPS = name("json", "dumps")
DECODER = name("json", "JSONDecoder")


def cloud(function: str) -> bytes:
    return name("cloudpickle.cloudpickle", function)


def dill(function: str) -> bytes:
    return name("dill._dill", function)


def entry(key: str, value: bytes) -> bytes:
    return b"}" + text(key) + value + b"s"


PATCH = of(entry("decode", DUMPS), b"N")
GLOBALS = of(
    b"}",
    b"}(" + text("__globals__") + entry("loads", DUMPS) + text("__closure__") + b"N" + text("_cloudpickle_submodules") + b"]u",
)
LAUNDERED = call(cloud("_get_cell_contents"), call(cloud("_make_cell"), DECODER))
OPEN = call(cloud("_get_cell_contents"), call(cloud("_make_cell"), name("io", "open")))
EVIL = text("evil.py") + text("w")

CASES = {
    "globals of a module": call(cloud("_function_setstate"), name("json", "loads"), GLOBALS),
    "a method of a class": call(cloud("_class_setstate"), DECODER, PATCH),
    "a class out of a cell": call(cloud("_class_setstate"), LAUNDERED, PATCH),
    "a copy of cloudpickle": call(name("joblib.externals.cloudpickle.cloudpickle", "_class_setstate"), DECODER, PATCH),
    "a dotted name": call(dotted("cloudpickle", "cloudpickle._class_setstate"), DECODER, PATCH),
    "an attribute": call(dill("_setattr"), DECODER, text("decode"), DUMPS),
    "a type that is a function": call(dill("_create_type"), name("io", "open"), EVIL),
    "an array that is a file": call(dill("_create_array"), name("io", "open"), of(EVIL), b"N"),
    "a module that is a class": call(call(dill("_import_module"), text("subprocess.Popen")), text("id")),
    "a tuple that is a function": call(call(dill("_create_namedtuple"), text("system"), b")", text("os")), text("id")),
    "an attribute or a builtin": call(
        call(dill("_get_attr"), call(dill("_import_module"), text("math")), text("eval")), text("1")
    ),
    "what is in a cell": call(OPEN, EVIL),
    "what is tracked": call(call(cloud("_lookup_class_or_track"), b"N", name("io", "open")), EVIL),
    "imports by name": call(cloud("_modules_to_main"), b"]" + text("evil") + b"a"),
    "an enum of files": call(
        cloud("_make_skeleton_enum"), of(name("logging", "FileHandler"), name("enum", "Enum")), text("n"), text("n"), b"}"
    ),
    "an attribute of a helper": call(dotted("dill._dill", "_create_type.__globals__.get"), text("eval")),
    "another package's cloudpickle": call(dotted("evil.cloudpickle", "_make_cell.__class__"), text("x")),
}


@pytest.mark.parametrize("case", CASES)
def test_helpers_reach_no_further_than_what_the_stream_made(case: str) -> None:
    assert stopped(HEADER + CASES[case] + b".")


def test_a_class_that_the_stream_made_may_be_filled() -> None:
    made = call(
        cloud("_make_skeleton_class"), name("builtins", "type"), text("Model"), of(name("builtins", "object")), b"}", b"N", b"N"
    )
    filled = call(cloud("_class_setstate"), made, of(entry("size", b"K\x03"), b"N"))
    assert clean(HEADER + filled + b".")
