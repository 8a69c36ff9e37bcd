"""Torch7, MXNet's parameters and TensorRT's engines."""

from __future__ import annotations

import json
import struct

import pytest
from torch7_files import BENIGN, HARMLESS_FUNCTION, HOSTILE, LINES

from toadstone.core.blob import BytesBlob
from toadstone.core.finding import Severity
from toadstone.core.policy import Config, Policy
from toadstone.core.report import Report
from toadstone.verbs.scan import Scanner


def scanned(data: bytes, name: str) -> Report:
    config = Config()
    return Scanner(config, Policy(config.gate, config.waivers)).blob(BytesBlob(data), name)


def grave(report: Report) -> set[str]:
    return {finding.check for finding in report.findings if finding.severity >= Severity.HIGH}


@pytest.mark.parametrize("data", [BENIGN, LINES])
@pytest.mark.parametrize("name", ["model.t7", "model.bin"])
def test_a_network_of_torch7_is_read_and_silent(data: bytes, name: str) -> None:
    report = scanned(data, name)
    assert report.complete
    assert not report.findings


def test_a_function_that_runs_commands_is_found() -> None:
    report = scanned(HOSTILE, "model.t7")
    assert report.complete
    assert grave(report) == {"lua-code"}
    assert [finding.severity for finding in scanned(HARMLESS_FUNCTION, "model.t7").findings] == [Severity.MEDIUM]


def test_what_follows_is_looked_at() -> None:
    assert "unsafe-import" in grave(scanned(BENIGN + b"\x80\x04cos\nsystem\n(S'echo x'\ntR.", "model.t7"))


@pytest.mark.parametrize("cut", range(1, len(BENIGN), 7))
def test_a_broken_file_is_unread(cut: int) -> None:
    assert not scanned(BENIGN[:cut], "model.t7").complete


def array(*shape: int, storage: int = 0, kind: int = 0) -> bytes:
    count = 1
    for side in shape:
        count *= side
    head = struct.pack("<Ii", 0xF993FAC9, storage) + struct.pack(f"<i{len(shape)}q", len(shape), *shape)
    return head + struct.pack("<iii", 1, 0, kind) + bytes(min(4 * count, 4096))


def parameters(arrays: list[bytes], names: list[bytes]) -> bytes:
    listed = b"".join(struct.pack("<Q", len(name)) + name for name in names)
    return struct.pack("<QQQ", 0x112, 0, len(arrays)) + b"".join(arrays) + struct.pack("<Q", len(names)) + listed


def test_parameters_of_mxnet_are_read() -> None:
    report = scanned(parameters([array(3, 4), array(7)], [b"arg:weight", b"aux:mean"]), "net-0001.params")
    assert report.complete
    assert not report.findings


def test_what_is_behind_the_parameters_is_looked_at() -> None:
    whole = parameters([array(2)], [b"w"])
    assert "unsafe-import" in grave(scanned(whole + b"\x80\x04cos\nsystem\n(S'echo x'\ntR.", "net-0001.params"))


@pytest.mark.parametrize(
    "data",
    [
        parameters([array(1 << 40, 1 << 40)], []),
        parameters([array(2)], [])[:-3],
        struct.pack("<QQQ", 0x112, 0, 1 << 60),
        parameters([array(2, kind=99)], [b"w"]),
        parameters([array(2, storage=7)], [b"w"]),
    ],
)
def test_forged_parameters_are_unread(data: bytes) -> None:
    assert not scanned(data, "net-0001.params").complete


def library(machine: int) -> bytes:
    return b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHI", 3, machine, 1) + bytes(40)


@pytest.mark.parametrize("front", [{}, {"task": "detect", "names": {"0": "person"}}])
def test_an_engine_is_unread_and_its_host_code_found(front: dict[str, object]) -> None:
    text = json.dumps(front).encode() if front else b""
    before = struct.pack("<I", len(text)) + text if front else b""
    engine = before + b"ftrt" + struct.pack("<II", 0x60, 0) + bytes(64)
    ordinary = scanned(engine + library(190), "model.engine")
    assert not ordinary.complete
    assert not grave(ordinary)
    assert grave(scanned(engine + library(62), "model.engine")) == {"native-code"}
    windows = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + bytes(64)
    assert grave(scanned(engine + windows, "model.engine")) == {"native-code"}
