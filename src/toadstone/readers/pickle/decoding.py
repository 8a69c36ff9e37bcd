"""Pure functions that a pickle calls on known values, worked out: decoders, joins, arithmetic on bytes.

A pickle can take the stages off its payload by itself: ``REDUCE`` of ``base64.b64decode``, of ``zlib.decompress`` on what that
gave, and so on. What comes out is a string that remembers its stages (`toadstone.forensics.traced`).
"""

from __future__ import annotations

from toadstone.core.value import Excerpt, Items, Result, Symbol, Value
from toadstone.forensics.effort import NotWorkedOut
from toadstone.forensics.traced import TracedBytes, TracedText, chain_behind, traced, untraced
from toadstone.readers.pickle.tape import Tape

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, without importing it
if TYPE_CHECKING:
    from typing import Any

    from toadstone.forensics.statements import Interpreter

_LONGEST = 1 << 20
_NESTED = 8
_KEPT = 4096
_STEPS = 200_000
_FOLLOWED = frozenset(f"builtins.{name}" for name in ("getattr", "__import__", "print", "isinstance")) | frozenset(
    {"importlib.import_module", "functools.partial"}
)
_CONTAINERS = frozenset(
    f"builtins.{name}"
    for name in ("list", "tuple", "set", "frozenset", "dict", "slice", "range", "bytearray", "int", "float", "bool")
)
"""Constructors that any pickle calls: they stay pictures, and are worked out only inside something that decodes."""


_MODULES = frozenset(
    "base64 binascii codecs _codecs zlib gzip bz2 lzma builtins operator _operator functools itertools struct urllib html quopri "
    "io _io marshal pickle _pickle cPickle dill cloudpickle hashlib json ast re string array socket ipaddress".split()
)


def _latin1(text: str) -> Value:
    """Give the bytes that protocols 0 to 2 write as text."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return None


class Decoding:
    """Works out calls within a budget for one stream.

    Args:
        tape: Gives the bytes of long strings, of which values keep the head only.
    """

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._interpreter: Interpreter | None = None
        self._chains: dict[int, tuple[Items, tuple[str, ...]]] = {}
        """Chains of worked-out containers, by identity; the containers are kept so that no other one takes their place."""

    def call(self, name: str, args: list[Value]) -> Value:
        """Give what a pure function gives, or None."""
        if name in _FOLLOWED or name in _CONTAINERS or name.partition(".")[0] not in _MODULES:
            return None
        if name == "_codecs.encode" and len(args) == 2 and args[1] == "latin1" and type(args[0]) is str:
            return _latin1(args[0])
        return self._worked_out(name, args)

    def _worked_out(self, name: str, args: list[Value]) -> Value:
        from toadstone.forensics.calls import known_function  # noqa: PLC0415  (few pickles call any of these)
        from toadstone.forensics.effort import Effort  # noqa: PLC0415
        from toadstone.forensics.interpreter import REFUSED, Steps  # noqa: PLC0415
        from toadstone.forensics.statements import Interpreter  # noqa: PLC0415

        if not known_function(name):
            return None
        if self._interpreter is None:
            self._interpreter = Interpreter(Effort(_STEPS, 16 << 20))
        interpreter = self._interpreter
        interpreter.steps = Steps()
        try:
            given = tuple(self._concrete(value, interpreter, 0) for value in args)
            made = interpreter.solid(interpreter.symbol(name, given, {}))
        except REFUSED:
            return None
        return self._pictured(made, self._chain(name, given, args, interpreter.steps.taken), 0)

    def _chain(self, name: str, given: tuple[Any, ...], args: list[Value], taken: list[str]) -> tuple[str, ...]:
        """Give the chain of a result; empty when neither this call nor its arguments hid anything."""
        from toadstone.forensics.decoders import DECODERS, codec_step, step_of  # noqa: PLC0415

        if name in DECODERS:
            step = step_of(name, given, {})
        elif name.endswith((".decode", ".encode")):
            step = codec_step(given[1] if len(given) > 1 else "utf-8")
        elif name in ("builtins.bytes", "builtins.bytearray") and args and isinstance(args[0], Items):
            step = "byte values"
        else:
            step = taken[-1] if taken else ""
        container = next((self._chains[id(value)][1] for value in args if id(value) in self._chains), None)
        if container is not None:
            return ((step,) if step and step != container[0] else ()) + container
        flat = [item for value in args for item in (value.items if isinstance(value, Items) else [value])]
        behind = next((value for value in flat if isinstance(value, (TracedText, TracedBytes))), None)
        if behind is None and not step:
            return ()
        first = behind if behind is not None else next((value for value in flat if isinstance(value, (str, bytes))), None)
        return ((step,) if step else ()) + chain_behind(first)

    def _concrete(self, value: Value, interpreter: Interpreter, depth: int) -> Any:  # noqa: ANN401  (values of any type)
        if value is None or isinstance(value, (str, bytes, bool, int, float, Symbol)):
            return untraced(value)
        if isinstance(value, Excerpt) and value.length <= _LONGEST:
            raw = self._tape.take(value.offset, value.length)
            return raw.decode("utf-8", "surrogatepass") if value.kind == "str" else raw
        if isinstance(value, Items) and not value.more and depth < _NESTED:
            interpreter.effort.step(1 + (len(value.items) >> 4))
            items = [self._concrete(item, interpreter, depth + 1) for item in value.items]
            if value.kind == "dict":
                interpreter.effort.looked_into(items)
                return dict(items)
            if value.kind in ("set", "frozenset"):
                interpreter.effort.looked_into(items)
                return set(items)
            return tuple(items) if value.kind == "tuple" else items
        if isinstance(value, Result) and not value.kwargs and depth < _NESTED and str(value.callee) in _CONTAINERS:
            return interpreter.symbol(
                str(value.callee), tuple(self._concrete(item, interpreter, depth + 1) for item in value.args), {}
            )
        raise NotWorkedOut("not known")

    def _pictured(self, made: Any, chain: tuple[str, ...], depth: int) -> Value:  # noqa: ANN401
        if isinstance(made, (str, bytes, bytearray)):
            if len(made) > _LONGEST:
                return None
            plain: Value = bytes(made) if isinstance(made, bytearray) else made
            return traced(plain, chain) if chain else plain
        if isinstance(made, (bool, int, float)):
            return made
        if isinstance(made, (list, tuple)) and depth < 2 and len(made) <= _KEPT:
            items = [self._pictured(item, chain, depth + 1) for item in made]
            pictured = Items("list" if isinstance(made, list) else "tuple", items)
            if chain and not depth and len(self._chains) < _NESTED << 6:
                self._chains[id(pictured)] = pictured, chain
            return pictured
        return None
