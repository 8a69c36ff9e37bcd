"""Checkpoints of training frameworks: PyTorch Lightning and stable-baselines3."""

from __future__ import annotations

import logging
import warnings

import pytorch_lightning
import stable_baselines3
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.corpus.benign.workshop import SEED, Shelf


class Regression(pytorch_lightning.LightningModule):
    """One linear layer."""

    def __init__(self, width: int = 4, rate: float = 0.1) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layer = nn.Linear(width, 1)
        self.rate = rate

    def training_step(self, batch: list[torch.Tensor], _index: int) -> torch.Tensor:
        """Return the squared error of a batch."""
        return (self.layer(batch[0]).squeeze() - batch[1]).square().mean()

    def configure_optimizers(self) -> tuple[list[torch.optim.Optimizer], list[torch.optim.lr_scheduler.LRScheduler]]:
        """Use Adam with a step schedule."""
        optimiser = torch.optim.Adam(self.parameters(), self.rate)
        return [optimiser], [torch.optim.lr_scheduler.StepLR(optimiser, 1)]


def lightning(shelf: Shelf) -> None:
    """A checkpoint after two steps, whole and weights only."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    stop = pytorch_lightning.callbacks.EarlyStopping("loss", strict=False)
    keep = pytorch_lightning.callbacks.ModelCheckpoint(dirpath=shelf.folder / ".keep")
    trainer = pytorch_lightning.Trainer(
        accelerator="cpu",
        max_steps=2,
        logger=False,
        callbacks=[stop, keep],
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Regression(), DataLoader(TensorDataset(torch.ones(8, 4), torch.ones(8)), 4))
    for name, weights_only in (("whole", False), ("weights", True)):
        path = shelf.put(f"{name}.ckpt", library="pytorch-lightning", subject="Regression", technique=f"lightning-{name}")
        trainer.save_checkpoint(path, weights_only=weights_only)


def baselines(shelf: Shelf) -> None:
    """Policies in the zip of stable-baselines3 (JSON with base64 of cloudpickle inside)."""
    for kind in (stable_baselines3.PPO, stable_baselines3.DQN):
        agent = kind("MlpPolicy", "CartPole-v1", seed=SEED, device="cpu", policy_kwargs={"net_arch": [8]})
        path = shelf.put(f"{kind.__name__}.zip", library="stable-baselines3", subject=kind.__name__, technique="sb3-zip")
        agent.save(path)
