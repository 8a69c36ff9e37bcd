"""The machine against CPython's own two unpicklers: whatever either of them reaches, the machine reports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Call, Fact, Import
from toadstone.core.place import Place
from toadstone.core.value import Symbol
from toadstone.readers.pickle import follow
from toadstone.readers.pickle.python2 import python3_name
from toadstone.readers.reader import Source

ORACLE = Path(__file__).with_name("oracle.py")


class Oracle:
    """A child process that answers for one pickle after the other."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", str(ORACLE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, data: bytes) -> dict[str, list[str]]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(data.hex() + "\n")
        self.process.stdin.flush()
        answer: dict[str, list[str]] = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        self.process.communicate()


@pytest.fixture(scope="module")
def oracle():
    made = Oracle()
    yield made
    made.close()


def facts_of(data: bytes) -> tuple[Source, list[Fact], int]:
    source = Source(BytesBlob(data), "x.pkl", Place("x.pkl"), Budget.of(len(data)))
    facts: list[Fact] = []
    run = follow(source, 0)
    while True:
        try:
            facts.append(next(run))
        except StopIteration as done:
            return source, facts, done.value.end


def check(oracle: Oracle, data: bytes) -> None:
    answer = oracle.ask(data)
    _, facts, end = facts_of(data)
    symbols = {str(fact.symbol) for fact in facts if isinstance(fact, Import)}
    for reached in (*answer["native"], *answer["pure"]):
        if ":" not in reached or reached == ":" or reached.startswith("extension:"):
            continue
        module, name = reached.split(":", 1)
        plain = Symbol(module, name)
        assert str(plain) in symbols or str(python3_name(plain)) in symbols, (data, reached, symbols)
    calls = max(answer["native"].count("call"), answer["pure"].count("call"))
    assert calls <= sum(isinstance(fact, Call) for fact in facts), data
    for accepted in answer["ends"]:
        if accepted >= 0 and not any(isinstance(fact, (Import, Call)) for fact in facts):
            assert end == accepted, data


NAMES = st.sampled_from([b"os", b"system", b"builtins", b"eval", b"numpy", b"a.b", b"\xc3\xa9", b"__builtin__", b""])
SMALL = st.integers(0, 5).map(lambda n: bytes([n]))


def counted(code: bytes, width: int):
    return st.one_of(NAMES, st.binary(max_size=6)).map(lambda text: code + len(text).to_bytes(width, "little") + text)


OPCODES = st.one_of(
    st.sampled_from([bytes([code]) for code in b"(0128)]}.RQabdelostu\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94N\x97\x98"]),
    st.tuples(st.sampled_from([b"h", b"q", b"K", b"\x80"]), SMALL).map(b"".join),
    st.tuples(st.sampled_from([b"j", b"r"]), st.integers(0, 5).map(lambda n: n.to_bytes(4, "little"))).map(b"".join),
    st.tuples(st.sampled_from([b"c", b"i"]), NAMES, NAMES).map(lambda parts: parts[0] + parts[1] + b"\n" + parts[2] + b"\n"),
    st.tuples(st.sampled_from([b"g", b"p"]), st.sampled_from([b"0", b"1", b" 2", b"1_0", b"-1", b"x"])).map(
        lambda parts: b"".join(parts) + b"\n"
    ),
    st.sampled_from(
        [
            b"S'os'\n",
            b'S"system"\n',
            b"S'a\\x41'\n",
            b"Vos\n",
            b"V\\u0041\n",
            b"I1\n",
            b"I01\n",
            b"L5L\n",
            b"F1.5\n",
            b"Px\n",
            b"S'broken\n",
        ]
    ),
    counted(b"\x8c", 1),
    counted(b"X", 4),
    counted(b"U", 1),
    counted(b"C", 1),
    counted(b"\x8d", 8),
    counted(b"\x8e", 8),
    counted(b"\x96", 8),
    counted(b"\x8a", 1),
    counted(b"T", 4),
    st.integers(0, 40).map(lambda n: b"\x95" + n.to_bytes(8, "little")),
    st.sampled_from([b"\x82\x01", b"\x83\x01\x00", b"\x84\x01\x00\x00\x00", b"J\x01\x00\x00\x00", b"M\x01\x00", b"G" + bytes(8)]),
)
GADGETS = st.sampled_from(
    [
        b"\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R",
        b"cos\nsystem\n(S'id'\ntR",
        b"(S'id'\nios\nsystem\n",
        b"(cos\nsystem\nS'id'\no",
        b"cos\nsystem\n)\x81}b",
        b"\x8c\x02os\x94\x8c\x06system\x94h\x00h\x01\x93",
        b"cos\nsystem\n)}\x92",
        b"}(\x8c\x01a\x8c\x01bu",
    ],
)


@given(st.lists(st.one_of(OPCODES, GADGETS), max_size=14).map(b"".join))
@settings(max_examples=1500)
def test_nothing_that_an_unpickler_reaches_is_missed(oracle, opcodes):
    check(oracle, opcodes)


@given(st.lists(st.one_of(OPCODES, GADGETS), max_size=10).map(b"".join), st.sampled_from([2, 4, 5]))
@settings(max_examples=700)
def test_nor_behind_a_header_and_with_a_stop(oracle, opcodes, protocol):
    check(oracle, b"\x80" + bytes([protocol]) + opcodes + b".")


@given(st.binary(max_size=60))
@settings(max_examples=500)
def test_nor_in_arbitrary_bytes(oracle, data):
    check(oracle, data)
