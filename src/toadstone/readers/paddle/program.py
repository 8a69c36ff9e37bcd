"""Operators of a Paddle program that act outside it, and the tensors of its parameter file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import prod
from pathlib import Path

from toadstone.core.blob import BytesBlob
from toadstone.core.fact import Fact, Operator
from toadstone.core.value import Value
from toadstone.readers.messages import Found, Reading, last, table, text_of
from toadstone.readers.reader import Source

MESSAGES = Path(__file__).with_name("messages.tsv")

_KEPT = {
    "OpDesc": frozenset({"type", "attrs"}),
    "OpDesc.Attr": frozenset({"name", "s", "strings", "i"}),
}
OUTSIDE = frozenset({
    "py_func", "py_layer", "run_program", "save", "save_combine", "load", "load_combine", "save_selected_rows", "send",
    "recv", "send_and_recv", "listen_and_serv", "heter_listen_and_serv", "fl_listen_and_serv", "checkpoint_notify",
    "gen_nccl_id", "c_gen_nccl_id", "prefetch", "distributed_lookup_table", "open_files", "create_custom_reader",
    "create_recordio_file_reader", "read_file", "cuda_profiler", "push_dense", "pull_dense", "save_value",
    "sparse_tensor_load", "send_barrier", "fetch_barrier",
})  # fmt: skip
"""Operators that reach files, other processes or the host."""

_OPERATORS = 1 << 12
_TEXTS = 64
_WIDTHS = {0: 1, 1: 2, 2: 4, 3: 8, 4: 2, 5: 4, 6: 8, 20: 1, 21: 1, 22: 2, 23: 8, 24: 16, 32: 1, 33: 1}
"""Bytes of an element by ``VarType.Type``."""


@cache
def standard() -> frozenset[str]:
    """Names of the operators that every Paddle runtime has."""
    return frozenset(Path(__file__).with_name("operators.txt").read_text(encoding="utf-8").split())


def is_known(name: str) -> bool:
    """Whether an operator, or the one that it is the gradient of, belongs to the runtime."""
    plain = name
    while plain.endswith(("_grad", "_double", "_triple", "_sparse", "_v2", "_infer")):
        if plain in standard():
            return True
        plain = plain.rpartition("_")[0]
    return plain in standard() or name in OUTSIDE


class Program:
    """The state of one pass.

    Args:
        source: Where the program is.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.told: set[tuple[str, tuple[tuple[str, Value], ...]]] = set()

    def read(self) -> Iterator[Fact]:
        """Yield every fact."""
        reading = Reading(self.source, table(MESSAGES), _KEPT)
        reading.finished = self.finished
        yield from reading.run("ProgramDesc")

    def finished(self, kind: str, found: Found, start: int) -> Iterator[Fact]:
        """Report an operator that is read to its end."""
        if kind != "OpDesc":
            return
        name = text_of(found, "type")
        custom = not is_known(name)
        if not name or (name not in OUTSIDE and not custom):
            return
        texts: list[tuple[str, Value]] = []
        for attribute in found.get("attrs", ()):
            label = text_of(attribute, "name")
            values = [*attribute.get("s", ()), *attribute.get("strings", ())]
            if not label.startswith("op_") and label != "with_quant_attr":
                texts += [(label[:100], value[:2048]) for value in values if value][:_TEXTS]
        key = (name, tuple(texts[:_TEXTS]))
        if key not in self.told and len(self.told) <= _OPERATORS:
            self.told.add(key)
            if len(self.told) > _OPERATORS:
                yield self.source.unread(f"more than {_OPERATORS:,} different operators that act outside; the rest is not judged")
                return
            yield Operator(self.source.place.at(start), "paddle.custom" if custom else "paddle", name[:200], name[:200], key[1])


def parameters(source: Source) -> Iterator[Fact]:
    """Account for tensors that stand one behind the other."""
    position = 0
    while position < source.blob.size:
        source.budget.spend_steps(32)
        head = source.blob.read(position, 20)
        size = int.from_bytes(head[16:20], "little")
        if len(head) < 20 or head[:4] != bytes(4) or head[4:16] != bytes(12) or not 2 <= size <= 1024:
            return  # the walker looks at what is no tensor
        start = position + 20
        length = _length(source, source.blob.read(start, size))
        if length < 0 or start + size + length > source.blob.size:
            yield source.unread(f"the tensor at {position:,} is cut short or of an unknown type", position)
            return
        source.coverage.read(position, start + size)
        source.coverage.inert(start + size, start + size + length)
        position = start + size + length


def _length(source: Source, raw: bytes) -> int:
    """Compute the bytes of a tensor from its description; -1 if that is not possible."""
    kept: list[Found] = []

    def one(_kind: str, found: Found, _start: int) -> Iterator[Fact]:
        kept.append(found)
        return iter(())

    inner = Source(BytesBlob(raw), "description", source.place, source.budget)
    reading = Reading(inner, table(MESSAGES), {"VarType.TensorDesc": frozenset({"data_type", "dims"})})
    reading.finished = one
    broken = list(reading.run("VarType.TensorDesc"))
    if broken or not kept:
        return -1
    width = _WIDTHS.get(last(kept[0], "data_type") or 0, -1)
    dims = kept[0].get("dims", [])
    return -1 if width < 0 or any(size >= 1 << 40 for size in dims) else width * prod(dims)
