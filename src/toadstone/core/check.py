"""Checks: one flaw each, declared once, found automatically, documented where they are written."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from toadstone.core.errors import ConfigError, RegistrationError, nearest
from toadstone.core.fact import Fact
from toadstone.core.finding import Confidence, Finding, Indicator, Json, Severity
from toadstone.core.modules import names_below
from toadstone.core.place import Place

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from typing import Any, ClassVar, TypeVar

    Declared = TypeVar("Declared", bound="type[Check]")

ALL_STAGES = ("pretraining", "tuning", "embedding", "serving")
SECTIONS = ("Why it matters", "How it decides", "What it misses", "Remedy", "References")

registry: dict[str, type[Check]] = {}
"""Every declared check by id."""


class Check:
    """Base of all checks: reads facts of some types, yields findings.

    A subclass is declared with `check`, documents itself in the sections of `SECTIONS`, and has a `bad` and a `good`
    example. Annotated class attributes with a default are its settings; their docstrings (the string below each) are
    its settings table.
    """

    id: ClassVar[str]
    severity: ClassVar[Severity]
    reads: ClassVar[tuple[type[Fact], ...]]
    stages: ClassVar[tuple[str, ...]]
    languages: ClassVar[tuple[str, ...]]
    references: ClassVar[tuple[str, ...]]
    settings: ClassVar[dict[str, Any]] = {}

    def __init__(self, **settings: object) -> None:
        for name, value in settings.items():
            object.__setattr__(self, name, _coerced(self, name, value))

    def examine(self, fact: Any) -> Iterator[Finding]:  # noqa: ANN401  (each check narrows it to what it reads)
        """Judge one fact of a type in `reads`."""
        raise NotImplementedError

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give facts on which the check must fire, each on its own."""
        raise NotImplementedError

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give facts on which the check must stay silent."""
        raise NotImplementedError

    def finding(
        self,
        place: Place,
        message: str,
        *,
        severity: Severity | None = None,
        confidence: Confidence = Confidence.HIGH,
        key: str = "",
        remedy: str = "",
        indicators: tuple[Indicator, ...] = (),
        details: Mapping[str, Json] | None = None,
        **evidence: Json,
    ) -> Finding:
        """Make a finding that carries this check's identity, remedy and references.

        Evidence is given by name or as a mapping in ``details``; what is None is left out.
        """
        return Finding(
            check=self.id,
            severity=self.severity if severity is None else severity,
            confidence=confidence,
            place=place,
            message=message,
            evidence={name: value for name, value in {**(details or {}), **evidence}.items() if value is not None},
            remedy=remedy or section(type(self), "Remedy", first=True),
            indicators=indicators,
            references=self.references,
            key=key,
        )


def check(
    id: str,  # noqa: A002  (the field's own word, and always given by position)
    *,
    severity: Severity,
    reads: type[Fact] | tuple[type[Fact], ...],
    references: tuple[str, ...] = (),
    stages: tuple[str, ...] = ALL_STAGES,
    languages: tuple[str, ...] = (),
) -> Callable[[Declared], Declared]:
    """Declare a check: give it its identity, freeze its settings, register it.

    Args:
        id: Kebab-case name of the flaw.
        severity: What a finding usually is.
        reads: Types of the facts that it judges.
        references: Taxonomy ids with their edition.
        stages: Stages of a model's life in which it applies.
        languages: Of the facts that have a language (imports, calls, code) it is shown those in these; empty: all.

    Raises:
        RegistrationError: If the id is taken or not kebab-case, or the docstring lacks a section.
    """

    def declare(cls: Declared) -> Declared:
        if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", id):
            raise RegistrationError(f"check id {id!r} is not kebab-case")
        known = registry.get(id)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise RegistrationError(f"check id {id!r} is used by {known.__module__} and by {cls.__module__}")
        missing = [title for title in SECTIONS if f"## {title}" not in (cls.__doc__ or "")]
        if missing and sys.flags.optimize < 2:  # -OO strips docstrings
            raise RegistrationError(f"check {id!r}: the docstring lacks the section {missing[0]!r}")
        cls.id = id
        cls.severity = severity
        cls.reads = reads if isinstance(reads, tuple) else (reads,)
        cls.references = references
        cls.stages = stages
        cls.languages = languages
        names = [name for name, kind in vars(cls).get("__annotations__", {}).items() if "ClassVar" not in str(kind)]
        cls.settings = {name: getattr(cls, name) for name in names}
        registry[id] = cls
        return cls

    return declare


def discover(plugins: tuple[str, ...] = ()) -> dict[str, type[Check]]:
    """Import every module below ``toadstone.checks`` and the named plugins; give all checks, sorted by id.

    Args:
        plugins: Modules of third parties, named by the user's configuration. Nothing is imported from the
            environment unasked: a security tool that runs whatever happens to be installed is an attack surface.

    Raises:
        ConfigError: If a plugin cannot be imported. A built-in module that fails to import raises its own error:
            a run without all of its checks is no run.
    """
    package = importlib.import_module("toadstone.checks")
    for found in names_below(package):
        importlib.import_module(found)
    import_plugins(plugins)
    return dict(sorted(registry.items()))


def import_plugins(plugins: tuple[str, ...]) -> None:
    """Import the named modules, which register their checks.

    Raises:
        ConfigError: If one cannot be imported.
    """
    for name in plugins:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise ConfigError(
                f"plugin {name!r} cannot be imported: {error}", "Install it, or take it out of `plugins`."
            ) from None


def _coerced(owner: Check, name: str, value: object) -> object:
    """Check a setting against its default's type; lists become tuples or frozensets as declared."""
    cls = type(owner)
    if name not in cls.settings:
        raise ConfigError(f"the check {cls.id!r} has no setting {name!r}.", nearest(name, cls.settings))
    default = cls.settings[name]
    if isinstance(default, (frozenset, tuple)) and isinstance(value, (list, tuple, set, frozenset)):
        return type(default)(value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(default):
        wanted = "a list" if isinstance(default, (frozenset, tuple)) else f"of type {type(default).__name__}"
        raise ConfigError(f"the setting {name!r} of the check {cls.id!r} must be {wanted}. Got {value!r} instead.")
    return value


def manual(cls: type[Check]) -> str:
    """Give a check's manual page, dedented."""
    return _dedented(cls.__doc__ or "")


def _dedented(page: str) -> str:
    import textwrap  # noqa: PLC0415  (start-up time)

    first, _, rest = page.partition("\n")
    return f"{first.strip()}\n{textwrap.dedent(rest)}".strip()


def section(cls: type[Check], title: str, *, first: bool = False) -> str:
    """Give one section of a check's manual page, dedented; with ``first``, its first paragraph on one line."""
    return _section(cls.__doc__ or "", title, first)


@lru_cache(maxsize=512)
def _section(page: str, title: str, first: bool) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", _dedented(page), re.MULTILINE | re.DOTALL)
    body = found.group(1).strip() if found else ""
    return " ".join(body.split("\n\n")[0].split()) if first else body


def summary(cls: type[Check]) -> str:
    """Give the first sentence of a check's docstring."""
    return " ".join(manual(cls).split("\n\n")[0].split())
