"""Packages that servers and registries unpack: exported programs, TorchServe, NeMo, MLflow, llamafiles, images, adapters."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Iterator, Mapping

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.hosts import EVIL
from benchmarks.corpus.malicious.payloads import CODE, COMMAND, COMMANDS, URL

HANDLER = "import torch\n\n\nclass Handler:\n    def handle(self, data, context):\n        return [torch.ones(1).tolist()]\n"
BAD_HANDLER = f"import os\n\n\nclass Handler:\n    def initialize(self, context):\n        os.system({COMMANDS[1]!r})\n"


def zipped(files: Mapping[str, bytes], prefix: bytes = b"") -> bytes:
    """A zip archive with stored members, behind a prefix."""
    out = io.BytesIO(prefix)
    with zipfile.ZipFile(out, "a") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def tarred(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def exported(
    target: str = "torch.ops.aten.relu.default",
    text: str = "",
    expression: str = "2*s0 + 1",
    guards: tuple[str, ...] = (),
    weight: bytes = bytes(range(1, 33)),
    more: Mapping[str, bytes] | None = None,
) -> bytes:
    """A ``.pt2`` archive with one node, one symbolic expression and one weight."""
    given = {"as_string": text} if text else {"as_tensor": {"name": "x"}}
    node = {"target": target, "inputs": [{"name": "self", "arg": given, "kind": 1}], "outputs": [], "metadata": {}}
    graph = {"inputs": [], "outputs": [], "nodes": [node], "sym_int_values": {"s": {"as_expr": {"expr_str": expression}}}}
    program = {"graph_module": {"graph": graph}, "schema_version": {"major": 8, "minor": 14}, "guards_code": list(guards)}
    meta = {"dtype": 7, "sizes": [{"as_int": 8}], "strides": [{"as_int": 1}], "storage_offset": {"as_int": 0}}
    config = {"config": {"w": {"path_name": "weight_0", "is_param": True, "use_pickle": False, "tensor_meta": meta}}}
    files = {
        "m/archive_format": b"pt2",
        "m/archive_version": b"0",
        "m/byteorder": b"little",
        "m/data/weights/weight_0": weight,
        "m/data/weights/model_weights_config.json": json.dumps(config).encode(),
        "m/models/model.json": json.dumps(program).encode(),
    }
    return zipped(files | dict(more or {}))


def mar(code: str = HANDLER, requirements: str = "", **model: str) -> bytes:
    described = {"modelName": "toad", "handler": "handler.py", "modelVersion": "1.0"} | model
    files = {"handler.py": code.encode()}
    if requirements:
        files["needed.txt"] = requirements.encode()
        described["requirementsFile"] = "needed.txt"
    return zipped(files | {"MAR-INF/MANIFEST.json": json.dumps({"runtime": "python", "model": described}).encode()})


def mlflow(**flavor: str) -> dict[str, bytes]:
    lines = [
        "artifact_path: model",
        "flavors:",
        "  python_function:",
        "    loader_module: mlflow.pyfunc.model",
        "    python_version: 3.11.7",
    ]
    lines += [f"    {key}: {value}" for key, value in flavor.items()]
    return {"MLmodel": ("\n".join([*lines, "mlflow_version: 3.1.0"]) + "\n").encode(), "requirements.txt": b"mlflow==3.1.0\n"}


def llamafile(files: Mapping[str, bytes]) -> bytes:
    program = b"MZqFpD='\n' <<'justine'\n" + b"\x90" * 400 + b'\njustine\nexec /bin/ape "$0" "$@"\n'
    return zipped(files, program)


def gguf() -> bytes:
    text = b"toad"
    return (
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 12) + b"general.name" + struct.pack("<IQ", 8, len(text)) + text
    )


def image(layer: bytes, command: list[str], urls: list[str] | None = None) -> dict[str, bytes]:
    """An OCI image layout; the names of blobs are not digests here."""
    descriptor: dict[str, object] = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "sha256:a", "size": 1}
    if urls:
        descriptor["urls"] = urls
    manifest = {"schemaVersion": 2, "config": {"mediaType": "application/vnd.oci.image.config.v1+json"}, "layers": [descriptor]}
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": command},
        "rootfs": {"type": "layers", "diff_ids": []},
    }
    return {
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        "index.json": json.dumps(
            {"schemaVersion": 2, "manifests": [{"mediaType": "x", "digest": "sha256:m", "size": 1}]}
        ).encode(),
        "blobs/sha256/a": gzip.compress(layer, mtime=0),
        "blobs/sha256/c": json.dumps(config).encode(),
        "blobs/sha256/m": json.dumps(manifest).encode(),
    }


def adapter(**keys: object) -> dict[str, bytes]:
    config = {"peft_type": "LORA", "base_model_name_or_path": "org/base", "target_modules": ["q_proj"], "r": 8} | keys
    return {"adapter_config.json": json.dumps(config).encode()}


def _bad() -> Iterator[tuple[str, bytes | Mapping[str, bytes]]]:
    yield "target.pt2", exported("torch.os.system", COMMAND)
    yield "target-hub.pt2", exported("torch.hub.load", URL)
    yield "foreign-operator.pt2", exported("torch.ops.acme.run.default", COMMANDS[1])
    yield "from-file.pt2", exported("torch.ops.aten.from_file.default", "/etc/passwd")
    yield "expression.pt2", exported(expression=CODE)
    yield "expression-encoded.pt2", exported(expression="eval(chr(95)*2 + 'import' + chr(95)*2)('os').system('echo inert')")
    yield "guard.pt2", exported(guards=(f"__import__('os').system({COMMANDS[1]!r})",))
    yield "weight-pickle.pt2", exported(weight=EVIL.ljust(32, b"\1"))
    yield "inputs-pickle.pt2", exported(more={"m/data/sample_inputs/model.pt": EVIL})
    yield "handler.mar", mar(BAD_HANDLER)
    yield "requirements.mar", mar(requirements=f"numpy\n--extra-index-url {URL}\n")
    yield "handler-outside.mar", mar(handler="../../../tmp/toadstone_inert.py")
    target = f"target: nemo.core.ModelPT\nhook:\n  _target_: os.system\n  command: {COMMAND}\n".encode()
    yield "target.nemo", tarred({"./model_config.yaml": target, "./model_weights.ckpt": EVIL})
    yield "weights.nemo", tarred({"./model_config.yaml": b"target: nemo.core.ModelPT\n", "./model_weights.ckpt": EVIL})
    loader = mlflow(code="code")["MLmodel"].replace(b"mlflow.pyfunc.model", b"loader")
    body = f"import os\n\nos.system({COMMANDS[1]!r})\n\n\ndef _load_pyfunc(path):\n    return None\n"
    yield "mlflow-loader", {"MLmodel": loader, "code/loader.py": body.encode()}
    yield "mlflow-code-path", mlflow(code="../../../tmp/code", python_model="python_model.pkl")
    yield "mlflow-pickle", mlflow(python_model="python_model.pkl") | {"python_model.pkl": EVIL}
    yield "mlflow-model-code", mlflow(model_code_path="model.py") | {"model.py": BAD_HANDLER.encode()}
    yield "args.llamafile", llamafile({"model.gguf": gguf(), ".args": f"-m\nmodel.gguf\n;{COMMANDS[1]}\n".encode()})
    yield "pickle.llamafile", llamafile({"model.gguf": gguf(), "extra.pkl": EVIL})
    yield "oci-layer", image(tarred({"opt/model.pkl": EVIL}), ["python", "serve.py"])
    yield "oci-traversal", image(tarred({"../../etc/cron.d/x": b"* * * * * root echo inert\n"}), ["python"])
    yield "oci-entrypoint", image(tarred({"opt/readme.txt": b"notes\n"}), ["sh", "-c", COMMANDS[1]])
    yield "oci-foreign-layer", image(tarred({"opt/readme.txt": b"notes\n"}), ["python"], ["http://198.51.100.7/layer"])
    yield "adapter-pattern", adapter(target_modules=r"(.*a+)+\.(.*b+)+$")
    yield "adapter-library", adapter(auto_mapping={"base_model_class": "system", "parent_library": "os"})


def cases() -> Iterator[Case]:
    """Every case."""
    for name, content in _bad():
        yield Case(f"packages/{name}", content, f"package-{name}")
    nemo = b"target: nemo.core.ModelPT\nencoder:\n  _target_: nemo.collections.asr.modules.ConvASREncoder\n  feat_in: 64\n"
    good: dict[str, bytes | Mapping[str, bytes]] = {
        "plain.pt2": exported(guards=("L['x'].size()[0] <= 16",)),
        "plain.mar": mar(requirements="numpy\ntorch>=2\n"),
        "plain.nemo": tarred({"./model_config.yaml": nemo}),
        "plain-mlflow": mlflow(python_model="python_model.pkl", code="code") | {"code/helper.py": b"def f(x):\n    return x\n"},
        "plain.llamafile": llamafile({"model.gguf": gguf(), ".args": b"-m\nmodel.gguf\n--host\n0.0.0.0\n..."}),
        "plain-oci": image(tarred({"opt/readme.txt": b"notes\n"}), ["python", "serve.py"]),
        "plain-adapter": adapter(target_modules=r".*\.(q|k|v)_proj"),
    }
    for name, content in good.items():
        yield Case(f"packages/benign-{name}", content, f"package-benign-{name}", "benign", payload=False)
