"""What of a call's arguments is handed to the checks: all of it, until a stream hands on the same graph again and again.

The arguments of a call can be a graph of everything that was made before, and so can those of the next one: whoever looks
into each of them looks at the square of what there is. So the values that calls are handed are counted. A stream that has
handed on far more than it has bytes is cut from then on: what no call was handed yet always is, of the rest only what
stands right there. That anything was left out is said once, where it may matter to what the call is judged by.
"""

from __future__ import annotations

from collections import deque

from toadstone.core.value import Items, Opaque, Result, Symbol, Table, Value

_FREE = 200_000
"""Values that the calls of one stream may be handed in full, besides a part of its size: those of real ones come nowhere near."""

_PER_VALUE = 8
"""Bytes of a stream for each further value."""

_LARGEST = 8_000
"""Values of one call: nobody looks at more."""

_AGAIN = 6
"""Values of a call that were handed on before and are handed on once more, when the stream is cut."""

_SETTING = ("BUILD", "SETITEMS", "APPENDS", "ADDITEMS")
"""Opcodes whose calls are not judged by what the objects hold that they are handed."""

_CODE = 12
"""Arguments from which a call may make a code object, which is read from them."""

_LONGEST_SIGN = 24
_SCALARS = frozenset({str, bytes, int, float, bool, complex, type(None), Symbol})


class Cut:
    """A call that was cut.

    Attributes:
        callee: What is called.
        args: Positional arguments.
        kwargs: Named arguments.
        sign: What makes the call the same as another one that was cut; None when there is too much of it.
        lost: Whether something was left out that the call may be judged by.
    """

    def __init__(self, callee: Value, args: tuple[Value, ...], kwargs: tuple[tuple[str, Value], ...], copier: _Copier) -> None:
        self.callee = callee
        self.args = args
        self.kwargs = kwargs
        self.sign = (*(name for name, _ in kwargs), *copier.sign) if len(copier.sign) < _LONGEST_SIGN else None
        self.lost = copier.lost


class Handing:
    """Counts what the calls of one stream are handed.

    Attributes:
        work: Values that were looked at and not yet accounted for.

    Args:
        size: Bytes of the stream.
    """

    def __init__(self, size: int) -> None:
        self._room = _FREE + size // _PER_VALUE
        self._lost = False
        """Whether anything was left out already, so that nobody can take what is handed on for all there is."""
        self.work = 0

    def cut(self, callee: Value, args: tuple[Value, ...], kwargs: tuple[tuple[str, Value], ...], how: str) -> Cut | None:
        """Give a call as the checks get it; None when they get it as it is."""
        roots = [callee, *args, *(value for _, value in kwargs)]
        if all(type(value) in _SCALARS for value in roots):
            return None
        if self._room > 0 or len(args) >= _CODE:
            count = _counted(roots)
            self._room -= count
            self.work += count if self._room > 0 else _DEAR * count
            return None
        copier = _Copier(0 if self._lost else _AGAIN, setting=how.startswith(_SETTING))
        called, *made = copier.copied(roots)
        self.work += copier.count
        self._lost = self._lost or copier.lost
        named = tuple((name, value) for (name, _), value in zip(kwargs, made[len(args) :], strict=True))
        return Cut(called, tuple(made[: len(args)]), named, copier)


_DEAR = 6
"""Times that what nobody cuts is looked at."""


def _counted(roots: list[Value]) -> int:
    """Count what is inside values, and mark it as handed on."""
    waiting, count = roots.copy(), 0
    seen: set[int] = set()
    while waiting and count < _LARGEST:
        value = waiting.pop()
        count += 1
        if isinstance(value, (Items, Result)) and id(value) not in seen:
            seen.add(id(value))
            _mark(value)
            waiting += _inside(value, 0)
    return count


def _mark(value: Items | Result) -> None:
    """Remember how much of a value was handed on; it may hold more later."""
    if isinstance(value, Items):
        value.handed = len(value.flat if isinstance(value, Table) else value.items)
    else:
        object.__setattr__(value, "handed", 1 + len(value.state))  # frozen for everybody else


def _inside(value: Items | Result, start: int) -> list[Value]:
    """List what a value holds, without that which was handed on when it had ``start`` (see `_mark`)."""
    if isinstance(value, Items):
        return (value.flat if isinstance(value, Table) else value.items)[start:]
    own = [] if start else [value.callee, *value.args, *(item for _, item in value.kwargs)]
    return own + value.state[max(start - 1, 0) :]


class _Copier:
    """Copies values without most of what earlier calls were handed.

    Args:
        again: Values that may be handed on once more.
        setting: Whether the call sets something on an object.
    """

    def __init__(self, again: int, *, setting: bool) -> None:
        self._setting = setting
        self._left = again
        self._queue: deque[tuple[Items | Result, list[Value], int]] = deque()
        self._results: list[tuple[Result, Result, list[Value]]] = []
        self._copies: dict[int, Items | Result] = {}
        self.sign: list[object] = []
        self.count = 0
        self.lost = False

    def copied(self, roots: list[Value]) -> list[Value]:
        """Copy values, the nearest first."""
        made = self._later(roots)
        while self._queue:
            value, target, index = self._queue.popleft()
            known = self._copies.get(id(value))
            if known is not None:
                self._signed("again")
                target[index] = known
            elif self.count > _LARGEST:
                self.lost = True
                target[index] = Opaque()
            else:
                copy = self._items(value) if isinstance(value, Items) else self._result(value)
                target[index] = self._copies[id(value)] = copy
                _mark(value)
        for part, copy, held in self._results:
            _fill(part, copy, held)
        return made

    def _signed(self, part: object) -> None:
        if len(self.sign) < _LONGEST_SIGN:
            self.sign.append(part)

    def _later(self, values: list[Value]) -> list[Value]:
        """Copy a list; what is in its containers follows later."""
        made = values.copy()
        self.count += len(made)
        for index, value in enumerate(made):
            if type(value) not in _SCALARS and isinstance(value, (Items, Result)):
                self._queue.append((value, made, index))
                self._signed("container")
            else:
                self._signed(_scalar_sign(value))
        return made

    def _affords(self, count: int) -> bool:
        """Whether so many values more may be handed on once more."""
        if count > self._left:
            return False
        self._left -= count
        return True

    def _items(self, value: Items) -> Items:
        start = getattr(value, "handed", 0) // 2 * 2 if isinstance(value, Table) else getattr(value, "handed", 0)
        again = start > 0 and self._affords(1 + start)
        if start and not again:
            self.lost = True
        held = _inside(value, 0 if again else start)
        self._signed((value.kind, len(held), start > 0, value.more > 0))
        more = value.more + (0 if again else start)
        if isinstance(value, Table):
            table = Table()
            table.flat, table.more = self._later(held), more
            return table
        return Items(value.kind, self._later(held), more)

    def _result(self, value: Result) -> Result:
        start = value.handed
        held = _inside(value, 0)
        whole = not start or (not self._setting and self._affords(1 + len(held)))
        copy = Result(value.callee if isinstance(value.callee, Symbol) else Opaque())
        if whole:
            self._results.append((value, copy, self._later(held)))
        else:
            self.lost = self.lost or not self._setting
            held = _inside(value, start)
            object.__setattr__(copy, "state", self._later(held))
        self._signed(("made", whole, _scalar_sign(copy.callee), len(value.args), len(held)))
        return copy


def _fill(value: Result, copy: Result, held: list[Value]) -> None:
    """Put the copied parts where they belong, as `_inside` lists them."""
    args = 1 + len(value.args)
    named = zip((name for name, _ in value.kwargs), held[args:], strict=False)
    kwargs = tuple(named)
    for name, part in (("callee", held[0]), ("args", tuple(held[1:args])), ("kwargs", kwargs)):
        object.__setattr__(copy, name, part)
    copy.state.extend(held[args + len(kwargs) :])


def _scalar_sign(value: Value) -> object:
    """Give what makes a value the same as another one; what numbers do depends on how large they are."""
    if isinstance(value, (int, float)):
        return type(value), value.bit_length() if isinstance(value, int) else abs(value) > _LARGE
    return "opaque" if isinstance(value, Opaque) else value


_LARGE = 1e6
