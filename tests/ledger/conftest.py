"""Ledgers in SQLite and in a PostgreSQL server that the tests start themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from benchmarks.postgres import Server, missing, serving
from tests.ledger.writer import KEY, Place


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server; skipped loudly where there is none, except where everything should be there."""
    if trouble := missing():
        if os.environ.get("CI"):
            pytest.fail(trouble)
        pytest.skip(f"NOT TESTED: {trouble}")
    with serving() as started:
        yield started


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path) -> Place:
    """A place for a ledger that is not there yet."""
    if request.param == "sqlite":
        return Place(str(tmp_path / "project" / "ledger.sqlite"))
    return Place(request.getfixturevalue("server").database())


@pytest.fixture
def sqlite(tmp_path) -> Place:
    """The same, in SQLite only."""
    return Place(str(tmp_path / "project" / "ledger.sqlite"))


@pytest.fixture
def ledger(place):
    """An empty ledger."""
    with place.create() as made:
        yield made
    assert KEY.public == made.verifier.public
