"""What is known of a symbol: its effects, and which of its arguments decide about them."""

from __future__ import annotations

import enum

from toadstone.core.record import dataclass


class Effect(enum.Enum):
    """What calling a symbol can do to the process, the machine or the user; strongest first."""

    RUN_COMMAND = "run-command"
    RUN_CODE = "run-code"
    LOAD_NATIVE = "load-native"
    DESERIALISE = "deserialise"
    IMPORT_NAME = "import-name"
    WRITE_FILE = "write-file"
    NETWORK = "network"
    PATCH = "patch"
    READ_FILE = "read-file"
    KILL_HANG = "kill-hang"
    CALL = "call"


@dataclass(frozen=True)
class Parameter:
    """One argument of a call.

    Attributes:
        position: Index among the positional arguments, from 0; ``None`` when it can be given by name only.
        name: The keyword, with its stars for ``*args`` and ``**kwargs``; empty when it has a position only.
        attribute: For a method's receiver, the attribute that matters; empty for the whole object.
        onwards: Whether every later positional argument counts as well.
    """

    position: int | None
    name: str
    attribute: str = ""
    onwards: bool = False


@dataclass(frozen=True)
class Sensitive:
    """One way to an effect: whoever chooses all of ``parameters`` chooses it; none: it happens whatever is given."""

    effect: Effect
    parameters: tuple[Parameter, ...]

    @property
    def unconditional(self) -> bool:
        """Whether the effect needs no chosen argument."""
        return not self.parameters


@dataclass(frozen=True)
class Knowledge:
    """The answer for one symbol.

    Attributes:
        effects: What calling it can do.
        sensitive: The ways to these effects; empty when only the module is judged.
        witness: A chain of names, from what the symbol calls to the primitive.
        exact: Whether the symbol itself was derived or seeded; otherwise its module or its kind is judged.
    """

    effects: frozenset[Effect]
    sensitive: tuple[Sensitive, ...]
    witness: str
    exact: bool


def parse_parameter(text: str) -> Parameter:
    """One parameter of a table: ``position:name``, with ``+`` after the position when later ones count too."""
    place, _, name = text.partition(":")
    base, _, attribute = name.partition(".")
    position = place.rstrip("+")
    return Parameter(int(position) if position else None, base, attribute, onwards=place.endswith("+"))


def parse_knowledge(effects: str, parameters: str, witness: str) -> Knowledge:
    """The last three fields of a line of the effects table."""
    names = [Effect(name) for name in effects.split(",")]
    ways = [
        Sensitive(effect, () if way == "*" else tuple(parse_parameter(part) for part in way.split("&")))
        for effect, group in zip(names, parameters.split(";"), strict=True)
        for way in group.split(",")
    ]
    return Knowledge(frozenset(names), tuple(ways), witness, exact=True)
