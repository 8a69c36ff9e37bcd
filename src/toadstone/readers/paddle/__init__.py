"""PaddlePaddle: programs (``.pdmodel``, ``__model__``) and their combined parameters (``.pdiparams``).

Programs in the newer JSON form are read with the other configurations, ``.pdparams`` as the pickles that they are. Source:
``framework.proto`` of PaddlePaddle 3.3 and ``paddle/fluid/framework/dense_tensor_serialize.cc``.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.protobuf import LENGTH, VARINT, Field, WireError, fields
from toadstone.readers.reader import Reader, Source

_PROGRAM = {1: LENGTH, 4: LENGTH, 5: LENGTH}
_BLOCK = {1: VARINT, 2: VARINT, 3: LENGTH, 4: LENGTH, 5: VARINT}
_LOOKED_AT = 256


def claims(source: Source) -> bool:
    """Whether it is a ``ProgramDesc``: its first block is number 0, and no field is of another kind."""
    if source.head(1) != b"\x0a":
        return False
    cursor = Cursor(source.blob, step=512)
    try:
        first = next(fields(cursor, source.blob.size))
        inside = [field for field, _ in zip(_inner(source, first.value, first.stop), range(_LOOKED_AT), strict=False)]
        shaped = all(_BLOCK.get(field.number) == field.wire for field in inside)
        numbered = [(field.number, field.value) for field in inside[:2] if field.wire == VARINT]
        if not shaped or len(numbered) < 2 or numbered[0] != (1, 0) or numbered[1][0] != 2:
            return False
        cursor.position = 0
        for count, field in enumerate(fields(cursor, source.blob.size)):
            if source.suffix == ".pdmodel" or count > _LOOKED_AT:
                return True
            if _PROGRAM.get(field.number) != field.wire:
                return False
    except (WireError, ShortError, StopIteration):
        return False
    return True


def _inner(source: Source, start: int, stop: int) -> Iterator[Field]:
    return fields(Cursor(source.blob, start, stop, step=512), stop)


def read(source: Source) -> Iterator[Fact]:
    """Read a program."""
    from toadstone.readers.flood import thinned  # noqa: PLC0415  (not at start-up)
    from toadstone.readers.paddle.program import Program  # noqa: PLC0415

    yield from thinned(source, Program(source).read())


def claims_parameters(source: Source) -> bool:
    """Whether a tensor in Paddle's form begins here: three versions of zero and a description."""
    head = source.head(40)
    if head[:4] != bytes(4) or len(head) < 24:
        return False
    levels = int.from_bytes(head[4:12], "little")
    return (
        levels == 0 and head[12:16] == bytes(4) and 4 <= int.from_bytes(head[16:20], "little") <= 1024 and head[20:21] == b"\x08"
    )


def read_parameters(source: Source) -> Iterator[Fact]:
    """Walk the tensors one after the other."""
    from toadstone.readers.paddle.program import parameters  # noqa: PLC0415

    yield from parameters(source)


READERS = (
    Reader(kind="paddle", read=read, marks=((0, b"\x0a"),), claims=claims, rank=40),
    Reader(kind="paddle-parameters", read=read_parameters, marks=((0, bytes(16)),), claims=claims_parameters, rank=40),
)
