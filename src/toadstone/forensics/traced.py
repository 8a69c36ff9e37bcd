"""Text and bytes that remember how they were made, for readers whose values are plain strings."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, without importing it
if TYPE_CHECKING:
    from typing import Any


class TracedText(str):  # noqa: SLOT000  (its twin of bytes can have no slots)
    """Text that came out of stages; ``chain`` names them, the last one first, down to the constant."""

    chain: tuple[str, ...] = ()


class TracedBytes(bytes):
    """Bytes that came out of stages; ``chain`` as for `TracedText`."""

    chain: tuple[str, ...] = ()


def traced(value: Any, chain: tuple[str, ...]) -> Any:  # noqa: ANN401  (values of any type)
    """Give text or bytes that remember a chain; anything else as it is."""
    if isinstance(value, str):
        text = TracedText(value)
        text.chain = chain
        return text
    if isinstance(value, (bytes, bytearray)):
        data = TracedBytes(value)
        data.chain = chain
        return data
    return value


def untraced(value: Any) -> Any:  # noqa: ANN401
    """Give a plain string for one that remembers."""
    if isinstance(value, TracedText):
        return str.__str__(value)
    return bytes(value) if isinstance(value, TracedBytes) else value


def chain_behind(value: Any) -> tuple[str, ...]:  # noqa: ANN401
    """Give the chain of a string; of one that remembers none, that it is a constant."""
    if isinstance(value, (TracedText, TracedBytes)):
        return value.chain
    kind = type(value).__name__
    return (f"{kind} constant",) if isinstance(value, (str, bytes, int)) else ("constants",)
