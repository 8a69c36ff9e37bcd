"""Every executor gives the serial answer."""

import operator
import os
import signal
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.errors import UsageError
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


@dataclass(frozen=True)
class Dying:
    """One of the processes that help is killed, as a system that is short of memory does."""

    def map(self, part):
        if part == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return part

    def combine(self, left, right):
        return left + right

    def finish(self, state):
        return state


def test_a_process_that_is_killed_is_an_error_and_no_hang():
    with pytest.raises(UsageError, match="ended before its time"), Processes(2) as pool:
        pool.run(Dying(), range(8))


_INTERRUPTED = """
import sys, time
from dataclasses import dataclass
from toadstone.core.errors import UsageError
from toadstone.engine.executors import Processes
@dataclass(frozen=True)
class Slow:
    def map(self, part):
        print("begun", flush=True)
        time.sleep(600)
    def combine(self, left, right): return None
    def finish(self, state): return None
if __name__ == "__main__":
    with Processes(2) as pool:
        pool.run(Slow(), range(8))
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_one_that_it_helps(tmp_path, how):
    (tmp_path / "slow.py").write_text(_INTERRUPTED)
    with subprocess.Popen(
        [sys.executable, tmp_path / "slow.py"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(how)
        assert process.stdout.read().strip() in (b"", b"begun")  # ends when nobody holds the pipe any more
        process.wait(60)
