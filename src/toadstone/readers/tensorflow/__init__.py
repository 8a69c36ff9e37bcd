"""TensorFlow: SavedModels, graphs and meta graphs (binary and as text), checkpoints and their indexes.

A graph is data to TensorFlow, but some of its operators act outside it: they read and write files, call Python functions of
the process, open connections. These are reported with the text that reaches them, through other operators and through calls of
functions, and with the moment: what initialises a model runs while it is loaded. Keras configurations inside are read by the
reader of Keras. Source: ``tensorflow/core/{framework,protobuf,ops}`` of TensorFlow 2.21, from which the tables are made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.protobuf import LENGTH, VARINT, Field, WireError, fields, text
from toadstone.readers.reader import Reader, Source

_LOOKED_AT = 4096
_NAMED = frozenset({".pb", ".meta"})
_OPERATOR = re.compile(r"[A-Za-z_>][\w>./\\-]{0,200}")
_NODE = re.compile(r"[^\x00-\x1f]{1,2000}")
_GRAPH = {1: LENGTH, 2: LENGTH, 3: VARINT, 4: LENGTH, 5: LENGTH}
_META = dict.fromkeys(range(1, 8), LENGTH)
_SAVED = {1: VARINT, 2: LENGTH}


def root_of(source: Source) -> str:
    """Say which message the bytes are: ``SavedModel``, ``MetaGraphDef``, ``GraphDef``, or none (empty)."""
    if source.head(1) not in b"\x08\x0a\x12\x1a\x22" or not source.head(1):
        return ""
    named = source.suffix in _NAMED
    for root, shape, fits in (("SavedModel", _SAVED, _saved), ("MetaGraphDef", _META, _meta), ("GraphDef", _GRAPH, _graph)):
        if _shaped(source, shape, fits, named=named):
            return root
    return ""


def _shaped(source: Source, shape: dict[int, int], fits: object, *, named: bool) -> bool:
    """Whether all fields are those of a message, and one has what it must have; under a telling name that one is enough."""
    cursor = Cursor(source.blob, step=1024)
    seen = False
    try:
        for count, field in enumerate(fields(cursor, source.blob.size)):
            if shape.get(field.number) != field.wire:
                return False
            if not seen and callable(fits) and fits(source, field):
                seen = True
            if seen and (named or count > _LOOKED_AT):
                return True
            if count > _LOOKED_AT:
                return False
    except (WireError, ShortError):
        return False
    return seen


def _inner(source: Source, field: Field, shape: dict[int, int], most: int = 64) -> Iterator[Field]:
    """Yield the first fields of a message inside, as long as they are of the right shape."""
    cursor = Cursor(source.blob, field.value, field.stop, step=1024)
    try:
        for count, inner in enumerate(fields(cursor, field.stop)):
            if shape.get(inner.number) != inner.wire or count > most:
                return
            yield inner
    except (WireError, ShortError):
        return


def _saved(source: Source, field: Field) -> bool:
    return field.number == 2 and any(_meta(source, inner) for inner in _inner(source, field, _META))


def _meta(source: Source, field: Field) -> bool:
    return field.number == 2 and any(_graph(source, inner) for inner in _inner(source, field, _GRAPH))


def _graph(source: Source, field: Field) -> bool:
    """Whether a field is a node, or a library whose first function has a signature."""
    cursor = Cursor(source.blob, field.value, field.stop, step=256)
    if field.number == 1:
        names = {inner.number: text(cursor, inner, 2048) for inner in _inner(source, field, dict.fromkeys(range(1, 8), LENGTH))}
        return bool(_NODE.fullmatch(names.get(1, "")) and _OPERATOR.fullmatch(names.get(2, "")))
    if field.number != 2:
        return False
    for function in _inner(source, field, {1: LENGTH, 2: LENGTH, 3: LENGTH}, 1):
        for signature in _inner(source, function, dict.fromkeys(range(1, 9), LENGTH), 1):
            for name in _inner(source, signature, {1: LENGTH}, 1):
                return bool(_NODE.fullmatch(text(cursor, name, 2048)))
    return False


def claims(source: Source) -> bool:
    """Whether it is a SavedModel, a graph or a meta graph; remembers which."""
    source.shared["tensorflow"] = root = root_of(source)
    return bool(root)


def read(source: Source) -> Iterator[Fact]:
    """Read a SavedModel, a graph or a meta graph."""
    from toadstone.readers.flood import thinned  # noqa: PLC0415  (as all below: not at start-up)
    from toadstone.readers.tensorflow.model import Model  # noqa: PLC0415

    root = source.shared.get("tensorflow") or root_of(source)
    if isinstance(root, str) and root:
        source.notes["kind"] = {"SavedModel": "tensorflow-saved-model", "MetaGraphDef": "tensorflow-meta-graph"}.get(
            root, "tensorflow-graph"
        )
        yield from thinned(source, Model(source, root).read())


def _is_text(source: Source) -> bool:
    return b"\0" not in source.head() and source.suffix in (".pbtxt", ".prototxt", ".textproto")


def read_text(source: Source) -> Iterator[Fact]:
    """Read a graph, meta graph or SavedModel in text form; other text under these names is left to the reader of text."""
    from toadstone.readers.tensorflow.text_form import TextModel  # noqa: PLC0415

    yield from TextModel(source).read()


def _is_metadata(source: Source) -> bool:
    return source.name.rpartition("/")[2] == "keras_metadata.pb"


def read_metadata(source: Source) -> Iterator[Fact]:
    """Read ``keras_metadata.pb``: the configurations of the Keras objects of a SavedModel."""
    from toadstone.readers.tensorflow.companions import metadata  # noqa: PLC0415

    yield from metadata(source)


def _is_fingerprint(source: Source) -> bool:
    return source.name.rpartition("/")[2] == "fingerprint.pb" and source.blob.size < 4096


def read_fingerprint(source: Source) -> Iterator[Fact]:
    """Read ``fingerprint.pb``: numbers only."""
    from toadstone.readers.tensorflow.companions import fingerprint  # noqa: PLC0415

    yield from fingerprint(source)


def _is_index(source: Source) -> bool:
    size = source.blob.size
    return size >= 48 and source.blob.read(size - 8, 8) == b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"


def read_index(source: Source) -> Iterator[Fact]:
    """Read the index of a checkpoint: a table of tensors with their places in the data files."""
    from toadstone.readers.tensorflow.bundle import index  # noqa: PLC0415

    yield from index(source)


def _is_state(source: Source) -> bool:
    return source.name.rpartition("/")[2] == "checkpoint" and source.head(64).lstrip().startswith(b"model_checkpoint_path:")


def read_state(source: Source) -> Iterator[Fact]:
    """Read the ``checkpoint`` file of a folder: it names the checkpoint that is restored."""
    from toadstone.readers.tensorflow.companions import state  # noqa: PLC0415

    yield from state(source)


_MARKS = ((0, b"\x08"), (0, b"\x0a"), (0, b"\x12"), (0, b"\x1a"), (0, b"\x22"))
"""Tags of the first field."""

READERS = (
    Reader(kind="tensorflow-graph", read=read, suffixes=(".pb", ".meta"), marks=_MARKS, claims=claims, rank=40),
    Reader(kind="tensorflow-text", read=read_text, suffixes=(".pbtxt", ".prototxt", ".textproto"), claims=_is_text, rank=60),
    Reader(kind="keras-metadata", read=read_metadata, suffixes=("keras_metadata.pb",), claims=_is_metadata, rank=30),
    Reader(kind="tensorflow-fingerprint", read=read_fingerprint, suffixes=("fingerprint.pb",), claims=_is_fingerprint, rank=60),
    Reader(kind="tensorflow-index", read=read_index, suffixes=(".index",), marks=((0, b"\0\0"),), claims=_is_index, rank=40),
    Reader(kind="tensorflow-state", read=read_state, suffixes=("checkpoint",), claims=_is_state, rank=60),
)
