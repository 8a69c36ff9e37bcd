"""Core ML: neural networks as specifications, programs as packages."""

from __future__ import annotations

import coremltools as ct
import numpy as np
from coremltools.converters.mil import Builder as mb  # noqa: N813  (the library's own convention)
from coremltools.models import datatypes
from coremltools.models.neural_network import NeuralNetworkBuilder

from benchmarks.corpus.benign.workshop import Shelf


def networks(shelf: Shelf) -> None:
    """A small network with metadata."""
    builder = NeuralNetworkBuilder([("x", datatypes.Array(4))], [("y", datatypes.Array(2))])
    weights = np.ones((2, 4), np.float32)
    builder.add_inner_product("dense", weights, np.zeros(2, np.float32), 4, 2, has_bias=True, input_name="x", output_name="y")
    builder.spec.description.metadata.author = "toadstone"
    builder.spec.description.metadata.userDefined["source"] = "https://example.com/model"
    path = shelf.put("network.mlmodel", library="coremltools", subject="network", technique="mlmodel")
    ct.utils.save_spec(builder.spec, str(path))


def programs(shelf: Shelf) -> None:
    """An ML program with its weights in a package."""

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 64))])
    def linear(x: object) -> object:
        return mb.linear(x=x, weight=np.random.default_rng(1).random((32, 64), np.float32), bias=np.zeros(32, np.float32))

    model = ct.convert(linear, convert_to="mlprogram", minimum_deployment_target=ct.target.iOS16)
    model.save(str(shelf.put("linear.mlpackage", library="coremltools", subject="program", technique="mlpackage")))
