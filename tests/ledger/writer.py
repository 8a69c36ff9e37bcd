"""What tests of ledgers share: a key, statements, and a hand that reaches past the ledger into its database."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass

import pytest

from toadstone.ledger import predicates
from toadstone.ledger.keys import Key
from toadstone.ledger.ledger import Ledger

KEY = Key.make()
OTHER = Key.make()


def needed(what: str) -> None:
    """Skip a test loudly when something is not installed; fail where everything should be."""
    if importlib.util.find_spec(what.split(maxsplit=1)[0]) is None:
        if os.environ.get("CI"):
            pytest.fail(f"{what} is not installed")
        pytest.skip(f"NOT TESTED: {what} is not installed")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def made(number: int, **more):
    """A statement about one file."""
    subject = predicates.resource(f"model-{number}.bin", {"sha256": sha256(f"model {number}")})
    time = f"2026-11-24T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z"
    return predicates.statement("https://example.com/test/v1", [subject], {"recordedAt": time, "number": number, **more})


@dataclass
class Place:
    """Where a ledger is, and the way to its tables."""

    address: str

    @property
    def is_postgres(self) -> bool:
        return self.address.startswith("postgres")

    def create(self, count: int = 0, key: Key = KEY, origin: str = "example.com/ledger", step: int = 7) -> Ledger:
        ledger = Ledger.create(self.address, key, origin=origin, timeout=10)
        for start in range(0, count, step):
            ledger.extend([made(number) for number in range(start, min(start + step, count))])
        return ledger

    def open(self, key: Key | None = KEY, timeout: float = 10) -> Ledger:
        return Ledger.open(self.address, key, timeout=timeout)

    def sql(self, query: str, *values):
        """Do what no ledger does. ``?`` stands for values in both databases, tables are named without their schema."""
        if not self.is_postgres:
            with closing(sqlite3.connect(self.address)) as connection, connection:
                return connection.execute(query, values).fetchall()
        import psycopg

        with psycopg.connect(self.address, autocommit=True, options="-c search_path=toadstone_ledger") as connection:
            cursor = connection.execute(query.replace("?", "%s"), values)
            return cursor.fetchall() if cursor.description else []

    def cell(self, query: str, *values) -> bytes:
        return bytes(self.sql(query, *values)[0][0])
