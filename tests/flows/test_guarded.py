"""The load guard: what is clean is loaded, what is not is refused before anything of it runs, and nothing stays patched."""

from __future__ import annotations

import asyncio
import io
import os
import pickle
import subprocess
import sys
import threading

import joblib
import numpy as np
import pytest

import toadstone
from toadstone import Policy, Severity, UnsafeError, UsageError, guarded

RAN: list[str] = []


def touch(what: str) -> str:
    RAN.append(what)
    return what


class Evil:
    """Runs an inert command when it is unpickled."""

    def __reduce__(self):
        return os.system, ("echo ran > ran.txt",)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = pickle.load, pickle.loads, pickle.Unpickler, joblib.load, np.load
    yield
    assert (pickle.load, pickle.loads, pickle.Unpickler, joblib.load, np.load) == before
    assert not [finder for finder in sys.meta_path if type(finder).__module__.startswith("toadstone")]
    assert not (tmp_path / "ran.txt").exists(), "nothing that was refused ran"


VALUE = {"weights": [1.5, 2.5], "name": "x"}


def test_pickles_that_are_clean():
    with guarded():
        assert pickle.loads(pickle.dumps(VALUE)) == VALUE
        assert pickle.loads(bytearray(pickle.dumps(VALUE))) == VALUE
        assert pickle.load(io.BytesIO(pickle.dumps(VALUE))) == VALUE
        assert pickle.Unpickler(io.BytesIO(pickle.dumps(VALUE))).load() == VALUE
        for protocol in range(6):
            assert pickle.loads(pickle.dumps(VALUE, protocol)) == VALUE


@pytest.mark.parametrize("protocol", range(6))
def test_pickles_that_are_not(protocol):
    data = pickle.dumps([VALUE, Evil()], protocol)
    with guarded():
        with pytest.raises(UnsafeError, match=r"pickle.loads refused the pickle in memory: it is malicious"):
            pickle.loads(data)
        with pytest.raises(UnsafeError):
            pickle.load(io.BytesIO(data))
        with pytest.raises(UnsafeError):
            pickle.Unpickler(io.BytesIO(data)).load()
        with pytest.raises(UnsafeError):
            pickle.loads(b"x" + data)  # no pickle at all


def test_several_pickles_in_one_stream():
    stream = io.BytesIO(pickle.dumps(1) + pickle.dumps([2]) + b"raw bytes" + pickle.dumps(Evil()))
    with guarded():
        assert pickle.load(stream) == 1
        assert pickle.load(stream) == [2]
        assert stream.read(9) == b"raw bytes"
        with pytest.raises(UnsafeError):
            pickle.load(stream)
        both = io.BytesIO(pickle.dumps(1) + pickle.dumps(2))
        reader = pickle.Unpickler(both)
        assert [reader.load(), reader.load()] == [1, 2]


def test_a_file_that_is_exchanged_after_the_scan_changes_nothing(monkeypatch):
    from toadstone.adapters import judged

    with open("a.joblib", "wb") as stream:
        joblib.dump(VALUE, stream)
    filled = judged.fill

    def exchanged(copy, file, what):
        filled(copy, file, what)
        with open("a.joblib", "wb") as stream:
            pickle.dump(Evil(), stream)

    monkeypatch.setattr(judged, "fill", exchanged)
    with guarded():
        assert joblib.load("a.joblib") == VALUE


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("xz", 3)])
def test_joblib(compress):
    value = {"w": np.arange(100_000, dtype="f4"), "o": np.array(["a", None], dtype=object), "n": VALUE}
    joblib.dump(value, "good.joblib", compress=compress)
    joblib.dump([np.arange(1000.0), Evil()], "evil.joblib", compress=compress)
    with guarded():
        loaded = joblib.load("good.joblib")
        assert (loaded["w"] == value["w"]).all()
        assert list(loaded["o"]) == ["a", None]
        with pytest.raises(UnsafeError, match=r"joblib.load refused evil.joblib"):
            joblib.load("evil.joblib")


def test_joblib_mapped():
    joblib.dump(np.arange(100_000, dtype="f4"), "good.joblib")
    joblib.dump([np.arange(100_000), Evil()], "evil.joblib")
    with guarded():
        loaded = joblib.load("good.joblib", mmap_mode="r")
        assert isinstance(loaded, np.memmap)
        assert loaded.sum() == np.arange(100_000, dtype="f4").sum()
        with pytest.raises(UnsafeError):
            joblib.load("evil.joblib", mmap_mode="r")
        with pytest.raises(UnsafeError, match="mapped for writing"):
            joblib.load("good.joblib", "r+")


def test_numpy():
    np.save("plain.npy", np.arange(10))
    np.save("good.npy", np.array([1, "a", None], dtype=object), allow_pickle=True)
    np.save("evil.npy", np.array([Evil()], dtype=object), allow_pickle=True)
    np.savez("good.npz", a=np.arange(5), b=np.array([None], dtype=object))
    np.savez("evil.npz", a=np.arange(5), b=np.array([Evil()], dtype=object))
    with guarded():
        assert np.load("plain.npy").sum() == 45
        assert np.load("plain.npy", "r").sum() == 45
        assert list(np.load("good.npy", allow_pickle=True)) == [1, "a", None]
        assert list(np.load("good.npy", None, True)) == [1, "a", None]
        with np.load("good.npz", allow_pickle=True) as archive:
            assert archive["a"].sum() == 10
            assert list(archive["b"]) == [None]
        for name in ("evil.npy", "evil.npz"):
            with pytest.raises(UnsafeError, match=rf"numpy.load refused {name}"):
                np.load(name, allow_pickle=True)
        with pytest.raises(ValueError, match="allow_pickle"):
            np.load("evil.npy")


def test_what_cannot_be_read_twice_is_refused():
    here, there = os.pipe()
    os.write(there, pickle.dumps(1))
    os.close(there)
    with open(here, "rb") as stream, guarded(), pytest.raises(UnsafeError, match="cannot be read twice"):
        pickle.load(stream)


def test_text_and_missing_files_are_told():
    with guarded():
        with pytest.raises(UnsafeError, match="gives no bytes"):
            pickle.load(io.StringIO("abc"))
        with pytest.raises(UsageError, match="cannot be read"):
            joblib.load("nothing.joblib")


def test_what_cannot_be_read_completely_is_refused():
    joblib.dump(np.arange(100_000.0), "cut.joblib")
    with open("cut.joblib", "r+b") as stream:
        stream.truncate(1000)
    with guarded(), pytest.raises(UnsafeError, match="it is"):
        joblib.load("cut.joblib")


def test_the_gate_decides(tmp_path):
    data = b"\x80\x02cdecimal\nDecimal\nX\x01\x00\x00\x001\x85R."
    report = toadstone.scan(_written(tmp_path / "a.pkl", data))
    assert report.verdict == "clean"
    severities = [finding.severity for finding in report.findings]
    with guarded(Policy(gate=Severity.CRITICAL)):
        assert str(pickle.loads(data)) == "1"
    if severities:
        with guarded(Policy(gate=min(severities))), pytest.raises(UnsafeError):
            pickle.loads(data)


def _written(path, data):
    path.write_bytes(data)
    return path


def test_blocks_inside_each_other_have_to_agree():
    data = pickle.dumps(Evil())
    waiver = toadstone.Waiver("reviewed", __import__("datetime").date(2999, 1, 1))
    with guarded(), guarded(Policy(waivers=(waiver,))), pytest.raises(UnsafeError):
        pickle.loads(data)
    with guarded() as block, block:
        assert pickle.loads(pickle.dumps(1)) == 1


def test_a_function():
    @guarded()
    def load(data):
        return pickle.loads(data)

    assert load(pickle.dumps(1)) == 1
    with pytest.raises(UnsafeError):
        load(pickle.dumps(Evil()))
    assert load.__name__ == "load"


def test_a_coroutine_and_its_neighbours():
    """The guard counts for the task that asked for it and for nobody who runs meanwhile."""
    data = pickle.dumps([touch])
    seen = []

    @guarded()
    async def careful():
        await asyncio.sleep(0)
        with pytest.raises(UnsafeError):
            pickle.loads(pickle.dumps(Evil()))
        await asyncio.sleep(0)
        seen.append("careful")

    async def careless():
        await asyncio.sleep(0)
        assert pickle.loads(data) == [touch]
        seen.append("careless")

    async def both():
        await asyncio.gather(careful(), careless(), careful())

    asyncio.run(both())
    assert sorted(seen) == ["careful", "careful", "careless"]


def test_a_generator_is_no_place_for_it():
    def numbers():
        yield 1

    with pytest.raises(UsageError, match="cannot decorate the generator"):
        guarded()(numbers)


def test_threads_at_once():
    good, evil = pickle.dumps(VALUE), pickle.dumps(Evil())
    wrong = []

    def work():
        for _ in range(20):
            with guarded():
                try:
                    pickle.loads(evil)
                    wrong.append("loaded")
                except UnsafeError:
                    pass
                if pickle.loads(good) != VALUE:
                    wrong.append("different")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_error_inside_restores_everything():
    with pytest.raises(KeyError), guarded():
        raise KeyError


def test_what_somebody_else_placed_meanwhile_stays():
    real = np.load
    with guarded():
        inner = np.load

        def theirs(*args, **kwargs):
            return inner(*args, **kwargs)

        np.load = theirs
    assert np.load is theirs
    np.save("plain.npy", np.arange(10))
    assert np.load("plain.npy").sum() == 45
    np.load = real


LATE = """
import sys, pickle, toadstone
assert "joblib" not in sys.modules
with toadstone.guarded():
    import joblib, numpy
    for name in ("good.joblib", "evil.joblib"):
        try:
            print(joblib.load(name))
        except toadstone.UnsafeError as error:
            print(str(error).splitlines()[0])
    import importlib.util
    print(importlib.util.find_spec("joblib").name, type(joblib.__loader__).__name__)
print(joblib.load("good.joblib"), joblib.load.__module__, hasattr(joblib.load, "__wrapped__"))
"""


def test_a_library_that_is_imported_inside():
    joblib.dump(1, "good.joblib")
    joblib.dump(Evil(), "evil.joblib")
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == [
        "1",
        "joblib.load refused evil.joblib: it is malicious.",
        "joblib SourceFileLoader",
        "1 joblib.numpy_pickle False",
    ], done.stderr


def test_a_library_that_uses_pickle_itself():
    """As pandas and many others do: by the module's attribute, at the time of the call."""
    code = "import pickle\ndef read(path):\n    with open(path, 'rb') as stream:\n        return pickle.load(stream)\n"
    names: dict[str, object] = {}
    exec(code, names)
    for name, value in (("good.pkl", VALUE), ("evil.pkl", Evil())):
        with open(name, "wb") as stream:
            pickle.dump(value, stream)
    with guarded():
        assert names["read"]("good.pkl") == VALUE
        with pytest.raises(UnsafeError, match=r"pickle.load refused evil.pkl"):
            names["read"]("evil.pkl")


@pytest.mark.slow
def test_torch():
    torch = pytest.importorskip("torch", reason="torch is heavy and not among the test dependencies")
    weights = {"w": torch.arange(10.0), "b": torch.zeros(3)}
    torch.save(weights, "good.pt")
    torch.save({"w": torch.zeros(3), "x": Evil()}, "evil.pt")
    torch.save(weights, "old.pt", _use_new_zipfile_serialization=False)
    with guarded():
        for name in ("good.pt", "old.pt"):
            for only in (True, False):
                assert torch.load(name, weights_only=only)["w"].sum() == 45
        assert torch.load("good.pt", mmap=True)["w"].sum() == 45
        with pytest.raises(UnsafeError, match=r"torch.load refused evil.pt"):
            torch.load("evil.pt", weights_only=False)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Keras and its backends, whichever are there
def test_keras():
    keras = pytest.importorskip("keras", reason="keras is heavy and not among the test dependencies")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save("good.keras")
    keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1)]).save("evil.keras")
    with guarded():
        assert keras.models.load_model("good.keras").count_params() == 3
        with pytest.raises(UnsafeError):
            keras.saving.load_model("evil.keras", safe_mode=False)
