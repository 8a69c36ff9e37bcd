"""Programs of PaddlePaddle in JSON (PIR, since version 3): the operators that act outside the program.

Source: ``paddle/fluid/pir/serialize_deserialize`` of PaddlePaddle 3.3: an operator is an object whose ``#`` is the number of its
dialect and its name, with attributes under ``A``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from toadstone.core.fact import Fact, Operator
from toadstone.core.value import Value
from toadstone.readers.reader import Source

_NAME = re.compile(r"(?:\d+|[a-z_]+)\.([A-Za-z_]\w*)")
_NODES = 1 << 20
_TEXTS = 64


def program(source: Source, root: Any) -> Iterator[Fact]:  # noqa: ANN401  (parsed JSON)
    """Yield an `Operator` for everything in a program that reaches files, hosts or the process."""
    from toadstone.readers.paddle.program import OUTSIDE  # noqa: PLC0415  (only for such programs)

    stack: list[Any] = [root]
    told: set[tuple[str, str]] = set()
    for _ in range(_NODES):
        if not stack:
            return
        node = stack.pop()
        if isinstance(node, dict):
            found = _NAME.fullmatch(str(node.get("#", ""))[:200]) if isinstance(node.get("A"), list) else None
            if found and found[1].removesuffix("_") in OUTSIDE:
                texts = tuple(_texts(node["A"]))
                if (found[1], str(texts)) not in told and len(told) < 4096:
                    told.add((found[1], str(texts)))
                    yield Operator(source.place, "paddle", found[1].removesuffix("_"), found[0], texts)
            stack.extend(value for value in node.values() if isinstance(value, (dict, list)))
        elif isinstance(node, list):
            stack.extend(value for value in node if isinstance(value, (dict, list)))
    yield source.unread("the program has more parts than are followed")


def _texts(attributes: list[Any]) -> Iterator[tuple[str, Value]]:
    for entry in attributes[:_TEXTS]:
        value = entry.get("AT", {}) if isinstance(entry, dict) else {}
        text = value.get("D") if isinstance(value, dict) else None
        if isinstance(text, str) and text:
            yield str(entry.get("N", ""))[:100], text[:2048]
