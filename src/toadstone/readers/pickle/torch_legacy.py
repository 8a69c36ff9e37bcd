"""PyTorch before zip files: several pickles, then raw storages (`torch.save(..., _use_new_zipfile_serialization=False)`).

Source: ``torch/serialization.py``, ``_legacy_save`` and ``_legacy_load`` (also for the older tar layout, whose members
``storages`` and ``tensors`` alternate pickles and raw bytes).
"""

from __future__ import annotations

from collections.abc import Callable

from toadstone.core.record import dataclass, field
from toadstone.core.value import Items, Symbol, Value
from toadstone.readers.reader import Source

MAGIC = 0x1950A86A20F9469CFC6C

_SIZES = {
    "DoubleStorage": 8, "FloatStorage": 4, "HalfStorage": 2, "LongStorage": 8, "IntStorage": 4, "ShortStorage": 2,
    "CharStorage": 1, "ByteStorage": 1, "BoolStorage": 1, "BFloat16Storage": 2, "ComplexDoubleStorage": 16,
    "ComplexFloatStorage": 8, "QUInt8Storage": 1, "QInt8Storage": 1, "QInt32Storage": 4, "QUInt4x2Storage": 1,
    "QUInt2x4Storage": 1, "UntypedStorage": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Storage:
    """A storage that a persistent id names: key, and its size in bytes and elements."""

    key: str
    size: int
    count: int


def storage_of(identity: Value) -> Storage | None:
    """Read ``('storage', type, key, location, count, ...)``; None when it is anything else."""
    if not isinstance(identity, Items) or len(identity.items) < 5 or identity.items[0] not in ("storage", b"storage"):
        return None
    _, kind, key, _location, count = identity.items[:5]
    width = (
        _SIZES.get(kind.name) if isinstance(kind, Symbol) and kind.module in ("torch", "torch.storage", "torch.cuda") else None
    )
    if isinstance(key, int) and not isinstance(key, bool):
        key = str(key)  # torch.package counts its storages
    if width is None or not isinstance(key, str) or not isinstance(count, int) or isinstance(count, bool) or count < 0:
        return None
    return Storage(key, width * count, count)


@dataclass
class LegacyLayout:
    """Follows the order of a legacy file: magic, version, system, object, keys, storages."""

    source: Source
    runs: Callable[[int], bool] = lambda _offset: False
    """Whether a plain unpickler that goes on at an offset would call something: then no storage is taken for inert."""
    streams: int = 0
    storages: dict[str, Storage] = field(default_factory=dict)
    active: bool = False

    def after(self, value: Value, persistent: list[Value], end: int) -> int:
        """Take note of a finished stream; claim raw storages behind it and give the offset to go on at."""
        self.streams += 1
        if self.streams == 1:
            self.active = value == MAGIC
            if self.active:
                self.source.notes["kind"] = "torch-legacy"
        for identity in persistent:
            if storage := storage_of(identity):
                self.storages[storage.key] = storage
        if self.active and self.streams == 5:
            return self._raw(value, end)
        return end if self.runs(end) else self._old(value, end)

    def _raw(self, keys: Value, offset: int) -> int:
        """Each storage: its number of elements (8 bytes), then its elements, in the order of the listed (sorted) keys."""
        if self.runs(offset):
            return offset
        listed = keys.items if isinstance(keys, Items) and not keys.more else sorted(self.storages)
        for key in listed:
            storage = self.storages.get(key) if isinstance(key, str) else None
            count = int.from_bytes(self.source.blob.read(offset, 8), "little")
            if storage is None or count != storage.count or offset + 8 + storage.size > self.source.blob.size:
                return offset
            self.source.coverage.read(offset, offset + 8)
            self.source.coverage.inert(offset + 8, offset + 8 + storage.size)
            offset += 8 + storage.size
        return offset

    def _old(self, value: Value, offset: int) -> int:
        """The tar layout: behind ``(key, location, type)`` a storage, behind ``(key, storage, type)`` a tensor's geometry."""
        if (
            not isinstance(value, Items)
            or value.kind != "tuple"
            or len(value.items) != 3
            or not isinstance(value.items[2], Symbol)
        ):
            return offset
        kind = value.items[2]
        if kind.module.split(".")[0] != "torch":
            return offset
        if kind.name in _SIZES:
            count = int.from_bytes(self.source.blob.read(offset, 8), "little")
            end = offset + 8 + count * _SIZES[kind.name]
        elif kind.name.endswith("Tensor"):
            dimensions = int.from_bytes(self.source.blob.read(offset, 4), "little")
            end = offset + 8 + 16 * dimensions + 8
        else:
            return offset
        if end > self.source.blob.size:
            return offset
        self.source.coverage.inert(offset, end)
        return end
