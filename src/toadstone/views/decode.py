"""Encoded images as arrays, within bounds: nothing larger than `MOST` pixels is unpacked, nothing damaged goes further.

Pillow decodes (extra ``images``). It is asked for the formats of `FORMATS` only: it knows some forty, most of them long unused
and rarely tested.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 1 << 25
"""Pixels of an image that is decoded."""
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
SIDE = 64
"""A JPEG is decoded at the smallest of its sizes whose sides are twice this."""

FINE, MISSING, DAMAGED, HUGE, STRANGE, NO_DECODER = range(6)
FAULTS = {
    DAMAGED: "an image is damaged or cut short; it was not looked at",
    HUGE: f"an image claims more than {MOST >> 20} million pixels; it was not unpacked",
    STRANGE: "a value of the image column is no image that can be read; it was not looked at",
    NO_DECODER: "encoded images need Pillow: pip install 'toadstone[images]'",
}
"""What a person has to know of each fault; a missing image is none."""

Image = NDArray[np.uint8]
_EMPTY = np.zeros((0, 0, 1), np.uint8)


def decoded(raw: bytes | None) -> tuple[Image, int]:
    """Decode one image.

    Args:
        raw: The file's bytes; None: there is no image.

    Returns:
        uint8, shape (height, width, 1 or 3), empty when it cannot be read; and the fault. Of several frames the first.
    """
    if not raw:
        return _EMPTY, MISSING
    try:
        import PIL  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415  (an extra)
        import PIL.Image  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
    except ImportError:
        return _EMPTY, NO_DECODER
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bombs (their size is checked here) and of broken metadata
            with PIL.Image.open(BytesIO(raw), formats=FORMATS) as image:
                if image.format == "JPEG":
                    image.draft(image.mode, (2 * SIDE, 2 * SIDE))
                if image.width * image.height > MOST:
                    return _EMPTY, HUGE
                return _array(image), FINE
    except PIL.Image.DecompressionBombError:
        return _EMPTY, HUGE
    except PIL.UnidentifiedImageError:
        return _EMPTY, STRANGE
    except (OSError, EOFError, ValueError, TypeError, LookupError, SyntaxError, ArithmeticError, AttributeError):
        return _EMPTY, DAMAGED
    except (struct.error, zlib.error, MemoryError, RuntimeError, AssertionError):
        return _EMPTY, DAMAGED


def _array(image: Any) -> Image:  # noqa: ANN401  (Pillow's image)
    """Give the pixels: grey where there is no colour, else RGB; sixteen bits are cut to eight."""
    mode = image.mode
    if mode.startswith(("I", "F")):
        values = np.asarray(image, np.float64)
        most = float(values.max(initial=0.0))
        scale = 255.0 if most <= 1.0 else 1.0 if most < 256.0 else 1 / 257.0
        return np.asarray(np.clip(values * scale, 0, 255).astype(np.uint8)[:, :, None])
    if mode in ("1", "L", "LA"):
        return np.asarray(image.convert("L"), np.uint8)[:, :, None]
    return np.asarray(image.convert("RGB"), np.uint8)
