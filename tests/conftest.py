"""What every test may use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Fact
from toadstone.core.place import Place
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk

settings.register_profile("repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("repeatable")

Read = Callable[..., tuple[Source, list[Fact]]]


@pytest.fixture
def read() -> Read:
    """Give a function that reads bytes under a name and gives the source and all facts."""

    def reading(data: bytes, name: str = "file", hint: str = "") -> tuple[Source, list[Fact]]:
        source = Source(BytesBlob(data), name, Place(name), Budget.of(len(data)), hint=hint)
        return source, list(walk(source))

    return reading


@pytest.fixture
def root() -> Path:
    """Give the folder of the checkout."""
    return Path(__file__).parent.parent
