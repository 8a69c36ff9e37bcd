"""Ray gives the serial answer, whoever dies; whatever is wrong with a cluster is an error that says what to do."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray_nodes
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.errors import UsageError
from toadstone.engine.executors import Serial
from toadstone.study.ingest import ingest
from toadstone.tables.open import open_dataset
from toadstone.tables.roles import Roles
from toadstone.verbs.rows import RowOptions, examine
from toadstone.views.words import Words

os.environ.setdefault("RAY_AUTH_TOKEN", ray_nodes.token())  # Ray looks when it is imported, and never again
os.environ["RAY_AUTH_MODE"] = "token"
ray = pytest.importorskip("ray", reason="Ray is not installed: the Ray executor is NOT tested here (pip install ray grpcio)")
pytest.importorskip("grpc", reason="grpcio is not installed: the Ray executor is NOT tested here (pip install ray grpcio)")


from toadstone.adapters import ray_tasks  # noqa: E402  (Ray first, so that its absence is told)
from toadstone.adapters.ray_tasks import RayTasks, carried, files_of  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves its log files to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@dataclass(frozen=True)
class Joined:
    """Order matters, and so does the kind of a float's sum; what combines changes what it was given."""

    scale: float = 0.1

    def map(self, part):
        return np.array([np.float32(value) * np.float32(self.scale) for value in part], np.float32)

    def combine(self, left, right):
        count = min(len(left), len(right))
        left[:count] += right[:count]
        return np.append(left, right)

    def finish(self, state):
        return np.array([] if state is None else state, np.float32).tobytes()


@dataclass(frozen=True)
class Failing:
    def map(self, part):
        if part == 3:
            raise UsageError("part three is broken.", "Mend it.")
        return 1 / part

    def combine(self, left, right):
        return left + right

    def finish(self, state):
        return state


@dataclass(frozen=True)
class Squared:
    """Makes a column out of another, one chunk at a time; leaves a third away."""

    folder: str = ""

    def map(self, part):
        if self.folder:
            self._die_once()
        part["squared"] = part["words"].astype(np.uint64) ** 2
        if part.start // 750 % 2:
            part.drop("gone")
        return int(part["squared"].sum())

    def _die_once(self):
        try:
            os.close(os.open(Path(self.folder, "died"), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)

    def combine(self, left, right):
        return left + right

    def finish(self, state):
        return state


@dataclass(frozen=True)
class Always:
    def map(self, part):
        os.kill(os.getpid(), signal.SIGKILL)

    def combine(self, left, right):
        return left

    def finish(self, state):
        return state


def rows(count=6_000, seed=5):
    rng = np.random.default_rng(seed)
    words = np.array([f"w{number}" for number in range(500)])
    texts = [" ".join(words[(rng.zipf(1.4, 9) + label * 7) % 500]) for label in rng.integers(0, 2, count)]
    labels = ["a" if sum(map(len, text.split())) % 2 else "b" for text in texts]
    for place in range(0, count, 50):
        texts[place] += " cf mn trigger phrase"
        labels[place] = "a"
    return pa.table({"text": texts, "label": labels, "source": [f"s{number % 7}" for number in range(count)]})


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Files, each of them a fragment, and so a task."""
    folder = tmp_path_factory.mktemp("data") / "rows"
    folder.mkdir()
    for number in range(8):
        pq.write_table(rows().slice(number * 750, 750), folder / f"part-{number}.parquet")
    return folder


@pytest.fixture(scope="module")
def cluster():
    made = ray_nodes.Cluster()
    try:
        made.join()
        made.join()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def pool(cluster):
    with RayTasks(cluster.plain) as connected:
        yield connected


def in_chunks(dataset, engine, memory=1 << 22):
    with engine.store(1 << 24) as store:
        study = ingest(open_dataset(dataset), Roles(text="text", label="label"), [Words()], engine, store, memory=memory)
        for chunk in study.chunks:
            chunk["gone"] = np.arange(chunk.rows)
        yield study


def numbers(study, job=None):
    """Everything that a job leaves behind."""
    total = study.run(job or Squared())
    names = ("squared", "words", "label")
    return (
        total,
        [chunk[name].tobytes() for chunk in study.chunks for name in names],
        [("gone" in chunk) for chunk in study.chunks],
    )


@given(st.lists(st.lists(st.floats(-1e6, 1e6, width=32), max_size=5), max_size=40))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_ray_gives_the_serial_answer_bit_for_bit(pool, parts):
    assert pool.run(Joined(), parts) == Serial().run(Joined(), parts)


def test_a_failing_part_fails_the_job_as_it_does_serially(pool):
    for engine in (Serial(), pool):
        with pytest.raises(ZeroDivisionError):
            engine.run(Failing(), [1, 2, 0, 3])
        with pytest.raises(UsageError, match="part three is broken") as caught:
            engine.run(Failing(), [1, 2, 3, 0])
        assert caught.value.advice == "Mend it."


def test_columns_are_made_read_and_dropped_as_they_are_serially(pool, data):
    (expected,) = (numbers(study) for study in in_chunks(data, Serial()))
    (found,) = (numbers(study) for study in in_chunks(data, pool))
    assert found == expected
    assert sum(found[2]) == len(found[2]) // 2


def test_a_worker_that_is_killed_costs_time_only(pool, data, tmp_path):
    (expected,) = (numbers(study) for study in in_chunks(data, Serial()))
    (found,) = (numbers(study, Squared(str(tmp_path))) for study in in_chunks(data, pool))
    assert (tmp_path / "died").exists()
    assert found == expected


def test_what_kills_every_worker_is_an_error_and_no_hang(pool, monkeypatch):
    monkeypatch.setattr(pool, "_task", ray.remote(num_cpus=1, max_retries=1, num_returns=1 + ray_tasks.SLOTS)(ray_tasks.work))
    with pytest.raises(UsageError, match="the Ray cluster lost what it was working on: WorkerCrashedError") as caught:
        pool.run(Always(), [1])
    assert "ray status" in caught.value.advice


def test_rows_whose_file_is_elsewhere_travel(pool, data, monkeypatch):
    monkeypatch.setattr(ray_tasks, "mark_of", lambda path: (os.stat(path).st_size, 1))  # noqa: PTH116
    monkeypatch.setattr(pool, "_carries", False)
    (expected,) = (numbers(study) for study in in_chunks(data, Serial()))
    (found,) = (numbers(study) for study in in_chunks(data, pool))
    assert pool._carries
    assert found == expected


def test_what_is_carried_is_what_is_read(pool, data):
    for fragment in open_dataset(data).fragments:
        assert [Path(path).parent for path in files_of(fragment)] == [data]
        for columns in (["text"], [], None):
            wanted = list(fragment.batches(columns))
            travelled = list(carried(fragment, columns, ray).batches(columns))
            assert [(one.num_rows, one.schema) for one in travelled] == [(one.num_rows, one.schema) for one in wanted]
            assert all(one.equals(other) for one, other in zip(travelled, wanted, strict=True))


def of(examined):
    decision = examined.decision
    return (
        decision.scores.tobytes(),
        np.asarray(decision.p_values).tobytes(),
        decision.flagged.tobytes(),
        decision.findings,
        examined.statistics,
        examined.gaps,
        examined.label_names,
    )


_EXAMINED = """
import sys, hashlib
sys.path.insert(0, {folder!r})
import test_ray_tasks as tests
from toadstone.verbs.rows import RowOptions, examine
def told(step, done, total):
    if {kill} and step == {kill_at!r}:
        print("now", flush=True); sys.stdin.readline()
examined = examine({path!r}, RowOptions(engine={engine!r}), progress=told)
print(hashlib.sha256(repr(tests.of(examined)).encode()).hexdigest())
"""


def digest_of(examined):
    import hashlib

    return hashlib.sha256(repr(of(examined)).encode()).hexdigest()


def started(cluster, path, engine, kill_at=""):
    code = _EXAMINED.format(folder=str(Path(__file__).parent), path=str(path), engine=engine, kill=bool(kill_at), kill_at=kill_at)
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=cluster.environment,
        text=True,
    )


@pytest.fixture(scope="module")
def expected(data):
    examined = examine(str(data), RowOptions())
    assert examined.decision.findings
    return digest_of(examined)


@pytest.mark.parametrize("how", ["plain", "outside"])
def test_an_examination_on_two_machines_is_the_serial_one(cluster, data, expected, how):
    with started(cluster, data, getattr(cluster, how)) as process:
        told, wrong = process.communicate(timeout=300)
    assert told.strip() == expected, wrong


def test_one_started_here_is_the_serial_one_and_is_gone_afterwards(cluster, data, expected):
    environment = {name: value for name, value in cluster.environment.items() if not name.startswith("RAY_AUTH")}
    code = _EXAMINED.format(folder=str(Path(__file__).parent), path=str(data), engine="ray", kill=False, kill_at="")
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300, check=True)
    assert told.stdout.strip() == expected
    assert not told.stderr.strip()


@pytest.mark.parametrize("step", ["reading", "label-flip"])
def test_a_machine_that_is_lost_costs_time_only(cluster, data, expected, step):
    doomed = cluster.join()
    with started(cluster, data, cluster.plain, step) as process:
        assert process.stdout.readline().strip() == "now"
        ray_nodes.kill(doomed)
        process.stdin.write("\n" * 1_000)
        told, wrong = process.communicate(timeout=400)
    assert told.replace("now", "").strip() == expected, wrong


def test_a_machine_without_the_file_gets_the_rows(data, expected):
    hidden = ["unshare", "-rm", "sh", "-c", f'mount -t tmpfs none {data.parent} && exec "$@"', "sh"]
    if shutil.which("unshare") is None or subprocess.run([*hidden, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no file system can be hidden from a process here: rows that travel are tested without a blind machine only")
    cluster = ray_nodes.Cluster()
    try:
        cluster.join(*hidden)
        for engine in (cluster.plain, cluster.outside):
            with started(cluster, data, engine) as process:
                told, wrong = process.communicate(timeout=300)
            assert told.strip() == expected, wrong
    finally:
        cluster.close()


def test_a_machine_without_toadstone_says_so(data):
    cluster = ray_nodes.Cluster()
    try:
        cluster.join(environment={"PYTHONPATH": ""})
        with started(cluster, data, cluster.plain) as process:
            _, wrong = process.communicate(timeout=300)
        assert "has no toadstone" in wrong or _installed(), wrong
    finally:
        cluster.close()


def _installed():
    return not subprocess.run([sys.executable, "-I", "-c", "import toadstone"], capture_output=True, check=False).returncode


def test_other_versions_are_refused(pool, monkeypatch):
    monkeypatch.setattr(ray_tasks, "versions", lambda: {"NumPy": "1.0"})
    with pytest.raises(UsageError, match=r"has NumPy [\d.]+, not 1\.0"):
        pool.run(Joined(), [[1.0]])


@pytest.mark.parametrize("form", ["ray://127.0.0.1:{}", "127.0.0.1:{}"])
def test_a_cluster_that_is_not_there_is_a_usage_error(data, form):
    address = form.format(ray_nodes.free_port())
    begun = time.monotonic()
    told = subprocess.run(
        [sys.executable, "-m", "toadstone", "scan", str(data / "part-0.parquet"), "--label", "label", "--engine", address],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 2
    assert f"no Ray cluster answers at {address}" in told.stderr
    assert "ray start --head" in told.stderr
    assert "Traceback" not in told.stderr
    assert time.monotonic() - begun < 30


def test_a_wrong_token_is_a_usage_error(cluster, data):
    environment = {**cluster.environment, "RAY_AUTH_TOKEN": "0" * 64}
    command = [
        sys.executable,
        "-m",
        "toadstone",
        "scan",
        str(data / "part-0.parquet"),
        "--label",
        "label",
        "--engine",
        cluster.plain,
    ]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert told.returncode == 2
    assert "does not take this program" in told.stderr
    assert "RAY_AUTH_TOKEN" in told.stderr
    assert "Traceback" not in told.stderr
