"""A PostgreSQL server of our own for tests and benchmarks: on a Unix socket, gone when it was used."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def missing() -> str:
    """Say what keeps a server from being started; empty when nothing does."""
    if importlib.util.find_spec("psycopg") is None:
        return "psycopg is not installed"
    return "" if _programs() else "no PostgreSQL server is installed (Debian: apt-get install postgresql)"


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path(one).parent for one in [shutil.which("initdb")] if one]
    return found[-1] if found else None


class Server:
    """A running server.

    Args:
        folder: Where its data and its socket are.
        user: Whom it runs as, None for whoever asks.
    """

    def __init__(self, folder: Path, user: str | None) -> None:
        self._folder = folder
        self._user = user

    def run(self, name: str, *words: str) -> None:
        programs = _programs()
        assert programs is not None
        line = [programs / name, "-D", str(self._folder / "data"), *words]
        with (self._folder / "said").open("wb") as said:  # not a pipe: the server that pg_ctl starts would keep it open
            done = subprocess.run(line, user=self._user, cwd="/", stdout=said, stderr=said, timeout=120, check=False)
        assert done.returncode == 0, (self._folder / "said").read_text()

    def start(self) -> None:
        options = f"-k {self._folder} -c listen_addresses='' -c shared_buffers=64MB -c max_connections=40"
        self.run("pg_ctl", "-o", options, "-w", "start")

    def crash(self) -> None:
        """Kill the server, whose processes then end by themselves, and start it again: it recovers from its log."""
        number = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(number, signal.SIGKILL)
        for _ in range(60):
            time.sleep(1)
            try:
                self.start()
            except AssertionError:  # its processes are still there, and would share its memory
                continue
            return
        raise TimeoutError("the server did not start again")

    def stop(self) -> None:
        self.run("pg_ctl", "-m", "immediate", "stop")

    def database(self) -> str:
        """Make a database; give its address."""
        import psycopg  # noqa: PLC0415  (an extra)

        name = f"d{os.urandom(8).hex()}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.address(name)

    def address(self, database: str) -> str:
        return f"postgresql://toad@/{database}?host={self._folder}"


@contextmanager
def serving() -> Iterator[Server]:
    """Make and start a server; stop and remove it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="toad-pg-"))  # short, as paths of sockets must be, and open to the server's user
    user = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
    if user:
        shutil.chown(folder, user)
    server = Server(folder, user)
    server.run("initdb", "-U", "toad", "--auth=trust", "-E", "UTF8", "--locale=C")
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
