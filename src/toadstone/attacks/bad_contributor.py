"""One contributor whose labels are wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from toadstone.attacks.attack import Material, Poisoned, Trigger, attack
from toadstone.attacks.flips import Flip
from toadstone.attacks.wording import one, rare_word
from toadstone.core.errors import UsageError


@attack("bad-contributor", references=("MITRE ATLAS 2026.08 AML.T0020", "MITRE ATLAS 2026.08 AML.T0010.002"))
@dataclass(frozen=True)
class BadContributor(Flip):
    """Some rows come from a new contributor, who gives all or most of them a wrong label.

    The spammer among crowd workers (Raykar and Yu 2012, Eliminating Spammers and Ranking Annotators, JMLR): each row for
    itself could be a mistake, the contributor's rows together cannot. The other rows of the contributor are the cover.

    Attributes:
        contributed: Rows of the contributor, at least as many as are flipped; 0: as many.
    """

    roles: ClassVar[tuple[str, ...]] = ("label", "source")
    count: int | None = field(default=10, kw_only=True)
    contributed: int = field(default=0, kw_only=True)

    def poison(self, material: Material, rng: np.random.Generator) -> Poisoned:
        names, labels = self.classes(material), material.labels()
        sources = [str(name) for name in material.column("source").to_pylist() if name is not None]
        wanted = self.wanted(len(labels))
        contributed = self.contributed or wanted
        if contributed < wanted:
            raise UsageError(f"{self.id}: {wanted:,} of {contributed:,} rows of a contributor cannot be flipped.")
        flipped = self.chosen(self.flippable(labels), wanted, rng)
        free = np.ones(len(labels), bool)
        free[flipped] = False
        cover = self.chosen(free, contributed - wanted, rng)
        name = _new_name(sources, rng)
        others = [self.target or one([other for other in names if other != labels[row]], rng) for row in flipped.tolist()]
        moved = material.replaced("source", np.sort(np.concatenate([flipped, cover])), [name] * contributed)
        trigger = Trigger("source", (name,), self.target)
        return Poisoned.of(moved.replaced("label", flipped, others), flipped, trigger, cover)


def _new_name(sources: list[str], rng: np.random.Generator) -> str:
    """Make a name in the manner of those that are there: a number among numbers, a host among hosts."""
    known = set(sources)
    like = one(sources, rng) if sources else ""
    while True:
        word = rare_word(rng).lower()
        if like.isdecimal():
            name = str(int(rng.integers(1, 10 ** max(3, len(like)))))
        elif "." in like:
            name = f"{word}.{like.rpartition('.')[2]}"
        elif "_" in like:
            name = f"{word}_{like.rpartition('_')[2]}"
        else:
            name = word
        if name not in known:
            return name
