"""`guarded`: inside it, loaders of models scan first, and load exactly what was scanned.

The loaders are those of the user's own program; this module names them and never imports one by itself. What they are
given is a private copy of what was asked for, found clean a moment before.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from toadstone.adapters import patches
from toadstone.adapters.judged import Judge
from toadstone.core.errors import UsageError
from toadstone.core.policy import Config, Policy

P = ParamSpec("P")
Result = TypeVar("Result")

_active: ContextVar[tuple[guarded, ...]] = ContextVar("toadstone_guarded", default=())


class guarded:  # noqa: N801  (used like a function: a context manager and a decorator)
    """Scan whatever is loaded inside, and refuse what is not clean.

    Inside the block `pickle.load`, `pickle.loads` and `pickle.Unpickler`, `joblib.load`, `torch.load`,
    ``numpy.load(allow_pickle=True)`` and Keras' ``load_model`` first copy and scan what they are about to load. They raise
    `UnsafeError` when it has a finding at or above the gate, or could not be read completely; otherwise they load the copy
    that was scanned, so nothing can be exchanged in between. Libraries that call these by module attribute (pandas,
    cloudpickle) are covered with them; a library that is imported inside the block is covered from then on.

    It counts for the current thread or task (`contextvars`) and for what is called from there. Blocks may be nested: then
    all of them have to agree. Afterwards every loader is what it was before.

    Not seen: threads and processes that are started inside (they begin in no block, unless Python is told to hand contexts on);
    loaders that a module imported by name (``from pickle import load``) before the block; loaders that this list does not
    name; what loaded objects do when they are used.

    Args:
        policy: Gate and waivers; by default those of ``config``.
        config: Settings of the checks; by default none.

    Example:
        >>> import pickle, toadstone
        >>> with toadstone.guarded():
        ...     pickle.loads(pickle.dumps([1, 2]))
        [1, 2]
    """

    def __init__(self, policy: Policy | None = None, *, config: Config | None = None) -> None:
        self._config = config or Config()
        self._policy = policy or Policy(self._config.gate, self._config.waivers)
        self._judge: Judge | None = None

    @property
    def judge(self) -> Judge:
        """What decides; made when something is first loaded."""
        if self._judge is None:
            self._judge = Judge(self._config, self._policy)
        return self._judge

    def __enter__(self) -> Self:
        patches.install()
        _active.set((*_active.get(), self))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        stack = list(_active.get())
        if self in stack:
            stack.reverse()
            stack.remove(self)
            stack.reverse()
        _active.set(tuple(stack))
        patches.remove()

    def __call__(self, function: Callable[P, Result]) -> Callable[P, Result]:
        """Guard every call of a function, plain or asynchronous.

        Raises:
            UsageError: For generators, whose body runs in the context of whoever asks for the next value.
        """
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise UsageError(f"guarded() cannot decorate the generator {function.__qualname__}.", "Use `with` inside it.")
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def later(*args: P.args, **kwargs: P.kwargs) -> Any:  # noqa: ANN401  (what the coroutine gives)
                with self:
                    return await function(*args, **kwargs)

            return later  # type: ignore[return-value]  # (a coroutine function like the one that was given)

        @functools.wraps(function)
        def now(*args: P.args, **kwargs: P.kwargs) -> Result:
            with self:
                return function(*args, **kwargs)

        return now


def judges() -> list[Judge]:
    """Give the judges of the blocks that the current thread or task is in, without repetition."""
    return list({id(block): block.judge for block in _active.get()}.values())
