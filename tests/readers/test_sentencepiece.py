"""SentencePiece models: recognised by their structure alone."""

from format_files import PICKLE, assert_total, field, look

PIECES = [field(1, field(1, word) + field(2, -1.5) + field(3, 2)) for word in ("<unk>", "▁the", "x", "y")]
TRAINER = field(2, field(1, "corpus.txt") + field(4, 200))
MODEL = b"".join(PIECES) + TRAINER + field(3, field(1, "nmt_nfkc") + field(2, b"\0\1\2"))


def test_model_is_read_whole_under_any_name() -> None:
    for name in ("tokenizer.model", "spiece", "x.bin"):
        seen = look(MODEL, name)
        assert (seen.kind, seen.facts) == ("sentencepiece", [])


def test_what_is_appended_or_unknown_falls_out() -> None:
    assert "hidden-data" in look(MODEL + field(77, PICKLE), "tokenizer.model").anomalies
    assert look(MODEL + b"\xff\xff\xff\xff", "tokenizer.model").unread


def test_other_messages_are_not_claimed() -> None:
    assert look(field(1, b"\x01\x02\x03") * 8, "tokenizer.model").kind != "sentencepiece"


def test_any_bytes_are_survived() -> None:
    assert_total(MODEL, "tokenizer.model", flips=300)
