"""word2vec and fastText."""

import struct

import pytest
from format_files import PICKLE, assert_total, look
from model_files import judged, model, seen

from toadstone.core.fact import Setting
from toadstone.core.finding import Severity


@pytest.mark.parametrize("name", ["word2vec.bin", "fasttext.bin"])
def test_real_files(name: str) -> None:
    found = seen(name)
    assert found.kind == name[:-4]
    assert not found.facts
    assert not found.source.coverage.gaps()
    assert_total(model(name), name)
    assert judged(look(model(name) + PICKLE, name))["unsafe-import"] is Severity.CRITICAL


@pytest.mark.parametrize("newline", [b"", b"\n"])
def test_both_ways_to_end_a_word(newline: bytes) -> None:
    vector = struct.pack("<3f", 0.25, -1.5, 3e-9)
    data = b"3 3\n" + b"".join(word + b" " + vector + newline for word in (b"the", "größe".encode(), b"</s>"))
    found = look(data, "vectors.bin")
    assert found.kind == "word2vec"
    assert not found.unread
    assert look(data[:-9], "vectors.bin").unread


def test_the_text_form_stays_text() -> None:
    for data in (b"2 3\nthe 0.1 0.2 0.3\nof 1 2 3\n", b"10 20\n30 40 50 60 70 80 90 100\n" * 9, b"1 2\nb " + b"1 2 3 4\n" * 30):
        assert look(data, "vectors.txt").kind == "text"


def fasttext(words: int = 1, labels: int = 1, rows: int = 2, quantised: bool = False) -> bytes:
    head = b"\xba\x16\x4f\x2f" + struct.pack("<i", 12) + struct.pack("<12id", *([2] * 12), 0.1)
    entries = b"word\0" + struct.pack("<qb", 4, 0) + b"__label__x\0" + struct.pack("<qb", 4, 1)
    dictionary = struct.pack("<iiiqq", 2, words, labels, 9, -1) + entries
    quantizer = struct.pack("<4i", 2, 1, 2, 2) + bytes(4 * 256 * 2)
    if quantised:
        matrix = b"\1" + b"\0" + struct.pack("<qqi", rows, 2, 2) + bytes(2) + quantizer
    else:
        matrix = b"\0" + struct.pack("<qq", rows, 2) + bytes(16)
    return head + dictionary + matrix + b"\0" + struct.pack("<qq", 1, 2) + bytes(8)


@pytest.mark.parametrize("quantised", [False, True])
def test_fasttext_with_labels(quantised: bool) -> None:
    data = fasttext(quantised=quantised)
    found = look(data, "m.ftz")
    assert [fact.value for fact in found.of(Setting)] == ["__label__x"]
    assert not found.unread
    assert not found.source.coverage.gaps()
    assert all(look(data[:size], "m.ftz").unread for size in range(4, len(data), 37))


def test_fasttext_numbers_that_lie() -> None:
    assert "index-bounds" in look(fasttext(words=-1), "m.bin").anomalies
    assert "tensor-bounds" in look(fasttext(rows=1 << 45), "m.bin").anomalies
    assert "tensor-bounds" in look(fasttext(rows=-4), "m.bin").anomalies
