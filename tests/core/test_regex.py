"""Expressions that are compiled when they are first used: all of them are right, and none is compiled before."""

from __future__ import annotations

import importlib
import re

import pytest

import toadstone
from toadstone.core.modules import names_below
from toadstone.core.regex import _Later, regex


def expressions():
    for name in names_below(toadstone):
        if name == "toadstone.__main__":
            continue
        for attribute, value in vars(importlib.import_module(name)).items():
            for number, found in enumerate(value if isinstance(value, tuple) else (value,)):
                if type(found) is _Later:
                    yield pytest.param(found, id=f"{name}.{attribute}.{number}")


@pytest.mark.parametrize("found", list(expressions()))
def test_every_expression_compiles(found):
    assert found.pattern
    found.search(b"" if isinstance(found.pattern, bytes) else "")


def test_it_does_what_a_compiled_one_does(monkeypatch):
    compiled = []
    real = re.compile
    monkeypatch.setattr(re, "compile", lambda *given: compiled.append(given) or real(*given))
    late = regex(r"(a)(b)?", re.IGNORECASE)
    assert compiled == []
    assert late.fullmatch("AB").groups() == ("A", "B")
    assert late.sub("x", "abc") == "xc"
    assert (late.flags & re.IGNORECASE, late.groups) == (re.IGNORECASE, 2)
    with pytest.raises(AttributeError):
        late.nothing  # noqa: B018
    assert [late.search("a") for _ in range(3)]
    with pytest.raises(re.error):
        regex("(").search("")
