"""Signed notes and checkpoints (c2sp.org/signed-note, c2sp.org/tlog-checkpoint): what a ledger was, signed, in four lines."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from toadstone.core.merkle import HASH_SIZE
from toadstone.ledger.errors import BrokenError
from toadstone.ledger.keys import Key, Verifier

_MARK = "\N{EM DASH} "
_MOST_SIGNATURES = 100
_MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class Checkpoint:
    """A promise about a ledger: that its first `size` entries have this root.

    Attributes:
        origin: Name of the ledger.
        size: Number of entries.
        root: Root of their hash tree, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Give what is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def signed(self, key: Key) -> str:
        """Give the signed note."""
        return sign_note(self.text(), key, self.origin)

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a note; lines after the third are extensions and ignored.

        Raises:
            BrokenError: If it is no checkpoint.
        """
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() or not all(lines):
            raise BrokenError("a checkpoint has at least three lines, none of them empty.")
        origin, size, root = lines[:3]
        if not (size.isascii() and size.isdecimal()) or str(int(size[:20])) != size:
            raise BrokenError(f"{size!r} is no size of a checkpoint.")
        try:
            raw = base64.b64decode(root, validate=True)
        except ValueError:
            raw = b""
        if len(raw) != HASH_SIZE:
            raise BrokenError(f"{root!r} is no root of a checkpoint.")
        return cls(origin, int(size), raw)


def sign_note(text: str, key: Key, name: str) -> str:
    """Sign a text that ends in a newline."""
    signature = base64.b64encode(key.verifier(name).id + key.sign(text.encode())).decode()
    return f"{text}\n{_MARK}{name} {signature}\n"


def open_note(note: str, verifier: Verifier) -> str:
    """Give the text of a note that a key has signed; signatures of other keys (witnesses) are ignored.

    Raises:
        BrokenError: If it is no signed note, the key has not signed it, or a signature of the key does not hold.
    """
    if len(note) > _MOST_BYTES or any(sign < " " and sign != "\n" for sign in note):
        raise BrokenError("this is no signed note: it is too long, or has control characters.")
    cut = note.rfind("\n\n")
    if cut < 0 or not note.endswith("\n"):
        raise BrokenError("this is no signed note: there is no empty line before the signatures.")
    text, lines = note[: cut + 1], note[cut + 2 : -1].split("\n")
    if len(lines) > _MOST_SIGNATURES:
        raise BrokenError(f"the note has more than {_MOST_SIGNATURES} signatures.")
    held = False
    for line in lines:
        name, raw = _signature(line)
        if (name, raw[:4]) == (verifier.name, verifier.id):
            if not verifier.holds(raw[4:], text.encode()):
                raise BrokenError(f"the signature of {name} does not hold.")
            held = True
    if not held:
        raise BrokenError(f"the note is not signed by {verifier}.")
    return text


def _signature(line: str) -> tuple[str, bytes]:
    name, space, encoded = line.removeprefix(_MARK).partition(" ")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except ValueError:
        raw = b""
    if not line.startswith(_MARK) or not name or not space or "+" in name or len(raw) < 5:
        raise BrokenError("this is no signed note: a line of signatures is malformed.")
    return name, raw


def open_checkpoint(note: str, verifier: Verifier) -> Checkpoint:
    """Read a signed checkpoint of the ledger that the key is named for.

    Raises:
        BrokenError: As `open_note`, or if it is about another ledger.
    """
    made = Checkpoint.parse(open_note(note, verifier))
    if made.origin != verifier.name:
        raise BrokenError(f"the checkpoint is of {made.origin}, not of {verifier.name}.")
    return made
