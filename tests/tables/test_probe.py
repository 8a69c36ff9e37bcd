"""A file whose footer ends the process that reads it is not read here."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from toadstone.core.errors import UsageError
from toadstone.tables import probe
from toadstone.tables.open import open_dataset


@pytest.fixture
def dying(monkeypatch):
    """A library that aborts at every file with "bad" in its path."""
    code = probe._CODE.replace("    try:\n", "    if b'bad' in path:\n        import os; os.abort()\n    try:\n", 1)
    monkeypatch.setattr(probe, "_CODE", code)
    monkeypatch.setattr(probe, "_sound", set())


def test_one_file_does_not_take_the_others_with_it(dying, tmp_path):
    for name in ("a", "bad", "c"):
        pq.write_table(pa.table({"text": ["x", "y"]}), tmp_path / f"{name}.parquet")
    with pytest.raises(UsageError, match="is ended by it"):
        open_dataset(tmp_path / "bad.parquet")
    dataset = open_dataset(tmp_path)
    assert sum(batch.num_rows for part in dataset.fragments for batch in part.batches()) == 4
    assert any("bad.parquet was not read" in trouble.reason for trouble in dataset.troubles)


def test_many_such_files_are_given_up(dying, tmp_path):
    names = [str(tmp_path / f"bad{number}") for number in range(20)]
    assert probe.fatal(["good", *names]) == set(names)


def test_damaged_footers_and_missing_files_are_left_to_who_reads_them(tmp_path):
    (tmp_path / "a").write_bytes(b"PAR1 nonsense PAR1")
    assert probe.fatal([str(tmp_path / "a"), str(tmp_path / "none")]) == set()
    pq.write_table(pa.table({"text": ["x"]}), tmp_path / "b.parquet")
    assert open_dataset(tmp_path / "b.parquet").schema.names == ["text"]


def test_without_a_second_interpreter_nothing_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", str(tmp_path / "nothing"))
    assert probe.fatal([str(tmp_path)]) == set()
