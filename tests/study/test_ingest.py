"""A data set becomes the same study, however it is cut and whoever reads it."""

import numpy as np
import pyarrow as pa
import pytest

from toadstone.engine.executors import Processes, Serial, Threads
from toadstone.engine.store import Store
from toadstone.study import ingest as module
from toadstone.study.ingest import ingest
from toadstone.study.small import study_of
from toadstone.tables.dataset import Dataset, Held, cut
from toadstone.tables.roles import Roles
from toadstone.views.words import Words

TABLE = pa.table(
    {
        "text": ["one two", None, "three", "four five six", "", "seven"],
        "label": ["b", "a", None, "b", "c", "a"],
        "source": [3.0, 1.0, float("nan"), 3.0, 1.0, 2.0],
        "time": ["2024-01-02", "2024-01-02T03:04:05Z", "never", None, "1970-01-01", "2000-02-29 00:00:01"],
    }
)
ROLES = Roles(label="label", text="text", source="source", time="time")


def parts(table, size):
    fragments = tuple(Held(number, table.slice(start, size)) for number, start in enumerate(range(0, table.num_rows, size)))
    return Dataset("<memory>", "memory", table.schema, fragments)


def numbers(study):
    columns = {name: study.column(name).tobytes() for name in ("label", "source", "time")}
    words = np.concatenate([chunk["words"] for chunk in study.chunks]).tobytes()
    return study.label_names, study.source_names, study.rows, columns, words


def test_what_a_study_holds():
    study = study_of(TABLE, [Words()])
    assert study.label_names == ("b", "a", "c")
    assert study.column("label").tolist() == [0, 1, -1, 0, 2, 1]
    assert study.source_names == ("3", "1", "2")
    assert study.column("source").tolist() == [0, 1, -1, 0, 1, 2]
    assert study.column("time").tolist()[:2] == [1704153600.0, 1704164645.0]
    assert np.isnan(study.column("time")[2:4]).all()
    assert study.texts([5, 0, 1]) == ["seven", "one two", ""]


@pytest.mark.parametrize("size", [1, 2, 4, 6])
@pytest.mark.parametrize("executor", [Serial, lambda: Threads(2), lambda: Processes(2)])
def test_every_executor_and_every_cut_give_the_same_study(size, executor):
    expected = numbers(study_of(TABLE, [Words()]))
    with executor() as chosen, Store(1 << 20, shared=chosen.jobs > 1) as store:
        assert numbers(ingest(parts(TABLE, size), ROLES, [Words()], chosen, store)) == expected


def test_the_reference_follows_with_the_same_codes():
    reference = pa.table({"text": ["eight", "nine"], "label": ["c", "d"], "source": [2.0, 9.0], "time": ["2024-01-01", None]})
    study = study_of(TABLE, [Words()], reference=reference)
    assert (study.rows, study.references) == (6, 2)
    assert study.label_names == ("b", "a", "c", "d")
    assert study.column("label", trusted=True).tolist() == [0, 1, -1, 0, 2, 1, 2, 3]
    assert [(chunk.start, chunk.trusted) for chunk in study.every] == [(0, False), (6, True)]


def test_an_endless_text_is_cut_and_the_report_says_so(monkeypatch):
    monkeypatch.setattr(module, "LONGEST", 40)
    study = study_of({"text": ["short", "word " * 100], "label": ["a", "b"]}, [Words()])
    assert [trouble.reason for trouble in study.troubles] == [
        "a text in column 'text' is longer than 0 MiB; only its beginning was looked at"
    ]
    assert len(study.chunks[0]["words"]) == 1 + 8


def test_batches_are_halved_until_they_are_small(monkeypatch):
    monkeypatch.setattr("toadstone.tables.dataset.BYTES", 100)
    batch = pa.record_batch({"text": ["x" * 30] * 9 + ["y" * 500]})
    pieces = list(cut(batch))
    assert pa.Table.from_batches(pieces).to_pydict() == batch.to_pydict()
    assert all(piece.nbytes <= 140 or piece.num_rows == 1 for piece in pieces)


def test_labels_of_every_type_have_names():
    for values, expected in (
        ([1, 2, None], ("1", "2")),
        ([1.0, 2.0, None], ("1", "2")),
        ([1.5, float("nan"), 2.0], ("1.5", "2")),
        ([True, False, None], ("true", "false")),
        ([b"a", b"b", None], ("a", "b")),
    ):
        study = study_of({"text": ["a", "b", "c"], "label": values}, [Words()])
        assert study.label_names == expected
