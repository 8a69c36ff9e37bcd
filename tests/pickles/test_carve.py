"""Pickles in bytes that nothing announces."""

from __future__ import annotations

import pytest

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Call
from toadstone.core.place import Place
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk

_NOISE = b"\xf1\xfe\x92\xfc" * 5


def _calls(data: bytes, name: str = "model.bin") -> int:
    source = Source(BytesBlob(data), name, Place(name), Budget.of(len(data)))
    return sum(isinstance(fact, Call) for fact in walk(source))


@pytest.mark.parametrize(
    "payload",
    [b"cos\nsystem\n(S'echo x'\ntR.", b"(cos\nsystem\nS'echo x'\no.", b"\x80\x02cos\nsystem\nX\x06\x00\x00\x00echo x\x85R."],
)
@pytest.mark.parametrize("before", [b"\x80\x04N." + _NOISE, _NOISE, _NOISE * 60_000])
def test_a_pickle_behind_noise_is_found(before: bytes, payload: bytes) -> None:
    assert _calls(before + payload + _NOISE) == 1


@pytest.mark.parametrize("text", [b"cos\nsystem\n" * 50, b"cfg\nname\n(S'x'\nt.", b"calls\nlater\nR."])
def test_what_begins_like_one_and_calls_nothing_is_none(text: bytes) -> None:
    assert _calls(_NOISE + text) == 0
