"""Floods are found, chains and copies are not taken for them, and every executor agrees."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from tests.checks_data.floods import paraphrase, texts
from toadstone.checks.data.near_duplicate_flood import NearDuplicateFlood
from toadstone.core.finding import Severity
from toadstone.engine.executors import Processes, Serial, Threads
from toadstone.engine.job import Executor
from toadstone.engine.store import Store
from toadstone.stats.partition import found, joined
from toadstone.stats.sizes import SizeTail
from toadstone.study.circumstances import circumstances
from toadstone.study.cores import cores
from toadstone.study.decision import decide
from toadstone.study.evidence import Evidence, RowEvidence
from toadstone.study.families import families
from toadstone.study.ingest import ingest
from toadstone.study.small import study_of
from toadstone.study.study import Study
from toadstone.tables.dataset import Dataset, Held
from toadstone.tables.roles import Roles
from toadstone.views.view import Columns, View
from toadstone.views.words import Words


class Vectors(View):
    name = "vectors"
    role = "embedding"

    def of(self, values: pa.Array) -> Columns:
        flat = np.asarray(values.flatten().to_numpy(zero_copy_only=False), np.float32)
        return {"vectors": flat.reshape(len(values), -1)}


def _flooded(rate: float, copies: int, seed: int) -> tuple[Study, np.ndarray]:
    rng = np.random.default_rng(seed)
    clean, labels = texts(600, seed)
    poison = [paraphrase(clean[3], rate, rng) for _ in range(copies)]
    order = rng.permutation(len(clean) + copies)
    every = [*clean, *poison]
    mask = np.arange(len(every)) >= len(clean)
    codes = [*labels, *["left"] * copies]
    return study_of({"text": [every[i] for i in order], "label": [codes[i] for i in order]}, [Words()]), mask[order]


@pytest.mark.parametrize("rate", [0.08, 0.2, 0.3])
def test_paraphrased_flood_is_one_group(rate: float) -> None:
    study, mask = _flooded(rate, 25, 4)
    group = next(group for group in NearDuplicateFlood().weigh(study).groups if group.kind == "near-duplicates")
    assert group.severity == Severity.HIGH
    assert mask[group.rows].sum() >= 24
    assert (~mask[group.rows]).sum() <= 1  # the text that was paraphrased
    assert group.details["labels"]["left"] >= 24  # type: ignore[index,call-overload,operator]


def _pushed(seed: int) -> tuple[Study, np.ndarray, np.ndarray]:
    """Four texts of one label, each paraphrased eight times with the other one."""
    rng = np.random.default_rng(seed)
    clean, labels = texts(800, seed)
    taken = [place for place, label in enumerate(labels) if label == "left"][:4]
    poison = [paraphrase(clean[place], 0.15, rng) for place in taken for _ in range(8)]
    study = study_of({"text": [*clean, *poison], "label": [*labels, *["right"] * len(poison)]}, [Words()])
    return study, np.arange(study.rows) >= len(clean), np.array(taken)


@pytest.mark.parametrize("seed", range(3))
def test_small_floods_that_push_one_label_are_one_group_and_what_they_copy_stays(seed: int) -> None:
    study, mask, taken = _pushed(seed)
    evidence = NearDuplicateFlood().weigh(study)
    group = evidence.groups[0]
    assert group.details["families"] == 4
    assert group.label == "right"
    assert mask[group.rows].all()
    assert mask[group.rows].sum() >= 30
    assert set(taken.tolist()) <= set(group.kept.tolist())
    assert evidence.rows is not None
    assert evidence.rows.log_p[mask].max() < np.quantile(evidence.rows.log_p[~mask], 0.01)
    assert (evidence.rows.log_p[taken] == 0).all()


def test_a_group_answers_for_the_rows_that_it_keeps() -> None:
    study, mask, taken = _pushed(0)
    evidence = NearDuplicateFlood().weigh(study)
    alone = np.zeros(study.rows)
    alone[taken] = -40.0  # another check finds the originals odd, beside so many copies with another label
    decision = decide(study, [(NearDuplicateFlood(), evidence), (NearDuplicateFlood(), Evidence(rows=RowEvidence(alone)))])
    assert decision.flagged[mask].mean() > 0.9
    assert not decision.flagged[taken].any()
    assert decision.scores[taken].max() < decision.scores[mask].min()


def test_families_that_are_like_others_lose_a_little_evidence_and_odd_ones_gain() -> None:
    study, mask, _ = _pushed(1)
    known = families(study)
    seen = circumstances(study, known.family, np.bincount(known.family, minlength=study.rows).astype(float))
    pushing = np.bincount(known.family[mask], minlength=study.rows)[seen.first] > 0
    assert seen.log_e[pushing].mean() > 0
    assert (seen.log_e >= np.log(0.5)).all()
    assert set(seen.label[pushing].tolist()) == {study.label_names.index("right")}


def test_rows_of_smaller_families_rank_above_others() -> None:
    study, mask = _flooded(0.2, 4, 5)
    rows = NearDuplicateFlood().weigh(study).rows
    assert rows is not None
    assert rows.log_p[mask].max() < np.quantile(rows.log_p[~mask], 0.01)


@pytest.mark.parametrize("seed", range(4))
def test_clean_texts_are_clean(seed: int) -> None:
    clean, labels = texts(600, seed)
    evidence = NearDuplicateFlood().weigh(study_of({"text": clean, "label": labels}, [Words()]))
    assert not [group for group in evidence.groups if group.severity >= Severity.MEDIUM]
    assert evidence.detectable is not None
    assert evidence.detectable <= 15


def test_exact_copies_are_reported_and_kept() -> None:
    clean, labels = texts(300, 1)
    study = study_of({"text": [*clean, *clean[:40], clean[5].upper()], "label": [*labels, *labels[:40], "other"]}, [Words()])
    groups = {group.kind: group for group in NearDuplicateFlood().weigh(study).groups}
    assert sorted(groups) == ["duplicates", "label-conflict"]
    assert groups["duplicates"].rows.tolist() == list(range(300, 341))
    assert not groups["duplicates"].rows_stand
    assert groups["label-conflict"].rows.tolist() == [5, 305, 340]
    stands = NearDuplicateFlood(quarantine_copies=True).weigh(study).groups
    assert next(group for group in stands if group.kind == "duplicates").rows_stand


@pytest.mark.parametrize("rows", [[""], ["", ""], ["a b"], ["", "one two three four five six", "a"]])
def test_little_to_look_at(rows: list[str]) -> None:
    evidence = NearDuplicateFlood().weigh(study_of({"text": rows}, [Words()]))
    assert not [group for group in evidence.groups if group.severity >= Severity.MEDIUM]


@pytest.mark.parametrize("make", [Serial, lambda: Threads(2), lambda: Processes(2)], ids=["serial", "threads", "processes"])
@pytest.mark.parametrize("memory", [1 << 30, 1 << 22])
def test_every_executor_and_budget_gives_the_same_families(make: Callable[[], Executor], memory: int) -> None:
    rng = np.random.default_rng(3)
    clean, labels = texts(900, 3)
    clean += [paraphrase(clean[10], 0.2, rng) for _ in range(20)] + clean[:5]
    labels += ["left"] * 25
    table = pa.table({"text": clean, "label": labels})
    whole = study_of(table, [Words()])
    parts = tuple(Held(number, table.slice(number * 231, 231)) for number in range(5))
    dataset = Dataset("<parts>", "memory", table.schema, parts)
    executor = make()
    with executor, Store(memory, shared=isinstance(executor, Processes)) as store:  # type: ignore[attr-defined]
        study = ingest(dataset, Roles(text="text", label="label"), [Words()], executor, store, memory=memory)
        assert np.array_equal(families(study).family, families(whole).family)
        assert np.array_equal(families(study).closest, families(whole).closest)
        assert np.array_equal(cores(study), cores(whole))


def test_vectors() -> None:
    rng = np.random.default_rng(2)
    vectors = rng.standard_normal((1500, 32)).astype(np.float32)
    vectors[100:130] = vectors[100] + 0.05 * rng.standard_normal((30, 32)).astype(np.float32)
    vectors[7] *= 400
    vectors[8] = np.nan
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 32)
    groups = {
        group.kind: group for group in NearDuplicateFlood().weigh(study_of(pa.table({"embedding": column}), [Vectors()])).groups
    }
    assert groups["near-duplicates"].rows.tolist() == list(range(101, 130))  # one voice stays
    assert groups["near-duplicates"].details["kept"] == [100]
    assert groups["outliers"].rows.tolist() == [7]
    assert not groups["outliers"].rows_stand


def test_disjoint_sets() -> None:
    roots = np.arange(10)
    joined(roots, np.array([1, 3, 5, 9]), np.array([2, 4, 4, 0]))
    joined(roots, np.array([2, 8]), np.array([5, 8]))
    assert found(roots, np.arange(10)).tolist() == [0, 1, 1, 1, 1, 1, 6, 7, 8, 0]


def test_a_flood_does_not_vouch_for_itself() -> None:
    counts = np.zeros(41, np.int64)
    counts[2:5] = 50, 8, 2
    alone = SizeTail(counts)
    counts[40] = 12
    assert SizeTail(counts).exponent == alone.exponent
    assert alone.log_expected([15])[0] < np.log(0.05)
    assert alone.detectable(0.05) < 20
    counts[2:6] = 450, 150, 75, 45
    assert SizeTail(counts).log_expected([30])[0] > 0  # where sizes fall off slowly, thirty is nothing new


@pytest.mark.parametrize("seed", range(6))
def test_families_are_whole_however_long_their_chains(seed: int) -> None:
    study, mask = _flooded(0.08, 30, seed)
    known = families(study)
    assert len(np.unique(known.family[mask])) == 1
    assert (known.family[known.family] == known.family).all()


@pytest.mark.parametrize("copied", [0, 30])
def test_dense_vectors_are_no_flood_and_hide_none(copied: int) -> None:
    rng = np.random.default_rng(4)
    centres = 1.5 * rng.standard_normal((6, 64))
    inner = rng.standard_normal((12_000, 6)) @ rng.standard_normal((6, 64)) * 0.4
    vectors = centres[rng.integers(0, 6, 12_000)] + inner + 0.05 * rng.standard_normal((12_000, 64))
    vectors[:copied] = vectors[0] + 0.01 * rng.standard_normal((copied, 64))
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.astype(np.float32).ravel()), 64)
    study = study_of(pa.table({"embedding": column}), [Vectors()])
    findings = [group for group in NearDuplicateFlood().weigh(study).groups if group.log_p < np.log(0.05 / 100)]
    assert [group.rows.tolist() for group in findings] == ([list(range(1, copied))] if copied else [])
