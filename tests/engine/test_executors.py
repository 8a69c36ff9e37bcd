"""Every executor gives the serial answer."""

import operator
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.engine.executors import Processes, Serial, Threads
from toadstone.engine.progress import Watched


@dataclass(frozen=True)
class Joined:
    """Order matters, and so does the kind of a float's sum."""

    scale: float = 0.1

    def map(self, part):
        return [np.float32(value) * np.float32(self.scale) for value in part]

    def combine(self, left, right):
        left += right
        return left

    def finish(self, state):
        return np.array(state or [], np.float32).tobytes()


@dataclass(frozen=True)
class Failing:
    def map(self, part):
        return operator.truediv(1, part)

    def combine(self, left, right):
        return left + right

    def finish(self, state):
        return state


@pytest.fixture(scope="module")
def processes():
    with Processes(2) as pool:
        yield pool


@given(st.lists(st.lists(st.floats(-1e6, 1e6, width=32), max_size=5), max_size=12))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_threads_and_processes_give_the_serial_answer_bit_for_bit(processes, parts):
    expected = Serial().run(Joined(), parts)
    with Threads(3) as threads:
        assert threads.run(Joined(), parts) == expected
    assert processes.run(Joined(), parts) == expected


def test_a_failing_part_fails_the_job(processes):
    for executor in (Serial(), processes):
        with pytest.raises(ZeroDivisionError):
            executor.run(Failing(), [1, 2, 0, 3])


def test_what_is_on_its_way_is_bounded_by_the_workers():
    taken = []

    def parts():
        for number in range(100):
            taken.append(number)
            yield [number]

    with Threads(2) as threads:
        mapped = threads._mapped(Joined().map, parts())
        next(mapped)
        assert len(taken) <= 2 * threads.jobs
        mapped.close()


def test_progress_counts_parts_and_ends_at_all_of_them():
    told = []
    watched = Watched(Serial(), lambda step, done, total: told.append((step, done, total)))
    watched.step = "reading"
    watched.run(Joined(), [[1.0], [2.0]])
    assert told == [("reading", 0, 2), ("reading", 1, 2), ("reading", 2, 2)]
