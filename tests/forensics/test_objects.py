"""Arrays, addresses, identifiers and other small objects in code that hides text, worked out without running anything."""

from __future__ import annotations

import array
import random
import uuid
import zlib

import numpy as np
import pytest

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Call
from toadstone.core.place import Place
from toadstone.forensics.effort import NotWorkedOut
from toadstone.forensics.objects import Numbers, frombuffer, numbers
from toadstone.forensics.objects import array as made_array
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk
from toadstone.symbols.intent import concrete

TEXT = b"http://203.0.113.77/s"


def executed(source: str) -> list[object]:
    """What the source hands to ``exec``, as far as it is known."""
    data = f"{source}\nexec(c)\n".encode()
    facts = walk(Source(BytesBlob(data), "m.py", Place("m.py"), Budget.of(len(data))))
    return [concrete(fact.args[0]) for fact in facts if isinstance(fact, Call) and str(fact.callee) == "builtins.exec"]


def _deflated() -> bytes:
    engine = zlib.compressobj(9, zdict=b"http://203.0.113")
    return engine.compress(TEXT) + engine.flush()


PADDED = TEXT.ljust(32, b" ")
_WORDS = [int(word) for word in np.frombuffer(PADDED, "<u2")]
_HIDDEN = bytes(byte ^ 7 for byte in PADDED)
_NAMES = [str(uuid.UUID(bytes=PADDED[at : at + 16])) for at in (0, 16)]
_HOSTS = [".".join(map(str, PADDED[at : at + 4])) for at in range(0, 32, 4)]
_CLASS = "class D:\n    def __getitem__(self, t):\n        return ''.join(chr(ord(x) ^ 7) for x in t)\n\n\n"
_MATCH = "def k(n):\n    match n % 2:\n        case 0 | 2:\n            return chr(n // 2)\n"
SOURCES = {
    "words": f"import array\nc = array.array('H', {_WORDS}).tobytes()",
    "exclusive": f"import numpy as np\nc = (np.frombuffer({_HIDDEN!r}, dtype=np.uint8) ^ 7).tobytes()",
    "pairwise": f"import numpy\nk = numpy.array({[7] * 32}, 'u1')\nc = (numpy.array({list(_HIDDEN)}, 'u1') ^ k).tobytes()",
    "identifiers": f"import uuid\nc = b''.join(uuid.UUID(i).bytes for i in {_NAMES!r})",
    "addresses": f"import ipaddress\nc = b''.join(ipaddress.ip_address(a).packed for a in {_HOSTS!r})",
    "subscript": f"{_CLASS}c = D()[{_HIDDEN.decode()!r}]",
    "match": f"{_MATCH}        case other:\n            return ''\n\n\nc = ''.join(map(k, {[2 * b for b in PADDED]}))",
}


@pytest.mark.parametrize("name", SOURCES)
def test_text_behind_small_objects(name: str) -> None:
    (found,) = executed(SOURCES[name])
    assert isinstance(found, (str, bytes))
    assert (found if isinstance(found, bytes) else found.encode()).rstrip() == TEXT


def test_arrays_are_those_of_python_and_numpy() -> None:
    chance = random.Random(3)
    for code in "bBhHiIqQ":
        raw = chance.randbytes(48)
        mine = made_array(code, raw)
        theirs = array.array(code, raw)
        assert list(mine) == (list(theirs) if code != "b" else list(raw))
    for kind in ("uint8", "<u2", ">i4", "int64"):
        raw = chance.randbytes(48)
        mine, theirs = frombuffer(raw, kind), np.frombuffer(raw, kind)
        with np.errstate(over="ignore"):
            for sign, made in {"^": theirs ^ 5, "+": theirs + 5, "*": theirs * 3}.items():
                assert list(mine.combined(sign, 5 if sign != "*" else 3)) == made.tolist(), (kind, sign)
        assert mine.method("tobytes", (), {}) == theirs.tobytes()
        assert mine.method("astype", ("uint8",), {}).method("tobytes", (), {}) == theirs.astype("uint8").tobytes()
        assert list(mine.item(slice(None, None, -1))) == theirs[::-1].tolist()


@pytest.mark.parametrize(
    "work", [lambda: numbers([1.5]), lambda: frombuffer(b"12345678", "float64"), lambda: repr(Numbers("B", [1]))]
)
def test_what_is_not_worked_out(work) -> None:
    with pytest.raises(NotWorkedOut):
        work()


def test_code_that_a_module_of_remote_code_puts_together_is_high(tmp_path) -> None:
    from toadstone import Severity, scan

    (tmp_path / "config.json").write_text('{"auto_map": {"AutoModel": "modeling_own.Own"}}')
    (tmp_path / "modeling_own.py").write_text(f"import zlib\nexec(zlib.decompressobj(zdict=b'x').decompress({_deflated()!r}))\n")
    assert scan(str(tmp_path)).exit_code(Severity.HIGH) == 1
    (tmp_path / "modeling_own.py").write_text("exec(open('version.py').read())\n\n\nclass Own:\n    pass\n")
    assert scan(str(tmp_path)).exit_code(Severity.HIGH) == 0
