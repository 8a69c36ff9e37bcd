"""Several hands on one ledger, in any order: it is always the list of what was appended."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.ledger.writer import KEY, made
from toadstone.core.merkle import leaf_hash, root
from toadstone.ledger.checking import check
from toadstone.ledger.ledger import Ledger
from toadstone.ledger.note import open_checkpoint

HANDS = st.integers(0, 2)


class Machine(RuleBasedStateMachine):
    """Three open ledgers over one file, and what it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.place = Path(self.folder.name) / "ledger.sqlite"
        self.leaves: list[bytes] = []
        self.kept: list[str] = []
        self.hands: list[Ledger] = []

    @initialize()
    def begin(self) -> None:
        first = Ledger.create(self.place, KEY, origin="example.com/ledger")
        self.hands = [first, Ledger.open(self.place, KEY), Ledger.open(self.place)]

    @rule(hand=st.integers(0, 1), count=st.integers(1, 200))
    def extend(self, hand, count):
        start = len(self.leaves)
        receipts = self.hands[hand].extend([made(number) for number in range(start, start + count)])
        assert [receipt.index for receipt in receipts] == list(range(start, start + count))
        self.leaves += [receipt.leaf for receipt in receipts]

    @rule(hand=HANDS)
    def keep(self, hand):
        self.kept.append(self.hands[hand].checkpoint())

    @rule(hand=HANDS)
    def open_again(self, hand):
        self.hands[hand].close()

    @rule(hand=HANDS, where=st.floats(0, 1, exclude_max=True))
    def prove(self, hand, where):
        if self.leaves:
            index = int(where * len(self.leaves))
            checkpoint, statement = self.hands[hand].prove(index).verify(KEY.verifier("example.com/ledger"))
            assert (checkpoint.size, statement) == (len(self.leaves), made(index))

    @rule(hand=HANDS)
    def prove_growth(self, hand):
        for note in self.kept:
            old, new = self.hands[hand].prove_growth(note).verify(KEY.verifier("example.com/ledger"))
            assert old.root == root(self.leaves[: old.size])
            assert new.root == root(self.leaves)

    @rule(hand=HANDS)
    def export(self, hand):
        self.hands[hand].export(Path(self.folder.name) / "copy")

    @invariant()
    def is_the_list(self):
        for hand in self.hands:
            head = open_checkpoint(hand.checkpoint(), hand.verifier)
            assert (head.size, head.root) == (len(self.leaves), root(self.leaves))

    def teardown(self) -> None:
        if self.hands:
            assert [leaf_hash(entry.envelope) for entry in self.hands[2].entries()] == self.leaves
            copy = Path(self.folder.name) / "copy"
            assert check(self.place, kept=[copy] if copy.exists() else []).problems == []
        for hand in self.hands:
            hand.close()
        self.folder.cleanup()


TestLedger = Machine.TestCase
TestLedger.settings = settings(max_examples=12, stateful_step_count=12)
