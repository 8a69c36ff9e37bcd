"""Floods of one thing are told once, leave room for others, and are said to be cut."""

from __future__ import annotations

import json
import struct

import pytest

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Anomaly, Call, Import, Lookup, PersistentLoad, Unread
from toadstone.core.place import Place
from toadstone.core.value import Symbol
from toadstone.readers.code.pieces import ALL_WORDS
from toadstone.readers.jinja import MAX_TEMPLATE, plain
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk

SYSTEM = Symbol("posix", "system")
CALL = b"\x8c\x05posix\x8c\x06system\x93\x8c\x0eecho toadstone\x85R."
PYTHON = "\nimport os\nos.system('echo toadstone')\n"


def facts_of(data: bytes | str, name: str) -> list:
    data = data.encode() if isinstance(data, str) else data
    return list(walk(Source(BytesBlob(data), name, Place(name), Budget.of(len(data)))))


def count(facts: list, kind: type) -> int:
    return sum(isinstance(fact, kind) for fact in facts)


def called(facts: list, symbol: Symbol) -> bool:
    return any(isinstance(fact, Call) and fact.callee == symbol for fact in facts)


def unread(facts: list) -> str:
    return " ".join(fact.reason for fact in facts if isinstance(fact, Unread))


# pickles


def test_calls_that_differ_only_in_a_number_are_told_a_few_times_for_each_size():
    body = b"".join(b"h\x00J%b\x85R0" % struct.pack("<I", number) for number in range(20_000))
    facts = facts_of(b"\x80\x04\x8c\x01m\x8c\x01f\x93\x940" + body + CALL, "a.pkl")
    assert called(facts, SYSTEM)
    assert not unread(facts)
    assert count(facts, Call) <= 64 * 32 + 1
    large = b"\x80\x04\x8c\x01m\x8c\x01f\x93\x940" + b"h\x00K\x01\x85R0" * 1000 + b"h\x00\x8a\x06\x00\x10\xa5\xd4\xe8\x00\x85R."
    assert any(isinstance(fact, Call) and fact.args == (10**12,) for fact in facts_of(large, "a.pkl"))


def test_states_of_one_object_are_told_a_few_times():
    body = b"h\x01}\x8c\x01ah\x01sb\x94" * 5_000
    facts = facts_of(b"\x80\x04\x8c\x01m\x8c\x01f\x93\x940h\x00)R\x94" + body + CALL, "a.pkl")
    assert called(facts, SYSTEM)
    assert count(facts, Call) < 300


def test_the_same_persistent_id_is_told_a_few_times_and_another_one_is_told():
    facts = facts_of(b"\x80\x04" + b"NQ0" * 5_000 + b"\x8c\x05otherQ0" + CALL, "a.pkl")
    values = [fact.identity for fact in facts if isinstance(fact, PersistentLoad)]
    assert len(values) < 100
    assert "other" in values
    assert called(facts, SYSTEM)


def test_the_same_pickle_in_many_strings_is_looked_into_a_few_times():
    inner = b"\x80\x04" + CALL
    facts = facts_of(b"\x80\x04" + (b"C" + bytes([len(inner)]) + inner + b"0") * 2_000 + b"N.", "a.pkl")
    assert 1 <= count(facts, Call) <= 4


# Python


def test_a_source_of_more_words_than_any_real_one_is_unread_and_its_calls_are_found():
    facts = facts_of("x = 1\n" * (ALL_WORDS // 2 + 80_000) + PYTHON, "a.py")
    assert "more code" in unread(facts)
    assert called(facts, Symbol("os", "system"))


def test_a_flood_of_one_call_leaves_room_for_others_and_is_said():
    facts = facts_of("import os\n" + "os.getpid()\n" * 20_000 + PYTHON, "a.py")
    assert called(facts, Symbol("os", "system"))
    assert "more calls" in unread(facts)
    assert sum(isinstance(fact, Call) and fact.callee == Symbol("os", "getpid") for fact in facts) <= 8_000


def test_the_same_import_is_told_a_few_times():
    facts = facts_of("import os\n" * 5_000 + "import marshal\n", "a.py")
    assert count(facts, Import) <= 65
    assert Symbol("marshal", "") in {fact.symbol for fact in facts if isinstance(fact, Import)}


def test_lines_are_right_behind_the_first_piece():
    facts = facts_of("x = 'some text'\n" * 12_000 + "import os\nos.system('echo a')\n", "a.py")
    assert [fact.place.row for fact in facts if isinstance(fact, Call)] == [12_001]


def test_functions_of_earlier_cells_are_known_in_later_ones():
    cells = [f"def f{number}():\n    return 1" for number in range(300)]
    cells += ["import os\ndef run(text):\n    os.system(text)", "run('echo toadstone')"]
    book = {"nbformat": 4, "cells": [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]}
    facts = facts_of(json.dumps(book), "a.ipynb")
    assert any(isinstance(fact, Call) and fact.args == ("echo toadstone",) for fact in facts)


def test_a_start_up_file_is_read_to_a_bound_and_the_rest_is_unread():
    facts = facts_of("# words\n" * 200_000 + "import os; os.system('echo toadstone')\n", "a.pth")
    assert "start-up file" in unread(facts)


# configuration and templates


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"auto_map": {"A": "x--m.C"}, "auto_map": {"A": "x--m.C"}}', "repeated-key"),
        ('{"auto_map": {"A": "x--m.C"}, "auto_map": {"A": "y--m.C"}}', "ambiguous-record"),
        ('{"chat_template": "a", "chat_template": "b"}', "parser-confusion"),
        ('{"hidden_size": 1, "hidden_size": 2}', None),
    ],
)
def test_a_key_given_twice_is_judged_by_who_acts_on_it_and_whether_its_values_differ(text, kind):
    facts = facts_of(text, "config.json")
    assert {fact.kind for fact in facts if isinstance(fact, Anomaly)} == ({kind} if kind else set())


def test_a_template_over_the_bound_is_unread_and_what_it_shows_is_told():
    facts = facts_of("{{ a }}" * (MAX_TEMPLATE // 7 + 1) + "{{ x.__globals__ }}", "chat_template.jinja")
    assert "longer than" in unread(facts)
    short = facts_of("{{ x.__globals__ }}" + "{{ a }}" * (MAX_TEMPLATE // 7 + 1), "chat_template.jinja")
    assert count(short, Lookup)


def test_more_template_text_than_any_real_artefact_carries_is_unread():
    listed = [{"name": f"t{number}", "template": "{% if a %}b{% endif %}" * 2_000} for number in range(20)]
    facts = facts_of(json.dumps({"chat_template": listed}), "tokenizer_config.json")
    assert "more template text" in unread(facts)


def test_names_to_fill_in_are_no_template_worth_parsing():
    assert plain("Answer {{ question }} in {{language}}.")
    for text in ("{{ a.b }}", "{% if a %}", "{# a #}", "{{ __a }}", "{{ a | b }}", "{{ a"):
        assert not plain(text)
    facts = facts_of(json.dumps({f"template{number}": "Say {{ word }}" for number in range(30_000)}), "prompts.json")
    assert not unread(facts)


@pytest.mark.parametrize("part", ["a", '"a"', "a "])
def test_a_toml_key_of_very_many_parts_is_not_given_to_the_parser(part):
    assert "key of more parts" in unread(facts_of(".".join([part] * 5_000) + " = 1\n", "a.toml"))
    assert not unread(facts_of(".".join([part] * 20) + " = 1\n", "a.toml"))


def test_the_same_target_with_other_numbers_is_told_a_few_times_and_other_arguments_every_time():
    targets = [{"_target_": "a.b", "x": number} for number in range(5_000)]
    targets += [{"_target_": "a.b", "x": f"text {number}"} for number in range(300)]
    facts = facts_of(json.dumps(targets), "config.json")
    assert count(facts, Call) < 300 + 64 * 14
    assert sum(isinstance(fact, Call) and str(fact.kwargs[0][1]).startswith("text") for fact in facts) == 300


def test_text_that_may_be_encoded_is_tried_within_a_budget_and_the_rest_is_said(monkeypatch):
    from toadstone.forensics import unwrap

    tried = []
    plain = unwrap.unwrap
    monkeypatch.setattr(unwrap, "unwrap", lambda text, **more: tried.append(text) or plain(text, **more))
    header = json.dumps({"__metadata__": {f"k{number}": f"http://h{number}.example/x" for number in range(20_000)}}).encode()
    facts = facts_of(struct.pack("<Q", len(header)) + header, "a.safetensors")
    assert 1_000 < len(tried) < 12_000
    assert "more text that may be encoded than is looked into" in unread(facts)


def test_names_without_end_that_a_configuration_calls_are_cut_and_that_is_said():
    targets = [{"_target_": f"a.b{number}"} for number in range(16_000)]
    targets += [{"_target_": "a.b1", "x": "text"}, {"_target_": "os.system", "command": "echo toadstone"}]
    facts = facts_of(json.dumps(targets), "config.json")
    assert count(facts, Call) == 15_001
    assert any(isinstance(fact, Call) and fact.kwargs == (("x", "text"),) for fact in facts)
    assert any(isinstance(fact, Import) and str(fact.symbol) == "os.system" for fact in facts)
    assert unread(facts).count("more than 15,000 names are called") == 1


def test_a_number_of_a_million_digits_is_looked_at_once():
    """Looking ahead for a letter from every digit would take a square of their number."""
    from toadstone.verbs.sighting import _MAYBE

    digits = "9" * 1_000_000
    assert _MAYBE.search(digits) is None
    assert _MAYBE.search(digits + "a") is not None
    assert _MAYBE.search("9" * 25 + "a") is not None
    assert _MAYBE.search("9" * 24 + "a") is None
