"""Arguments in text: what one unpickler refuses the other may take."""

from __future__ import annotations

import pytest
from writer import HEADER, PAYLOAD, name, of, reached, stopped, text

TAKEN = {
    "octal": b"I010\n0",
    "number up to a zero byte": b"I5\0x\n0",
    "slot up to a zero byte": b"Np0\0x\n0",
    "read back up to a zero byte": b"Np0\ng0\0z\n00",
    "long up to a zero byte": b"L5\0junk\n0",
    "float up to a zero byte": b"F1.0\0x\n0",
    "float with space": b"F 1.0\n0",
    "float with underscore": b"F1_0.0\n0",
    "number with space": b"I 5 \n0",
    "number with tab": b"I\t7\n0",
    "carriage return": b"I5\r\n0",
    "slot with carriage return": b"Np0\r\n0",
    "binary": b"I0b1\n0",
}


@pytest.mark.parametrize("case", TAKEN)
def test_what_either_unpickler_takes_is_taken(case: str) -> None:
    data = TAKEN[case] + PAYLOAD + b"."
    assert reached(data)
    assert stopped(data, "model.bin")
    assert stopped(HEADER + data)


def test_names_may_be_constants_of_modules() -> None:
    """``os.name`` is text once it is imported, and so is ``platform.system.__name__``."""
    data = HEADER + name("os", "name") + name("platform", "system.__name__") + b"\x93" + of(text("id")) + b"R."
    assert stopped(data)


def test_a_line_may_be_long() -> None:
    assert stopped(HEADER + b"V" + b"a" * (17 << 20) + b"\n0" + PAYLOAD + b".")
