"""What `export` writes is the layout of c2sp.org/tlog-tiles: read here by code that knows nothing of the ledger's."""

from __future__ import annotations

import base64
import hashlib
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.ledger.writer import made, needed
from toadstone.core.merkle import leaf_hash
from toadstone.ledger.errors import BrokenError, LedgerError
from toadstone.ledger.tiles import tile_path, widths


def digest(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def mth(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, over leaf hashes."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return digest(b"\x01", mth(hashes[:split]), mth(hashes[split:]))


def path_of(level: str, number: int, width: int) -> str:
    """``<prefix>/tile/<L>/<N>[.p/<W>]``."""
    text = f"{number:03}"
    text = "0" * (-len(text) % 3) + text
    parts = [text[at : at + 3] for at in range(0, len(text), 3)]
    return (
        f"tile/{level}/" + "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]]) + ("" if width == 256 else f".p/{width}")
    )


def read_all(folder: Path, verifier: str) -> list[bytes]:
    """Read a log from its specification; every hash of every tile is looked at."""
    name, number, encoded = verifier.split("+", 2)
    public = base64.b64decode(encoded)
    assert public[0] == 1
    note = (folder / "checkpoint").read_bytes()
    text, _, signatures = note.rpartition(b"\n\n")
    text += b"\n"
    mark, signer, signature = signatures.decode().rstrip("\n").split(" ")
    raw = base64.b64decode(signature)
    assert (mark, signer, raw[:4].hex()) == ("\N{EM DASH}", name, number)
    Ed25519PublicKey.from_public_bytes(public[1:]).verify(raw[4:], text)
    origin, count, root = text.decode().splitlines()
    assert origin == name
    size = int(count)
    entries: list[bytes] = []
    while len(entries) < size:
        width = min(256, size - len(entries))
        bundle = (folder / path_of("entries", len(entries) // 256, width)).read_bytes()
        for _ in range(width):
            length = int.from_bytes(bundle[:2], "big")
            entries.append(bundle[2 : 2 + length])
            assert len(entries[-1]) == length
            bundle = bundle[2 + length :]
        assert bundle == b""
    level, row = 0, [digest(b"\x00", entry) for entry in entries]
    assert base64.b64decode(root) == (mth(row) if row else digest(b""))
    while row:
        for start in range(0, len(row), 256):
            part = row[start : start + 256]
            assert (folder / path_of(str(level), start // 256, len(part))).read_bytes() == b"".join(part)
        row = [mth(row[start : start + 256]) for start in range(0, len(row) - 255, 256)]
        level += 1
    return entries


def test_paths_of_the_specification():
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067" == path_of("0", 1234067, 256)
    assert tile_path("entries", 5, 17) == "tile/entries/005.p/17"
    assert [(number, path_of("1", number, 9)) for number in (0, 999, 1000, 10**9)] == [
        (number, tile_path(1, number, 9)) for number in (0, 999, 1000, 10**9)
    ]
    assert list(widths(70_000)) == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert list(widths(256)) == [(0, 1, 0), (1, 0, 1)]
    assert list(widths(0)) == []


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 700])
def test_another_reader_reads_it(place, tmp_path, size):
    with place.create(size, step=256) as ledger:
        ledger.export(tmp_path / "copy")
        assert read_all(tmp_path / "copy", str(ledger.verifier)) == [entry.envelope for entry in ledger.entries()]


def test_a_copy_grows_and_is_otherwise_left_alone(place, tmp_path):
    with place.create(200) as ledger:
        copy = tmp_path / "copy"
        assert ledger.export(copy) == 3
        assert ledger.export(copy) == 0
        before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
        ledger.extend([made(number) for number in range(200, 300)])
        assert ledger.export(copy) == 6
        read_all(copy, str(ledger.verifier))
        for path, content in before.items():
            assert path.name == "checkpoint" or path.read_bytes() == content
        (copy / "tile" / "0" / "000").write_bytes(b"x")
        with pytest.raises(BrokenError, match="is not what the ledger has; it was left as it is"):
            ledger.export(copy)
        (tmp_path / "file").touch()
        with pytest.raises(LedgerError, match="cannot be"):
            ledger.export(tmp_path / "file")


def test_what_does_not_hold_is_not_handed_on(place, tmp_path):
    with place.create(10) as ledger:
        place.sql("UPDATE entry SET envelope = ? WHERE number = 3", b"{}")
        with pytest.raises(BrokenError, match="entry 3 was changed"):
            ledger.export(tmp_path)
        place.sql("DELETE FROM entry WHERE number = 3")
        with pytest.raises(BrokenError, match="entry 3 is missing"):
            ledger.export(tmp_path)
        raw = place.cell("SELECT envelope FROM entry WHERE number = 4")
        place.sql("INSERT INTO entry VALUES (3, ?, ?)", leaf_hash(raw), raw)
        with pytest.raises(BrokenError, match="is not what its last checkpoint says"):
            ledger.export(tmp_path)
        assert not [path for path in tmp_path.rglob("*") if "tile" in path.name]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="aics-tlog needs Python 3.12")
def test_another_implementation_verifies_it(sqlite, tmp_path):
    """aics-tlog, an implementation of tlog-tiles, checkpoints and notes by others."""
    needed("aics_tlog")
    import aics_tlog

    with sqlite.create(600, step=100) as ledger:
        ledger.export(tmp_path / "copy")
        verifier = str(ledger.verifier)
        entries = [entry.envelope for entry in ledger.entries()]
    note = aics_tlog.parse_note((tmp_path / "copy" / "checkpoint").read_bytes())
    head = aics_tlog.verify_checkpoint(note, aics_tlog.parse_vkey(verifier))
    assert (head.ok, head.log_ok, head.size, head.error) == (True, True, 600, None)
    reader = aics_tlog.FileSystemTileReader(tmp_path / "copy")
    assert aics_tlog.tree_root_from_tiles(reader, 600) == head.root
    for index in (0, 255, 256, 599):
        proof = aics_tlog.inclusion_proof_from_tiles(reader, index, 600)
        assert aics_tlog.read_entry(reader, index, 600) == entries[index]
        assert aics_tlog.verify_inclusion(aics_tlog.leaf_hash(entries[index]), index, 600, proof, head.root)
