"""Bytes that a verdict on a hub repository of 20 files and 10 GB costs, measured against a loopback hub.

The files exist only while they are sent: real headers, directories and pickles, and tensors that are one byte many times.
Bytes are counted where they leave the server, so a client that forgets to count cannot look good.

Run ``python -m benchmarks.remotes``; it needs no disk and about ten seconds.
"""

from __future__ import annotations

import json
import os
import time

from tests.remotes.large_files import gguf, npy, onnx, safetensors, torch_zip
from tests.remotes.loopback import Content, LoopbackHub, judged, serving
from toadstone import scan

GIGA = 1_000_000_000
NAMES = {safetensors: "model-{}.safetensors", torch_zip: "pytorch_model-{}.bin", gguf: "model-{}.gguf", onnx: "model-{}.onnx"}


def mixed() -> dict[str, Content]:
    """20 files, 10 GB: four shards each of four formats, an array, and what else a repository has."""
    files = {
        name.format(number): make(625_000_000 - (10_000_000 if number == 0 else 0))
        for make, name in NAMES.items()
        for number in range(4)
    }
    return {**files, "embeddings.npy": npy(40_000_000), **_small()}


def shards(make: object, count: int = 17) -> dict[str, Content]:
    """20 files, 10 GB, all of one format."""
    assert callable(make)
    name = NAMES[make]  # type: ignore[index]  # (a key of the table)
    return {**{name.format(number): make(10 * GIGA // count) for number in range(count)}, **_small()}


def _small() -> dict[str, Content]:
    words = {f"token{number}": number for number in range(50_000)}
    return {
        "config.json": Content(b'{"model_type": "llama"}'),
        "README.md": Content(b"# A model\n"),
        "tokenizer.json": Content(json.dumps({"model": {"vocab": words}}).encode()),
    }


def measure(title: str, files: dict[str, Content]) -> None:
    """Scan a repository and print what it cost."""
    hub = LoopbackHub()
    for name, content in files.items():
        hub.add(name, content, lfs=content.size > 1 << 20, sha256="0" * 64, status=judged("safe"))
    total = sum(content.size for content in files.values())
    with serving(hub):
        os.environ["HF_ENDPOINT"] = hub.url
        began = time.perf_counter()
        report = scan("hf://owner/name")
        spent = time.perf_counter() - began
    assert report.verdict == "clean", report.as_dict()
    assert report.received == hub.served
    share = 100 * hub.served / total
    print(
        f"| {title} | {len(files)} | {total / GIGA:.2f} GB | {hub.served / 1e6:.2f} MB | {share:.3f} % |"
        f" {len(hub.requests):,} | {spent:.1f} s |"
    )


def main() -> None:
    """Print the table of docs/remotes.md."""
    print("| repository | files | size | transferred | share | requests | time on loopback |")
    print("|---|---|---|---|---|---|---|")
    measure("safetensors, gguf, onnx, torch", mixed())
    for make in NAMES:
        measure(f"{make.__name__} only", shards(make))


if __name__ == "__main__":
    main()
