"""Flax and JAX: parameters as msgpack and as pickles of JAX arrays."""

from __future__ import annotations

import pickle

import flax.linen as nn
import jax
import numpy as np
import orbax.checkpoint as orbax
from flax import serialization

from benchmarks.corpus.benign.workshop import SEED, Shelf


def parameters(shelf: Shelf) -> None:
    """The parameters of a small network in three forms."""
    network = nn.Sequential([nn.Dense(4), nn.relu, nn.Dense(1)])
    values = network.init(jax.random.key(SEED), np.ones((1, 3), np.float32))
    path = shelf.put("flax_model.msgpack", library="flax", subject="Dense", technique="flax-msgpack")
    path.write_bytes(serialization.to_bytes(values))
    plain = jax.tree.map(np.asarray, values)
    shelf.put("params.pkl", library="flax", subject="Dense", technique="pickle-5").write_bytes(pickle.dumps(plain, 5))
    shelf.put("jax.pkl", library="jax", subject="Array", technique="pickle-4").write_bytes(pickle.dumps(values, 4))


def checkpoints(shelf: Shelf) -> None:
    """A training state as msgpack, and the same by Orbax: as a database, as files of Zarr, under a manager."""
    values = {
        "w": jax.numpy.arange(12.0).reshape(3, 4),
        "b": np.ones(5, np.float32),
        "z": 1 + 2j,
        "half": jax.numpy.ones(3, "bfloat16"),
    }
    path = shelf.put("state.msgpack", library="flax", subject="state", technique="flax-msgpack")
    path.write_bytes(serialization.to_bytes({"params": values, "step": np.int32(3)}))
    tree = {"params": {"w": values["w"], "b": values["b"]}, "step": 7, "name": np.zeros((300, 300), np.float32)}
    with orbax.StandardCheckpointer() as standard:
        standard.save(shelf.put("orbax", library="flax", subject="orbax", technique="orbax-ocdbt", group="project"), tree)
    plain = shelf.put("orbax-zarr", library="flax", subject="orbax-zarr", technique="orbax-zarr", group="project")
    orbax.PyTreeCheckpointer(use_ocdbt=False).save(plain, tree)
    managed = shelf.put("managed", library="flax", subject="managed", technique="orbax-manager", group="project")
    with orbax.CheckpointManager(managed) as manager:
        manager.save(0, args=orbax.args.Composite(state=orbax.args.StandardSave(tree), notes=orbax.args.JsonSave({"seed": SEED})))
