"""ONNX: graphs made by hand and converted estimators; external data, functions, metadata, sequence files."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import skl2onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn import datasets, ensemble, linear_model, pipeline, preprocessing, svm

from benchmarks.corpus.benign.workshop import SEED, Shelf

OPSETS = [helper.make_opsetid("", 17)]


def converted(shelf: Shelf) -> None:
    """Estimators converted by skl2onnx: the ai.onnx.ml operators."""
    x, y = datasets.load_iris(return_X_y=True)
    x = x.astype(np.float32)
    models: dict[str, Any] = {
        "LogisticRegression": linear_model.LogisticRegression(max_iter=300),
        "RandomForestClassifier": ensemble.RandomForestClassifier(5, random_state=SEED),
        "SVC": svm.SVC(),
        "Pipeline": pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.RidgeClassifier()),
    }
    for name, model in models.items():
        graph = skl2onnx.to_onnx(model.fit(x, y), x[:1], target_opset=17)
        _write(shelf, name, graph, "skl2onnx")


def handmade(shelf: Shelf) -> None:
    """Graphs with raw and typed initialisers, control flow, metadata and a model-local function."""
    weight = numpy_helper.from_array(np.random.default_rng(SEED).normal(size=(4, 3)).astype(np.float32), "w")
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    _write(shelf, "matmul", _model([node], [weight]), "onnx")
    typed = helper.make_tensor("w", TensorProto.FLOAT, [4, 3], [0.5] * 12)
    noted = _model([node], [typed])
    helper.set_model_props(noted, {"author": "example", "url": "https://models.example/matmul"})
    noted.doc_string = "Multiplies by a constant."
    _write(shelf, "metadata", noted, "onnx")
    branch = helper.make_graph([helper.make_node("Identity", ["x"], ["b"])], "then", [], [_value("b")])
    other = helper.make_graph([helper.make_node("Neg", ["x"], ["c"])], "else", [], [_value("c")])
    condition = helper.make_tensor("condition", TensorProto.BOOL, [], [True])
    choose = helper.make_node("If", ["condition"], ["y"], then_branch=branch, else_branch=other)
    _write(shelf, "if", _model([choose], [condition]), "onnx")
    double = helper.make_function("example", "Double", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], OPSETS)
    called = helper.make_node("Double", ["x"], ["y"], domain="example")
    graph = helper.make_graph([called], "g", [_value("x")], [_value("y")])
    opsets = [*OPSETS, helper.make_opsetid("example", 1)]
    _write(shelf, "function", helper.make_model(graph, functions=[double], opset_imports=opsets, ir_version=8), "onnx")


def external(shelf: Shelf) -> None:
    """Weights beside the graph, in one file, as large models have them."""
    weight = numpy_helper.from_array(np.ones((64, 64), np.float32), "w")
    model = _model([helper.make_node("MatMul", ["x", "w"], ["y"])], [weight])
    folder = shelf.put("folder", library="onnx", subject="external", technique="onnx-external", group="project")
    folder.mkdir()
    onnx.save_model(model, str(folder / "model.onnx"), save_as_external_data=True, location="model.onnx.data", size_threshold=16)


def _value(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, None)


def _model(nodes: list[onnx.NodeProto], weights: list[onnx.TensorProto]) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "graph", [_value("x")], [_value("y")], weights)
    return helper.make_model(graph, opset_imports=OPSETS, ir_version=8, producer_name="toadstone-benchmark")


def _write(shelf: Shelf, name: str, model: onnx.ModelProto, technique: str) -> None:
    path = shelf.put(f"{name}.onnx", library="onnx", subject=name, technique=technique)
    path.write_bytes(model.SerializeToString(deterministic=True))
