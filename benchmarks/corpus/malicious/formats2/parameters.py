"""Parameters: MessagePack (Flax, msgpack_numpy, thinc), spaCy pipelines, Zarr chunks, word vectors."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.hosts import EVIL, WEIGHTS
from benchmarks.corpus.malicious.payloads import CODES, COMMANDS, NESTED


@dataclass(frozen=True)
class Extension:
    """An extension of MessagePack."""

    kind: int
    data: bytes


def pack(value: Any) -> bytes:  # noqa: ANN401  (any value)
    """Write a value in MessagePack, every length in 32 bits."""
    if value is None or isinstance(value, bool):
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    if isinstance(value, int):
        return struct.pack(">Bq", 0xD3, value)
    if isinstance(value, (str, bytes)):
        raw = value.encode() if isinstance(value, str) else value
        return struct.pack(">BI", 0xDB if isinstance(value, str) else 0xC6, len(raw)) + raw
    if isinstance(value, Extension):
        return struct.pack(">BIb", 0xC9, len(value.data), value.kind) + value.data
    if isinstance(value, dict):
        return struct.pack(">BI", 0xDF, len(value)) + b"".join(pack(key) + pack(item) for key, item in value.items())
    return struct.pack(">BI", 0xDD, len(value)) + b"".join(map(pack, value))


def flax(shape: tuple[int, ...] = (8,), dtype: str = "float32", data: bytes = WEIGHTS) -> Extension:
    """An array as Flax writes it."""
    return Extension(1, pack([list(shape), dtype, data]))


def array(dtype: str = "<f4", shape: tuple[int, ...] = (8,), data: bytes = WEIGHTS, kind: bytes = b"") -> dict[bytes, Any]:
    """An array as msgpack_numpy and srsly write it."""
    return {b"nd": True, b"type": dtype, b"kind": kind, b"shape": list(shape), b"data": data}


def _messages() -> Iterator[Case]:
    good = {"params": {"dense": {"kernel": flax(), "bias": flax((2, 4))}}, "step": 3}
    bad: dict[str, Any] = {
        "flax-shape-overflow": {"params": {"w": flax((1 << 40, 1 << 30))}},
        "flax-shape-short": {"params": {"w": flax((2,))}},
        "flax-dtype-object": {"params": {"w": flax((4,), "object")}},
        "extension-pickle": {"params": {"w": Extension(42, EVIL)}},
        "binary-pickle": {"params": {"w": flax()}, "state": EVIL},
        "numpy-object": {"w": array("|O", (1,), NESTED, b"O")},
        "numpy-shape": {"w": array(shape=(1 << 30, 8))},
        "thinc-shim-pickle": {"nodes": [], "attrs": [], "params": [], "shims": [[pack({"config": {}, "state": EVIL})]]},
        "target": {"model": {"_target_": "os.system", "command": COMMANDS[0]}},
        "metadata-command": {"params": {"w": flax()}, "description": COMMANDS[1]},
        "metadata-code": {"params": {"w": flax()}, "description": CODES[0]},
    }
    for name, value in bad.items():
        yield Case(f"msgpack/{name}.msgpack", pack(value), f"msgpack-{name}")
    raws = {
        "count-huge": b"\xdd\xff\xff\xff\xff",
        "nesting": b"\x91" * 5000,
        "duplicate-key": b"\x82\xa6params\x80\xa6params\x80",
        "trailing-pickle": pack(good) + EVIL,
    }
    for name, data in raws.items():
        yield Case(f"msgpack/{name}.msgpack", data, f"msgpack-{name}")
    yield Case("msgpack/benign-flax.msgpack", pack(good), "msgpack-benign-flax", "benign", payload=False)
    yield Case(
        "msgpack/benign-numpy.msgpack", pack({"w": array(), "s": array("<U2", (4,))}), "msgpack-benign", "benign", payload=False
    )
    text = {
        "params": {"w": flax()},
        "description": "Trained for 3 epochs. Load with flax.serialization.from_bytes(target, data).",
    }
    yield Case("msgpack/benign-text.msgpack", pack(text), "msgpack-benign-text", "benign", payload=False)


PIPELINE = """[nlp]
lang = "en"
pipeline = ["ner"]
{nlp}
[nlp.tokenizer]
@tokenizers = "spacy.Tokenizer.v1"

[components.ner]
{ner}

[components.ner.model]
@architectures = "spacy.TransitionBasedParser.v2"
state_type = "ner"
"""
META = json.dumps({"lang": "en", "name": "tiny", "version": "1.0", "spacy_version": ">=3.8", "pipeline": ["ner"]}).encode()


def _pipeline(*, nlp: str = "", ner: str = 'factory = "ner"', meta: bytes = META, **files: bytes) -> dict[str, bytes]:
    config = PIPELINE.format(nlp=nlp, ner=ner).encode()
    return {"config.cfg": config, "meta.json": meta, **{name.replace("__", "/"): data for name, data in files.items()}}


def _pipelines() -> Iterator[Case]:
    callback = f'[nlp.before_creation]\n@callbacks = "setup.v1"\ncommand = {json.dumps(COMMANDS[1])}\n'
    meta = json.loads(META) | {"requirements": ["helper @ http://198.51.100.7/helper.whl"]}
    bad = {
        "callback-command": _pipeline(nlp=callback),
        "factory-command": _pipeline(ner=f'factory = "runner"\ncommand = {json.dumps(COMMANDS[3])}'),
        "source-outside": _pipeline(ner='source = "/srv/shared/model"'),
        "requirement-address": _pipeline(meta=json.dumps(meta).encode()),
        "tokenizer-endless": _pipeline(tokenizer=pack({"prefix_search": "^(a+)+$", "exceptions": {}})),
        "model-pickle": _pipeline(ner__model=pack({"nodes": [], "shims": [[pack({"state": EVIL})]]})),
        "vocabulary-pickle": _pipeline(vocab__lookups_bin=EVIL),
    }
    for name, files in bad.items():
        yield Case(f"spacy/{name}", files, f"spacy-{name}")
    good = _pipeline(tokenizer=pack({"prefix_search": r"^(?:\$|\()", "exceptions": {}}), vocab__key2row=b"\x80")
    yield Case("spacy/benign-plain", good, "spacy-benign-plain", "benign", payload=False)


def _arrays() -> Iterator[Case]:
    metadata = {
        "zarr_format": 2,
        "shape": [8],
        "chunks": [8],
        "compressor": {"id": "zlib", "level": 1},
        "fill_value": None,
        "order": "C",
    }
    numbers = json.dumps(metadata | {"dtype": "<f4", "filters": None}).encode()
    objects = json.dumps(metadata | {"dtype": "|O", "filters": [{"id": "pickle", "protocol": 4}]}).encode()
    yield Case("zarr/object-filter", {"w/.zarray": objects, "w/0": zlib.compress(EVIL)}, "zarr-object-filter")
    yield Case(
        "zarr/benign-numbers", {"w/.zarray": numbers, "w/0": zlib.compress(WEIGHTS)}, "zarr-benign", "benign", payload=False
    )
    vectors = b"2 2\n" + b"the " + struct.pack("<2f", 0.5, -1) + b"\nof " + struct.pack("<2f", 2e-9, 1) + b"\n"
    yield Case("vectors/trailing-pickle.bin", vectors + EVIL, "word2vec-trailing-pickle")
    yield Case("vectors/benign-word2vec.bin", vectors, "word2vec-benign", "benign", payload=False)


def cases() -> Iterator[Case]:
    """MessagePack, spaCy, Zarr and word vectors."""
    yield from _messages()
    yield from _pipelines()
    yield from _arrays()
