"""Data checks: they weigh a study; a common decision turns what they say into findings."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from toadstone.core.check import Check
from toadstone.core.fact import Table
from toadstone.core.finding import Finding
from toadstone.study.evidence import Evidence
from toadstone.study.study import Study
from toadstone.tables.roles import Roles


class DataCheck(Check):
    """Base of the checks of data sets.

    Attributes:
        needs: Names of the views that it reads.
        roles: Roles without which it does not apply; it is left out, not failed, when one is missing.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    roles: ClassVar[tuple[str, ...]] = ()
    compares: ClassVar[bool] = False
    """Whether it compares with the previous version, and does not apply without one."""
    guesses: ClassVar[bool] = True
    """Whether its groups are judged by chance. A check of what is plainly there, or that gives rows only, has no hypothesis that
    could be wrong, and takes no part in the correction for how many were tested."""
    efforts: ClassVar[tuple[str, ...]] = ("quick", "standard", "deep")
    """At which efforts it runs; the report names the checks that an effort leaves out."""

    def applies(self, roles: Roles, *, baseline: bool) -> bool:
        """Whether a data set has what the check reads."""
        return all(getattr(roles, role) for role in self.roles) and (baseline or not self.compares)

    @abstractmethod
    def weigh(self, study: Study) -> Evidence:
        """Give groups and p-values of rows."""

    def examine(self, fact: Table) -> Iterator[Finding]:
        """Weigh a study and decide as if this were the only check."""
        from toadstone.study.decision import decide  # noqa: PLC0415  (the decision knows checks)

        assert isinstance(fact, Study)
        yield from decide(fact, [(self, self.weigh(fact))]).findings
