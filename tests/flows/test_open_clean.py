"""No gap between check and use."""

from __future__ import annotations

import pytest

from tests.payloads import BENIGN, COMMAND, UNKNOWN_CODE, UNREADABLE
from toadstone import Config, Severity, UnsafeError, UsageError, open_clean


def test_a_clean_file_is_handed_over_byte_for_byte(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(BENIGN)
    with open_clean(path) as stream:
        assert stream.read() == BENIGN
        stream.seek(2)
        assert stream.read(1) == BENIGN[2:3]


def test_what_is_exchanged_afterwards_is_not_what_you_get(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(BENIGN)
    with open_clean(path) as stream:
        path.write_bytes(COMMAND)
        assert stream.read() == BENIGN


def test_what_is_exchanged_during_the_scan_is_not_what_you_get(tmp_path, monkeypatch):
    """The file is swapped between the copy and the scan: the copy is what is judged and handed over."""
    from toadstone.verbs import open_clean as module

    path = tmp_path / "model.pkl"
    path.write_bytes(BENIGN)
    scanner = module.Scanner.blob

    def swapping(self, blob, shown, folder=None):
        path.write_bytes(COMMAND)
        return scanner(self, blob, shown, folder)

    monkeypatch.setattr(module.Scanner, "blob", swapping)
    with open_clean(path) as stream:
        assert stream.read() == BENIGN
    with pytest.raises(UnsafeError):
        open_clean(path)


def test_a_payload_is_refused_with_the_reason(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(COMMAND)
    with pytest.raises(UnsafeError) as caught:
        open_clean(path)
    assert "was not opened: it is malicious." in str(caught.value)
    assert "unsafe-import (critical)" in str(caught.value)


def test_what_could_not_be_read_is_refused(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(UNREADABLE)
    with pytest.raises(UnsafeError, match="Not everything was read"):
        open_clean(path)


def test_the_gate_is_yours(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(UNKNOWN_CODE)
    open_clean(path).close()
    with pytest.raises(UnsafeError):
        open_clean(path, config=Config(gate=Severity.MEDIUM))


def test_a_missing_file_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        open_clean(tmp_path / "missing.pkl")
