"""Writes ``bytecode.json``: functions that hide an address in loops and generators, compiled by every Python that is given.

::

    python tests/data/forensics/make_bytecode.py python3.10 python3.12 ...
"""

# ruff: noqa: E501  (one function a line)
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ADDRESS = "http://203.0.113.7/x"
_XORED = bytes(value ^ 42 for value in ADDRESS.encode())
_KEYED = bytes(value ^ b"key"[index % 3] for index, value in enumerate(ADDRESS.encode()))
_OPEN = "    import urllib.request\n    urllib.request.urlopen({})\n    return x"

FUNCTIONS = {
    "generator": f"def f(x):\n    u = bytes(b ^ 42 for b in {_XORED!r}).decode()\n" + _OPEN.format("u"),
    "list": f"def f(x):\n    u = ''.join([chr(b ^ 42) for b in {_XORED!r}])\n" + _OPEN.format("u"),
    "map": f"def f(x):\n    u = ''.join(map(lambda b: chr(b ^ 42), {_XORED!r}))\n" + _OPEN.format("u"),
    "key": f"def f(x):\n    from itertools import cycle\n    u = bytes(a ^ b for a, b in zip({_KEYED!r}, cycle(b'key')))\n"
    + _OPEN.format("u.decode()"),
    "for": f"def f(x):\n    u = ''\n    for b in {_XORED!r}:\n        u += chr(b ^ 42)\n" + _OPEN.format("u"),
    "while": f"def f(x):\n    i, u, d = 0, [], {_KEYED!r}\n    while i < len(d):\n        u.append(chr(d[i] ^ b'key'[i % 3]))\n"
    "        i += 1\n" + _OPEN.format("''.join(u)"),
    "bytearray": f"def f(x):\n    u, d = bytearray(), {_KEYED!r}\n    for i in range(len(d)):\n        u.append(d[i] ^ b'key'[i % 3])\n"
    + _OPEN.format("u.decode()"),
    "choice": f"def f(x):\n    u = ''\n    for i, b in enumerate({_XORED!r}):\n        if i % 2 == 0:\n            u = u + chr(b ^ 42)\n"
    "        else:\n            u = u + chr(42 ^ b)\n" + _OPEN.format("u"),
    "inner": "def f(x):\n    def d(s, k=42):\n        return ''.join(chr(c ^ k) for c in s)\n" + _OPEN.format(f"d({_XORED!r})"),
    "table": "def f(x):\n    t = {97: 'http', 98: '://', 99: '203.0.', 100: '113.7', 101: '/x'}\n"
    "    u = ''.join(t[ord(c)] for c in 'abcde')\n" + _OPEN.format("u"),
    "format": "def f(x):\n    u = f\"{'http'}://{203}.{0:d}.{113}.{7}/x\"\n" + _OPEN.format("u"),
}  # fmt: skip

_PROGRAM = """
import json, marshal, sys
made = {}
for name, text in json.load(sys.stdin).items():
    space = {}
    exec(text, space)
    made[name] = marshal.dumps(space["f"].__code__).hex()
print(json.dumps({"version": "%d.%d" % sys.version_info[:2], "code": made}))
"""


def main() -> None:
    written = {}
    for python in sys.argv[1:] or [sys.executable]:
        done = subprocess.run([python, "-c", _PROGRAM], input=json.dumps(FUNCTIONS), capture_output=True, text=True, check=True)
        answer = json.loads(done.stdout)
        written[answer["version"]] = answer["code"]
    path = Path(__file__).with_name("bytecode.json")
    path.write_text(json.dumps(written, indent=1, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    main()
