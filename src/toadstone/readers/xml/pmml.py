"""PMML: functions by name, extensions, and what the header says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from toadstone.core.fact import Code, Fact, Operator, Setting, Text
from toadstone.readers.reader import Source
from toadstone.readers.xml.tokens import CLOSE, OPEN, SINGLE, TEXT, Token, attributes, interesting, local, plain

_FUNCTIONS = frozenset(
    """
    + - * / min max sum avg median product log10 ln log1p exp expm1 sqrt abs pow threshold floor ceil round rint modulo
    isMissing isNotMissing isValid isNotValid isIn isNotIn equal notEqual lessThan lessOrEqual greaterThan greaterOrEqual and
    or not if uppercase lowercase stringLength substring trimBlanks concat replace matches formatNumber formatDatetime
    dateDaysSinceYear dateSecondsSinceYear dateSecondsSinceMidnight normalCDF normalPDF stdNormalCDF stdNormalPDF erf
    normalIDF stdNormalIDF sin asin sinh cos acos cosh tan atan tanh hypot atan2 negate acosh asinh atanh cbrt mean
    """.split(),
)
"""Functions that the standard defines."""

_OWN_PREFIX = "x-"
"""Functions of JPMML that are not in the standard yet."""

_TEXTS = frozenset({"Annotation", "Timestamp", "Extension", "Header", "Application"})
_KEPT = 256
_WANTED = interesting(
    "PMML|Apply|DefineFunction|Annotation|Timestamp|Extension|Header|Application|include|[sS]cript|SCRIPT",
)


class Model:
    """Reads the elements of one model.

    Args:
        source: The file.
    """

    KIND: ClassVar = "pmml"

    def __init__(self, source: Source) -> None:
        self._source = source
        self._defined: set[str] = set()
        self._called: set[str] = set()
        self._inside: list[str] = []
        self._told = 0

    def wanted(self) -> re.Pattern[str] | None:
        """Give what the next tag of interest matches; inside texts everything counts."""
        return None if self._inside else _WANTED

    def token(self, token: Token) -> Iterator[Fact]:
        """Take one token."""
        if token.kind == TEXT:
            if self._inside and token.text.strip():
                yield from self._text(plain(token.text.strip()))
            return
        name = local(token.name)
        if token.kind == CLOSE:
            if self._inside and self._inside[-1] == name:
                self._inside.pop()
        elif token.kind in (OPEN, SINGLE):
            yield from self._element(name, token)

    def _element(self, name: str, token: Token) -> Iterator[Fact]:
        if name == "Apply":
            function = attributes(token.text).get("function", "")
            if function and len(self._called) < 4096:
                self._called.add(function)
        elif name == "DefineFunction":
            self._defined.add(attributes(token.text).get("name", ""))
        elif name.lower() == "script":
            yield Code(self._source.place, "script", name, "a script inside a PMML model")
            self._enter(name, token)
        elif name in _TEXTS:
            for key, value in attributes(token.text).items():
                if name == "Extension" and key == "name":
                    yield Setting(self._source.place, "pmml", "Extension.name", value[:400])
                yield from self._text(value)
            self._enter(name, token)

    def _enter(self, name: str, token: Token) -> None:
        if token.kind == OPEN and len(self._inside) < 64:
            self._inside.append(name)

    def _text(self, text: str) -> Iterator[Fact]:
        self._told += 1
        if self._told <= _KEPT or self._inside[-1:] == ["Extension"]:
            yield Text(self._source.place, "metadata", text[:8192])

    def done(self) -> Iterator[Fact]:
        """Give the functions that neither the standard nor the model defines: evaluators look them up as classes."""
        for function in sorted(self._called - self._defined - _FUNCTIONS):
            if not function.startswith(_OWN_PREFIX):
                yield Operator(self._source.place, "pmml", function[:200], "Apply")
