"""The nastiest inputs cost what their size allows, no more; what is given up is said, and what runs first is found."""

from __future__ import annotations

import io
import json
import pickle
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget, BudgetError
from toadstone.core.fact import Anomaly, Call, Import, Unread
from toadstone.core.finding import Severity
from toadstone.core.place import Place
from toadstone.core.value import Items, Symbol, leaves
from toadstone.intel import spotting
from toadstone.readers.pickle import carve
from toadstone.readers.pickle.machine import Machine
from toadstone.readers.pickle.tape import Tape
from toadstone.readers.pickle.weight import MOST_HELD, Scales
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk
from toadstone.symbols.judgement import judge_call
from toadstone.verbs.scan import scan
from toadstone.verbs.sighting import Watch

CALL = b"\x8c\x05posix\x8c\x06system\x93\x8c\x0eecho toadstone\x85R"
SYSTEM = Symbol("posix", "system")


def facts_of(data: bytes, name: str = "a.pkl") -> tuple[list, Budget]:
    budget = Budget.of(len(data))
    return list(walk(Source(BytesBlob(data), name, Place(name), budget))), budget


def called(facts: list) -> bool:
    return any(isinstance(fact, Call) and fact.callee == SYSTEM for fact in facts)


def unread(facts: list) -> bool:
    return any(isinstance(fact, Unread) for fact in facts)


FLOODS = {
    "calls": (b"\x8c\x01m\x8c\x01f\x93\x940" + b"h\x00)R0" * 60_000, 400),
    "states": (b"\x8c\x01m\x8c\x01f\x93)R" + b"}\x8c\x01aNsb" * 40_000, 400),
    "globals": (b"".join(b"cm%d\nf\n0" % number for number in range(40_000)), 45_000),
    "same global": (b"cm\nf\n0" * 60_000, 400),
    "marks": (b"(" * 200_000, 400),
    "tuples": (b"N" + b"\x85" * 200_000, 400),
    "protocols": (b"\x80\x04" * 200_000, 400),
    "frames": (b"\x95" + bytes(8) + b"\x95\x09" + bytes(7) + b"N" * 9, 400),
    "long name": (b"c" + b"m." * 500_000 + b"\nx\n0", 400),
    "memo": (b"N" + b"\x94" * 300_000, 400),
    "self": (b"]\x94" + b"h\x00a" * 60_000, 400),
    "digits": (b"L" + b"9" * 300_000 + b"L\n0", 400),
    "slot digits": (b"Np" + b"9" * 300_000 + b"\n0", 400),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_of_opcodes_stays_within_the_budget_and_hides_nothing(flood):
    body, most_facts = FLOODS[flood]
    data = b"\x80\x04" + body + CALL + b"."
    facts, budget = facts_of(data)
    assert called(facts)
    assert budget.steps > 0
    assert len(facts) < most_facts


BEGINNINGS = {
    "headers": b"\x80\x04\x95" * 100_000,
    "frames in frames": b"\x80\x04" + (b"\x95\x20" + bytes(7)) * 50_000,
    "short streams": b"\x80\x04N." * 60_000,
    "headerless streams": b"N." * 60_000,
    "calling streams": b"cm\nf\n." * 20_000,
    "broken calls": b"cm\nf\n(" * 40_000,
    "strings that begin like pickles": b"\x80\x04]" + b"\x8c\x14\x80\x04]]]]]]]]]]]]]]]]]].a" * 20_000 + b".",
    "strings that begin like base64": b"\x80\x04]" + b"\x8c\x14gAReXV1dXV1dXV1dXV0ua" * 20_000 + b".",
}


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_false_starts_do_not_use_up_what_reading_needs(beginning):
    data = BEGINNINGS[beginning]
    facts, budget = facts_of(data)
    total = Budget.of(len(data))
    assert total.steps - budget.steps <= total.steps + 500_000  # a window more than the budget at most
    assert budget.trials > -500_000
    assert budget.steps > 0 or unread(facts)


def test_trials_have_a_budget_of_their_own():
    budget = Budget.of(1000)
    before = budget.steps
    trial = budget.trial()
    with pytest.raises(BudgetError):
        trial.spend_steps(trial.steps + 1)
    budget.settle(trial)
    assert budget.steps == before
    with pytest.raises(BudgetError):
        budget.trial()


def test_carving_gives_up_with_a_reason():
    data = b"\x80\x04(" * 40_000
    source = Source(BytesBlob(data), "a.bin", Place("a.bin"), Budget.of(len(data)))
    source.budget.trials = 5_000
    with pytest.raises(BudgetError, match=r"false starts|steps"):
        list(carve(source, 0, len(data)))


def test_archives_that_double_at_every_level_are_given_up_with_a_reason():
    data = b"end"
    for _ in range(20):
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w") as archive:
            archive.writestr("a.zip", data)
        data = memory.getvalue() + (data if len(data) < 20_000 else b"")
    facts, budget = facts_of(data, "a.zip")
    assert unread(facts)
    assert Budget.of(0).members - budget.members < 5_000


MAKERS = {
    "lists": b"]" * 1_500_000,
    "dicts": b"}" * 1_500_000,
    "tuples": b"N" + b"\x85" * 1_500_000,
    "memo": b"]" + b"\x94" * 900_000,
    "results": b"\x8c\x01m\x8c\x01f\x93\x940" + b"h\x00)R" * 200_000,
    "grown text": b"\x8c\x08operator\x8c\x03add\x93\x94\x8c\x08AAAAAAAA\x94"
    + b"".join(b"h\x00j%bj%b\x86R\x94" % (struct.pack("<I", n), struct.pack("<I", n)) for n in range(1, 14))
    + b"".join(b"h\x00h\x0eh\x0e\x86R" for _ in range(10_000)),
}


CHILD = """
import sys
from toadstone.verbs.scan import scan
report = scan(sys.argv[1])
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))  # ru_maxrss would count the parent's
print(int(peak.split()[1]) // 1024, "posix.system" in str(report.findings))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
@pytest.mark.parametrize("maker", MAKERS)
def test_values_that_a_stream_holds_do_not_fill_the_memory(maker, tmp_path):
    path = tmp_path / "a.pkl"
    path.write_bytes(b"\x80\x04" + MAKERS[maker] + CALL + b".")
    done = subprocess.run([sys.executable, "-c", CHILD, path], capture_output=True, text=True, check=True, timeout=100)
    megabytes, found = done.stdout.split()
    assert int(megabytes) < 256
    assert found == "True"


def test_scales_count_shared_values_once_and_say_when_it_is_too_much():
    value = Items("tuple", ["x"])
    for _ in range(200):
        value = Items("tuple", [value, value])
    scales = Scales()
    assert scales.weigh([[value]], 0) < 1_000
    assert not scales.full
    scales.weigh([["x" * MOST_HELD]], 0)
    assert scales.full


def test_a_graph_that_doubles_at_every_level_is_judged_at_once_and_hides_no_argument():
    value = Items("tuple", ["lol"])
    for _ in range(60):
        value = Items("tuple", [value, value])
    assert leaves(Items("tuple", [value, "curl"])) == ["lol", "curl"]
    assert judge_call(Call(Place("a"), SYSTEM, (Items("tuple", [value, "echo toadstone"]),), (), "REDUCE", "pickle")) is not None
    assert judge_call(Call(Place("a"), Symbol("unheard.of", "f"), (value,), (), "REDUCE", "pickle")) is not None


def test_the_same_call_is_told_a_few_times_only():
    data = b"\x80\x04" + b"\x8c\x05posix\x8c\x06system\x93\x940" + b"h\x00\x8c\x04echo\x85R0" * 1_000 + b"N."
    facts, _ = facts_of(data)
    assert 1 <= sum(isinstance(fact, Call) for fact in facts) <= 64


def test_calls_that_differ_only_in_kind_of_argument_are_told_apart():
    data = (
        b"\x80\x04\x8c\x01m\x8c\x01f\x93\x940" + b"h\x00K\x01\x85R0h\x00\x88\x85R0h\x00G\x3f\xf0\0\0\0\0\0\0\x85R0" * 100 + b"N."
    )
    facts, _ = facts_of(data)
    assert {type(fact.args[0]) for fact in facts if isinstance(fact, Call)} == {int, bool, float}


@pytest.mark.parametrize("text", [b"S'%b'\n0", b"V%b\n0"])
def test_pickles_in_base64_in_text_opcodes_are_found(text):
    import base64

    inner = b"\x80\x04" + CALL + b"."
    facts, _ = facts_of(text % base64.b64encode(inner) + b"N.", "a.pkl")
    assert called(facts)


@pytest.mark.parametrize("count", [5_000, 70_000])
def test_a_name_longer_than_any_is_cut_but_reported(count):
    name = "path.os." * (count // 8) + "system"
    data = b"\x80\x04\x8c\x02os" + b"X" + struct.pack("<I", len(name)) + name.encode() + b"\x93\x8c\x04true\x85R."
    facts, _ = facts_of(data)
    assert any(isinstance(fact, Import) and fact.symbol.module == "os" for fact in facts)
    assert any(isinstance(fact, Call) for fact in facts)


def test_more_memo_slots_than_are_kept_are_said_and_calls_are_still_found():
    reads = b"".join(b"j" + struct.pack("<I", number) + b"0" for number in range(420_000))
    data = b"\x80\x04N" + b"\x94" * 420_000 + CALL + b"0" + reads + b"."
    facts, _ = facts_of(data)
    assert called(facts)
    assert any("memo slots" in fact.reason for fact in facts if isinstance(fact, Unread))


def test_contradicting_frames_are_followed_a_bounded_number_of_times():
    data = b"\x80\x04" + (b"\x95\x05" + bytes(7) + b"X\x04" + bytes(3) + b"aaaa0") * 3_000 + CALL + b"."
    facts, budget = facts_of(data)
    assert called(facts)
    assert budget.steps > 0 or unread(facts)
    assert sum(isinstance(fact, Anomaly) for fact in facts) < 64 * 20


def test_ordinary_pickles_stay_far_below_the_budget():
    data = pickle.dumps({f"layer.{number}": [float(number)] * 8 for number in range(20_000)})
    facts, budget = facts_of(data)
    assert not unread(facts)
    assert budget.steps > 0.8 * Budget.of(len(data)).steps


def test_what_is_held_is_not_weighed_again_for_opcodes_that_make_nothing():
    """Opcodes that hold nothing must not bring about the weighing of all that an earlier flood left behind."""
    weighed = []

    class Counting(Scales):
        def weigh(self, roots, base):
            weighed.append(super().weigh(roots, base))
            return weighed[-1]

    machine = Machine(
        Tape(BytesBlob(b"\x80\x04\x8c\x01a" + b"2\x86" * 300_000 + b"N0" * 2_000_000 + b".")),
        Place("a.pkl"),
        None,
        {},
        lambda _steps: None,
    )
    machine.scales = Counting()
    list(machine.run(0))
    assert weighed, "so much is held that it has to be weighed"
    assert sum(weighed) < 4_000_000


def test_a_text_that_comes_in_every_call_is_searched_for_indicators_once(tmp_path, monkeypatch):
    searched = []
    spot = spotting.spot
    monkeypatch.setattr(spotting, "spot", lambda text, known=None: searched.append(len(text)) or spot(text, known))
    text = b"see http://a.example.com/ " * 300
    calls = b"".join(b"h\x00h\x01J%b\x86R0" % struct.pack("<I", number) for number in range(200))
    path = tmp_path / "a.pkl"
    shared = b"X" + struct.pack("<I", len(text)) + text + b"\x940"
    path.write_bytes(b"\x80\x04\x8c\x01m\x8c\x01f\x93\x940" + shared + calls + CALL + b".")
    report = scan(path)
    assert report.exit_code(Severity.HIGH) == 1
    assert any("http://a.example.com/" in str(finding.indicators) for finding in report.findings)
    assert sum(searched) < 3 * len(text)


def test_findings_that_are_only_counted_are_not_searched_for_indicators(tmp_path, monkeypatch):
    described = []
    plain = Watch.described
    monkeypatch.setattr(Watch, "described", lambda *given: described.append(given) or plain(*given))
    path = tmp_path / "config.json"
    path.write_text(json.dumps([{"_target_": f"a.b{number}"} for number in range(2_000)]))
    report = scan(path)
    unreviewed = [finding for finding in report.findings if finding.check == "unreviewed-call"]
    assert 400 < len(unreviewed) < 600
    assert sum(finding.evidence.get("further_findings", 0) for finding in unreviewed) + len(unreviewed) == 2_000
    assert len(described) < 1_200
