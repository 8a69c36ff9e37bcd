from __future__ import annotations

import ast
import base64
import bz2
import gzip
import hashlib
import itertools
import lzma
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.value import Symbol
from toadstone.forensics.effort import Effort, NotWorkedOut
from toadstone.forensics.interpreter import REFUSED
from toadstone.forensics.statements import Interpreter
from toadstone.forensics.values import Frame, no_names

MODULES = frozenset(
    "base64 binascii bz2 codecs functools gzip hashlib html io ipaddress itertools json lzma operator re socket string struct "
    "urllib zlib os sys subprocess builtins marshal pickle".split()
)
BUILTINS = frozenset(dir(__builtins__) if not isinstance(__builtins__, dict) else __builtins__)
URL = "http://203.0.113.7/x"
DATA = URL.encode()
XORED = bytes(value ^ 42 for value in DATA)
DIGESTED = bytes(a ^ b for a, b in zip(DATA, hashlib.sha256(b"k").digest(), strict=False))
PACKED = base64.b64encode(zlib.compress(DATA))
KEYED = bytes(a ^ b for a, b in zip(DATA, itertools.cycle(b"key"), strict=False))


def outer(name: str):
    if name in MODULES:
        return Symbol(name, "")
    return Symbol("builtins", name) if name in BUILTINS else no_names(name)


def worked_out(text: str, effort: Effort | None = None):
    frame = Frame(outer)
    Interpreter(effort or Effort()).block(ast.parse(text).body, frame)
    return frame.names["r"]


GIVES_THE_ADDRESS = [
    f"r = base64.b64decode({base64.b64encode(DATA)!r}).decode()",
    f"r = base64.urlsafe_b64decode({base64.urlsafe_b64encode(DATA).decode()!r}).decode('ascii')",
    f"r = base64.b85decode({base64.b85encode(DATA)!r}).decode()",
    f"r = base64.a85decode({base64.a85encode(DATA, adobe=True)!r}, adobe=True).decode()",
    f"r = base64.b32decode(s={base64.b32encode(DATA)!r}).decode()",
    f"r = bytes.fromhex({DATA.hex()!r}).decode()",
    f"r = binascii.unhexlify({DATA.hex()!r}).decode()",
    f"r = codecs.decode({DATA.hex()!r}, 'hex').decode()",
    f"r = str(zlib.decompress({zlib.compress(DATA)!r}), 'utf-8')",
    f"r = zlib.decompress({zlib.compress(DATA)[2:-4]!r}, -15).decode()",
    f"r = gzip.decompress({gzip.compress(DATA, mtime=0)!r}).decode()",
    f"r = gzip.GzipFile(fileobj=io.BytesIO({gzip.compress(DATA, mtime=0)!r})).read().decode()",
    f"r = bz2.decompress({bz2.compress(DATA)!r}).decode()",
    f"r = lzma.decompress({lzma.compress(DATA)!r}).decode()",
    "r = codecs.decode('uggc://203.0.113.7/k', 'rot13')",
    f"r = {URL[::-1]!r}[::-1]",
    f"r = ''.join(reversed({URL[::-1]!r}))",
    f"r = ''.join(chr(c) for c in {list(DATA)!r})",
    f"r = ''.join(map(chr, {list(DATA)!r}))",
    f"r = bytes({list(DATA)!r}).decode()",
    f"r = bytes(b ^ 0x2a for b in {XORED!r}).decode()",
    f"r = ''.join([chr(ord(c) ^ 42) for c in {XORED.decode('latin-1')!r}])",
    f"r = bytes(a ^ b for a, b in zip({KEYED!r}, itertools.cycle(b'key'))).decode()",
    f"k = b'key'\nr = bytes(c ^ k[i % len(k)] for i, c in enumerate({KEYED!r})).decode()",
    f"r = functools.reduce(lambda a, c: a + chr(c ^ 42), {XORED!r}, '')",
    f"r = ''\nfor b in {XORED!r}:\n    r += chr(b ^ 42)",
    f"o, i = bytearray(), 0\nd = {XORED!r}\nwhile i < len(d):\n    o.append(d[i] ^ 42)\n    i += 1\nr = o.decode()",
    f"def d(s, k=42):\n    out = []\n    for c in s:\n        out.append(chr(c ^ k))\n    return ''.join(out)\nr = d({XORED!r})",
    f"def d(s):\n    for c in s:\n        yield chr(c ^ 42)\nr = ''.join(d({XORED!r}))",
    f"r = ({int.from_bytes(DATA, 'big')}).to_bytes({len(DATA)}, 'big').decode()",
    f"r = bytes.fromhex('%x' % {int.from_bytes(DATA, 'big')}).decode()",
    f"r = struct.pack('>{len(DATA)}B', *{list(DATA)!r}).decode()",
    f"r = urllib.parse.unquote({''.join(f'%{value:02x}' for value in DATA)!r})",
    f"r = html.unescape({''.join(f'&#{value};' for value in DATA)!r})",
    f"r = {''.join(chr(value + 1) for value in DATA)!r}.translate({{i + 1: i for i in range(128)}})",
    "r = 'hXXp:||203_0_113_7|x'.replace('XX', 'tt').replace('|', '/').replace('_', '.')",
    "r = '{}://{}.{}.{}.{}/x'.format('http', 203, 0, 113, 7)",
    "r = '%s://%d.%d.%d.%d/%c' % ('http', 203, 0, 113, 7, 'x')",
    "r = f\"{'http'}://{'.'.join(str(n) for n in (203, 0, 113, 7))}/x\"",
    "r = 'http://' + socket.inet_ntoa(struct.pack('!I', 3405803783)) + '/x'",
    "r = 'http://' + str(ipaddress.ip_address(3405803783)) + '/x'",
    "a = string.ascii_lowercase\nr = a[7] + a[19] * 2 + a[15] + '://203.0.113.7/' + a[23]",
    f"r = {'#'.join(URL)!r}[::2]",
    f"r = ''.join({[URL[i : i + 2] for i in range(0, len(URL), 2)]!r})",
    "r = json.loads('\"http:\\\\u002f\\\\u002f203.0.113.7\\\\u002fx\"')",
    f"k = hashlib.sha256(b'k').digest()\nr = bytes(a ^ b for a, b in zip({DIGESTED!r}, k)).decode()",
    f"r = ''.join(re.findall('..', {URL!r}))",
    f"r = {DATA!r}.decode('utf-8')",
    f"import base64 as b\nfrom zlib import decompress as d\nr = d(b.b64decode({PACKED!r})).decode()",
]  # fmt: skip


@pytest.mark.parametrize("text", GIVES_THE_ADDRESS)
def test_pure_code_is_worked_out(text):
    assert worked_out(text) == URL


HOSTILE = [
    "r = 10 ** 10 ** 8",
    "r = 'a' * 10 ** 12",
    "r = 1 << 10 ** 10",
    "x = 2\nwhile 1: x = x * x",
    "s = 'a'\nwhile 1: s = s + s",
    "s = ['a']\nwhile 1: s = s + s",
    "while 1: pass",
    "r = [x for a in range(10**4) for b in range(10**4) for x in range(10**4)]",
    "r = list(range(10 ** 9))",
    "r = sum(range(10 ** 12))",
    "r = list(itertools.cycle([1]))",
    "r = ''.join(itertools.repeat('a'))",
    "r = '%*d' % (10 ** 9, 1)",
    "r = '%999999999d' % 1",
    "r = '{:>999999999}'.format(1)",
    "r = '{0:{1}}'.format(1, 10 ** 9)",
    "r = f'{1:999999999}'",
    "r = '{0.__class__.__init__.__globals__}'.format('')",
    "r = ''.__class__.__mro__",
    "r = getattr('', '__class__')",
    "r = 'a'.zfill(10 ** 10)",
    "r = 'a'.ljust(10 ** 10)",
    "r = bytes(10 ** 10)",
    "r = bytearray(10 ** 12)",
    "r = (1).to_bytes(10 ** 10, 'big')",
    "r = ('%s' * 50000) % tuple(['a' * 4000] * 50000)",
    "r = ('{0}' * 50000).format('a' * 100000)",
    "r = ('a' * 100000).replace('a', 'b' * 100000)",
    "r = ('a' * 100000).join(['b'] * 100000)",
    "r = ('a' * 1000).translate({97: 'b' * 100000})",
    "a = []\nfor i in range(60): a = [a, a]\nr = str(a)",
    "a = ()\nfor i in range(60): a = (a, a)\nr = {a: 1}",
    "a = []\nfor i in range(60): a = [a, a]\nb = []\nfor i in range(60): b = [b, b]\nr = a == b",
    "a = []\nfor i in range(100000): a = [a]\nr = repr(a)",
    "a = []\na.append(a)\nr = str(a)\nb = [a]\nb.append(b)\nr = a == b",
    "def f(n): return f(n - 1) + f(n - 1)\nr = f(1000)",
    "f = lambda g: g(g)\nr = f(f)",
    "r = struct.pack('999999999x')",
    "r = struct.calcsize('4611686018427387904q')",
    "r = int('9' * 1000000, 10)",
    "r = int('f' * 1000000, 16) ** 2",
    "r = re.findall('(a+)+$', 'a' * 50)",
    "r = re.sub('a', 'b' * 100000, 'a' * 100000)",
    "r = json.loads('[' * 100000)",
    "r = pow(3, 10 ** 9)",
    "r = pow(3, 2 ** 4000, 2 ** 100000)",
    "r = hash('a')",
    "r = open('/etc/passwd')",
    "r = os.system('echo')",
    "r = eval('1')",
    "r = exec('1')",
    "r = compile('1', '', 'eval')",
    "r = globals()",
    "r = type('A', (), {})",
    "r = pickle.loads(b'cos\\nsystem\\n(Vecho\\ntR.')",
    "r = __import__('os').environ",
    "r = ''.join(sorted(set(range(10 ** 7))))",
    "r = dict.fromkeys(range(10 ** 9))",
    "r = {i: j for i in range(10 ** 4) for j in range(10 ** 4)}",
    "r = '\\x00' * 4000000 == '\\x00' * 4000000\nwhile '\\x00' * 4000000 == '\\x00' * 4000000: pass",
    "for i in range(3):\n    break\nelse:\n    r = 1\nbreak",
    "def f():\n    for i in [1]:\n        return i\nfor i in [1]:\n    continue\ncontinue",
    "def g():\n    while 1:\n        yield 1\nr = g()",
    "r = " + "(" * 80 + "1" + "+1)" * 80,
    "r = " + "-" * 80 + "1",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_costs_too_much_or_reaches_out_is_not_worked_out(text):
    begin = time.perf_counter()
    effort = Effort()
    try:
        made = worked_out(text, effort)
    except REFUSED:
        made = None
    assert time.perf_counter() - begin < 10
    assert not isinstance(made, (str, bytes, list, dict)) or len(made) <= 4 << 20
    assert not callable(made)


BOMBS = {
    "zlib": (zlib, zlib.compress(bytes(64 << 20), 9)),
    "gzip": (gzip, gzip.compress(bytes(64 << 20), 9, mtime=0)),
    "bz2": (bz2, bz2.compress(bytes(64 << 20))),
    "lzma": (lzma, lzma.compress(bytes(64 << 20))),
}


@pytest.mark.parametrize("module", BOMBS)
def test_decompression_is_cut(module):
    frame = Frame(lambda name: BOMBS[module][1] if name == "bomb" else outer(name))
    effort = Effort()
    Interpreter(effort).block(ast.parse(f"r = {module}.decompress(bomb)").body, frame)
    assert len(frame.names["r"]) <= 4 << 20


def test_steps_are_named_in_order():
    interpreter = Interpreter(Effort())
    hidden = base64.b64encode(zlib.compress(bytes(value ^ 7 for value in DATA))[::-1])
    tree = ast.parse(f"r = bytes(b ^ 7 for b in zlib.decompress(base64.b64decode({hidden!r})[::-1]))").body
    frame = Frame(outer)
    interpreter.block(tree, frame)
    assert frame.names["r"] == DATA
    assert interpreter.steps.taken == ["base64", "reversed", "zlib", "xor"]


_names = st.sampled_from(
    ["a", "b", "'x'", "b'\\x00y'", "0", "-1", "7", "2**70", "1.5", "None", "[1, 2]", "(1,)", "{1: 2}", "{1}", "''"]
)
_signs = st.sampled_from(
    ["+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "|", "^", "in", "==", "<", "and", "or", "if a else"]
)
_calls = st.sampled_from(
    [
        *sorted(
            {
                "chr",
                "ord",
                "len",
                "bytes",
                "bytearray",
                "str",
                "int",
                "list",
                "tuple",
                "dict",
                "set",
                "sorted",
                "sum",
                "min",
                "max",
            }
        ),
        *(
            "map",
            "filter",
            "zip",
            "enumerate",
            "reversed",
            "range",
            "hex",
            "oct",
            "bin",
            "repr",
            "format",
            "pow",
            "divmod",
            "abs",
        ),
        *(
            "base64.b64decode",
            "base64.a85decode",
            "zlib.decompress",
            "codecs.decode",
            "binascii.a2b_uu",
            "struct.unpack",
            "json.loads",
        ),
        *(
            "functools.reduce",
            "itertools.cycle",
            "itertools.islice",
            "itertools.accumulate",
            "next",
            "iter",
            "re.findall",
            "re.sub",
        ),
        *("marshal.loads", "pickle.loads", "int.from_bytes", "bytes.fromhex", "str.maketrans", "bytes.maketrans", "hashlib.md5"),
        *("lzma.decompress", "io.BytesIO", "gzip.GzipFile", "html.unescape", "urllib.parse.unquote", "ipaddress.ip_address"),
    ]
)
_methods = st.sampled_from(
    "join split replace translate format encode decode hex to_bytes append extend pop get items strip zfill upper count index "
    "find splitlines partition update add sort reverse insert digest read bit_length center rjust".split()
)
_expressions = st.recursive(
    _names,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, _signs, inner),
        st.builds("{}({})".format, _calls, inner),
        st.builds("{}({}, {})".format, _calls, inner, inner),
        st.builds("({}).{}({})".format, inner, _methods, inner),
        st.builds("({}).{}()".format, inner, _methods),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("({})[::{}]".format, inner, inner),
        st.builds("[{} for a in {}]".format, inner, inner),
        st.builds("(lambda a, b=1: {})({})".format, inner, inner),
        st.builds("f'{{{}!r:>{}}}'".format, st.sampled_from(["a", "b"]), st.integers(0, 9)),
        st.builds("'%s%c%d' % ({}, {}, {})".format, inner, inner, inner),
    ),
    max_leaves=12,
)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(_expressions, st.sampled_from([b"aGk=", "text", 65, [104, 105], b"x\x9c\x03\x00\x00\x00\x00\x01"]))
def test_any_expression_is_worked_out_or_refused(text, value):
    frame = Frame(lambda name: value if name in ("a", "b") else outer(name))
    try:
        tree = ast.parse(f"r = {text}")
    except SyntaxError:
        return
    try:
        Interpreter(Effort(20_000, 1 << 20)).block(tree.body, frame)
    except REFUSED:
        return


def test_what_is_not_known_is_said():
    with pytest.raises(NotWorkedOut):
        worked_out("r = unknown + 1")
