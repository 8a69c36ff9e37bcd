"""Ledgers in SQLite and in a PostgreSQL server that the tests start themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger.writer import KEY, Place, needed


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Start a PostgreSQL server on a Unix socket; give the address of its databases, with a place for the name."""
    needed("psycopg")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [
        Path(found).parent for found in [shutil.which("initdb")] if found
    ]
    if not programs:
        needed("postgresql (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="toad-pg-"))  # short, as paths of sockets must be, and open to the server's user
    user = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
    if user:
        shutil.chown(folder, user)

    def program(name: str, *words: str) -> None:
        line = [programs[-1] / name, "-D", str(folder / "data"), *words]
        with (folder / "said").open("wb") as said:  # not a pipe: the server that pg_ctl starts would keep it open
            done = subprocess.run(line, user=user, cwd="/", stdout=said, stderr=said, timeout=120, check=False)
        assert done.returncode == 0, (folder / "said").read_text()

    program("initdb", "-U", "toad", "--auth=trust", "-E", "UTF8", "--locale=C")
    options = f"-k {folder} -c listen_addresses='' -c shared_buffers=16MB -c max_connections=40"
    program("pg_ctl", "-o", options, "-w", "start")
    try:
        yield f"postgresql://toad@/%s?host={folder}"
    finally:
        program("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path) -> Place:
    """A place for a ledger that is not there yet."""
    if request.param == "sqlite":
        return Place(str(tmp_path / "project" / "ledger.sqlite"))
    return postgres_place(request)


@pytest.fixture
def sqlite(tmp_path) -> Place:
    """The same, in SQLite only."""
    return Place(str(tmp_path / "project" / "ledger.sqlite"))


def postgres_place(request) -> Place:
    import psycopg

    address = request.getfixturevalue("server")
    name = f"test_{os.urandom(8).hex()}"
    with psycopg.connect(address % "postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return Place(address % name)


@pytest.fixture
def ledger(place):
    """An empty ledger."""
    with place.create() as made:
        yield made
    assert KEY.public == made.verifier.public
