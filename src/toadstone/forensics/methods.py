"""Methods of constants, each total and bounded."""

# ruff: noqa: ANN401  (values of any type are worked out)
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from toadstone.forensics.decoders import codec_step, decode, encode
from toadstone.forensics.effort import BITS, LONGEST, Effort, NotWorkedOut
from toadstone.forensics.formatting import braces

_SHARED = frozenset(
    "capitalize count endswith find index isalnum isalpha isascii isdigit islower isspace istitle isupper lower lstrip "
    "partition removeprefix removesuffix rfind rindex rpartition rsplit rstrip split splitlines startswith strip swapcase "
    "title upper".split()
)
_OF_TEXT = _SHARED | frozenset("casefold isdecimal isidentifier isnumeric isprintable".split())
_OF_LIST = frozenset("append clear copy count extend index insert pop remove reverse".split())
_OF_ARRAY = _SHARED | _OF_LIST
_OF_DICT = frozenset("clear copy get items keys pop popitem setdefault update values".split())
_OF_SET = frozenset("add clear copy difference discard intersection issubset issuperset pop remove union update".split())
_CHANGING = frozenset("append extend insert update add setdefault".split())
_MOST_WIDE = 1 << 16


def _joined(effort: Effort, base: Any, items: Any) -> Any:
    listed = list(items)
    effort.hold(sum(len(item) for item in listed) + len(base) * len(listed))
    return base.join(listed)


def _replaced(effort: Effort, base: Any, old: Any, new: Any, *count: Any) -> Any:
    most = base.count(old) if len(old) else len(base) + 1
    effort.hold(len(base) + most * len(new))
    return base.replace(old, new, *count)


def _translated(effort: Effort, base: Any, table: Any, *delete: Any, **named: Any) -> Any:
    if isinstance(table, dict):
        longest = max((len(item) for item in table.values() if isinstance(item, str)), default=1)
        effort.hold(len(base) * max(longest, 1))
    return base.translate(table, *delete, **named)


def _padded(name: str) -> Callable[..., Any]:
    def apply(_effort: Effort, base: Any, width: Any, *fill: Any) -> Any:
        if not isinstance(width, int) or width > _MOST_WIDE:
            raise NotWorkedOut("a wide field")
        return getattr(base, name)(width, *fill)

    return apply


def _to_bytes(_effort: Effort, base: Any, length: Any = 1, byteorder: Any = "big", *, signed: Any = False) -> bytes:
    if not isinstance(length, int) or length > BITS:
        raise NotWorkedOut("a large number")
    return int(base).to_bytes(length, byteorder, signed=bool(signed))


def _from_bytes(_effort: Effort, _base: Any, data: Any, byteorder: Any = "big", *, signed: Any = False) -> int:
    return int.from_bytes(data, byteorder, signed=bool(signed))


def _format(_effort: Effort, base: Any, *args: Any, **kwargs: Any) -> str:
    if len(base) > LONGEST >> 4:
        raise NotWorkedOut("size")
    return braces(base, args, kwargs)


_TEXT: dict[str, Callable[..., Any]] = {
    "join": _joined,
    "replace": _replaced,
    "translate": _translated,
    **{name: _padded(name) for name in ("center", "ljust", "rjust", "zfill")},
}
_METHODS: dict[type, tuple[frozenset[str], dict[str, Callable[..., Any]]]] = {
    str: (
        _OF_TEXT,
        {
            **_TEXT,
            "format": _format,
            "format_map": lambda effort, base, mapping: _format(effort, base, **mapping),
            "encode": lambda _effort, base, *a, **k: encode(base, *a, **k),
            "decode": lambda _effort, base, *a, **k: decode(base, *a, **k),
        },
    ),
    bytes: (
        _SHARED,
        {
            **_TEXT,
            "decode": lambda _effort, base, *a, **k: decode(base, *a, **k),
            "encode": lambda _effort, base, *a, **k: encode(base, *a, **k),
            "hex": lambda _effort, base, *separator: base.hex(*separator),
            "tobytes": lambda _effort, base: bytes(base),
        },
    ),
    int: (
        frozenset({"bit_length", "bit_count", "conjugate"}),
        {"to_bytes": _to_bytes, "from_bytes": _from_bytes},
    ),
    float: (frozenset({"is_integer", "hex"}), {}),
    list: (_OF_LIST | {"sort"}, {}),
    tuple: (frozenset({"count", "index"}), {}),
    range: (frozenset({"count", "index"}), {}),
    dict: (_OF_DICT, {}),
    set: (_OF_SET, {}),
    frozenset: (_OF_SET - {"add", "clear", "discard", "pop", "remove", "update"}, {}),
}
_METHODS[bytearray] = (_OF_ARRAY, _METHODS[bytes][1])

_STEPS = {"join": "join", "replace": "replace", "translate": "translate", "format": "format", "to_bytes": "integer"}
"""Methods that may hide what they make: the name of the step."""


def has(owner: Any, name: str) -> bool:
    """Whether a value has a method that is worked out."""
    known = _METHODS.get(type(owner))
    return known is not None and (name in known[0] or name in known[1])


def method(effort: Effort, owner: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Give what a method gives.

    Raises:
        NotWorkedOut: If the value has no such method here.
    """
    plain, special = _METHODS.get(type(owner), (frozenset(), {}))
    effort.step(1 + (len(owner) >> 6 if isinstance(owner, (str, bytes, bytearray)) else 0))
    if isinstance(owner, (list, dict, set, frozenset, tuple)):
        if name in _CHANGING:
            for value in (*args, *kwargs.values()):
                effort.hold(len(value) if name in ("extend", "update") and hasattr(value, "__len__") else 1)
        else:
            effort.step(len(owner) >> 4)
        if name not in ("append", "extend", "pop", "reverse", "clear", "copy", "values", "keys", "items"):
            effort.looked_into(owner, *args)
    if name in special:
        return effort.made(special[name](effort, owner, *args, **kwargs))
    if name in plain:
        made = getattr(owner, name)(*args, **kwargs)
        return list(made) if name in ("items", "keys", "values") and isinstance(owner, dict) else effort.made(made)
    raise NotWorkedOut(f"method {name}")


def step_of(owner: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Name the step that a method is; empty when it hides nothing."""
    if name in ("decode", "encode"):
        return codec_step(args[0] if args else kwargs.get("encoding", "utf-8"))
    if name == "reverse":
        return "reversed"
    return _STEPS.get(name, "") if isinstance(owner, (str, bytes, int)) else ""
