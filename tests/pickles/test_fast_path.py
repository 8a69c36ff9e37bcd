"""The fast path gives what the interpreter gives, and gives up where it cannot."""

from __future__ import annotations

import pickle
import pickletools

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from toadstone.core.blob import BytesBlob
from toadstone.core.place import Place
from toadstone.core.value import Items, Value, render
from toadstone.readers.pickle.machine import Machine
from toadstone.readers.pickle.skim import Halt, Skimmed, skim, slots_read
from toadstone.readers.pickle.state import Stream
from toadstone.readers.pickle.tape import Tape

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=40),
    st.binary(max_size=40),
)
PLAIN = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6), st.tuples(inner, inner), st.dictionaries(st.text(max_size=6), inner, max_size=6)
    ),
    max_leaves=25,
)


def interpret(data: bytes, wanted: set[int] | None = None) -> tuple[Stream, list[object], list[tuple[int, int, bool]]]:
    machine = Machine(Tape(BytesBlob(data)), Place("x"), wanted, {}, lambda _steps: None)
    run = machine.run(0)
    facts: list[object] = []
    while True:
        try:
            facts.append(next(run))
        except StopIteration as done:
            return done.value, facts, machine.strings


def built(value: Value) -> object:
    """Make the plain object that a picture shows."""
    if isinstance(value, Items):
        inner = [built(item) for item in value.items]
        makers = {
            "list": list,
            "tuple": tuple,
            "dict": lambda pairs: {pair[0]: pair[1] for pair in pairs},
            "set": set,
            "frozenset": frozenset,
        }
        return makers[value.kind](inner)
    return value


@given(PLAIN, st.sampled_from([1, 2, 3, 4, 5]))
@settings(max_examples=600)
def test_plain_data_is_skimmed_to_the_same_end_and_the_interpreter_sees_the_object(data, protocol):
    written = pickle.dumps(data, protocol)
    stream, facts, strings = interpret(written)
    assert not stream.broken
    if protocol >= 3:  # protocol 1 and 2 write bytes as a call
        assert facts == []
        assert built(stream.value) == data
    skimmed = skim(BytesBlob(written), 0)
    if isinstance(skimmed, Skimmed):
        assert facts == []
        assert skimmed.end == stream.end == len(written)
        assert [(offset, length) for offset, length, _ in skimmed.strings] == [(offset, length) for offset, length, _ in strings]
    if protocol >= 3 and b"\x95" not in written[12:]:
        assert isinstance(skimmed, Skimmed)


@given(PLAIN, st.sampled_from([2, 4]), st.data())
@settings(max_examples=400)
def test_damage_is_never_skimmed_over(data, protocol, draw):
    """Whatever the fast path accepts, the interpreter finds regular, silent, and ending at the same byte."""
    written = bytearray(pickle.dumps(data, protocol))
    position = draw.draw(st.integers(0, len(written) - 1))
    written[position] = draw.draw(st.integers(0, 255))
    skimmed = skim(BytesBlob(bytes(written)), 0)
    if isinstance(skimmed, Skimmed):
        stream, facts, _ = interpret(bytes(written))
        assert facts == []
        assert not stream.broken
        assert stream.end == skimmed.end


@given(PLAIN, st.sampled_from([2, 4]))
@settings(max_examples=200)
def test_keeping_only_the_slots_that_are_read_back_changes_nothing(data, protocol):
    written = pickle.dumps([data, data, [data]], protocol)
    assume(b"NumpyArrayWrapper" not in written)  # behind it may lie an array: all slots are kept
    halt = skim(BytesBlob(written), 0)
    start, known = (halt.offset, halt.slots) if isinstance(halt, Halt) else (0, set())
    wanted = slots_read(BytesBlob(written), start, known, lambda _steps: None)
    if isinstance(halt, Skimmed):
        wanted = slots_read(BytesBlob(written), 0, set(), lambda _steps: None)
    assert wanted is not None
    read_back = {argument for opcode, argument, _ in pickletools.genops(written) if opcode.name in ("BINGET", "LONG_BINGET")}
    assert wanted == read_back
    sparse, facts, _ = interpret(written, wanted)
    full, expected, _ = interpret(written, None)
    assert render(sparse.value, 2000) == render(full.value, 2000)
    assert [str(fact) for fact in facts] == [str(fact) for fact in expected]
