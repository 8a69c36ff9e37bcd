"""Exemptions cover the use that was reviewed and nothing beside it."""

from __future__ import annotations

from toadstone.core.fact import Call, Unread
from toadstone.core.place import Place
from toadstone.core.value import Result, Symbol
from toadstone.symbols.harmless import is_harmless
from toadstone.symbols.judgement import judge_call

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
