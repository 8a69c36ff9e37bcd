"""Signed notes and verifier keys are those of C2SP and of Go's checksum database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.writer import KEY, OTHER
from toadstone.ledger.errors import BrokenError, LedgerError
from toadstone.ledger.keys import Key, Verifier
from toadstone.ledger.note import Checkpoint, open_checkpoint, open_note, sign_note

# The key and the note with which Go's own implementation (golang.org/x/mod/sumdb/note) is tested.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = (
    "\N{EM DASH} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
NOTE = f"{TEXT}\n{SIGNATURE}"
ORIGIN = "example.com/ledger"
MINE = KEY.verifier(ORIGIN)


def test_the_known_note_holds():
    verifier = Verifier.parse(PETER)
    assert open_note(NOTE, verifier) == TEXT
    assert str(verifier) == PETER
    assert (verifier.name, verifier.id.hex()) == ("PeterNeumann", "c74f20a3")
    with pytest.raises(BrokenError, match="does not hold"):
        open_note(NOTE.replace("cryptography", "cryptographY"), verifier)


def test_the_known_key_signs_the_known_note():
    import base64

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    seed = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]  # of the same tests
    key = Key(Ed25519PrivateKey.from_private_bytes(seed))
    assert sign_note(TEXT, key, "PeterNeumann") == NOTE
    assert str(key.verifier("PeterNeumann")) == PETER


def test_parts_of_a_verifier_key_are_none():
    for start in range(len(PETER) + 1):
        for end in range(start + 1, len(PETER) + 1):
            if end - start < len(PETER):
                with pytest.raises(LedgerError):
                    Verifier.parse(PETER[start:end])
    for at in range(len(PETER)):
        with pytest.raises(LedgerError):
            Verifier.parse(PETER[:at] + chr(ord(PETER[at]) + 1) + PETER[at + 1 :])


def test_other_signatures_are_ignored():
    witness = sign_note(TEXT, OTHER, "witness.example").splitlines(keepends=True)[-1]
    assert open_note(NOTE + witness, Verifier.parse(PETER)) == TEXT
    assert open_note(f"{TEXT}\n{witness}{SIGNATURE}", Verifier.parse(PETER)) == TEXT
    with pytest.raises(BrokenError, match="is not signed by"):
        open_note(f"{TEXT}\n{witness}", Verifier.parse(PETER))
    with pytest.raises(BrokenError, match="more than 100"):
        open_note(NOTE + witness * 100, Verifier.parse(PETER))
    wrong = SIGNATURE.replace("J", "K")
    with pytest.raises(BrokenError, match="does not hold"):
        open_note(NOTE + wrong, Verifier.parse(PETER))


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        TEXT,
        TEXT + SIGNATURE,
        f"{TEXT}\n",
        f"{TEXT}\n{SIGNATURE}"[:-1],
        f"{TEXT}\n{SIGNATURE[2:]}",
        f"{TEXT}\n{SIGNATURE}\n",
        f"{TEXT}\r\n\n{SIGNATURE}",
        f"{TEXT}\n{SIGNATURE.replace('Peter', 'Peter+')}",
        f"{TEXT}\n{SIGNATURE.replace('x08', '!!!')}",
        f"{TEXT}\n\N{EM DASH} PeterNeumann x08g\n",
        "x" * (1 << 20) + NOTE,
    ],
)
def test_malformed_notes(note):
    with pytest.raises(BrokenError):
        open_note(note, Verifier.parse(PETER))


@given(st.integers(0, len(NOTE) - 1), st.characters())
def test_no_change_of_a_note_holds(at, character):
    changed = NOTE[:at] + character + NOTE[at + 1 :]
    if changed != NOTE:
        with pytest.raises(BrokenError):
            open_note(changed, Verifier.parse(PETER))


@given(st.text())
def test_any_text_is_read_or_refused(text):
    with pytest.raises(BrokenError):
        open_checkpoint(text, MINE)


def test_a_checkpoint_comes_back():
    made = Checkpoint(ORIGIN, 20852163, bytes(range(32)))
    assert made.text() == "example.com/ledger\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert open_checkpoint(made.signed(KEY), MINE) == made
    assert Checkpoint.parse(made.text() + "an extension\n") == made
    with pytest.raises(BrokenError, match=r"is of another\.example"):
        open_checkpoint(sign_note(made.text().replace(ORIGIN, "another.example"), KEY, ORIGIN), MINE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("20852163", "020852163"),
        ("20852163", "-1"),
        ("20852163", "٣"),
        ("20852163", "9" * 5000),
        ("AAEC", "AAE"),
        ("AAEC", "!AEC"),
    ],
)
def test_malformed_checkpoints(old, new):
    text = Checkpoint(ORIGIN, 20852163, bytes(range(32))).text().replace(old, new)
    with pytest.raises(BrokenError, match="checkpoint"):
        open_checkpoint(sign_note(text, KEY, ORIGIN), MINE)
    with pytest.raises(BrokenError, match="at least three lines"):
        Checkpoint.parse(text.replace("\n", "\n\n"))
