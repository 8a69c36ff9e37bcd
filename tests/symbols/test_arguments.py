"""What text looks like."""

from __future__ import annotations

import itertools

import pytest

from toadstone.symbols import arguments

_PARTS = [
    "a",
    "cpu",
    "whoami",
    "id",
    "calc",
    "exe",
    "cmd",
    "layer",
    "weight",
    "com",
    "org",
    "uk",
    "example",
    "0",
    "127",
    "eval",
    "os",
    "x__y",
    "sh",
]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_names_look_like_nothing_whichever_way_it_is_decided(count):
    for parts in itertools.product(_PARTS, repeat=count):
        text = ".".join(parts)
        if arguments._is_name(text):
            assert not arguments._is_command(text)
            assert not arguments._is_code(text)
            assert not arguments._PATH.match(text)
            assert not arguments.addresses(text)
