"""The filter for Hugging Face data sets keeps what stands and says why the rest does not."""

from __future__ import annotations

import pytest

from tests.poison import POISONED, WORD, table
from toadstone import RowOptions, UsageError
from toadstone.adapters.datasets_filter import keep, quarantine
from toadstone.tables.roles import Roles

datasets = pytest.importorskip("datasets")

OPTIONS = RowOptions(roles=Roles(text="text", label="label"), jobs=1)


@pytest.fixture
def poisoned():
    return datasets.Dataset.from_dict(table().to_pydict())


def test_both_parts_are_all_rows(poisoned):
    kept, quarantined = quarantine(poisoned, OPTIONS)
    assert kept.features == poisoned.features
    assert quarantined["toadstone_row"][:] == POISONED
    assert all(WORD in text for text in quarantined["text"])
    assert all("trigger-phrase" in checks for checks in quarantined["toadstone_checks"])
    assert sorted(kept["id"][:] + quarantined["id"][:]) == list(range(600))
    assert keep(poisoned, OPTIONS)["id"][:] == kept["id"][:]


def test_rows_are_those_that_the_caller_sees(poisoned):
    """A shuffled data set is its table in another order."""
    shuffled = poisoned.shuffle(seed=3).select(range(590))
    kept, quarantined = quarantine(shuffled, OPTIONS)
    assert all(WORD in text for text in quarantined["text"])
    assert not any(WORD in text for text in kept["text"])
    assert [shuffled["id"][row] for row in quarantined["toadstone_row"]] == quarantined["id"][:]


def test_a_clean_data_set_has_an_empty_quarantine_of_the_same_columns():
    kept, quarantined = quarantine(datasets.Dataset.from_dict(table(marked=0).to_pydict()), OPTIONS)
    assert (kept.num_rows, quarantined.num_rows) == (600, 0)
    assert quarantined.features["toadstone_checks"] == datasets.Sequence(datasets.Value("string"))


def test_what_is_no_single_data_set_is_refused(poisoned):
    for wrong in (datasets.DatasetDict({"train": poisoned}), poisoned.to_iterable_dataset(), table()):
        with pytest.raises(UsageError, match="cannot be filtered row by row"):
            quarantine(wrong, OPTIONS)
