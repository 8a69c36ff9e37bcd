"""YAML: tags in every spelling, aliases that explode, keys; never constructed."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Anomaly, Call, Fact, Import, Link, Moment, Setting, Unread
from toadstone.core.place import Place
from toadstone.core.value import Symbol, render_call
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk


def look(text: str | bytes, name: str = "conf.yaml") -> list[Fact]:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return list(walk(Source(BytesBlob(data), name, Place(name), Budget.of(len(data)))))


def calls(text: str | bytes) -> list[str]:
    return [render_call(fact.callee, fact.args, fact.kwargs) for fact in look(text) if isinstance(fact, Call)]


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("a: !!python/object/apply:os.system ['echo x']", "os.system('echo x')"),
        ("!!python/object/apply:os.system\n- echo x\n", "os.system('echo x')"),
        ("!!python/object/new:os.system [echo x]", "os.system('echo x')"),
        ("- !<tag:yaml.org,2002:python/object/apply:os.system> [x]", "os.system('x')"),
        ("%TAG !p! tag:yaml.org,2002:python/\n---\na: !p!object/apply:os.system [x]\n", "os.system('x')"),
        ("%TAG ! tag:yaml.org,2002:python/\n---\na: !object/apply:os.system [x]\n", "os.system('x')"),
        ("a: !!python/object/appl%79:os.system [x]", "os.system('x')"),
        ("!!python/object/apply:os.system {args: [x], kwds: {y: true}}", "os.system('x', y=True)"),
        ("? !!python/object/apply:os.system [x]\n: 1\n", "os.system('x')"),
        ("a: [1, {b: !!python/object/apply:os.system [x]}]", "os.system('x')"),
        ("--- 1\n--- 2\n--- !!python/object/apply:os.system [x]\n", "os.system('x')"),
        ("a: &x !!python/object/apply:os.system [x]\nb: *x\n", "os.system('x')"),
        ("m:\n  _target_: os.system\n  _args_: [x]\n", "os.system('x')"),
        ("base: &b {_target_: os.system}\nm:\n  <<: *b\n  y: 1\n", "os.system()"),
        ("class_path: os.system\ninit_args:\n  command: x\n", "os.system(command='x')"),
    ],
)
def test_calls(text: str, call: str) -> None:
    assert call in calls(text)


def test_state_is_handed_over() -> None:
    text = "!!python/object/new:a.B {args: [1], state: {x: 2}, listitems: [3]}"
    first, second = [fact for fact in look(text) if isinstance(fact, Call)]
    assert (first.callee, first.when) == (Symbol("a", "B"), Moment.LOAD)
    assert second.how == "!!python/object/new state"


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("!!python/name:os.system x", Symbol("os", "system")),
        ("!!python/name:os.system", Symbol("os", "system")),
        ("a: !!python/module:os ''", Symbol("os", "")),
        ("!!python/object:os.thing {a: 1}", Symbol("os", "thing")),
        ("!!javax.script.ScriptEngineManager [1]", Symbol("javax.script", "ScriptEngineManager")),
    ],
)
def test_imports(text: str, symbol: Symbol) -> None:
    assert symbol in [fact.symbol for fact in look(text) if isinstance(fact, Import)]


def test_custom_tags() -> None:
    facts = look("a: !ENV ${HOME}\nb: !include ../x.yaml\n")
    assert [fact.value for fact in facts if isinstance(fact, Setting)] == ["!ENV", "!include"]
    assert [(fact.target, fact.escapes) for fact in facts if isinstance(fact, Link)] == [("../x.yaml", True)]


@pytest.mark.parametrize(
    "text",
    [
        "name: env\nchannels: [conda-forge]\ndependencies:\n  - python=3.11\n  - pip:\n    - torch\n",
        "defaults:\n  - model: base\n  - _self_\nlr: 1e-3\nseed: 42\nmodel: {hidden: 64, bias: yes}\n",
        "a: !!str 1\nb: !!python/tuple [1, 2]\nc: !!set {x, y}\nd: !!binary aGVsbG8=\n",
        "a: &a {x: 1}\nb: {<<: *a, y: 2}\nc: [*a, *a]\n",
        "text: |\n  !!python/object/apply:os.system is only text here\nq: '!!python/name:os.system'\n# !!python/name:os.system\n",
        "stages:\n  train:\n    cmd: python train.py\n    deps: [data]\n",
    ],
)
def test_ordinary_files_are_silent(text: str) -> None:
    assert [fact for fact in look(text) if not (isinstance(fact, Setting) and fact.schema == "command")] == []


def test_trust_remote_code_only_when_true() -> None:
    assert [fact.value for fact in look("a: {trust_remote_code: yes}") if isinstance(fact, Setting)] == [True]
    assert not look("a: {trust_remote_code: no}")


def test_alias_bomb() -> None:
    names = "abcdefghij"
    text = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [{','.join(['*' + old] * 9)}]\n" for old, new in pairwise(names)
    )
    assert [fact.kind for fact in look(text) if isinstance(fact, Anomaly)] == ["resource-claim"]


HEAVY = {
    "flow": "[" * 100_000,
    "maps": "{a: " * 50_000,
    "blocks": "- " * 50_000,
    "keys": "? " * 50_000,
    "aliases": "a: &a x\nb: [" + "*a," * 50_000 + "]",
    "self": "a: &a [*a, *a]\n",
    "merges": "a: &a {x: 1}\n" + "b: {<<: [" + "*a," * 5000 + "]}\n" * 3,
    "anchors": "".join(f"k{index}: &a{index} v\n" for index in range(20_000)),
}


@pytest.mark.parametrize("name", HEAVY)
def test_heavy_files_stay_cheap(name: str) -> None:
    start = time.process_time()
    look(HEAVY[name])
    assert time.process_time() - start < 3


def test_broken_files_are_unread_and_keep_what_was_seen() -> None:
    facts = look("a: !!python/object/apply:os.system [x]\nb: [1, 2\nc: ]]\n")
    assert [fact for fact in facts if isinstance(fact, Unread)]
    assert [fact for fact in facts if isinstance(fact, Call)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encodings(encoding: str) -> None:
    assert calls("a: !!python/object/apply:os.system [x]\n".encode(encoding)) == ["os.system('x')"]


_PIECES = [
    "!!python/object/apply:os.system ",
    "!!python/name:a.b",
    "&a ",
    "*a",
    "[",
    "]",
    "{",
    "}",
    ": ",
    "- ",
    "? ",
    "\n",
    "  ",
    "'",
    '"',
    "|",
    ">",
    "<<: ",
    "%TAG ! x\n",
    "---\n",
    "...\n",
    "x",
    "!<",
    ">",
    "1",
    "#",
    ",",
    "args",
    "kwds",
    "_target_: os.system",
]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(_PIECES), max_size=30).map("".join) | st.text(max_size=150) | st.binary(max_size=150))
def test_total(text: str | bytes) -> None:
    reasons = [fact.reason for fact in look(text) if isinstance(fact, Unread)]
    assert not [reason for reason in reasons if "internal error" in reason]


def test_truncation() -> None:
    text = "a: &x !!python/object/new:a.B {args: [1], kwds: {b: [c]}, state: {x: 2}}\nd: [*x, {_target_: os.system, q: 'r'}]\n"
    for size in range(len(text)):
        reasons = [fact.reason for fact in look(text[:size]) if isinstance(fact, Unread)]
        assert not [reason for reason in reasons if "internal error" in reason]
