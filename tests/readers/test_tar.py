"""Tar archives: real ones of every dialect stay silent, and whatever some implementation would unpack is read."""

import io
import random
import struct
import tarfile

import pytest
from format_files import PICKLE, assert_total, look

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Call, Link, Member
from toadstone.core.place import Place
from toadstone.readers.reader import Source
from toadstone.readers.tar import READERS

TEXT = b"The quick brown fox jumps over the lazy dog.\n" * 20
FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
NAMES = ("a.txt", "größe.txt", "d" * 90 + "/" + "n" * 90)


def header(
    name: bytes = b"a", size: int = 0, kind: bytes = b"0", link: bytes = b"", magic: bytes = b"ustar\x0000", **fields
) -> bytes:
    block = bytearray(512)
    block[: len(name)] = name
    block[100:124] = b"0000644\x000000000\x000000000\x00"
    block[124:136] = fields.get("size_field", b"%011o\0" % size)
    block[136:148] = b"00000000000\0"
    block[156:157] = kind
    block[157 : 157 + len(link)] = link
    block[257 : 257 + len(magic)] = magic
    for offset, data in fields.get("patches", {}).items():
        block[offset : offset + len(data)] = data
    block[148:156] = b" " * 8
    total = sum(block) if not fields.get("signed") else sum(byte - 256 * (byte > 127) for byte in block)
    block[148:156] = b"%06o\0 " % (total + fields.get("error", 0))
    return bytes(block)


def padded(data: bytes, filler: bytes = b"\0") -> bytes:
    return data + filler * (-len(data) % 512)


def member(name: bytes = b"a", content: bytes = TEXT, **fields) -> bytes:
    return header(name, len(content), **fields) + padded(content)


def pax(records: dict[str, str], kind: bytes = b"x") -> bytes:
    data = b""
    for key, value in records.items():
        body = f" {key}={value}\n".encode()
        size = len(body) + len(str(len(body) + 3))
        size = len(body) + len(str(size))
        data += str(size).encode() + body
    return member(b"pax", data, kind=kind)


END = bytes(1024)


def members_of(data: bytes) -> list[tuple[str, bytes]]:
    source = Source(BytesBlob(data), "a.tar", Place("a.tar"), Budget.of(len(data)))
    return [(fact.name, fact.blob.read(0, fact.blob.size)) for fact in READERS[0].read(source) if isinstance(fact, Member)]


def by_tarfile(dialect: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=FORMATS[dialect]) as archive:
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name in NAMES:
            info = tarfile.TarInfo(name)
            info.size = len(TEXT)
            archive.addfile(info, io.BytesIO(TEXT))
        for kind, target in ((tarfile.SYMTYPE, "a.txt"), (tarfile.LNKTYPE, "a.txt")):
            link = tarfile.TarInfo(f"link{kind.decode()}")
            link.type, link.linkname = kind, target
            archive.addfile(link)
    return buffer.getvalue()


@pytest.mark.parametrize("dialect", FORMATS)
def test_ordinary_archives_are_silent_and_whole(dialect):
    data = by_tarfile(dialect)
    seen = look(data, "a.tar")
    assert (seen.kind, seen.anomalies, seen.unread) == ("tar", [], [])
    assert members_of(data) == [(name, TEXT) for name in NAMES]
    assert [(link.target, link.escapes) for link in seen.of(Link)] == [("a.txt", False)] * 2


ORDINARY = {
    "v7": member(magic=b"") + END,
    "v7 with device numbers": member(magic=b"", patches={329: b"0000000\x000000000\0"}) + END,
    "signed checksum": member("é".encode(), signed=True) + END,
    "no end mark": member(),
    "base 256": header(size_field=b"\x80" + (len(TEXT)).to_bytes(11, "big")) + padded(TEXT) + END,
    "contiguous": member(kind=b"7") + END,
    "unknown type": member(kind=b"Q") + END,
    "hard link with the size of its target": header(b"a", 900, b"1", b"b") + member(b"c") + END,
    "global header": pax({"comment": "0123456789abcdef"}, b"g") + member() + END,
    "size of ten gigabytes in pax only": pax({"mtime": "1.5"}) + member() + END,
}


@pytest.mark.parametrize("name", ORDINARY)
def test_other_writers_are_silent(name):
    seen = look(ORDINARY[name], "a.tar")
    assert (seen.kind, seen.anomalies, seen.unread) == ("tar", [], [])


def test_extended_names_win():
    long = b"n" * 300
    gnu = member(b"././@LongLink", long + b"\0", kind=b"L", magic=b"ustar  \0") + member(b"short", magic=b"ustar  \0") + END
    assert members_of(gnu) == [(long.decode(), TEXT)]
    assert members_of(pax({"path": "other"}) + member() + member(b"b") + END) == [("other", TEXT), ("b", TEXT)]
    assert members_of(pax({"path": "all"}, b"g") + member() + END) == [("all", TEXT)]
    assert members_of(member(b"name", patches={345: b"folder"}) + END) == [("folder/name", TEXT)]
    links = look(pax({"linkpath": "../../x"}) + header(b"a", 0, b"2", b"b") + END, "a.tar").of(Link)
    assert [(link.target, link.escapes) for link in links] == [("../../x", True)]


def test_sparse_files_are_laid_out():
    fields = {386: b"%011o\0%011o\0" % (1000, 5) + b"%011o\0%011o\0" % (3000, 5), 483: b"%011o\0" % 4000}
    old = header(b"s", 10, b"S", magic=b"ustar  \0", patches=fields) + padded(b"helloworld") + END
    wanted = bytes(1000) + b"hello" + bytes(1995) + b"world" + bytes(995)
    assert members_of(old) == [("s", wanted)]
    one = pax({"GNU.sparse.map": "1000,5,3000,5", "GNU.sparse.size": "4000", "GNU.sparse.name": "s"})
    assert members_of(one + member(b"x", b"helloworld") + END) == [("s", wanted)]
    two = pax({"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "4000", "GNU.sparse.name": "s"})
    content = padded(b"2\n1000\n5\n3000\n5\n") + b"helloworld"
    assert members_of(two + member(b"x", content) + END) == [("s", wanted)]


def test_a_sparse_file_of_an_exabyte_costs_nothing():
    claim = pax({"GNU.sparse.map": "0,5", "GNU.sparse.size": str(1 << 60)}) + member(b"x", b"hello") + END
    seen = look(claim, "a.tar")
    assert seen.anomalies == ["resource-claim"]
    assert seen.unread


TRICKS = {
    "path-traversal": member(b"../a") + END,
    "path-traversal absolute": member(b"/a") + END,
    "path-traversal by pax": pax({"path": "x/../../a"}) + member() + END,
    "path-traversal through a link": header(b"out", 0, b"2", b"in") + member(b"out/a") + END,
    "name-trick": member("a\u202e.txt".encode()) + END,
    "special-file device": header(b"a", 0, b"3") + END,
    "malformed checksum": member(b"a") + member(b"b", error=1) + END,
    "malformed size": header(size_field=b"12345x789ab\0") + END,
    "malformed end": header(b"a", 99_999) + padded(TEXT),
    "malformed record": member(b"p", b"99 path=x\n", kind=b"x") + member() + END,
    "hidden-data padding": header(b"a", 3) + padded(b"abc", b"X") + END,
    "hidden-data members behind the end": member(b"a") + END + member(b"b") + END,
    "hidden-data behind the end": member(b"a") + END + PICKLE,
    "hidden-data folder": member(b"a/") + END,
    "archive-confusion": pax({"size": "5"}) + member() + END,
    "archive-confusion folder": member(b"a", kind=b"5") + END,
    "parser-confusion folder": header(b"a", 512, b"5") + member(b"b") + END,
    "duplicate-member": member(b"a") + member(b"a", b"other") + END,
    "repeated-member": member(b"a") + member(b"a") + END,
}


@pytest.mark.parametrize("name", TRICKS)
def test_each_trick_is_told(name):
    seen = look(TRICKS[name], "a.tar")
    assert name.split()[0] in seen.anomalies
    assert not any("internal error" in reason for reason in seen.unread)


HIDDEN = {
    "wrong checksum": member(b"a") + member(b"b", PICKLE, error=1) + END,
    "after a wrong checksum": member(b"a") + member(b"b", error=1) + member(b"c", PICKLE) + END,
    "after one zero block": member(b"a") + bytes(512) + member(b"b", PICKLE) + END,
    "behind the end": member(b"a") + END + member(b"b", PICKLE),
    "in a folder": member(b"a/", PICKLE) + END,
    "as the content of a link": header(b"a", len(PICKLE), b"2", b"b") + padded(PICKLE) + END,
    "skipped as the content of a folder": header(b"a", 1024, b"5") + member(b"b", PICKLE) + END,
    "size by pax": pax({"size": str(len(PICKLE))}) + header(b"a", 0) + padded(PICKLE) + END,
    "in v7's unused field": member(magic=b"", patches={300: PICKLE}) + END,
}


@pytest.mark.parametrize("name", HIDDEN)
def test_whatever_some_implementation_unpacks_is_read(name):
    assert any("system" in str(fact.callee) for fact in look(HIDDEN[name], "a.tar").of(Call))


def test_only_a_right_checksum_makes_it_a_tar():
    assert look(member(error=1) + END, "a.tar").kind != "tar"
    assert look(b"x" * 2048, "a.tar").kind != "tar"


def test_hostile_bytes_are_harmless():
    sparse = header(b"s", 10, b"S", magic=b"ustar  \0", patches={386: b"%011o\0%011o\0" % (9, 5), 482: b"\1"})
    assert_total(by_tarfile("pax")[:6000], "a.tar", flips=80)
    assert_total(by_tarfile("gnu")[:5000], "a.tar", flips=80)
    assert_total(sparse + bytes(512) + padded(b"helloworld") + struct.pack("<Q", 7), "a.tar", flips=80)


def test_whatever_python_unpacks_is_among_the_members():
    base = pax({"path": "long"}) + member(b"a", PICKLE) + member(b"b") + header(b"l", 0, b"2", b"b") + member(b"c", b"xyz") + END
    chance = random.Random(5)
    compared = 0
    for _ in range(1500):
        changed = bytearray(base)
        for _ in range(chance.choice((1, 2, 3))):
            at = chance.randrange(len(base) // 512) * 512
            kind = chance.randrange(5)
            if kind == 0:
                changed[at:at] = bytes(512)
            elif kind == 1:
                del changed[at : at + 512]
            elif kind == 2:
                changed[at:at] = changed[:1024]
            else:
                at = min(at, len(changed) - 512)
                changed[at + chance.choice((0, 124, 130, 134, 148, 156, 157, 257, 345))] = chance.choice(b"\x00\x80015x25LxgS7")
                block = changed[at : at + 512]
                if block[257:262] == b"ustar" and chance.random() < 0.9:
                    block[148:156] = b" " * 8
                    changed[at + 148 : at + 156] = b"%06o\0 " % sum(block)
        contents = [content for _, content in members_of(bytes(changed))]
        for name, content in by_tarfile_module(bytes(changed)):
            compared += 1
            assert content in contents, (name, content[:50], bytes(changed))
    assert compared > 1000


def by_tarfile_module(data: bytes) -> list[tuple[str, bytes]]:
    found = []
    for options in ({}, {"ignore_zeros": True}):
        try:
            with tarfile.open(fileobj=io.BytesIO(data), **options) as archive:
                for info in archive:
                    if info.isreg() and info.size and (stream := archive.extractfile(info)) is not None:
                        found += [(info.name, stream.read())]
        except Exception:  # noqa: BLE001  (whatever the oracle cannot read is not compared)
            pass
    return found
