"""What goes to disk comes back, part by part; arrays of rows rest in files and are what they were."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.errors import UsageError
from toadstone.engine.rows import Rows
from toadstone.engine.spill import Spill


@given(
    values=st.lists(st.lists(st.integers(0, 1 << 60), max_size=30), max_size=8),
    parts=st.integers(1, 7),
    memory=st.sampled_from([0, 64, 300, 1 << 20]),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_parts_hold_what_was_added_in_its_order(tmp_path_factory, values, parts, memory):
    folder = tmp_path_factory.mktemp("spill")
    every = np.array([one for some in values for one in some], np.uint64)
    with Spill(lambda: folder, parts, memory) as spill:
        for some in values:
            array = np.array(some, np.uint64)
            spill.add(array, (array % np.uint64(parts)).astype(np.int64))
        for number in range(parts):
            assert spill.part(number).tolist() == every[every % np.uint64(parts) == number].tolist()
        assert not list(folder.iterdir())  # a file without a name


def test_a_folder_that_takes_nothing_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="temporary folder"), Spill(lambda: tmp_path / "gone", 2, 0) as spill:
        spill.add(np.zeros(3, np.uint64), np.zeros(3, np.int64))
    with pytest.raises(UsageError, match="temporary folder"):
        Rows(lambda: tmp_path / "gone", 0).filled([5], np.int32)


def test_arrays_of_rows_rest_and_come_back(tmp_path):
    rows = Rows(lambda: tmp_path, 100)
    small, large = rows.filled([10], np.int32, 7), rows.filled([100_000, 3], np.float64, 0.5)
    large[99_999, 1] = 2.0
    rows.rest()
    assert small.tolist() == [7] * 10
    assert (large[99_999].tolist(), float(large.sum())) == ([0.5, 2.0, 0.5], 150_001.5)
    assert not list(tmp_path.iterdir())
    assert rows.copied(large) is large
    assert rows.copied(small) is small
    other = rows.copied(np.arange(1000))
    assert np.array_equal(other, np.arange(1000))
    joined = rows.joined((np.full((50, 2), part, np.uint8) for part in range(4)), 200)
    assert joined.shape == (200, 2)
    assert joined[:, 0].tolist() == np.repeat(np.arange(4), 50).tolist()
