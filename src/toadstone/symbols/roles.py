"""What part a callable plays in a pickle.

``__reduce__`` names either a class or a function that puts an object together again. Libraries give these functions
private names that say so (``_reconstruct``, ``_rebuild_tensor_v2``, ``__pyx_unpickle_...``, ``_new_Index``); a public function
is made for people. A stream that calls a public function with text in its hands does what no pickler does.
"""

from __future__ import annotations

import builtins
import enum
import re
from collections.abc import Sequence

from toadstone.core.regex import regex
from toadstone.core.value import Excerpt, Symbol, Value, leaves
from toadstone.symbols import Effect, effects_of
from toadstone.symbols.arguments import runs_alone


class Role(enum.Enum):
    """The part of a callee."""

    CLASS = "class"
    RECONSTRUCTOR = "reconstructor"
    FUNCTION = "function"


_PUTS_TOGETHER = regex(
    r"(re_?construct|re_?build|re_?store|un_?pickle|from_?state|set_?state|new_?obj|deserialize_?me|make_?\w*from|ctor|unreduce|_new|reduce|factory|_make)",
    re.IGNORECASE,
)
_PUBLIC = regex(r"(un_?pickle|re_?construct|re_?build)_\w+", re.IGNORECASE)
_CLASS = regex(r"_{0,2}[A-Z]\w*")
_LOWER_CLASSES = frozenset(
    {
        *(
            f"builtins.{name}"
            for name in ("set", "frozenset", "bytearray", "slice", "range", "complex", "list", "dict", "tuple", "int", "float")
        ),
        *(f"builtins.{name}" for name in ("str", "bytes", "bool", "object", "memoryview", "reversed", "enumerate", "zip")),
        *(f"datetime.{name}" for name in ("date", "time", "datetime", "timedelta", "timezone")),
        *(f"collections.{name}" for name in ("deque", "defaultdict")),
        *(f"itertools.{name}" for name in ("count", "cycle", "repeat", "chain", "islice", "product")),
        *(
            f"{module}.{name}"
            for module in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray")
            for name in ("dtype", "ndarray", "scalar")
        ),
        *(f"torch.{name}" for name in ("device", "dtype", "layout", "memory_format", "finfo", "iinfo")),
        "array.array",
        "_codecs.encode",
        "operator.attrgetter",
        "re._compile",
        "numpy.ndarray",
        "pandas._libs.tslibs.timezones.maybe_get_tz",
    },
)
"""Classes (and codecs of the pickle protocol itself) whose names do not look like a class's."""

_WORD = regex(r"[A-Za-z_][A-Za-z0-9_-]{0,31}")
_REFERENCE = regex(r"\s*([A-Za-z_]\w*(?:\.\w+)*)[.:]([A-Za-z_]\w*)\s*\Z")
_FORBIDDEN = frozenset({Effect.RUN_COMMAND, Effect.RUN_CODE, Effect.LOAD_NATIVE, Effect.DESERIALISE, Effect.IMPORT_NAME})


def role_of(symbol: Symbol, how: str) -> Role:
    """Tell what a callee is, from how it is used and what it is called."""
    last = symbol.name.rpartition(".")[2]
    if how == "NEWOBJ" or _CLASS.fullmatch(last) or str(symbol) in _LOWER_CLASSES:
        return Role.CLASS
    if (last.startswith("_") and _PUTS_TOGETHER.search(last)) or _PUBLIC.match(last):
        return Role.RECONSTRUCTOR
    if last in ("newObj", "scalar") or (last.startswith("__") and last.endswith("__")):
        return Role.RECONSTRUCTOR
    return Role.FUNCTION


CONTAINERS = frozenset(
    {
        *(f"builtins.{name}" for name in ("set", "frozenset", "list", "dict", "tuple")),
        *(f"collections.{name}" for name in ("deque", "OrderedDict", "Counter")),
    },
)
"""Makers of containers; picklers give them lists and pairs."""

_DATA = frozenset(
    {
        *(f"builtins.{name}" for name in ("set", "frozenset", "bytearray", "complex", "list", "dict", "tuple", "int", "float")),
        *(f"builtins.{name}" for name in ("str", "bytes", "bool")),
        *(f"collections.{name}" for name in ("deque", "OrderedDict", "Counter")),
    },
)


def holds_data(symbol: Symbol) -> bool:
    """Whether a callee only makes plain data or an exception of what it is given: text in it is text, whatever it looks like."""
    return str(symbol) in _DATA or (symbol.module == "builtins" and _is_exception(getattr(builtins, symbol.name, None)))


def _is_exception(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def has_text(values: Sequence[Value]) -> bool:
    """Whether text or bytes that may be more than a name are among the arguments, themselves or in containers.

    Reconstructors of compiled libraries are told *what* to make by one word (``type_for_alias('int64')``); no command,
    no code, no path and no address is a single word, except for programs that need no argument.
    """
    return any(
        isinstance(leaf, (str, bytes, Excerpt)) and leaf not in ("", b"") and not _is_plain_word(leaf)
        for value in values
        for leaf in leaves(value, made=False)
    )


def _is_plain_word(text: str | bytes | Excerpt) -> bool:
    return isinstance(text, str) and _WORD.fullmatch(text) is not None and not runs_alone(text)


def names_gadget(values: Sequence[Value]) -> str:
    """Find text that names something dangerous (``os:system``, ``subprocess.Popen``), as import-by-name functions take it."""
    for value in values:
        for leaf in leaves(value):
            if isinstance(leaf, str) and len(leaf) < 200 and (found := _REFERENCE.match(leaf)):
                knowledge = effects_of(found.group(1), found.group(2))
                if knowledge is not None and knowledge.exact and _FORBIDDEN & knowledge.effects:
                    return leaf
    return ""
