"""Zip files: those that lie to a reader, and those that put the code where a scanner does not look."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Iterator

import zstandard

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.containers.zips import Member, build, encrypt, plain
from benchmarks.corpus.malicious.hosts import BENIGN, EVIL, EVIL_2, float_npy, object_npy, torch_members, torch_pickle

_EVIL_TORCH = torch_pickle(evil=True)
_GOOD_TORCH = torch_pickle()
_LINK = 0o120777 << 16


def _torch(**changes: object) -> list[Member]:
    """Members of a booby-trapped torch zip, with changes to ``data.pkl``'s member."""
    members = [Member(name, data) for name, data in torch_members(_EVIL_TORCH)]
    for key, value in changes.items():
        setattr(members[0], key, value)
    return members


def _case(name: str, technique: str, data: bytes, source: str = "own", label: str = "malicious") -> Case:
    return Case(name, data, technique, label=label, source=source)


def _headers() -> Iterator[Case]:
    yield _case("torch-plain.pt", "zip-torch", build(_torch()))
    yield _case("torch-deflated.pt", "zip-torch", build(_torch(method=8)))
    yield _case(
        "zip-local-name-differs.pt",
        "zip-name-mismatch",
        build(_torch(local={"name": "archive/datap.kl"})),
        "CVE-2025-1944, GHSA-7q5r-7gvp-wc82",
    )
    hidden = _torch(central={"name": "archive/README.md"})
    yield _case("zip-central-name-harmless.pt", "zip-name-mismatch", build(hidden))
    for bit in (0x1, 0x20, 0x40, 0x2000):
        yield _case(
            f"zip-flag-{bit:#x}-central.pt",
            "zip-flag-bits",
            build(_torch(central={"flags": bit})),
            "CVE-2025-1945, GHSA-w8jq-xcqf-f792",
        )
    yield _case("zip-flag-0x1-local.pt", "zip-flag-bits", build(_torch(local={"flags": 1})), "CVE-2025-1945, GHSA-w8jq-xcqf-f792")
    both = {"flags": 1}
    yield _case(
        "zip-flag-0x1-both.pt", "zip-flag-bits", build(_torch(local=both, central=both)), "CVE-2025-1945, GHSA-w8jq-xcqf-f792"
    )
    yield _case(
        "zip-crc-wrong.pt", "zip-crc", build(_torch(local={"crc": 7}, central={"crc": 7})), "CVE-2025-10156, GHSA-mjqp-26hc-grxg"
    )
    yield _case("zip-crc-local-wrong.pt", "zip-crc", build(_torch(local={"crc": 7})), "CVE-2025-10156, GHSA-mjqp-26hc-grxg")
    small = {"usize": 10, "csize": 10}
    yield _case("zip-sizes-local-small.pt", "zip-sizes", build(_torch(local=small)))
    yield _case("zip-sizes-central-usize-small.pt", "zip-sizes", build(_torch(method=8, central={"usize": 3})))
    yield _case("zip-sizes-central-huge.pt", "zip-sizes", build(_torch(central={"usize": 0xFFFFFFF0, "csize": 0xFFFFFFF0})))
    yield _case("zip-sizes-local-zero.pt", "zip-sizes", build(_torch(local={"usize": 0, "csize": 0, "crc": 0})))
    descriptor = b"PK\x07\x08" + bytes(12)
    streamed = _torch(local={"usize": 0, "csize": 0, "crc": 0, "flags": 8}, central={"flags": 8}, after=descriptor)
    yield _case("zip-data-descriptor.pt", "zip-sizes", build(streamed))
    yield _case("zip-method-central-stored.pt", "zip-method", build(_torch(method=8, central={"method": 0})))
    yield _case("zip-method-local-unknown.pt", "zip-method", build(_torch(local={"method": 99})))
    yield _case("zip-method-central-unknown.pt", "zip-method", build(_torch(central={"method": 99})))
    for number, name, packed in ((12, "bzip2", bz2.compress(_EVIL_TORCH)), (93, "zstd", zstandard.compress(_EVIL_TORCH))):
        yield _case(f"zip-method-{name}.pt", "zip-method", build(_torch(method=number, packed=packed)))
    raw = lzma.compress(_EVIL_TORCH, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA1, "preset": 6}])
    properties = b"\x09\x14\x05\x00\x5d\x00\x00\x80\x00"
    yield _case("zip-method-lzma.pt", "zip-method", build(_torch(method=14, packed=properties + raw)))
    locked: dict[str, object] = {"flags": 1}
    member = Member("data.pkl", EVIL, packed=encrypt(EVIL, b"infected"), local=locked, central=locked)
    yield _case("zip-encrypted.zip", "encrypted-member", build([member]))
    tail = Member("archive/data.pkl", BENIGN, method=8, packed=None, after=EVIL)
    yield _case("zip-bytes-after-member.pt", "zip-gap-data", build([tail]))


def _directory() -> Iterator[Case]:
    good = [Member(name, data) for name, data in torch_members(_GOOD_TORCH)]
    evil = Member("archive/data.pkl", _EVIL_TORCH)
    yield _case("zip-duplicate-evil-last.pt", "zip-duplicate-member", build([*good, evil]))
    yield _case("zip-duplicate-evil-first.pt", "zip-duplicate-member", build([evil, *good]))
    yield _case("zip-duplicate-case.pt", "zip-duplicate-member", build([*good, Member("archive/DATA.PKL", _EVIL_TORCH)]))
    unlisted = Member("archive/data.pkl", _EVIL_TORCH, listed=False)
    yield _case("zip-orphan-local-first.pt", "zip-unlisted-member", build([unlisted, *good]))
    yield _case("zip-orphan-local-last.pt", "zip-unlisted-member", build([*good, unlisted]))
    yield _case("zip-count-zero.pt", "zip-end-record", build(_torch(), count=0))
    yield _case("zip-count-one.pt", "zip-end-record", build([*good[1:], evil], count=1))
    yield _case(
        "zip-two-names-one-offset.pt",
        "zip-overlap",
        build([evil, Member("archive/notes.txt", _EVIL_TORCH, present=False, offset=0)]),
    )
    yield _case("zip-no-central-directory.pt", "zip-truncated", build(_torch())[:-380])
    yield _case("zip-end-record-cut.pt", "zip-truncated", build(_torch())[:-9])
    yield _case("zip-multi-disk.pt", "zip-end-record", build(_torch(), disk=1))
    yield _case("zip64-end-record.pt", "zip64", build(_torch(), zip64=(6, -1)))
    yield _case("zip64-count-lie.pt", "zip64", build(_torch(), zip64=(0, -1)))
    yield _case("zip64-offset-lie.pt", "zip64", build(_torch(), zip64=(6, 1 << 60)))
    extra = b"\x01\x00\x10\x00" + len(_EVIL_TORCH).to_bytes(8, "little") * 2
    wide: dict[str, object] = {"usize": 0xFFFFFFFF, "csize": 0xFFFFFFFF, "extra": extra}
    yield _case("zip64-member-sizes.pt", "zip64", build(_torch(local=wide, central=wide)))
    yield _case(
        "zip-unicode-path-extra.pt",
        "zip-name-mismatch",
        build(_torch(central={"name": "archive/readme.txt", "extra": _unicode_path()})),
    )
    yield _case(
        "zip-extra-field-pickle.pt",
        "zip-gap-data",
        build([*good[:-1], Member("archive/x", b"", central={"extra": b"\xfe\xca" + len(EVIL).to_bytes(2, "little") + EVIL})]),
        label="code-carrying",
    )


def _unicode_path() -> bytes:
    name = b"archive/data.pkl"
    body = b"\x01" + bytes(4) + name
    return b"up" + len(body).to_bytes(2, "little") + body


def _around() -> Iterator[Case]:
    good = [Member(name, data) for name, data in torch_members(_GOOD_TORCH)]
    hostile = build(_torch())
    yield _case("zip-pickle-before.pt", "zip-prefix", build(good, prefix=EVIL))
    yield _case("zip-pickle-before-unadjusted.pt", "zip-prefix", build(good, prefix=EVIL, adjust=False))
    yield _case("zip-script-before.pt", "zip-prefix", build(_torch(), prefix=b"#!/bin/sh\necho toadstone-inert; exit\n"))
    yield _case("zip-pickle-after.pt", "zip-suffix", build(good, suffix=EVIL))
    yield _case("zip-pickle-in-comment.pt", "zip-comment", build(good, comment=EVIL), label="code-carrying")
    yield _case("zip-zip-in-comment.pt", "zip-comment", build(good, comment=hostile))
    yield _case("zip-comment-size-lie.pt", "zip-comment", build(_torch(), comment=b"x" * 40, comment_size=2))
    yield _case("zip-fake-end-record.pt", "zip-comment", build(_torch(), comment=b"PK\x05\x06" + bytes(18)))
    yield _case("zip-two-archives.pt", "zip-concatenated", build(good) + hostile)
    yield _case("zip-two-archives-evil-first.pt", "zip-concatenated", hostile + build(good))
    yield _case("zip-gap-before-central.pt", "zip-gap-data", build(good, before_central=EVIL))
    with_gap = [good[0], Member("archive/byteorder", b"little", before=EVIL_2), *good[2:]]
    yield _case("zip-gap-between-members.pt", "zip-gap-data", build(with_gap))


def _names() -> Iterator[Case]:
    good = torch_members(_GOOD_TORCH)
    placed = {
        "uppercase": "archive/DATA.PKL",
        "second-folder": "zzz/data.pkl",
        "root": "data.pkl",
        "json-extension": "archive/config.json",
        "txt-extension": "archive/notes.txt",
        "no-extension": "archive/payload",
        "hidden": "archive/.data/payload.pkl",
        "deep": "archive/" + "d/" * 40 + "data.pkl",
        "nul": "archive/data.pkl\x00.txt",
        "trailing-space": "archive/data.pkl ",
        "trailing-dot": "archive/data.pkl.",
        "backslash": "archive\\data.pkl",
        "right-to-left": "archive/data\u202elkp.txt",
        "absolute": "/etc/cron.d/toadstone-inert",
        "parent": "../../../../tmp/toadstone-inert.pkl",
        "drive": "C:\\Windows\\toadstone-inert.pkl",
        "constants": "archive/constants.pkl",
        "extra": "archive/extra/hook.pkl",
        "python": "archive/code/__torch__/hook.pkl",
    }
    for kind, name in placed.items():
        source = {"json-extension": "GHSA-769v-p64c-89pr", "txt-extension": "GHSA-769v-p64c-89pr"}.get(kind, "own")
        yield _case(f"zip-name-{kind}.pt", "zip-odd-name", plain([*good, (name, EVIL)]), source)
    swapped = [(name, EVIL if name.endswith("/version") else data) for name, data in good]
    yield _case("torch-pickle-in-version.pt", "zip-torch-odd-member", plain(swapped))
    stored = [(name, EVIL if name.endswith("data/1") else data) for name, data in good]
    yield _case("torch-pickle-in-storage.pt", "zip-torch-odd-member", plain(stored), label="code-carrying")
    folder = [Member(name, data) for name, data in good] + [Member("archive/data.pkl/", EVIL)]
    yield _case("zip-directory-with-data.pt", "zip-directory-entry", build(folder))
    link = [*(Member(name, data) for name, data in good), Member("archive/data/2", b"/etc/passwd", attributes=_LINK)]
    yield _case("zip-symlink-out.pt", "zip-symlink", build(link))
    through = [Member("out", b"/root", attributes=_LINK), Member("out/.bashrc", b"echo toadstone-inert\n")]
    yield _case("zip-write-through-symlink.zip", "zip-symlink", build(through))


def _tar(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _nested() -> Iterator[Case]:
    inner = plain(torch_members(_EVIL_TORCH))
    two = plain([("model.pt", inner)])
    three = plain([("weights.bin", two), ("readme.txt", b"hello\n")], method=8)
    yield _case("nested-zip-2.zip", "nested-archive", two)
    yield _case("nested-zip-3.zip", "nested-archive", three)
    yield _case("nested-zip-4.zip", "nested-archive", plain([("a/b.dat", three)]))
    yield _case("nested-zip-tar-gz.zip", "nested-archive", plain([("m.tar.gz", gzip.compress(_tar("model.pkl", EVIL), mtime=0))]))
    yield _case("nested-tar-xz-zip.tar", "nested-archive", _tar("m.xz", lzma.compress(plain([("x.pkl", EVIL)]))))
    npz = plain([("arr_0.npy", float_npy()), ("arr_1.npy", object_npy())])
    yield _case("nested-zip-npz-zip.zip", "nested-archive", plain([("data.npz", plain([("inner.zip", npz)]))]))
    yield _case(
        "nested-keras-npz.keras",
        "nested-archive",
        plain([("config.json", b"{}"), ("metadata.json", b"{}"), ("model.weights.npz", npz)]),
    )
    yield _case("nested-gz-gz-bz2.gz", "nested-archive", gzip.compress(gzip.compress(bz2.compress(EVIL), mtime=0), mtime=0))
    yield _case("nested-zip-in-storage.pt", "nested-archive", plain([*torch_members(_GOOD_TORCH), ("archive/data/9", two)]))
    mar = plain(
        [
            ("MAR-INF/MANIFEST.json", b'{"model": {"serializedFile": "model.pt", "handler": "handler.py"}}'),
            ("model.pt", inner),
            ("handler.py", b"import os\nos.system('echo toadstone-inert')\n"),
        ]
    )
    yield _case("torchserve.mar", "nested-archive", mar)


def cases() -> Iterator[Case]:
    """All zip cases."""
    yield from _headers()
    yield from _directory()
    yield from _around()
    yield from _names()
    yield from _nested()
