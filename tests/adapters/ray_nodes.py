"""A Ray cluster on loopback, each of its machines a process of the test."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """A head that other machines join; the first computes nothing."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ts-", dir="/tmp"))  # sockets: their paths must be short
        self.gcs, self.client = free_port(), free_port()
        self.nodes = []
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": os.environ["RAY_AUTH_TOKEN"],
            "OMP_NUM_THREADS": "1",
        }
        self.start(
            "--head",
            f"--port={self.gcs}",
            f"--ray-client-server-port={self.client}",
            "--include-dashboard=false",
            f"--temp-dir={self.folder}",
            cpus=0,
        )
        self._wait_for(self.gcs)
        self._wait_for(self.client)

    @property
    def plain(self):
        return f"127.0.0.1:{self.gcs}"

    @property
    def outside(self):
        return f"ray://127.0.0.1:{self.client}"

    def join(self, *wrapped, environment=None):
        """Start one more machine, with one CPU, and wait for it; `wrapped` is put before its command."""
        for _ in range(3):  # another program may have taken one of its ports meanwhile
            node = self.start(f"--address={self.plain}", cpus=1, wrapped=wrapped, environment=environment)
            if self._settled():
                return node
            kill(node)
            self.nodes.remove(node)
        raise TimeoutError(*(path.read_text() for path in self.folder.glob("*.log")))

    def start(self, *options, cpus, wrapped=(), environment=None):
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", *options, f"--num-cpus={cpus}", "--block"]
        ports = "node-manager object-manager runtime-env-agent metrics-export dashboard-agent-grpc dashboard-agent-listen"
        command += [f"--{what}-port={free_port()}" for what in ports.split()]
        command += ["--node-ip-address=127.0.0.1", "--object-store-memory=150000000", "--disable-usage-stats"]
        with (self.folder / f"node{len(self.nodes)}.log").open("wb") as log:
            node = subprocess.Popen(
                [*wrapped, *command],
                env={**self.environment, **(environment or {})},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.nodes.append(node)
        return node

    def _settled(self):
        """Wait until as many machines are known as live."""
        wanted = sum(node.poll() is None for node in self.nodes) - 1
        code = f"import ray, time; ray.init(address={self.plain!r}, logging_level='ERROR')\n"
        code += f"while ray.cluster_resources().get('CPU', 0) < {wanted}: time.sleep(0.1)"
        try:
            subprocess.run([sys.executable, "-c", code], env=self.environment, check=True, timeout=40, capture_output=True)
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
            return False
        return True

    def _wait_for(self, port):
        for _ in range(600):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            time.sleep(0.1)
        raise TimeoutError(*(path.read_text() for path in self.folder.glob("*.log")))

    def close(self):
        for node in reversed(self.nodes):
            kill(node)
        shutil.rmtree(self.folder, ignore_errors=True)


def kill(node):
    """End a machine as a power cut does."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(node.pid, signal.SIGKILL)
    node.wait(30)


def token():
    """Give a secret that the machines of a test share."""
    return secrets.token_hex(32)
