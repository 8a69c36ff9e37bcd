"""``python -m benchmarks.corpus.malicious.opcodes [PYTHON...]``: what the oracle says of every trick, under each interpreter."""

from __future__ import annotations

import sys

from benchmarks.corpus.malicious import oracle
from benchmarks.corpus.malicious.opcodes import tricks


def main() -> None:
    every = [trick for trick in tricks() if trick.label == "malicious"]
    jobs = [oracle.job_of(trick.data, trick.expect, **trick.options) for trick in every]
    for python in sys.argv[1:] or [sys.executable]:
        answers = oracle.examine(jobs, python)
        print(f"{python}: {oracle.summary(answers)}")
        for trick, answer in zip(every, answers, strict=True):
            if len(answer["reached_by"]) < 2:
                print(f"  {trick.name}: {answer['reached_by']} {answer['events']}")


if __name__ == "__main__":
    main()
