"""What a judgement says, and how much an effect weighs when a loader calls or only resolves what has it."""

from __future__ import annotations

from toadstone.core.finding import Confidence, Json, Severity
from toadstone.core.record import dataclass
from toadstone.core.value import Value
from toadstone.symbols import Effect, Knowledge, effects_of
from toadstone.symbols.arguments import Look, symbols_in
from toadstone.symbols.assembly import is_assembler, makes_function

CALLED = {
    Effect.RUN_COMMAND: Severity.CRITICAL,
    Effect.RUN_CODE: Severity.CRITICAL,
    Effect.LOAD_NATIVE: Severity.CRITICAL,
    Effect.DESERIALISE: Severity.HIGH,
    Effect.IMPORT_NAME: Severity.HIGH,
    Effect.WRITE_FILE: Severity.HIGH,
    Effect.NETWORK: Severity.HIGH,
    Effect.PATCH: Severity.HIGH,
    Effect.KILL_HANG: Severity.HIGH,
    Effect.READ_FILE: Severity.HIGH,
    Effect.CALL: Severity.MEDIUM,
}
"""How bad it is that a loader calls something with this effect, when the arguments that decide about it are given."""

IMPORTED = {
    Effect.RUN_COMMAND: Severity.HIGH,
    Effect.RUN_CODE: Severity.HIGH,
    Effect.LOAD_NATIVE: Severity.HIGH,
    Effect.DESERIALISE: Severity.HIGH,
    Effect.IMPORT_NAME: Severity.MEDIUM,
    Effect.NETWORK: Severity.HIGH,
    Effect.WRITE_FILE: Severity.MEDIUM,
    Effect.PATCH: Severity.MEDIUM,
    Effect.KILL_HANG: Severity.MEDIUM,
}
"""How bad it is that a loader resolves it without calling it."""

PAYLOAD = frozenset({Look.COMMAND, Look.CODE, Look.ADDRESS, Look.PATH, Look.ENCODED})
STRONG = frozenset({Look.COMMAND, Look.CODE})


@dataclass(frozen=True)
class Judgement:
    """What is wrong with a call or an import.

    Attributes:
        severity: How bad.
        confidence: How sure.
        symbol: Dotted name of what is judged; empty when it has none.
        effects: Names of the effects that the call can have, strongest first; empty for unknown code.
        why: One clause for a person.
        witness: The chain of calls that shows the effect; may be empty.
        looks: What the arguments look like, each with an example.
    """

    severity: Severity
    confidence: Confidence
    symbol: str
    effects: tuple[str, ...]
    why: str
    witness: str = ""
    looks: tuple[tuple[str, str], ...] = ()

    def evidence(self, how: str, code: str) -> dict[str, Json]:
        """Give the evidence of a finding: what is judged, the payload as code, how it comes to its effect."""
        given: dict[str, Json] = {"symbol": self.symbol, "how": how}
        if self.effects:
            given["effects"] = list(self.effects)
        if code:
            given["code"] = code
        if self.witness:
            given["witness"] = self.witness
        if self.looks:
            given["arguments"] = dict(self.looks)
        return given

    @property
    def examples(self) -> str:
        """The arguments that look like something, as one text."""
        return " ".join(example for _, example in self.looks)


def dangerous_arguments(args: tuple[Value, ...], kwargs: tuple[tuple[str, Value], ...]) -> str | None:
    """Name what among the arguments a call should never be handed: a function from the file, or a symbol with an effect."""
    if any(makes_function(value) for value in args):
        return "a function whose code the file itself carries"
    for symbol in symbols_in([*args, *(value for _, value in kwargs)]):
        if is_assembler(symbol):
            continue  # what it puts together is looked at by itself
        knowledge = effects_of(symbol.module, symbol.name) if symbol.module else None
        if knowledge is not None and any(IMPORTED.get(effect, Severity.INFO) >= Severity.MEDIUM for effect in knowledge.effects):
            return str(symbol)
    return None


def ordered(knowledge: Knowledge) -> list[Effect]:
    """List the effects of a symbol, strongest first."""
    return [effect for effect in Effect if effect in knowledge.effects]


def names_of(effects: list[Effect]) -> tuple[str, ...]:
    """Give the names of effects as they stand in reports."""
    return tuple(effect.value for effect in effects)


_PHRASES = {
    Effect.RUN_COMMAND: "run commands",
    Effect.RUN_CODE: "run code",
    Effect.LOAD_NATIVE: "load native code",
    Effect.DESERIALISE: "deserialise again",
    Effect.IMPORT_NAME: "import by name",
    Effect.WRITE_FILE: "write or remove files",
    Effect.NETWORK: "open network connections",
    Effect.PATCH: "change what other code relies on",
    Effect.READ_FILE: "read files",
    Effect.KILL_HANG: "end or hang the process",
    Effect.CALL: "call what it is given",
}


def phrase(effects: list[Effect]) -> str:
    """Say in words what the first three effects are."""
    words = [_PHRASES[effect] for effect in effects[:3]]
    return " and ".join(words) if len(words) < 3 else f"{words[0]}, {words[1]} and {words[2]}"


def listed(looks: dict[Look, str]) -> str:
    """Say in words what arguments look like."""
    return " and ".join(look.value for look in Look if look in looks)


def shown(looks: dict[Look, str]) -> tuple[tuple[str, str], ...]:
    """Give what arguments look like with an example each, cut to a readable length."""
    return tuple((look.value, looks[look][:200]) for look in Look if look in looks) if looks else ()
