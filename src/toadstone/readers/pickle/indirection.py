"""Calls that only pass a name on: what they give is known before loading.

Gadget chains reach a function through ``getattr``, ``importlib.import_module``, ``operator.attrgetter`` or
``functools.partial`` and build its name from pieces. Followed to the end, such a chain becomes an ordinary import that
is judged like any other. Only pure steps on known values are followed; everything else stays a `Result`.
"""

from __future__ import annotations

import base64
import binascii
import codecs
from collections.abc import Callable, Sequence

from toadstone.core.value import Items, Result, Symbol, Value

_MODULES = frozenset(
    {
        "builtins.__import__", "importlib.__import__", "importlib.import_module", "importlib._bootstrap._gcd_import",
        "importlib._bootstrap.__import__", "sys.modules.get", "sys.modules.__getitem__", "dill._dill._import_module",
    },
)  # fmt: skip
_ATTRIBUTES = frozenset(
    {"builtins.getattr", "operator.getattr", "_operator.getattr", "inspect.getattr_static", "dill._dill._get_attr"}
)
_GETTERS = frozenset({"operator.attrgetter", "_operator.attrgetter"})
_ITEMS = frozenset(
    {
        "operator.getitem",
        "_operator.getitem",
        "operator.__getitem__",
        "_operator.__getitem__",
        "builtins.dict.__getitem__",
        "builtins.dict.get",
    }
)
_PARTIALS = frozenset({"functools.partial", "_functools.partial"})
_TYPES = ("dill._dill._load_type", ".cloudpickle._builtin_type")
"""Ends of the names (cloudpickle lives on in copies inside other packages)."""
_LONGEST = 1 << 16


def resolved(callee: Value, args: Sequence[Value]) -> Value:
    """Give what a call gives, if it only passes on a name or joins known text; None otherwise.

    Returns:
        A `Symbol` (a module has an empty name), text or bytes, a `Result` of the function that a partial stands for, or
        None.
    """
    if isinstance(callee, Symbol):
        return _by_name(str(callee), list(args))
    if isinstance(callee, Result) and isinstance(callee.callee, Symbol):
        return _second(str(callee.callee), callee, list(args))
    return None


def _by_name(name: str, args: list[Value]) -> Value:
    if (name in _MODULES or name.endswith("cloudpickle.subimport")) and args and isinstance(args[0], str):
        return Symbol(args[0], "")
    if name == "pkgutil.resolve_name" and args and isinstance(args[0], str):
        module, _, attribute = args[0].partition(":")
        return Symbol(module, attribute) if attribute else _dotted(args[0])
    if name in ("pydoc.locate", "cloudpickle.cloudpickle._lookup_class_or_track") and args and isinstance(args[0], str):
        return _dotted(args[0])
    if name in _ATTRIBUTES and len(args) >= 2:
        return _attribute(args[0], args[1])
    if name in _ITEMS and len(args) >= 2:
        return _item(args[0], args[1])
    if name.endswith(_TYPES) and args and isinstance(args[0], str):
        return Symbol("types" if args[0].endswith("Type") else "builtins", args[0])
    return _text(name, args)


def _dotted(text: str) -> Symbol:
    module, _, attribute = text.rpartition(".")
    return Symbol(module, attribute) if module else Symbol(text, "")


def _second(maker: str, made: Result, args: list[Value]) -> Value:
    """Call what ``attrgetter``, ``methodcaller`` or ``partial`` made."""
    if maker in _GETTERS and made.args and args:
        return _attribute(args[0], made.args[0])
    if maker.endswith(".itemgetter") and made.args and args:
        return _item(args[0], made.args[0])
    if maker.endswith(".methodcaller") and made.args and args:
        method = _attribute(args[0], made.args[0])
        return Result(method, tuple(made.args[1:]), made.kwargs) if method is not None else None
    if maker in _PARTIALS and made.args:
        return Result(made.args[0], (*made.args[1:], *args), made.kwargs)
    return None


def _attribute(owner: Value, name: Value) -> Value:
    if not isinstance(name, str):
        return None
    if isinstance(owner, Symbol) and owner.module:
        return Symbol(owner.module, f"{owner.name}.{name}" if owner.name else name)
    if isinstance(owner, (str, bytes)):
        return Result(Symbol("builtins", f"{type(owner).__name__}.{name}"), (owner,))
    return None


def _item(owner: Value, key: Value) -> Value:
    if isinstance(owner, Symbol) and isinstance(key, str):
        if str(owner) == "sys.modules":
            return Symbol(key, "")
        if owner.name.endswith("__dict__"):
            return Symbol(owner.module, owner.name.removesuffix("__dict__") + key)
        if owner.name == "__builtins__":
            return Symbol("builtins", key)
    return None


def _join(args: list[Value]) -> Value:
    separator, parts = args[0], args[1]
    if isinstance(parts, Items) and not parts.more:
        if isinstance(separator, str) and all(isinstance(part, str) for part in parts.items):
            return separator.join(str(part) for part in parts.items)
        if isinstance(separator, bytes) and all(isinstance(part, bytes) for part in parts.items):
            return separator.join(part for part in parts.items if isinstance(part, bytes))
    return None


def _add(args: list[Value]) -> Value:
    left, right = args[:2]
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, bytes) and isinstance(right, bytes):
        return left + right
    return None


def _decode(args: list[Value]) -> Value:
    content = args[0]
    encoding = args[1] if len(args) > 1 and isinstance(args[1], str) else "utf-8"
    name = encoding.lower().replace("-", "").replace("_", "")
    if name == "rot13" and isinstance(content, str):
        return codecs.decode(content, "rot13")
    raw = content.encode("latin-1") if isinstance(content, str) else content
    if not isinstance(raw, bytes):
        return None
    if name in ("base64", "base64codec"):
        return base64.b64decode(raw)
    if name in ("hex", "hexcodec"):
        return binascii.unhexlify(raw)
    return raw.decode(name) if name in ("utf8", "ascii", "latin1", "iso88591") else None


def _encode(args: list[Value]) -> Value:
    text = args[0]
    encoding = args[1] if len(args) > 1 and isinstance(args[1], str) else "utf-8"
    if isinstance(text, str) and encoding.lower() in ("utf-8", "ascii", "latin-1", "latin1", "iso-8859-1"):
        return text.encode(encoding)
    return _decode(args) if encoding.lower().startswith("rot") else None


def _base64(args: list[Value]) -> Value:
    return base64.b64decode(args[0]) if isinstance(args[0], (str, bytes)) else None


def _hex(args: list[Value]) -> Value:
    return binascii.unhexlify(args[0]) if isinstance(args[0], (str, bytes)) else None


_PURE: dict[str, tuple[int, Callable[[list[Value]], Value]]] = {
    "builtins.str.join": (2, _join),
    "builtins.bytes.join": (2, _join),
    "operator.add": (2, _add),
    "_operator.add": (2, _add),
    "operator.concat": (2, _add),
    "_operator.concat": (2, _add),
    "builtins.str.__add__": (2, _add),
    "builtins.str.lower": (1, lambda args: args[0].lower() if isinstance(args[0], str) else None),
    "builtins.str.upper": (1, lambda args: args[0].upper() if isinstance(args[0], str) else None),
    "builtins.str.strip": (1, lambda args: args[0].strip() if isinstance(args[0], str) else None),
    "builtins.str.encode": (1, _encode),
    "builtins.bytes.decode": (1, _decode),
    "builtins.str": (1, lambda args: args[0] if isinstance(args[0], str) else _decode(args) if len(args) > 1 else None),
    "builtins.bytes.fromhex": (1, _hex),
    "builtins.chr": (1, lambda args: chr(args[0]) if isinstance(args[0], int) and 0 <= args[0] < 0x110000 else None),
    "codecs.decode": (1, _decode),
    "_codecs.decode": (1, _decode),
    "codecs.encode": (1, _encode),
    "_codecs.encode": (1, _encode),
    "base64.b64decode": (1, _base64),
    "binascii.a2b_base64": (1, _base64),
    "binascii.unhexlify": (1, _hex),
}
"""Pure functions of text: how many arguments they need, and what they give."""


def _text(name: str, args: list[Value]) -> Value:
    known = _PURE.get(name)
    if known is None or len(args) < known[0]:
        return None
    try:
        made = known[1](args)
    except (ValueError, LookupError, binascii.Error):
        return None
    return made if not isinstance(made, (str, bytes)) or len(made) <= _LONGEST else None
