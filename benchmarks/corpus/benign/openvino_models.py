"""OpenVINO: graphs with their weights beside them, in full and in half precision."""

from __future__ import annotations

import numpy as np
import openvino
from openvino import opset13 as operators

from benchmarks.corpus.benign.workshop import SEED, Shelf


def graphs(shelf: Shelf) -> None:
    """A small network with constants, saved in both precisions."""
    chance = np.random.default_rng(SEED)
    given = operators.parameter([1, 8], np.float32, name="x")
    hidden = operators.relu(operators.matmul(given, operators.constant(chance.random((8, 4), np.float32)), False, False))
    result = operators.softmax(operators.add(hidden, operators.constant(np.ones(4, np.float32))), 1)
    model = openvino.Model([result], [given], "tiny")
    model.set_rt_info("made by hand, see https://example.com", ["model_info", "description"])
    for name, half in (("full", False), ("half", True)):
        folder = shelf.put(name, library="openvino", subject=name, technique="openvino-ir", group="project")
        folder.mkdir()
        openvino.save_model(model, str(folder / "model.xml"), compress_to_fp16=half)
