"""Keras models: ``.keras`` archives, model configurations as JSON, and the configurations inside ``.h5`` files.

The ``.h5`` container itself is read by `toadstone.readers.hdf5`, which hands ``model_config`` and ``training_config`` on to
the reader ``keras-config`` of this package. How a configuration becomes objects follows ``keras/src/saving`` (Keras 3.0 to
3.15) and ``keras/src/legacy/saving`` (Keras 1 and 2, which ``.h5`` files still use): what any of these versions would
import, call or read is reported.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.reader import Reader, Source
from toadstone.readers.zip import open_zip

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from toadstone.readers.zip import Entry

_LIMIT = 64 << 20
_BLANK = b" \t\r\n\xef\xbb\xbf\xff\xfe\0"
_NEEDLES = (
    b"class_name",
    b"keras_version",
    b"\\u00",
    *(gap.join(word) for gap in (b"\0", b"\0\0\0") for word in ((b"c", b"l", b"a", b"s", b"s"), (b"\\", b"u", b"0"))),
)
"""What a key can look like in the encodings and with the escapes that JSON parsers accept."""

_WEIGHTS = ("model.weights.h5", "model.weights.npz", "model.weights.json")


def claims_config(source: Source) -> bool:
    """Whether JSON of an object begins here and mentions what a Keras configuration must mention."""
    if not source.head(64).lstrip(_BLANK).startswith(b"{"):
        return False
    kept = b""
    for piece in source.blob.chunks():
        window = kept + piece
        if any(needle in window for needle in _NEEDLES):
            return True
        kept = piece[-16:]
    return False


def read_config(source: Source) -> Iterator[Fact]:
    """Give the facts of a model or training configuration in JSON."""
    from toadstone.readers.bounded_json import JsonError, parse  # noqa: PLC0415  (start-up time)
    from toadstone.readers.keras.config import Config  # noqa: PLC0415

    hinted = source.hint == "keras-config"
    if source.blob.size > _LIMIT:
        yield source.unread(f"a configuration of {source.blob.size:,} bytes is more than any real one")
        return
    try:
        document = parse(source.blob.read(0, source.blob.size))
    except JsonError as error:
        # Other text may look alike; but what a parser refuses for its size or depth must not pass as plain text.
        if hinted or "nested" in str(error) or "memory" in str(error):
            yield source.unread(f"the Keras configuration cannot be read: {error}")
        return
    config = Config(source, document.root)
    if not hinted and not config.keras:
        return
    source.coverage.read(0, source.blob.size)
    for key in document.repeated:
        yield source.anomaly("ambiguous-record", f"the key {key[:80]!r} occurs twice in one object")
    yield from config.facts()


def claims_archive(source: Source) -> bool:
    """Whether the source is a zip with what only a ``.keras`` archive has."""
    if not source.head(2).startswith(b"PK"):
        return False
    archive = open_zip(source)
    if not archive.named("config.json"):
        return False
    return source.suffix == ".keras" or any(archive.named(name) for name in (*_WEIGHTS, "metadata.json"))


def read_archive(source: Source) -> Iterator[Fact]:
    """Give the facts of a ``.keras`` archive: its configuration first, then weights, assets and whatever else is inside."""
    archive = open_zip(source)
    for entry in archive.named("config.json"):
        yield from archive.member(source, entry, hint="keras-config")
    yield from archive.facts(source, _hint)


def _hint(entry: Entry) -> str:
    """Keras opens these members as what their name says."""
    return "keras-config" if entry.name == "metadata.json" else ""


_MARKS = tuple((0, bytes([byte])) for byte in sorted({*_BLANK, *b"{"}))

READERS = (
    Reader(kind="keras", read=read_archive, marks=((0, b"PK"),), claims=claims_archive, rank=8),
    Reader(kind="keras-config", read=read_config, marks=_MARKS, claims=claims_config, rank=40),
)
