"""What the interpreter works with besides Python's own plain values."""

# ruff: noqa: ANN401  (values of any type are worked out)
from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from toadstone.forensics.effort import NotWorkedOut


@dataclass(eq=False)
class Frame:
    """Names of one body of code.

    Attributes:
        names: What they hold.
        parent: The frame around it.
        outer: Gives names that no frame holds; raises `NotWorkedOut` for those that are not known.
        assigned: Names that the code bound here.
    """

    outer: Callable[[str], Any]
    parent: Frame | None = None
    names: dict[str, Any] = field(default_factory=dict)
    assigned: set[str] = field(default_factory=set)

    def get(self, name: str) -> Any:
        """Look a name up.

        Raises:
            NotWorkedOut: If it is not known.
        """
        frame = self
        while name not in frame.names:
            if frame.parent is None:
                frame.names[name] = self.outer(name)
                break
            frame = frame.parent
        return frame.names[name]

    def bind(self, name: str, value: Any) -> None:
        """Bind a name here."""
        self.names[name] = value
        self.assigned.add(name)


@dataclass(eq=False)
class Function:
    """A function or lambda of the code itself.

    Attributes:
        node: Its definition.
        frame: Where it was defined.
    """

    node: ast.FunctionDef | ast.Lambda
    frame: Frame


@dataclass(eq=False)
class Method:
    """A method of a value, not yet called."""

    owner: Any
    name: str


@dataclass(eq=False)
class Partial:
    """``functools.partial(function, *args, **kwargs)``."""

    function: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(eq=False)
class Hosted:
    """A function that its owner works out in its own way (bytecode)."""

    run: Callable[[tuple[Any, ...], dict[str, Any]], Any]


@dataclass(eq=False, repr=False)
class Attributes:
    """An object of a class of the code itself; ``get`` gives its attributes and raises `NotWorkedOut` for unknown ones."""

    get: Callable[[str], Any]

    def __repr__(self) -> str:
        raise NotWorkedOut("repr")  # what Python writes holds an address in memory


class Lazy:
    """An iterator; whoever goes through it pays for each item."""

    def __init__(self, items: Iterator[Any]) -> None:
        self.items = items


class Endless(Lazy):
    """``itertools.cycle`` over known items."""

    def __init__(self, held: list[Any], items: Iterator[Any]) -> None:
        super().__init__(items)
        self.held = held


def no_names(name: str) -> Any:
    """Know no names (the outermost frame of code whose surroundings are out of sight).

    Raises:
        NotWorkedOut: Always.
    """
    raise NotWorkedOut(f"name {name}")
