"""The one place where any exception is caught: a crashing reader or check costs completeness, never the run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator

from toadstone.core.blob import BlobError
from toadstone.core.budget import BudgetError

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from typing import TypeVar

    Item = TypeVar("Item")
    Other = TypeVar("Other")


def shielded(work: Iterable[Item], on_failure: Callable[[str], Other]) -> Iterator[Item | Other]:
    """Yield from ``work``; if it fails, yield ``on_failure(reason)`` and end.

    Args:
        work: A generator that runs foreign or fallible code.
        on_failure: Makes the item that says so; it must make the report incomplete.
    """
    try:
        yield from work
    except (BudgetError, BlobError) as error:
        yield on_failure(str(error))
    except Exception as error:  # noqa: BLE001  (the runner's duty: nothing that is read or checked may end the run)
        yield on_failure(describe(error))


def describe(error: BaseException) -> str:
    """Say in one line what failed and where, without paths of this machine."""
    trace = error.__traceback__
    place = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        module = trace.tb_frame.f_globals.get("__name__", "?")
        place = f"{module}.{code.co_name}:{trace.tb_lineno}"
        trace = trace.tb_next
    text = str(error).splitlines()[0][:200] if str(error) else ""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"internal error {type(error).__name__}({text}) in {place} on Python {version}"
