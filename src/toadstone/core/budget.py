"""What reading one subject may cost. Counted in work, not in seconds, so that the same bytes give the same report."""

from __future__ import annotations

from toadstone.core.record import dataclass


class BudgetError(Exception):
    """The budget is used up; the reader's caller turns this into an `Unread` fact (rule: unread is never clean)."""


DENSE = 32
"""Unpacked bytes for a packed one up to which content counts as really there. Weights unpack to less than the double,
text, tables and logs to the five- to twentyfold."""

_THIN_STEP = 128
"""Bytes of one pattern that are unpacked in the time of one step; they draw on the same purse, or a bomb could use both."""

_TEMPLATE = 16
"""Bytes that any template counts at least."""

_TERSE = 5_000
"""Alarms beyond the allowance after which not even names are judged any more."""

_ENTRY = 100
"""Steps that something inside costs at depth 1, however small it is."""


@dataclass
class Budget:
    """Shared by everything inside one subject.

    Attributes:
        expand: Bytes that may still be produced by unpacking what is really there: up to `DENSE` for a packed one.
        thin: Bytes that may still be produced beyond that: zeros, one pattern again and again.
        steps: Operations of interpreters and parsers that may still be made.
        members: Members of containers that may still be opened.
        depth: Containers inside containers that may be entered.
        templates: Bytes of templates that may still be parsed and followed.
        trials: Operations that may still be made only to find out whether something is of a kind at all. Counted apart,
            so that a flood of false starts cannot use up what reading needs.
        alarms: Findings that may still be worked out one by one (see `alarm`); no person reads as many.
    """

    expand: int
    steps: int
    members: int = 100_000
    depth: int = 16
    trials: int = 2_000_000
    thin: int = 0
    templates: int = 144 << 10
    alarms: int = 1 << 30

    @classmethod
    def of(cls, size: int) -> Budget:
        """Give the budget of a subject of ``size`` bytes.

        Real artefacts stay far below: text and weights expand two- to tenfold; a deflated array of zeros expands about a
        thousandfold, and 384 MiB of that are an embedding of 100,000 words by 1,000 dimensions; an interpreter makes at
        most one step for each byte of its stream; a chat template has at most 40 KB. A harmless file has no grave finding,
        and no more kinds of mild ones than its libraries have classes.
        """
        return cls(
            expand=(128 << 20) + DENSE * size,
            steps=4_000_000 + 4 * size,
            trials=1_000_000 + size,
            templates=(144 << 10) + size // 128,
            thin=(384 << 20) + size,
            alarms=2_500 + (size >> 14),
        )

    def alarm(self) -> None:
        """Account for one finding that is grave, or of a kind that the subject did not have yet.

        When no allowance is left, the subject is `crowded`: a flood of different findings costs more to tell than to write.
        """
        self.alarms -= 1

    def crowded(self) -> bool:
        """Whether there were more findings than are worked out: of what is read from here on only the names are judged.

        Whoever judges says so; readers leave out what only details would be made of.
        """
        return self.alarms <= 0

    def overrun(self) -> bool:
        """Whether there were so many findings that nothing further is looked at."""
        return self.alarms < -_TERSE

    def spend_entry(self, depth: int) -> None:
        """Account for looking into something at a depth: where every level holds two more, only the depth tells the cost.

        Raises:
            BudgetError: If no budget is left.
        """
        self.spend_steps(_ENTRY * depth * depth)

    def trial(self) -> Budget:
        """Give what a trial may cost; `settle` takes back what it left.

        Raises:
            BudgetError: If no budget is left.
        """
        if self.trials <= 0:
            raise BudgetError("more false starts than the budget allows to try")
        return Budget(expand=0, steps=self.trials, members=0, depth=0, trials=0)

    def settle(self, trial: Budget) -> None:
        """Account for a trial that is over."""
        self.trials = trial.steps

    def spend_expand(self, size: int, thin: int = 0) -> None:
        """Account for unpacked bytes: those that are really there, and those beyond.

        Raises:
            BudgetError: If no budget is left.
        """
        self.expand -= size
        self.thin -= thin
        self.steps -= thin // _THIN_STEP
        if self.expand < 0 or self.thin < 0 or self.steps < 0:
            raise BudgetError("unpacking needs more bytes than the budget allows")

    def spend_unpacked(self, size: int, packed: int) -> None:
        """Account for ``size`` bytes that came out of ``packed`` ones at once.

        Raises:
            BudgetError: If no budget is left.
        """
        dense = min(size, DENSE * packed)
        self.spend_expand(dense, size - dense)

    def spend_steps(self, steps: int) -> None:
        """Account for interpreted operations.

        Raises:
            BudgetError: If no budget is left.
        """
        self.steps -= steps
        if self.steps < 0:
            raise BudgetError("reading needs more steps than the budget allows")

    def spend_template(self, size: int) -> None:
        """Account for a template.

        Raises:
            BudgetError: If no budget is left.
        """
        self.templates -= size + _TEMPLATE
        if self.templates < 0:
            raise BudgetError("more template text than any real artefact carries")

    def spend_member(self) -> None:
        """Account for one opened member.

        Raises:
            BudgetError: If no budget is left.
        """
        self.members -= 1
        if self.members < 0:
            raise BudgetError("more members than the budget allows")
