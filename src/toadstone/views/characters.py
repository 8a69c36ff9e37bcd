"""Kind and script of every character, and what it looks like, as tables over code points."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toadstone.intel.bundled import bundled

KINDS = tuple(
    "other letter mark space emoji raised"  # without consequence by themselves
    " fullwidth styled joiner zero-width mark-of-direction direction end-of-direction tag selector soft-hyphen filler"
    " invisible-operator format control".split()
)
KIND = {name: code for code, name in enumerate(KINDS)}
SPECIAL = KIND["raised"]
"""Kinds from here on are looked at where they stand."""

SCRIPTS = ("-", "latin", "cyrillic", "greek", "alike", "cjk", "joining", "complex")
"""``alike``: other scripts with letters that look like Latin ones; ``joining``: Arabic, Hebrew and their kin, written from the
right; ``complex``: scripts of India and of South-East Asia, Mongolian."""
SCRIPT = {name: code for code, name in enumerate(SCRIPTS)}

_CODES = 0x110000


@functools.cache
def tables() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Give kind and script of each code point, each of shape (0x110000,)."""
    kinds, scripts = np.zeros(_CODES, np.uint8), np.zeros(_CODES, np.uint8)
    text = (Path(__file__).parent / "data" / "characters.tsv").read_text(encoding="utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            first, last, kind, script = line.split("\t")
            span = slice(int(first, 16), int(last, 16) + 1)
            kinds[span], scripts[span] = KIND[kind], SCRIPT[script]
    return kinds, scripts


@functools.cache
def twins() -> dict[str, str]:
    """Map letters, also capital ones, to the ASCII letter that they look like (Unicode Technical Standard 39)."""
    found: dict[str, str] = {}
    for line in bundled("lookalikes.tsv").decode("utf-8").splitlines():
        if not line.startswith("#"):
            letter, _, others = line.partition("\t")
            for other in others:
                found.setdefault(other, letter)
                if len(other.upper()) == 1:
                    found.setdefault(other.upper(), letter.upper())
    return found


@functools.cache
def twin_table() -> NDArray[np.bool_]:
    """Say of each code point whether it looks like an ASCII letter and is none; IPA letters apart."""
    table = np.zeros(_CODES, bool)
    table[[ord(letter) for letter in twins()]] = True
    return table


_SAME = "асԁеһіјӏорԛѕԝхуАВЕКМНОРСТХУІЅЈԌԚԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧοϲϳհոսօցզ"
"""Letters that cannot be told from Latin ones in most typefaces."""


@functools.cache
def same_table() -> NDArray[np.bool_]:
    """Say of each code point whether it cannot be told from a Latin letter."""
    table = np.zeros(_CODES, bool)
    table[[ord(letter) for letter in _SAME]] = True
    return table


def plain(word: str) -> str:
    """Write a word as a person would read it: every letter as the ASCII letter that it looks like, where there is one."""
    known = twins()
    return "".join(known.get(letter, letter) for letter in word)
