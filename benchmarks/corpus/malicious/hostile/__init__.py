"""Family ``hostile``: files that attack the reader's time and memory. None may crash it, hang it, or pass as clean.

The bar for each: two seconds of processor time, 256 MB of memory, and no exit code 0. The empty files are benign. Files that are
only large or strange, with nothing in them that acts, are labelled ``harmless-arguments``: either verdict is right for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.hostile import archives, expansion, floods, floods_formats, machines, programs, records, texts

NAME = "hostile"

EITHER_VERDICT = frozenset(
    {
        "flood-notebook-attachments.ipynb",
        "flood-notebook-markdown.ipynb",
        "flood-notebook-outputs.ipynb",
        "gguf-arrays-of-arrays.gguf",
        "gguf-many-keys.gguf",
        "gguf-many-strings.gguf",
        "hdf5-chunk-bomb.h5",
        "hdf5-deep-groups.h5",
        "hdf5-link-cycle.h5",
        "hdf5-many-groups.h5",
        "json-exponent/config.json",
        "json-long-string/config.json",
        "json-many-keys/config.json",
        "json-same-key/config.json",
        "json-surrogates/config.json",
        "magic-only.bz2",
        "onnx-many-nodes.onnx",
        "onnx-string-8m.onnx",
        "one-byte.joblib",
        "one-byte.zst",
        "pickle-int-text-digits.pkl",
        "pickle-line-without-end.pkl",
        "pickle-list-depth.pkl",
        "pickle-long-text-digits.pkl",
        "pickle-mark-list-depth.pkl",
        "pickle-memo-index-text-digits.pkl",
        "pickle-stream-flood-globals.pkl",
        "safetensors-many-tensors.safetensors",
        "safetensors-overlap.safetensors",
        "safetensors-spaces.safetensors",
        "tar-100k-pax.tar",
        "zip-100k-members.zip",
        "zip-long-names.zip",
    },
)
"""Large or strange, yet nothing in them acts (three of the pickles raise on every CPython before their call)."""


def cases() -> Iterator[Case]:
    """Every hostile case."""
    for case in (
        *archives.cases(),
        *expansion.cases(),
        *floods.cases(),
        *floods_formats.cases(),
        *machines.cases(),
        *programs.cases(),
        *records.cases(),
        *texts.cases(),
    ):
        yield replace(case, label="harmless-arguments", payload=False) if case.path in EITHER_VERDICT else case
