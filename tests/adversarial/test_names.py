"""Names that lead to a function through other things."""

from __future__ import annotations

import pytest
from writer import HEADER, PAYLOAD, call, dotted, name, stopped, text

COMMAND = text("id")


@pytest.mark.parametrize("count", [1, 5, 15, 20, 33, 60, 400])
def test_a_name_may_be_long(count: int) -> None:
    assert stopped(HEADER + call(dotted("os", ".".join([*["path", "os"] * count, "system"])), COMMAND) + b".")
    assert stopped(HEADER + call(dotted("os.path", ".".join([*["os", "path"] * count, "os", "system"])), COMMAND) + b".")


REACHED = [
    ("os", "getpid.__self__.system"),
    ("builtins", "len.__self__.eval"),
    ("posixpath", "join.__globals__.get"),
    ("math", "__loader__.load_module"),
    ("codecs", "open.__builtins__.get"),
    ("random", "_os.system"),
    ("acme.models", "os.system"),
    ("acme.models", "builtins.eval"),
    ("acme.models", "subprocess.Popen"),
    ("acme.models", "sp.Popen"),
    ("acme.models", "__builtins__.get"),
]


@pytest.mark.parametrize(("module", "qualname"), REACHED)
def test_a_name_may_run_through_modules_and_functions(module: str, qualname: str) -> None:
    assert stopped(HEADER + call(dotted(module, qualname), COMMAND) + b".")


def test_a_destructor_works_on_what_the_stream_sets() -> None:
    state = b"}" + text("_URLopener__tempfiles") + b"]" + text("victim") + b"asb."
    assert stopped(HEADER + name("urllib.request", "URLopener") + b")\x81" + state)


def test_the_base_of_a_reconstructed_object_is_initialised() -> None:
    parts = (name("collections", "Counter"), name("logging", "FileHandler"), text("evil.py"))
    assert stopped(HEADER + call(name("copyreg", "_reconstructor"), *parts) + b".")


def test_the_payload_itself() -> None:
    assert stopped(HEADER + PAYLOAD + b".")


def test_what_a_destructor_works_on_may_come_late() -> None:
    keys = b"".join(text(f"k{number}") + b"K\x01" for number in range(400))
    state = b"}(" + keys + text("_URLopener__tempfiles") + b"]ub."
    assert stopped(HEADER + name("urllib.request", "URLopener") + b")\x81" + state)


EVALUATED = "[eval][0]('1')"


def annotated(behind: bytes = b"") -> bytes:
    value = b"}" + text("__annotations__") + b"}" + text("x") + text(EVALUATED) + b"ssb"
    return name("types", "SimpleNamespace") + b")\x81" + b"}b" * 7 + value + behind


def test_annotations_are_evaluated() -> None:
    """``typing.get_type_hints`` takes any object that has annotations and evaluates those that are text."""
    assert stopped(HEADER + call(name("typing", "get_type_hints"), annotated()) + b".")


@pytest.mark.parametrize("function", ["_create_fn", "make_dataclass"])
def test_parts_of_functions_are_evaluated(function: str) -> None:
    """The defaults in the arguments' text are evaluated when the function is made."""
    argument = b"]" + text(f"a={EVALUATED}") + b"a"
    assert stopped(HEADER + call(name("dataclasses", function), text("f"), argument, b"]" + text("pass") + b"a") + b".")


@pytest.mark.parametrize(
    ("function", "rest"),
    [("setitem", text("json") + b"N"), ("iadd", b"]" + text("evil") + b"a"), ("ior", b"}")],
)
def test_tables_of_the_process_are_changed_by_operators(function: str, rest: bytes) -> None:
    assert stopped(HEADER + call(name("operator", function), name("sys", "path"), rest) + b".")
    assert stopped(HEADER + call(name("operator", function), name("os", "environ"), rest) + b".")


def test_every_entry_of_a_dict_is_looked_at() -> None:
    """Pairs of a dict are made while it is walked; one must not be taken for another that is gone."""
    entries = b"".join(text(f"k{number}") + b"}" + text("v") + text("plain") + b"s" for number in range(50))
    late = text("last") + b"}" + text("x") + text(EVALUATED) + b"s"
    state = b"}(" + entries + late + b"ub"
    made = name("types", "SimpleNamespace") + b")\x81" + state
    assert stopped(HEADER + call(name("typing", "get_type_hints"), made) + b".")
