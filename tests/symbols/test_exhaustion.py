"""Calls that exhaust memory or time by their numbers."""

from __future__ import annotations

import pytest

from toadstone.core.value import Result, Symbol
from toadstone.symbols.exhaustion import exhausts

COUNT = Result(Symbol("itertools", "count"))


@pytest.mark.parametrize(
    ("module", "name", "args"),
    [
        ("builtins", "bytearray", (10**12,)),
        ("builtins", "pow", (10, 10**10)),
        ("operator", "mul", ("a", 1 << 40)),
        ("math", "factorial", (10**10,)),
        ("builtins", "list", (COUNT,)),
        ("builtins", "sum", (Result(Symbol("builtins", "range"), (0, 1 << 50)),)),
        ("builtins", "list", (Result(Symbol("itertools", "chain"), (COUNT,)),)),
        ("collections", "deque", (Result(Symbol("itertools", "repeat"), (1,)),)),
    ],
)
def test_numbers_that_no_stored_object_needs(module, name, args):
    assert exhausts(Symbol(module, name), args)


@pytest.mark.parametrize(
    ("module", "name", "args"),
    [
        ("builtins", "bytearray", (b"abc",)),
        ("builtins", "list", (Result(Symbol("builtins", "range"), (10,)),)),
        ("builtins", "range", (1 << 40,)),
        ("collections", "deque", ((), 1 << 40)),
        ("itertools", "count", (5,)),
        ("builtins", "set", (Result(Symbol("itertools", "repeat"), (1, 3)),)),
    ],
)
def test_ordinary_numbers(module, name, args):
    assert not exhausts(Symbol(module, name), args)
