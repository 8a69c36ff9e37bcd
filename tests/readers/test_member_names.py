"""Names of archive members that lead out of the folder they are unpacked into."""

from __future__ import annotations

import pytest

from toadstone.readers.member_names import traverses


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "\\\\host\\share", "C:x", "z:\\x", "..", "../x", "a/../x", "a\\..\\x", "a/..", "x\\../y"]
)
def test_names_that_lead_out(name: str) -> None:
    assert traverses(name)


@pytest.mark.parametrize(
    "name", ["", "a", "a/b", "...", "a../b", "..a", "a/...", "1:x", "é:x", "archive/data/0", ".hidden", "ab:c"]
)
def test_names_that_stay_inside(name: str) -> None:
    assert not traverses(name)
