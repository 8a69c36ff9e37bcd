"""Text that breaks parsers: depth, aliases, endless lines; and files that are hardly there."""

from __future__ import annotations

import json
from collections.abc import Iterator

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.formats.templates import gguf

_AUTO = json.dumps({"auto_map": {"AutoModel": "modeling_toad.Toad"}}).encode()


def _python() -> Iterator[Case]:
    tail = "\nimport os\nos.system('echo toadstone-inert')\n"
    sources: dict[str, str] = {
        "parentheses": "x = " + "(" * 100_000 + ")" * 100_000,
        "unary": "x = " + "-" * 1_000_000 + "1",
        "not": "x = " + "not " * 200_000 + "1",
        "attributes": "x = a" + ".b" * 300_000,
        "calls": "x = f" + "()" * 200_000,
        "additions": "x = 1" + " + 1" * 300_000,
        "indentation": "".join(" " * i + "if x:\n" for i in range(95)) + " " * 95 + "pass",
        "lambda-depth": "x = " + "lambda: " * 50_000 + "1",
        "lists": "x = " + "[" * 100_000,
        "long-line": "x = '" + "A" * (8 << 20) + "'",
        "many-lines": "x = 1\n" * 500_000,
        "digits": "x = " + "9" * 1_000_000,
        "decorators": "@d\n" * 100_000 + "def f(): ...",
        "nul": "x = 1\n\0\n",
        "f-strings": "x = " + "f'{" * 200 + "1" + "}'" * 200,
        "else-if": "if a: pass\n" + "elif a: pass\n" * 50_000,
    }
    for name, text in sources.items():
        files = {"config.json": _AUTO, "modeling_toad.py": (text + tail).encode()}
        yield Case(f"python-{name}", files, f"python-{name}")


def _documents() -> Iterator[Case]:
    aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
    )
    merges = "m0: &m0 {k: v}\n" + "".join(f"m{i}: &m{i} {{<<: [*m{i - 1}, *m{i - 1}], k{i}: v}}\n" for i in range(1, 60))
    yamls: dict[str, str] = {
        "alias-bomb": aliases,
        "merge-bomb": merges,
        "flow-depth": "a: " + "[" * 100_000,
        "flow-map-depth": "{a: " * 50_000,
        "block-depth": "".join(" " * i + "a:\n" for i in range(3000)),
        "sequence-depth": "- " * 50_000 + "x",
        "long-key": "? " + "k" * (4 << 20) + "\n: v\n",
        "long-line": "a: " + "x" * (8 << 20),
        "many-documents": "---\na: 1\n" * 100_000,
        "many-anchors": "".join(f"- &a{i} x\n" for i in range(100_000)),
        "self-alias": "a: &a [*a]\n",
        "many-tags": "- !!python/tuple []\n" * 50_000,
    }
    for name, text in yamls.items():
        yield Case(f"yaml-{name}.yaml", (text + "\nz: !!python/object/apply:os.system ['echo inert']\n").encode(), f"yaml-{name}")
    jsons: dict[str, bytes] = {
        "array-depth": b"[" * 1_000_000,
        "object-depth": b'{"_target_":' * 100_000 + b"1" + b"}" * 100_000,
        "digits": b'{"auto_map": ' + b"9" * 1_000_000 + b"}",
        "exponent": b'{"hidden_size": 1e' + b"9" * 100_000 + b"}",
        "many-keys": b"{" + b",".join(b'"k%d":1' % i for i in range(200_000)) + b"}",
        "same-key": b"{" + b",".join(b'"auto_map":{"AutoModel":"x--m.C"}' for _ in range(50_000)) + b"}",
        "surrogates": b'{"a":"' + b"\\ud800" * 100_000 + b'"}',
        "long-string": b'{"chat_template":"' + b"{" * (4 << 20) + b'"}',
    }
    for name, data in jsons.items():
        yield Case(f"json-{name}/config.json", data, f"json-{name}")
        if name in {"array-depth", "digits"}:
            yield Case(f"notebook-{name}.ipynb", data, f"json-{name}")


def _templates() -> Iterator[Case]:
    texts: dict[str, str] = {
        "if-depth": "{% if a %}" * 5000 + "x" + "{% endif %}" * 5000,
        "parentheses": "{{ " + "(" * 50_000 + "1" + ")" * 50_000 + " }}",
        "filters": "{{ a" + "|trim" * 100_000 + " }}",
        "attributes": "{{ a" + ".b" * 200_000 + " }}",
        "concatenation": "{{ 'a'" + " ~ 'a'" * 100_000 + " }}",
        "not": "{{ " + "not " * 50_000 + "a }}",
        "for-depth": "{% for a in b %}" * 2000 + "{% endfor %}" * 2000,
        "brackets": "{{ a" + "[0]" * 100_000 + " }}",
        "braces-flood": "{{" * 1_000_000,
        "comment-unclosed": "{# " + "x" * (4 << 20),
        "long-text": "x" * (8 << 20) + "{{ lipsum.__globals__ }}",
        "whitespace": "{{" + " " * (4 << 20) + "a }}",
    }
    for name, text in texts.items():
        evil = text + "{{ cycler.__init__.__globals__.os.system('echo inert') }}"
        yield Case(
            f"template-{name}.gguf", gguf({"general.architecture": "llama", "tokenizer.chat_template": evil}), f"template-{name}"
        )


def _patterns() -> Iterator[Case]:
    floods: dict[str, bytes] = {
        "digits-and-dots": b"1." * 2_000_000,
        "at-signs": b"a@" * 2_000_000,
        "schemes": b"http://" * 600_000,
        "base64": b"QUFB" * 2_000_000,
        "hex": b"6f73" * 2_000_000,
        "hex-words": (b"deadbeef" * 8 + b" ") * 60_000,
        "slashes": b"/a" * 2_000_000,
        "dots": b"." * 4_000_000,
        "backslashes": b"\\x41" * 1_000_000,
        "percent": b"%41" * 1_000_000,
        "colons": b"a:" * 2_000_000,
        "subdomains": b"a." * 1_000_000 + b"invalid",
    }
    for name, data in floods.items():
        call = b"cos\nsystem\n(V" + data + b"\ntR."
        yield Case(f"argument-{name}.pkl", call, f"pattern-{name}")


def _tiny() -> Iterator[Case]:
    for suffix in (
        "pkl",
        "pt",
        "gguf",
        "safetensors",
        "h5",
        "keras",
        "onnx",
        "npy",
        "npz",
        "zip",
        "tar",
        "joblib",
        "json",
        "yaml",
        "ipynb",
        "py",
    ):
        yield Case(f"empty.{suffix}", b"", "empty-file", "benign", payload=False)
    ones = {
        "pkl": b"\x80",
        "pt": b"\x80",
        "npy": b"\x93",
        "h5": b"\x89",
        "gz": b"\x1f",
        "onnx": b"\x08",
        "xz": b"\xfd",
        "joblib": b"\x78",
        "zst": b"\x28",
    }
    for suffix, data in ones.items():
        yield Case(f"one-byte.{suffix}", data, "one-byte-file", payload=False)
    starts = {
        "zip": b"PK\x03\x04",
        "gguf": b"GGUF\x03",
        "npy": b"\x93NUMPY\x01\x00",
        "h5": b"\x89HDF\r\n\x1a\n",
        "gz": b"\x1f\x8b\x08",
        "7z": b"7z\xbc\xaf\x27\x1c",
        "xz": b"\xfd7zXZ\x00",
        "zst": b"\x28\xb5\x2f\xfd",
        "bz2": b"BZh9",
        "lz4": b"\x04\x22\x4d\x18",
        "pkl": b"\x80\x04\x95",
    }
    for suffix, data in starts.items():
        yield Case(f"magic-only.{suffix}", data, "magic-only", payload=False)


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _python()
    yield from _documents()
    yield from _templates()
    yield from _patterns()
    yield from _tiny()
