"""Unix archives: members under all three ways to name them."""

from format_files import PICKLE, assert_total, elf, look

from toadstone.core.fact import Call, Code


def member(name: str, content: bytes) -> bytes:
    head = name.encode().ljust(16) + b"0".ljust(12) + b"0".ljust(6) * 2 + b"644".ljust(8) + str(len(content)).encode().ljust(10)
    return head + b"`\n" + content + b"\n" * (len(content) & 1)


EXAMPLE = (
    b"!<arch>\n"
    + member("/", b"\0\0\0\1index")
    + member("//", b"a_name_longer_than_fifteen.o/\n")
    + member("/0", elf())
    + member("#1/8", b"notes\0\0\0" + b"text")
    + member("data.pkl/", PICKLE)
)


def test_members_are_read_under_their_names() -> None:
    seen = look(EXAMPLE, "lib.a")
    assert (seen.kind, seen.unread) == ("ar", [])
    assert [fact.place.member for fact in seen.of(Code)] == ["a_name_longer_than_fifteen.o"]
    assert [fact.place.member for fact in seen.of(Call)] == ["data.pkl"]


def test_what_is_appended_falls_out() -> None:
    assert "hidden-data" in look(EXAMPLE + PICKLE, "lib.a").anomalies


def test_any_bytes_are_survived() -> None:
    assert_total(EXAMPLE, "lib.a")
