"""The store keeps arrays wherever there is room, and leaves nothing behind."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from toadstone.engine.store import Store


def test_what_does_not_fit_goes_to_disk_and_comes_back_the_same():
    with Store(100) as store:
        small, large = np.arange(10, dtype=np.int32), np.arange(1000, dtype=np.float64)
        store.put("small", 0, small)
        store.put("large", 0, large)
        folder = store._folder
        assert [file.name for file in folder.iterdir()] == ["0.large"]
        assert np.array_equal(store.get("small", 0), small)
        assert np.array_equal(store.get("large", 0), large)
    assert not folder.exists()


def test_replacing_and_dropping_free_the_room():
    with Store(80) as store:
        store.put("a", 0, np.zeros(10))
        store.put("a", 0, np.ones(10))
        assert store._folder is None
        store.drop("a", 0)
        assert ("a", 0) not in store
        store.put("b", 0, np.zeros(10))
        assert store._folder is None
        with pytest.raises(KeyError):
            store.get("a", 0)


def _write(store):
    store.put("there", 7, np.arange(3))


def test_another_process_writes_into_the_same_store():
    with Store(0, shared=True) as store:
        process = multiprocessing.get_context("forkserver").Process(target=_write, args=(store,))
        process.start()
        process.join()
        assert np.array_equal(store.get("there", 7), np.arange(3))
        assert isinstance(store._folder, Path)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(0, np.int32),
        np.zeros((0, 7), np.float32),
        np.zeros((3, 0), np.uint16),
        np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
        np.arange(12.0).reshape(3, 4).T,
        np.array([True, False]),
    ],
)
def test_every_shape_survives_the_disk(values):
    with Store(0) as store:
        store.put("values", 1, values)
        back = store.get("values", 1)
        assert (back.dtype, back.shape) == (values.dtype, values.shape)
        assert np.array_equal(back, values)
