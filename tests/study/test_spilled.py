"""What lies in files, and is worked on in parts, gives what it gives in memory, whoever works."""

import numpy as np
import pyarrow as pa
import pytest

from toadstone.engine.executors import Processes, Serial, Threads
from toadstone.engine.store import Store
from toadstone.study import phrases
from toadstone.study.cores import cores
from toadstone.study.families import families
from toadstone.study.ingest import ingest
from toadstone.tables.dataset import Dataset
from toadstone.tables.roles import Roles
from toadstone.views.words import Words


def texts():
    rng = np.random.default_rng(3)
    words = [f"w{number}" for number in range(400)]
    made = [" ".join(rng.choice(words, 9)) for _ in range(2_000)]
    for copy in range(300):  # copies, and copies with a word changed
        base = made[copy % 20].split()
        if copy % 3:
            base[int(rng.integers(9))] = "changed"
        made.append(" ".join(base))
    return pa.table({"text": made, "label": ["a", "b"] * (len(made) // 2)})


def found(memory, executor):
    with Store(memory // 4, shared=executor.jobs > 1) as store:
        study = ingest(Dataset.of(texts()), Roles(text="text", label="label"), [Words()], executor, store, memory=memory)
        known = families(study)
        for chunk in study.chunks:
            chunk["phrases.payload"] = (chunk["label"] << 3).astype(np.uint8)
        counted = phrases.count(study, phrases.Wanted(2, np.zeros(0, bool)), 3, 500)
        columns = [np.concatenate(column) for column in zip(*(part.columns for part in counted), strict=True)]
        order = np.lexsort((columns[1], columns[0]))
        numbers = [known.family, known.content, known.closest, cores(study), *(column[order] for column in columns)]
        return [np.asarray(one).astype(np.int64, copy=True) for one in numbers[:4]] + numbers[4:], len(counted)


@pytest.mark.parametrize("kind", ["serial", "threads", "processes"])
def test_little_memory_gives_the_same_numbers(kind):
    expected, parts = found(1 << 30, Serial())
    assert parts == 1
    assert (expected[0] != np.arange(len(expected[0]))).sum() > 200
    assert len(expected[4]) > 10
    with {"serial": Serial, "threads": lambda: Threads(2), "processes": lambda: Processes(2)}[kind]() as executor:
        numbers, parts = found(1 << 17, executor)
    assert parts > 10
    for one, other in zip(expected, numbers, strict=True):
        assert np.array_equal(one, other)
