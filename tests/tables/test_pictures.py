"""Images: arrays in NPZ, folders with one sub-folder a class, files that rows name."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from toadstone.study.pictures import BLANK, GRID
from toadstone.study.small import study_of
from toadstone.tables.attached import read, with_bytes
from toadstone.tables.guess import guess_roles
from toadstone.tables.open import open_dataset
from toadstone.tables.roles import Roles
from toadstone.views.decode import HUGE, MISSING, NO_DECODER, STRANGE, decoded
from toadstone.views.pixels import Pixels, resized


def png(grey: np.ndarray, size: tuple[int, int] | None = None) -> bytes:
    """A grey PNG; ``size`` is what it claims instead of its own."""
    height, width = size or grey.shape
    rows = b"".join(b"\0" + row.tobytes() for row in grey)

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("x", np.zeros((6, 8, 8), np.uint8)),
        ("x_train", np.zeros((6, 9, 8, 3), np.uint8)),
        ("images", np.zeros((6, 8, 8, 1), np.float32)),
        ("x", np.zeros((6, 3, 8, 8), np.float32)),
    ],
)
def test_arrays_of_images_are_recognised(tmp_path, name, values):
    path = tmp_path / "set.npz"
    np.savez(path, **{name: values, "y": np.arange(6) % 2})
    dataset = open_dataset(path)
    roles = guess_roles(dataset, Roles())
    assert (roles.image, roles.label) == ("image", "y")


def test_a_folder_with_a_sub_folder_a_class(tmp_path):
    for label in ("cat", "dog"):
        Path(tmp_path, label).mkdir()
        for number in range(3):
            Path(tmp_path, label, f"{number}.png").write_bytes(png(np.full((8, 8), 40 * number, np.uint8)))
    dataset = open_dataset(tmp_path)
    assert dataset.kind == "images"
    table = pa.Table.from_batches([batch for fragment in dataset.fragments for batch in fragment.batches()])
    assert table["label"].to_pylist() == ["cat"] * 3 + ["dog"] * 3
    assert table["image"].to_pylist()[1]["path"] == "cat/1.png"


def test_names_never_lead_out_of_the_folder(tmp_path):
    inside = tmp_path / "set"
    inside.mkdir()
    (tmp_path / "secret.png").write_bytes(b"secret")
    (inside / "good.png").write_bytes(b"good")
    (inside / "link.png").symlink_to(tmp_path / "secret.png")
    for name in ("../secret.png", str(tmp_path / "secret.png"), "link.png", "file:///secret.png"):
        content, reason = read(str(inside), name)
        assert content is None
        assert "outside" in reason
    column, reasons = with_bytes(pa.array(["good.png", "gone.png", None]), str(inside))
    assert [row["bytes"] for row in column.to_pylist()] == [b"good", None, None]
    assert len(reasons) == 1


def test_what_cannot_be_decoded_says_why():
    assert decoded(None)[1] == MISSING
    assert decoded(b"no image at all")[1] in (STRANGE, NO_DECODER)
    assert decoded(png(np.zeros((8, 8), np.uint8), (60_000, 60_000)))[1] in (HUGE, NO_DECODER)


def test_areas_keep_the_mean():
    images = np.random.default_rng(0).integers(0, 256, (3, 50, 70, 3)).astype(np.float32)
    small = resized(images, 20, 28)
    assert small.shape == (3, 20, 28, 3)
    assert np.allclose(small.mean((1, 2)), images.mean((1, 2)), atol=0.01)


def test_numbers_of_every_scale_become_bytes():
    values = np.random.default_rng(0).random((40, 8, 8), np.float32)
    grids = []
    for scaled in (values, values * 255):
        kind = pa.fixed_shape_tensor(pa.float32(), (8, 8))
        storage = pa.FixedSizeListArray.from_arrays(pa.array(scaled.ravel()), 64)
        table = pa.table({"image": pa.ExtensionArray.from_storage(kind, storage), "label": ["a", "b"] * 20})
        study = study_of(table, [Pixels()], roles=Roles(image="image", label="label"))
        assert not study.column(BLANK).any()
        assert study.has("vectors")
        grids.append(study.column(GRID))
    assert np.abs(grids[0].astype(int) - grids[1]).max() <= 1


def test_rows_without_an_image_are_blank_and_no_crash():
    study = study_of(
        pa.table({"image": pa.array([b"broken", None] * 30, pa.binary()), "label": ["a", "b"] * 30}),
        [Pixels()],
        roles=Roles(image="image", label="label"),
    )
    assert not study.has("vectors")
    assert len(study.troubles) == 30


def test_a_folder_with_one_class_has_a_label(tmp_path):
    Path(tmp_path, "cat").mkdir()
    for number in range(3):
        Path(tmp_path, "cat", f"{number}.png").write_bytes(png(np.full((8, 8), 40 * number, np.uint8)))
    dataset = open_dataset(tmp_path)
    table = pa.Table.from_batches([batch for fragment in dataset.fragments for batch in fragment.batches()])
    assert table["label"].to_pylist() == ["cat"] * 3
