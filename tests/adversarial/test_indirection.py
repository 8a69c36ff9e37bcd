"""Names that are put together while loading: what is worked out beforehand must be what the loader gets."""

from __future__ import annotations

import pytest
from writer import HEADER, call, dotted, name, of, stopped, text

COMMAND = of(text("id")) + b"R."
OS = call(name("importlib", "import_module"), text("os"))
ATTRIBUTE = name("operator", "attrgetter")
ITEM = name("operator", "itemgetter")
PARTIAL = call(name("functools", "partial"), dotted("builtins", "str"), text("harmless"))
STATE = of(dotted("builtins", "str.join"), of(text(""), of(text("sys"), text("tem"))), b"}", b"N") + b"b"
BOTH = call(call(ATTRIBUTE, text("getpid"), text("system")), OS)
DILL = call(call(name("dill._dill", "_load_type"), text("AttrGetterType")), text("system"))

CASES = {
    "stripped characters": text("os") + call(dotted("builtins", "str.strip"), text("xsystemx"), text("x")) + b"\x93",
    "a partial with another function": text("os") + PARTIAL + STATE + b")R\x93",
    "a set holds equal items once": text("os")
    + call(dotted("builtins", "str.join"), text(""), b"\x8f(" + text("system") * 2 + b"\x90")
    + b"\x93",
    "other characters of base64": text("os") + call(name("base64", "b64decode"), b"C\x08c3lzdGVt", b"C\x02-_") + b"\x93",
    "the first part of a dotted import": call(
        call(ATTRIBUTE, text("system")), call(name("builtins", "__import__"), text("os.path"))
    ),
    "a relative import": call(
        call(ATTRIBUTE, text("os.system")), call(name("importlib", "import_module"), text(".path"), text("os"))
    ),
    "several attributes": call(call(ITEM, b"K\x01"), BOTH),
    "a type by dill's name": call(DILL, call(name("dill._dill", "_import_module"), text("os"))),
    "an attribute or else": call(name("builtins", "getattr"), OS, text("nothing"), call(call(ATTRIBUTE, text("system")), OS)),
    "a module or else": call(call(ATTRIBUTE, text("system")), call(dotted("sys", "modules.pop"), text("os"))),
    "out of a list": call(call(ITEM, b"K\x00"), b"](" + call(call(ATTRIBUTE, text("system")), OS) + b"e"),
    "a tracked class": call(
        name("cloudpickle.cloudpickle", "_lookup_class_or_track"), text("math"), call(call(ATTRIBUTE, text("system")), OS)
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_command_is_found(case: str) -> None:
    assert stopped(HEADER + CASES[case] + COMMAND)


def test_named_arguments_in_old_protocols_are_followed() -> None:
    """``copyreg`` writes ``partial(C.__new__, C, ...)()`` for classes with named arguments, in protocols 2 and 3."""
    new = call(name("functools", "partial"), dotted("fractions", "Fraction.__new__"))
    state = of(dotted("fractions", "Fraction.__new__"), of(name("fractions", "Fraction"), b"K\x01", b"K\x02"), b"}", b"N") + b"b"
    assert not stopped(HEADER + new + state + b")R.")
    state = of(dotted("os", "system"), of(text("id")), b"}", b"N") + b"b"
    assert stopped(HEADER + new + state + b")R.")


WRITES = {
    "out of a tuple": call(call(ITEM, b"K\x00"), of(name("io", "open"))) + of(text("evil.py"), text("w")) + b"R.",
    "arguments that are made": name("io", "open")
    + call(name("builtins", "tuple"), b"](" + text("evil.py") + text("w") + b"e")
    + b"R.",
    "a method by its name": call(
        call(name("operator", "methodcaller"), text("write_text"), text("x")), call(name("pathlib", "PosixPath"), text("a.py"))
    )
    + b".",
    "a method by attribute": call(
        call(call(ATTRIBUTE, text("write_text")), call(name("pathlib", "PosixPath"), text("a.py"))), text("x")
    )
    + b".",
}


@pytest.mark.parametrize("case", WRITES)
def test_writing_a_file_is_found_behind_detours(case: str) -> None:
    assert stopped(HEADER + WRITES[case])
