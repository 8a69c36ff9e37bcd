"""sentence-transformers: the folder with ``modules.json`` that names classes to import."""

from __future__ import annotations

import sentence_transformers
import torch
import transformers
from sentence_transformers import models

from benchmarks.corpus.benign.transformers_models import SIZES, _tokenizer
from benchmarks.corpus.benign.workshop import SEED, Shelf


def saved(shelf: Shelf) -> None:
    """A tiny encoder with pooling, a dense layer and normalisation."""
    torch.manual_seed(SEED)
    source = shelf.folder / ".source"
    source.mkdir(parents=True)
    transformers.BertModel(transformers.BertConfig(**SIZES)).save_pretrained(source)
    _tokenizer("").save_pretrained(source)
    encoder = models.Transformer(str(source), max_seq_length=32)
    pooling = models.Pooling(16)
    layers = [encoder, pooling, models.Dense(16, 8), models.Normalize()]
    model = sentence_transformers.SentenceTransformer(modules=layers, device="cpu")
    folder = shelf.put(
        "encoder", library="sentence-transformers", subject="encoder", technique="sentence-folder", group="project"
    )
    model.save(str(folder))
