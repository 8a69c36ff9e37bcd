"""Compiled models that are recognised, and say that they were not opened."""

import pytest
from format_files import PICKLE, look
from model_files import judged

from toadstone.core.finding import Severity


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"RKNN\0\0\0\0" + b"\6" + bytes(7) + b"\x01\x02\x03" * 40, "rknn"),
        (b"CYPTRKNN" + b"\6" + bytes(7) + b"\x01\x02\x03" * 40, "rknn"),
        (b"\x10\0\0\0ET12" + b"\x01\x02\x03\x04" * 40, "executorch"),
    ],
)
def test_they_are_never_clean(data: bytes, kind: str) -> None:
    found = look(data, "model.bin")
    assert found.kind == kind
    assert len(found.unread) == 1
    assert judged(found) == {"native-code": Severity.MEDIUM}
    assert judged(look(data + PICKLE, "model.bin"))["unsafe-import"] is Severity.CRITICAL


def test_others_are_not_taken_for_them() -> None:
    assert look(b"RKNN is a format.", "a.txt").kind == "text"
    assert look(b"\xff\xff\xff\xffET12" + bytes(9), "a.bin").kind != "executorch"
