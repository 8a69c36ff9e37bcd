"""The oracle: is the gadget of a hostile pickle really reached? Both unpicklers, inert, in a limited child process.

``find_class`` is replaced and imports nothing: it returns recording dummies that do nothing when called. Every case runs in a
forked child with limits on memory, processor time and file size, so that a stream that kills the unpickler costs one child.

A job is ``{"data": hex, "starts": [offsets], "expect": "call:os:system" | "find:…" | "change:…" | "persistent:", "buffers": n,
"extensions": [[module, name, code]]}``; the answer lists the unpicklers (``c``, ``python``) that reached the expectation.
"""

from __future__ import annotations

import copyreg
import io
import json
import os
import pickle
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

_MEMORY = 768 << 20
_SECONDS = 6
_STREAMS = 12


class _Recorder(type):
    """A class that stands for a global: calling it, or making it with NEWOBJ, is written down and has no effect."""

    events: list[str]
    label: str

    def __getattr__(cls, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return _dummy(f"{cls.label}.{name}", cls.events)


def _dummy(label: str, events: list[str]) -> type:
    def new(cls: type, *_arguments: object, **_options: object) -> object:
        events.append(f"call:{label}")
        return object.__new__(cls)

    def call(_self: object, *_arguments: object, **_options: object) -> object:
        events.append(f"call:{label}()")
        return object.__new__(_dummy(f"{label}()", events))

    def change(_self: object, *_arguments: object) -> None:
        events.append(f"change:{label}")

    members = {"__new__": new, "__call__": call, "__init__": lambda *_a, **_k: None, "events": events, "label": label}
    members.update(dict.fromkeys(("__setitem__", "append", "extend", "add"), change))
    meta = type(
        "_Meta",
        (_Recorder,),
        {"__setitem__": change, "append": change, "extend": change, "add": change, "__setattr__": _watch(label, events)},
    )
    made: type = meta("Dummy", (), members)
    return made


def _watch(label: str, events: list[str]) -> Callable[[type, str, object], None]:
    def setattr_(cls: type, name: str, value: object) -> None:
        events.append(f"change:{label}.{name}")
        type.__setattr__(cls, name, value)

    return setattr_


def _unpickler(kind: str, events: list[str]) -> type:
    base = pickle.Unpickler if kind == "c" else pickle._Unpickler  # noqa: SLF001
    seen: dict[tuple[str, str], type] = {}

    class Inert(base):  # type: ignore[misc, valid-type]
        def find_class(self, module: str, name: str) -> type:
            events.append(f"find:{module}:{name}")
            return seen.setdefault((module, name), _dummy(f"{module}:{name}", events))

        def persistent_load(self, identity: object) -> object:
            events.append("persistent:")
            return object.__new__(_dummy(f"persistent:{identity!r}"[:60], events))

    return Inert


def _run(kind: str, job: Mapping[str, Any]) -> list[str]:
    events: list[str] = []
    data = bytes.fromhex(job["data"])
    copyreg.clear_extension_cache()
    for module, name, code in job.get("extensions", ()):
        copyreg.add_extension(module, name, code)
    for start in job.get("starts") or [0]:
        stream = io.BytesIO(data)
        stream.seek(start)
        for _ in range(_STREAMS):
            buffers = [bytearray(b"os") for _ in range(job.get("buffers", 0))]
            try:
                _unpickler(kind, events)(stream, buffers=buffers).load()
            except Exception as error:  # noqa: BLE001 - whatever a hostile stream raises ends this stream, not the oracle
                events.append(f"error:{type(error).__name__}")
                break
    return events


def _child(job: Mapping[str, Any], out: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.setrecursionlimit(4000)
    answer = {}
    for kind in ("python", "c"):
        events = _run(kind, job)
        answer[kind] = {"reached": job["expect"] in events, "events": events[:12]}
        os.write(out, (json.dumps(answer) + "\n").encode())


def serve() -> None:
    """Read jobs (JSON lines) from standard input and answer each on standard output: the part that runs isolated."""
    for line in sys.stdin:
        job = json.loads(line)
        read, write = os.pipe()
        child = os.fork()
        if not child:
            os.close(read)
            try:
                _child(job, write)
            finally:
                os._exit(0)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            lines = pipe.read().splitlines()
        _, status = os.waitpid(child, 0)
        answer = json.loads(lines[-1]) if lines else {}
        print(json.dumps({"answer": answer, "killed": os.WIFSIGNALED(status)}), flush=True)


def examine(jobs: Sequence[Mapping[str, object]], python: str | None = None) -> list[dict[str, Any]]:
    """The answers to ``jobs``, from one isolated interpreter (this one, or ``python``).

    Returns:
        for each job ``{"reached_by": [...], "events": {kind: [...]}, "killed": bool}``.
    """
    text = "".join(json.dumps(job) + "\n" for job in jobs)
    argv = [python or sys.executable, "-I", __file__]
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"})
    answers = []
    for line in done.stdout.splitlines():
        raw = json.loads(line)
        reached = sorted(kind for kind, outcome in raw["answer"].items() if outcome["reached"])
        events = {kind: outcome["events"] for kind, outcome in raw["answer"].items()}
        answers.append({"reached_by": reached, "events": events, "killed": raw["killed"]})
    return answers


def job_of(data: bytes, expect: str, **options: object) -> dict[str, object]:
    """A job for ``examine``."""
    return {"data": data.hex(), "expect": expect, **options}


def summary(answers: Iterable[Mapping[str, Any]]) -> str:
    """One line: how many were reached by both, by one, by none."""
    kinds = [tuple(answer["reached_by"]) for answer in answers]
    return ", ".join(f"{'+'.join(kind) or 'none'} {kinds.count(kind)}" for kind in sorted(set(kinds)))


if __name__ == "__main__":
    serve()
