"""Graphs, SavedModels and checkpoints of TensorFlow in wire form."""

from __future__ import annotations

from benchmarks.corpus.malicious.formats.tensors import field, varint


def entry(key: str, value: bytes) -> bytes:
    """One entry of a map."""
    return field(1, key) + field(2, value)


def attr(key: str, value: bytes) -> bytes:
    return field(5, entry(key, value))


def string(text: str | bytes) -> bytes:
    """An ``AttrValue`` with a text."""
    return field(2, text)


def strings(*texts: str) -> bytes:
    return field(1, b"".join(field(2, text) for text in texts))


def function(name: str) -> bytes:
    return field(10, field(1, name))


def node(name: str, op: str, *inputs: str, attrs: bytes = b"") -> bytes:
    return field(1, name) + field(2, op) + b"".join(field(3, text) for text in inputs) + attrs


def const(name: str, *texts: str | bytes) -> bytes:
    tensor = b"\x08\x07" + b"".join(field(8, text) for text in texts)
    return node(name, "Const", attrs=attr("dtype", b"\x30\x07") + attr("value", field(8, tensor)))


def library(*functions: bytes) -> bytes:
    return field(2, b"".join(field(1, one) for one in functions))


def function_def(name: str, arguments: tuple[str, ...], *nodes: bytes) -> bytes:
    signature = field(1, name) + b"".join(field(2, field(1, argument) + b"\x18\x07") for argument in arguments)
    return field(1, signature) + b"".join(field(3, one) for one in nodes)


def graph(*nodes: bytes, more: bytes = b"") -> bytes:
    return b"".join(field(1, one) for one in nodes) + more


def meta_graph(content: bytes, more: bytes = b"") -> bytes:
    return field(1, field(4, "serve") + field(5, "2.21.0")) + field(2, content) + more


def saved_model(content: bytes, more: bytes = b"") -> bytes:
    return b"\x08\x01" + field(2, meta_graph(content, more))


def block(*pairs: tuple[bytes, bytes]) -> bytes:
    """A block of a LevelDB table, without prefix compression."""
    body = b"".join(b"\0" + varint(len(key)) + varint(len(value)) + key + value for key, value in pairs)
    return body + bytes(4) + (1).to_bytes(4, "little")


def index(*tensors: tuple[str, int, int]) -> bytes:
    """An index of a checkpoint: name, offset, size."""
    rows = [(b"", b"\x08\x01")]
    rows += [(name.encode(), b"\x08\x01" + b"\x20" + varint(offset) + b"\x28" + varint(size)) for name, offset, size in tensors]
    data = block(*rows)
    meta = block()
    top = block((b"z", varint(0) + varint(len(data))))
    out = data + bytes(5) + meta + bytes(5) + top + bytes(5)
    at_meta = len(data) + 5
    at_top = at_meta + len(meta) + 5
    footer = varint(at_meta) + varint(len(meta)) + varint(at_top) + varint(len(top))
    return out + footer.ljust(40, b"\0") + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
