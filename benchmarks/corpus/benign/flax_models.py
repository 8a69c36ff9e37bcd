"""Flax and JAX: parameters as msgpack and as pickles of JAX arrays."""

from __future__ import annotations

import pickle

import flax.linen as nn
import jax
import numpy as np
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
