"""Engines that another library brings: known by the form of their address, loaded when they are asked for."""

from __future__ import annotations

import importlib
import re

from toadstone.core.errors import UsageError
from toadstone.engine.executors import Engine

LOCAL = "local"
_FORMS = re.compile(r"ray|(?:ray://)?(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}")
_HOME = "toadstone.adapters.ray_tasks"
"""Above this layer: engines know their addresses, adapters know the libraries."""


def check_address(address: str) -> None:
    """See that an address has the form of one.

    Raises:
        UsageError: It has not.
    """
    if address != LOCAL and not _FORMS.fullmatch(address):
        raise UsageError(
            f"there is no engine {address!r}.",
            "Engines are local (with --jobs N for several processes), ray (started here), ray://host:port and host:port.",
        )


def elsewhere(address: str, jobs: int, memory: int) -> Engine:
    """Connect to an engine.

    Args:
        address: As `check_address` takes it, other than ``local``.
        jobs: Parts at once; 0: as many as it can.
        memory: Bytes that the examination may use.

    Raises:
        UsageError: It is not there, or a library is missing.
    """
    found: Engine = importlib.import_module(_HOME).RayTasks(address, jobs, memory)
    return found
