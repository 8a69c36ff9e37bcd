"""Open a file only if it is clean, and get exactly the bytes that were judged."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from toadstone.core.blob import CHUNK, FileBlob
from toadstone.core.errors import UnsafeError, UsageError
from toadstone.core.policy import Config, Policy
from toadstone.core.report import Report
from toadstone.verbs.scan import Scanner


def open_clean(path: str | os.PathLike[str], *, config: Config | None = None, policy: Policy | None = None) -> IO[bytes]:
    """Scan a file and hand over its bytes if nothing at or above the gate was found and everything was read.

    The file is first copied to an unnamed temporary file that nobody else can reach; the copy is scanned, and the copy
    is what you get. There is no moment between check and use at which the content could be exchanged.

    Args:
        path: A regular file.
        config: Settings; by default none.
        policy: Gate and waivers; by default those of ``config``.

    Returns:
        A binary file object, positioned at the start; closing it frees the copy.

    Raises:
        UnsafeError: If the report is not clean and complete; ``error.args`` and its text say why.
        UsageError: If the file cannot be read.
    """
    shown = os.fspath(path)
    config = config or Config()
    policy = policy or Policy(config.gate, config.waivers)
    with ExitStack() as closing:
        copy = closing.enter_context(tempfile.TemporaryFile())
        _fill(copy, shown)
        subject = Scanner(config, policy).blob(FileBlob(copy), shown)
        refuse(Report((subject,)), policy, f"{shown} was not opened")
        copy.seek(0)
        closing.pop_all()  # the caller closes it now
        return copy


def _fill(copy: IO[bytes], shown: str) -> None:
    try:
        with Path(shown).open("rb") as stream:
            while piece := stream.read(CHUNK):
                copy.write(piece)
    except OSError as error:
        raise UsageError(f"{shown} cannot be read: {error.strerror}.") from None
    copy.flush()


def refuse(report: Report, policy: Policy, what: str) -> None:
    """Refuse what is not clean and complete.

    Raises:
        UnsafeError: If the report fails the gate or something was not read; begins with ``what``.
    """
    if report.exit_code(policy.gate):
        raise UnsafeError(f"{what}: it is {report.verdict}.", _why(report))


def _why(report: Report) -> str:
    if report.findings:
        worst = report.findings[0]
        return f"{worst.check} ({worst.severity.label}): {worst.message}"
    gap = next(gap for subject in report.subjects for gap in subject.unread)
    return f"Not everything was read: {gap.place}: {gap.reason}"
