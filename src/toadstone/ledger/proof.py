"""Proofs that stand alone: that an entry is in a ledger (c2sp.org/tlog-proof), that a ledger only grew."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from toadstone.core.finding import Json
from toadstone.core.merkle import leaf_hash, verify_consistency, verify_inclusion
from toadstone.ledger.envelope import open_envelope
from toadstone.ledger.errors import BrokenError
from toadstone.ledger.keys import Verifier
from toadstone.ledger.note import Checkpoint, open_checkpoint

_HEADER = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True)
class Inclusion:
    """Proof that an entry is in a ledger.

    Attributes:
        index: Number of the entry.
        entry: Its bytes, the envelope.
        hashes: From the entry upwards.
        note: The signed checkpoint that they lead to.
    """

    index: int
    entry: bytes
    hashes: tuple[bytes, ...]
    note: str

    def text(self) -> str:
        """Give the proof as c2sp.org/tlog-proof writes it, with the entry as its extra data."""
        hashes = "".join(f"{base64.b64encode(one).decode()}\n" for one in self.hashes)
        return f"{_HEADER}\nextra {base64.b64encode(self.entry).decode()}\nindex {self.index}\n{hashes}\n{self.note}"

    @classmethod
    def parse(cls, text: str) -> Inclusion:
        """Read a proof that carries its entry.

        Raises:
            BrokenError: If it is none.
        """
        head, _, note = text.partition("\n\n")
        lines = head.split("\n")
        if lines[0] != _HEADER or len(lines) < 3 or not lines[1].startswith("extra ") or not lines[2].startswith("index "):
            raise BrokenError("this is no proof of a ledger: it has another form, or no entry in it.")
        number = lines[2].removeprefix("index ")
        try:
            entry = base64.b64decode(lines[1].removeprefix("extra "), validate=True)
            hashes = tuple(base64.b64decode(line, validate=True) for line in lines[3:])
        except ValueError:
            raise BrokenError("this is no proof of a ledger: its base64 is damaged.") from None
        if not (number.isascii() and number.isdecimal() and len(number) < 20):
            raise BrokenError(f"this is no proof of a ledger: {number!r} is no index.")
        return cls(int(number), entry, hashes, note)

    def verify(self, verifier: Verifier) -> tuple[Checkpoint, dict[str, Json]]:
        """See that the entry is in the ledger of that key; give the checkpoint and the statement.

        Raises:
            BrokenError: If anything does not hold.
        """
        checkpoint = open_checkpoint(self.note, verifier)
        if not verify_inclusion(leaf_hash(self.entry), self.index, checkpoint.size, self.hashes, checkpoint.root):
            raise BrokenError(f"the proof does not hold: entry {self.index} is not in the ledger of the checkpoint.")
        return checkpoint, open_envelope(self.entry, verifier)


@dataclass(frozen=True)
class Growth:
    """Proof that a ledger of one checkpoint begins with that of an older one.

    Attributes:
        old: The older signed checkpoint.
        new: The newer one.
        hashes: As RFC 9162 orders them.
    """

    old: str
    new: str
    hashes: tuple[bytes, ...]

    def text(self) -> str:
        """Give the proof as JSON."""
        hashes = [base64.b64encode(one).decode() for one in self.hashes]
        return json.dumps({"old": self.old, "new": self.new, "hashes": hashes}, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def parse(cls, text: str) -> Growth:
        """Read a proof.

        Raises:
            BrokenError: If it is none.
        """
        try:
            form = json.loads(text)
            hashes = tuple(base64.b64decode(one, validate=True) for one in form["hashes"])
            return cls(str(form["old"]), str(form["new"]), hashes)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise BrokenError("this is no proof of a ledger.") from None

    def verify(self, verifier: Verifier) -> tuple[Checkpoint, Checkpoint]:
        """See that nothing was removed or rewritten between the two; give both checkpoints.

        Raises:
            BrokenError: If anything does not hold.
        """
        old, new = open_checkpoint(self.old, verifier), open_checkpoint(self.new, verifier)
        if not verify_consistency(old.size, new.size, old.root, new.root, self.hashes):
            raise BrokenError(f"the proof does not hold: the first {old.size} of {new.size} entries are others.")
        return old, new
