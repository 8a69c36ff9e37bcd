"""safetensors and GGUF: formats without code, with metadata and chat templates."""

from __future__ import annotations

import json
from typing import Any

import gguf
import numpy as np
import safetensors.numpy
import safetensors.torch
import torch

from benchmarks.corpus.benign.chat_templates import TEMPLATES
from benchmarks.corpus.benign.workshop import SEED, Shelf


def safetensors_files(shelf: Shelf) -> None:
    """Plain, with metadata, many types, empty tensors, and a sharded model with its index."""
    rng = np.random.default_rng(SEED)
    weights = {f"layers.{n}.weight": rng.normal(size=(16, 8)).astype(np.float32) for n in range(4)}
    metadata = {"format": "pt", "license": "apache-2.0", "training": json.dumps({"steps": 100, "url": "https://runs.example/7"})}
    safetensors.numpy.save_file(weights, _st(shelf, "plain"))
    safetensors.numpy.save_file(weights, _st(shelf, "metadata"), metadata=metadata)
    kinds = (torch.bfloat16, torch.float16, torch.float64, torch.int8, torch.uint8, torch.bool, torch.float8_e5m2)
    typed = {str(kind).removeprefix("torch."): torch.ones(3, 5).to(kind) for kind in kinds}
    safetensors.torch.save_file(typed, _st(shelf, "types"))
    safetensors.torch.save_file({"empty": torch.empty(0, 4), "scalar": torch.tensor(1.5)}, _st(shelf, "empty"))
    folder = shelf.put("sharded", library="safetensors", subject="sharded", technique="safetensors-sharded", group="project")
    folder.mkdir()
    shards = {}
    for number, (name, value) in enumerate(weights.items(), 1):
        shard = f"model-{number:05}-of-00004.safetensors"
        safetensors.numpy.save_file({name: value}, str(folder / shard), metadata={"format": "pt"})
        shards[name] = shard
    index = {"metadata": {"total_size": 2048}, "weight_map": shards}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))


def gguf_files(shelf: Shelf) -> None:
    """Small GGUF files: arrays of every kind, quantised blocks, each chat template."""
    for name, template in TEMPLATES.items():
        _gguf(shelf, f"chat-{name}", template, gguf.GGMLQuantizationType.F32)
    for kind in ("Q8_0", "Q4_0", "F16"):
        _gguf(shelf, f"weights-{kind}", None, getattr(gguf.GGMLQuantizationType, kind))


def _gguf(shelf: Shelf, name: str, template: str | None, kind: gguf.GGMLQuantizationType) -> None:
    path = shelf.put(f"{name}.gguf", library="gguf", subject=name, technique="gguf")
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(f"tiny {name}")
    writer.add_description("A tiny model made for a benchmark. See https://models.example/tiny")
    writer.add_block_count(1)
    writer.add_context_length(128)
    writer.add_embedding_length(64)
    writer.add_rope_freq_base(10000.0)
    writer.add_token_list([b"<unk>", b"<s>", b"</s>", *(f"t{n}".encode() for n in range(61))])
    writer.add_token_scores([0.0] * 64)
    writer.add_token_types([1] * 64)
    writer.add_add_bos_token(True)
    if template is not None:
        writer.add_chat_template(template)
    weights = np.random.default_rng(SEED).normal(size=(64, 64)).astype(np.float32)
    data: Any = weights if kind == gguf.GGMLQuantizationType.F32 else gguf.quantize(weights, kind)
    writer.add_tensor("token_embd.weight", data, raw_dtype=None if kind.name == "F32" else kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _st(shelf: Shelf, name: str) -> str:
    return str(shelf.put(f"{name}.safetensors", library="safetensors", subject=name, technique="safetensors"))
