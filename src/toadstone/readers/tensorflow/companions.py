"""Small files that lie next to a SavedModel or a checkpoint."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.blob import BytesBlob
from toadstone.core.fact import Fact, Link, Setting
from toadstone.readers.messages import Found, Reading, Table, table, text_of
from toadstone.readers.reader import Source
from toadstone.readers.tensorflow.model import MESSAGES

_METADATA: Table = {
    "SavedMetadata": {1: ("nodes", "SavedObject")},
    "SavedObject": {
        1: ("identifier_legacy", "bytes"),
        2: ("node_id", "int"),
        3: ("node_path", "text"),
        4: ("identifier", "text"),
        5: ("metadata", "text"),
        6: ("version", "VersionDef"),
    },
    "VersionDef": {1: ("producer", "int"), 2: ("min_consumer", "int"), 3: ("bad_consumers", "int")},
}
"""Source: ``keras/protobuf/saved_metadata.proto`` of Keras 2."""

_LIMIT = 64 << 20
_PATH = re.compile(r'^\s*(?:all_)?model_checkpoint_paths?:\s*"((?:[^"\\\n]|\\.)*)"', re.MULTILINE)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_MOST = 1 << 20


def metadata(source: Source) -> Iterator[Fact]:
    """Hand the configuration of every Keras object on."""
    reading = Reading(source, _METADATA, {"SavedObject": frozenset({"node_path", "identifier", "metadata"})}, _LIMIT)

    def saved(_kind: str, found: Found, start: int) -> Iterator[Fact]:
        text = text_of(found, "metadata")
        if text.startswith("{"):
            label = f"{text_of(found, 'node_path')[:80] or 'root'}@{start}"
            yield source.member(label, BytesBlob(text.encode("utf-8", "replace")), "keras-config")

    reading.finished = saved
    yield from reading.run("SavedMetadata")


def fingerprint(source: Source) -> Iterator[Fact]:
    """Account for the numbers."""
    yield from Reading(source, table(MESSAGES), {}).run("FingerprintDef")


def state(source: Source) -> Iterator[Fact]:
    """Report the checkpoint that is restored when it lies elsewhere on a network; its own folder is usual, even absolute."""
    text = source.blob.read(0, _MOST).decode("utf-8", "replace")
    source.coverage.inert(0, len(text.encode("utf-8", "replace")) if source.blob.size > _MOST else source.blob.size)
    for path in list(dict.fromkeys(_PATH.findall(text)))[:64]:
        yield Setting(source.place, "tensorflow", "model_checkpoint_path", path[:400])
        if _ADDRESS.match(path) and not path.startswith(("gs://", "s3://", "hdfs://")):
            yield Link(source.place, path[:1000], "read-on-load", escapes=True)
