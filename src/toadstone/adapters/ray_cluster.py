"""Connections to Ray clusters: one that is started here, or one that the user named; nothing is searched for.

Usage statistics are off, and so is the dashboard of a cluster that is started here. Source: the documentation of Ray Core
(``ray.init``, Ray Client, token authentication), https://docs.ray.io/en/latest/ray-core/.
"""

from __future__ import annotations

import importlib
import os
import secrets
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable
from typing import Any

from toadstone.core.errors import UsageError

HERE = "ray"
CLIENT = "ray://"
_TOKENS = frozenset({"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE"})
_PATIENCE = 10.0
"""Seconds that a named cluster has to take a connection."""
_LONGEST = 40
"""Characters of a folder below which Ray can make its sockets, whose paths a system bounds at 107 bytes."""
_LEAST = 128 << 20
"""Bytes of shared memory for columns; Ray starts with no less than 75 MB."""


def connected(address: str, jobs: int, memory: int) -> tuple[Any, Callable[[], None]]:
    """Connect this process to a cluster.

    Args:
        address: ``ray``, ``ray://host:port`` (Ray Client), or ``host:port`` (this machine is one of the cluster's).
        jobs: CPUs of a cluster that is started here; 0: those of this machine.
        memory: Bytes that the examination may use; half of it is shared memory of a cluster that is started here.

    Returns:
        The library, connected, and what disconnects it (and ends what was started).

    Raises:
        UsageError: Ray is not installed, or there is no such cluster.
    """
    ray = _library(address)
    if ray.is_initialized():
        return ray, lambda: None  # the user's own program decided
    ended = signal.getsignal(signal.SIGTERM)
    _quiet(quiet=True)
    try:
        ray, end = _started(ray, jobs, memory) if address == HERE else _joined(ray, address)
        return ray, lambda: _over(end)
    except UsageError:
        _quiet(quiet=False)
        raise
    finally:
        if signal.getsignal(signal.SIGTERM) is not ended:  # Ray sets its own
            signal.signal(signal.SIGTERM, ended)


def _quiet(*, quiet: bool) -> None:
    """Keep Ray from writing news of its machines to standard output, where the report goes; it has no public switch for that."""
    worker = importlib.import_module("ray._private.worker")
    if hasattr(worker, "_worker_logs_enabled"):
        worker._worker_logs_enabled = not quiet  # type: ignore[attr-defined]  # noqa: SLF001  (as above)


def _over(end: Callable[[], None]) -> None:
    end()
    _quiet(quiet=False)


def _library(address: str) -> Any:  # noqa: ANN401  (a module)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address == HERE and not _TOKENS.intersection(os.environ):  # Ray would leave one in the home folder
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    if _TOKENS.intersection(os.environ):  # who names a token wants it to be used; Ray asks to be told twice
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    try:
        ray = importlib.import_module("ray")
    except ImportError:
        raise UsageError(f"--engine {address} needs Ray.", "pip install 'toadstone[ray]'") from None
    if address.startswith(CLIENT):
        try:
            importlib.import_module("grpc")
        except ImportError:
            raise UsageError(f"--engine {address} needs Ray's client.", "pip install 'ray[client]'") from None
    return ray


def _started(ray: Any, jobs: int, memory: int) -> tuple[Any, Callable[[], None]]:  # noqa: ANN401  (a module)
    folder = tempfile.mkdtemp(prefix="ts-") if len(tempfile.gettempdir()) <= _LONGEST else None

    def end() -> None:
        ray.shutdown()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    try:
        ray.init(
            address="local",
            num_cpus=jobs or None,
            object_store_memory=max(memory // 2, _LEAST),
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
            _node_ip_address="127.0.0.1",
            **({} if folder is None else {"_temp_dir": folder}),
        )
    except _failures(ray) as error:
        end()
        advice = "Compute on this machine without it: --engine local --jobs 2."
        raise UsageError(f"Ray cannot be started here: {_brief(error)}.", advice) from None
    return ray, end


def _joined(ray: Any, address: str) -> tuple[Any, Callable[[], None]]:  # noqa: ANN401  (a module)
    place = address.removeprefix(CLIENT)
    _answering(address, place)
    try:
        if address.startswith(CLIENT):
            _as_client(ray, address)
        else:
            ray.init(address=place, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    except _failures(ray) as error:
        ray.shutdown()
        advice = "Ray and Python must have the same versions on both sides, and RAY_AUTH_TOKEN must be the cluster's."
        if not address.startswith(CLIENT):
            advice += (
                f" A plain address needs this machine in the cluster (`ray start --address={place}`); else use ray://host:10001."
            )
        raise UsageError(f"the Ray cluster at {address} does not take this program: {_brief(error)}.", advice) from None
    return ray, ray.shutdown


def _as_client(ray: Any, address: str) -> None:  # noqa: ANN401  (a module)
    """Connect through Ray's client, a second time if need be: a busy head is slow to start the process that serves one."""
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError):
        ray.shutdown()
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")


def _answering(address: str, place: str) -> None:
    """See that somebody listens: Ray itself asks for minutes before it gives up.

    Raises:
        UsageError: Nobody does.
    """
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE).close()
    except (OSError, ValueError, OverflowError) as error:
        raise UsageError(
            f"no Ray cluster answers at {address}: {_brief(error)}.",
            "Start one with `ray start --head --ray-client-server-port=10001`, or compute here with --engine ray.",
        ) from None


def _failures(ray: Any) -> tuple[type[Exception], ...]:  # noqa: ANN401  (a module)
    return (OSError, RuntimeError, ValueError, AssertionError, TimeoutError, ray.exceptions.RayError)


def _brief(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if any(line.startswith("Traceback") for line in lines):  # of another process: its last line says what happened
        lines = [lines[0].partition("Traceback")[0].strip() or "there", lines[-1]]
    return (" ".join(lines[:2]) if lines else type(error).__name__).rstrip(".:")[:300]
