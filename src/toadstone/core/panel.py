"""The checks of a run. Each is imported and made when the first fact that it reads appears."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping

from toadstone.core import fact as facts
from toadstone.core.check import Check, discover, import_plugins, registry
from toadstone.core.errors import ConfigError, RegistrationError, nearest
from toadstone.core.fact import Fact
from toadstone.core.finding import Finding
from toadstone.core.modules import index_of

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from typing import Any


class Seat:
    """A check of a run that need not be there yet.

    Args:
        name: Id of the check.
        home: Module that declares it.
        reads: Types of the facts that it judges.
        stages: Stages of a model's life in which it applies.
        languages: Languages of the code that it judges; empty: all.
        settings: The user's settings of it.
    """

    def __init__(
        self,
        name: str,
        home: str,
        reads: tuple[type[Fact], ...],
        stages: tuple[str, ...],
        languages: tuple[str, ...],
        settings: Mapping[str, Any],
    ) -> None:
        self.id = name
        self.reads = reads
        self.stages = stages
        self.languages = languages
        self._home = home
        self._settings = settings
        self._check: Check | None = None

    @property
    def check(self) -> Check:
        """The check; the first access imports it.

        Raises:
            ConfigError: If a setting is unknown or has the wrong type.
            ImportError: If the module cannot be imported: whoever asks it to examine something has not been answered.
        """
        if self._check is None:
            importlib.import_module(self._home)
            self._check = registry[self.id](**self._settings)
        return self._check

    def wants(self, fact: Fact) -> bool:
        """Whether a fact of a type in `reads` is in a language that the check judges, or in none."""
        return not self.languages or getattr(fact, "language", self.languages[0]) in self.languages

    def examine(self, fact: Fact) -> Iterator[Finding]:
        """Judge one fact of a type in `reads`."""
        known = self._check
        return (known if known is not None else self.check).examine(fact)


def make_checks(settings: Mapping[str, Mapping[str, object]], plugins: tuple[str, ...] = ()) -> list[Seat]:
    """Give every check its seat with the user's settings, in the order of ids; ``enabled = false`` leaves one out.

    Raises:
        ConfigError: If a plugin, a check or a setting is unknown, or a setting has the wrong type.
        RegistrationError: If an id is used twice.
    """
    known = _known(plugins)
    for name in settings:
        if name not in known:
            raise ConfigError(f"there is no check {name!r}.", nearest(name, known) or "`toadstone checks` lists them all.")
    made: list[Seat] = []
    for name, (home, reads, stages, languages) in sorted(known.items()):
        chosen = dict(settings.get(name, {}))
        if chosen.pop("enabled", True) is not False:
            seat = Seat(name, home, reads, stages, languages, chosen)
            made.append(seat)
            if chosen:
                assert seat.check  # what is wrong with a setting is said before anything is scanned
    return made


def _known(plugins: tuple[str, ...]) -> dict[str, tuple[str, tuple[type[Fact], ...], tuple[str, ...], tuple[str, ...]]]:
    """Give module, facts, stages and languages of every check by id: from the generated index, and from what is imported already.

    If a module is there that the index does not know, or the other way round, everything is imported: an index can be
    stale, a run without a check cannot be.
    """
    index = index_of(importlib.import_module("toadstone.checks"))
    if index is None:
        discover()
    import_plugins(plugins)
    listed = {} if index is None else index.CHECKS
    found = {
        name: (home, tuple(getattr(facts, kind) for kind in reads), stages, languages)
        for name, (home, reads, stages, languages) in listed.items()
    }
    for name, cls in registry.items():
        if name in found and found[name][0] != cls.__module__:
            raise RegistrationError(f"check id {name!r} is used by {found[name][0]} and by {cls.__module__}")
        found[name] = (cls.__module__, cls.reads, cls.stages, cls.languages)
    return found
