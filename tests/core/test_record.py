"""Our data classes behave as the standard library's do, for what we use of them."""

from __future__ import annotations

import copy
import dataclasses
import subprocess
import sys
from typing import ClassVar

import pytest

from toadstone.core import record

WAYS = {"ours": record, "standard": dataclasses}


@pytest.fixture(params=WAYS, ids=str)
def way(request):
    return WAYS[request.param]


@pytest.fixture
def point(way):
    @way.dataclass(frozen=True, order=True)
    class Point:
        """A place."""

        KINDS: ClassVar[dict[str, str]] = {}
        x: int
        y: int = 2

    return Point


def test_arguments_and_defaults(point):
    made = point(1)
    assert (made.x, made.y, point(x=3, y=4).y) == (1, 2, 4)
    assert repr(made).endswith("Point(x=1, y=2)")
    for wrong in ((), (1, 2, 3)):
        with pytest.raises(TypeError, match=r"__init__\(\)"):
            point(*wrong)
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        point(1, z=1)


def test_frozen_objects_do_not_change_and_are_keys(point):
    made = point(1)
    for change in (lambda: setattr(made, "x", 2), lambda: delattr(made, "x")):
        with pytest.raises(AttributeError):
            change()
    assert {made: "found"}[point(1, 2)] == "found"


def test_equality_and_order(point):
    assert point(1) == point(1, 2) != point(2)
    assert point(1) != (1, 2)
    assert sorted([point(2), point(1, 3), point(1)]) == [point(1), point(1, 3), point(2)]
    assert point(1) <= point(1) < point(1, 3) > point(1) >= point(1)
    with pytest.raises(TypeError):
        assert point(1) < (1, 2)


def test_a_subclass_adds_fields_and_is_no_equal(way, point):
    @way.dataclass(frozen=True)
    class Named(point):
        name: str = "?"

    assert (Named(1).y, Named(1, 5, "a").name) == (2, "a")
    assert Named(1) != point(1)
    assert repr(Named(1)).endswith("Named(x=1, y=2, name='?')")


def test_factories_fields_that_are_no_argument_and_what_follows(way):
    @way.dataclass
    class Source:
        name: str
        size: int = way.field(init=False)
        notes: list[str] = way.field(default_factory=list)

        def __post_init__(self):
            self.size = len(self.name)

    first, second = Source("a"), Source("bcd", ["x"])
    first.notes.append("kept apart")
    assert (first.size, second.size, second.notes, Source("a").notes) == (1, 3, ["x"], [])
    first.name = "b"
    assert first == Source("b", ["kept apart"])
    with pytest.raises(TypeError, match="unhashable"):
        hash(first)


def test_identity_when_asked_for(way):
    @way.dataclass(frozen=True, eq=False)
    class Result:
        value: int

    one = Result(1)
    assert one != Result(1)
    assert len({one, one, Result(1)}) == 2


@pytest.mark.parametrize("frozen", [False, True])
def test_slots(way, frozen):
    @way.dataclass(slots=True, frozen=frozen)
    class Slim:
        x: int
        y: int = 2

    assert (Slim(1).y, Slim(1, 3)) == (2, Slim(1, 3))
    assert not hasattr(Slim(1), "__dict__")


def test_methods_of_the_class_stay(way):
    @way.dataclass(frozen=True)
    class Loud:
        x: int

        def __repr__(self):
            return "loud"

        def __eq__(self, other):
            return True

        __hash__ = None

    assert (repr(Loud(1)), Loud(1) == Loud(2)) == ("loud", True)


def test_copies(way, point):
    assert way.replace(point(1), y=5) == point(1, 5)
    assert copy.copy(point(1)) == point(1) == copy.deepcopy(point(1))
    with pytest.raises(TypeError):
        way.replace(point(1), z=5)


def test_patterns(point):
    match point(1, 7):
        case point(1, y):
            assert y == 7


def test_the_standard_library_takes_ours_for_its_own():
    @record.dataclass(frozen=True)
    class Point:
        x: int
        tags: tuple[str, ...] = ()
        seen: list[int] = record.field(default_factory=list)

    made = Point(1)
    assert dataclasses.is_dataclass(made)
    assert [field.name for field in dataclasses.fields(Point)] == ["x", "tags", "seen"]
    assert dataclasses.asdict(made) == {"x": 1, "tags": (), "seen": []}
    assert dataclasses.replace(made, x=2) == Point(2)


def test_facts_need_no_data_classes_of_the_standard_library():
    code = """
import sys
before = set(sys.modules)
import toadstone.core.fact, toadstone.core.report
print(sorted({"dataclasses", "inspect", "typing"} & (set(sys.modules) - before)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
