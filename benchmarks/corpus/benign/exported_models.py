"""Programs of `torch.export`, with fixed and with free shapes."""

from __future__ import annotations

import torch

from benchmarks.corpus.benign.workshop import Shelf


class _Branching(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.layer(x)
        return torch.cond(y.sum() > 0, lambda z: z.sin(), lambda z: z.cos(), (y,)).reshape(-1, 2)[: x.shape[0]]


def programs(shelf: Shelf) -> None:
    """Networks that are exported and saved."""
    free = {0: torch.export.Dim("batch", min=2, max=64)}
    layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    networks = {
        "linear": (torch.nn.Linear(4, 2), torch.randn(3, 4), None),
        "free": (torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU()), torch.randn(3, 4), free),
        "convolution": (torch.nn.Conv2d(3, 4, 3), torch.randn(2, 3, 8, 8), free),
        "branching": (_Branching(), torch.randn(4, 4), free),
        "transformer": (layer, torch.randn(2, 5, 8), None),
    }
    for name, (network, example, shapes) in networks.items():
        program = torch.export.export(network, (example,), dynamic_shapes=None if shapes is None else (shapes,))
        path = shelf.put(f"{name}.pt2", library="torch", subject=f"exported {name}", technique="torch-export")
        torch.export.save(program, str(path))
