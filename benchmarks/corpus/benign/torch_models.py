"""PyTorch: state dictionaries, whole modules, checkpoints, TorchScript; zip, legacy and tar-less layouts."""

from __future__ import annotations

import collections
import datetime as dt
import pathlib
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils import prune
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.corpus.benign.workshop import SEED, Shelf

LIBRARY = "torch"


def state_dicts(shelf: Shelf) -> None:
    """The parameters of a dozen layer types, in the zip layout."""
    for name, module in _modules().items():
        torch.save(module.state_dict(), _file(shelf, f"{name}.pt", name, "torch-zip"))


def whole_modules(shelf: Shelf) -> None:
    """Whole modules: the pickle names their classes."""
    for name, module in _modules().items():
        torch.save(module, _file(shelf, f"{name}.pth", name, "torch-zip-module"))


def legacy(shelf: Shelf) -> None:
    """The layout before 1.6: five pickles and raw storages in one stream; and older pickle protocols."""
    for name in ("mlp", "lstm", "conv"):
        module = _modules()[name]
        for suffix, value in (("state", module.state_dict()), ("module", module)):
            path = _file(shelf, f"{name}-{suffix}.bin", name, f"torch-legacy-{suffix}")
            torch.save(value, path, _use_new_zipfile_serialization=False)
    state = _modules()["mlp"].state_dict()
    for protocol in (3, 4, 5):
        torch.save(state, _file(shelf, f"mlp-p{protocol}.pt", "mlp", f"torch-zip-p{protocol}"), pickle_protocol=protocol)


def checkpoints(shelf: Shelf) -> None:
    """What training loops write: optimiser, scheduler, numpy scalars, paths, dates, random states."""
    model = _modules()["mlp"]
    for name, optimiser in (
        ("sgd", torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)),
        ("adamw", torch.optim.AdamW(model.parameters())),
        ("lbfgs", torch.optim.LBFGS(model.parameters())),
    ):
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 10)
        for _ in range(2):
            optimiser.zero_grad()
            loss = model(torch.ones(4, 8)).square().sum()
            loss.backward()
            optimiser.step(lambda loss=loss: loss)
            scheduler.step()
        checkpoint = {
            "model": model.state_dict(),
            "optimizer": optimiser.state_dict(),
            "scheduler": scheduler.state_dict(),
            "epoch": 2,
            "best": np.float64(0.5),
            "loss": loss.detach(),
            "history": np.linspace(0, 1, 5),
            "rng": torch.get_rng_state(),
            "numpy_rng": np.random.RandomState(SEED).get_state(),
            "args": {"data": pathlib.PurePosixPath("/data/train.csv"), "when": dt.date(2026, 11, 23)},
            "device": torch.device("cpu"),
            "dtype": torch.bfloat16,
            "size": torch.Size([4, 8]),
        }
        torch.save(checkpoint, _file(shelf, f"{name}.ckpt", f"checkpoint-{name}", "torch-zip-checkpoint"))
    torch.save(optimiser, _file(shelf, "optimiser.pt", "optimiser", "torch-zip-module"))


def tensors(shelf: Shelf) -> None:
    """Bare tensors of many types and layouts."""
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    values: dict[str, Any] = {
        "bfloat16": base.bfloat16(),
        "float16": base.half(),
        "int8": base.to(torch.int8),
        "bool": base > 3,
        "complex": base.to(torch.complex64),
        "float8": base.to(torch.float8_e4m3fn),
        "sparse_coo": base.to_sparse(),
        "sparse_csr": base.to_sparse_csr(),
        "view": base[1:3, ::2],
        "quantised": torch.quantize_per_tensor(base, 0.1, 0, torch.qint8),
        "quantised_channel": torch.quantize_per_channel(base, torch.ones(4), torch.zeros(4), 0, torch.qint8),
        "parameter": nn.Parameter(base),
        "buffer": nn.Buffer(base),
        "meta": base.to("meta"),
        "nested": torch.nested.nested_tensor([base[0], base[1, :2]]),
        "list": [base, base.t(), {"k": (1, 2.5, None, True)}],
        "strings": collections.OrderedDict(words=["import os", "http://example.com/x"], ids=base.long()),
        "empty": torch.empty(0),
        "generator": torch.Generator().manual_seed(SEED).get_state(),
        "packed": nn.utils.rnn.pack_sequence([base[0], base[1, :3]]),
    }
    for name, value in values.items():
        torch.save(value, _file(shelf, f"{name}.pt", f"tensor-{name}", "torch-zip"))


def torchscript(shelf: Shelf) -> None:
    """Traced and scripted modules, whole and for mobile."""
    mlp, conv = _modules()["mlp"].eval(), _modules()["conv"].eval()
    torch.jit.trace(mlp, torch.ones(1, 8)).save(_file(shelf, "mlp-trace.pt", "mlp", "torchscript-trace"))
    torch.jit.script(mlp).save(_file(shelf, "mlp-script.pt", "mlp", "torchscript-script"))
    torch.jit.trace(conv, torch.ones(1, 1, 12, 12)).save(_file(shelf, "conv-trace.pt", "conv", "torchscript-trace"))
    frozen = torch.jit.freeze(torch.jit.script(conv))
    path = _file(shelf, "conv-frozen.pt", "conv", "torchscript-frozen")
    torch.jit.save(frozen, path, _extra_files={"labels.txt": "cat\ndog\n"})


def quantised(shelf: Shelf) -> None:
    """A dynamically quantised module, its state and its script."""
    model = torch.ao.quantization.quantize_dynamic(_modules()["mlp"], {nn.Linear}, dtype=torch.qint8)
    torch.save(model.state_dict(), _file(shelf, "state.pt", "quantised-mlp", "torch-zip"))
    torch.save(model, _file(shelf, "module.pt", "quantised-mlp", "torch-zip-module"))
    torch.jit.script(model).save(_file(shelf, "script.pt", "quantised-mlp", "torchscript-script"))


def data(shelf: Shelf) -> None:
    """Data sets and loaders, as people pass them round."""
    dataset = TensorDataset(torch.ones(6, 2), torch.zeros(6))
    torch.save(dataset, _file(shelf, "dataset.pt", "TensorDataset", "torch-zip-module"))
    torch.save(DataLoader(dataset, 2, shuffle=True), _file(shelf, "loader.pt", "DataLoader", "torch-zip-module"))
    split = torch.utils.data.random_split(dataset, [4, 2])
    torch.save(split, _file(shelf, "split.pt", "random_split", "torch-zip-module"))


def pruned_and_parametrised(shelf: Shelf) -> None:
    """Modules changed after construction: pruning masks, weight normalisation, hooks' leftovers."""
    layer = nn.Linear(6, 6)
    prune.l1_unstructured(layer, "weight", 0.5)
    torch.save(layer, _file(shelf, "pruned.pt", "pruned", "torch-zip-module"))
    normalised = nn.utils.parametrizations.weight_norm(nn.Linear(4, 4))
    torch.save(normalised.state_dict(), _file(shelf, "weight-norm.pt", "weight-norm", "torch-zip"))
    averaged = torch.optim.swa_utils.AveragedModel(_modules()["mlp"])
    torch.save(averaged.state_dict(), _file(shelf, "averaged.pt", "averaged", "torch-zip"))


def _file(shelf: Shelf, name: str, subject: str, technique: str) -> str:
    return str(shelf.put(name, library=LIBRARY, subject=subject, technique=technique))


def _modules() -> dict[str, nn.Module]:
    torch.manual_seed(SEED)
    return {
        "mlp": nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 2), nn.Softmax(-1)),
        "conv": nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.GELU(), nn.MaxPool2d(2), nn.Flatten()),
        "conv3d": nn.Sequential(nn.Conv3d(1, 2, 3), nn.InstanceNorm3d(2), nn.AdaptiveAvgPool3d(1)),
        "upsample": nn.Sequential(nn.ConvTranspose2d(2, 2, 3), nn.PReLU(), nn.Upsample(scale_factor=2), nn.PixelShuffle(1)),
        "lstm": nn.LSTM(8, 8, num_layers=2, bidirectional=True),
        "gru": nn.GRU(4, 4),
        "attention": nn.MultiheadAttention(8, 2),
        "transformer": nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2, enable_nested_tensor=False),
        "embedding": nn.ModuleDict({"words": nn.Embedding(20, 4), "bags": nn.EmbeddingBag(20, 4)}),
        "norms": nn.ModuleList([nn.LayerNorm(4), nn.GroupNorm(2, 4), nn.RMSNorm(4), nn.SyncBatchNorm(4)]),
        "losses": nn.ModuleList([nn.CrossEntropyLoss(), nn.CTCLoss(), nn.TripletMarginLoss(), nn.HuberLoss()]),
        "activations": nn.Sequential(nn.SiLU(), nn.LeakyReLU(), nn.Hardswish(), nn.Mish(), nn.GLU(), nn.Tanh()),
    }
