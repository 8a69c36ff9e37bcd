"""What went into what, for people, for programs, and as a drawing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from toadstone.core.finding import Json
from toadstone.core.version import __version__
from toadstone.formats.terminal import printable
from toadstone.formats.verified import spans
from toadstone.ledger.things import Sighted, Step, Thing, Traced

SCHEMA = "toadstone.trace/1"
_SHORT = 12
_SHOWN = 40


def as_json(found: Traced) -> str:
    """Write one JSON document."""
    document = {
        "schema": SCHEMA,
        "tool": {"name": "toadstone", "version": __version__},
        "what": found.what,
        "models": [_sighted(one) for one in found.models],
        "inputs": [_sighted(one) for one in found.inputs],
        "records": [_step(step) for step in found.steps],
        "proofs": list(found.proofs),
        "notes": list(found.notes),
    }
    return json.dumps(document, indent=2) + "\n"


def _sighted(one: Sighted) -> dict[str, Json]:
    digests: list[Json] = [*sorted(one.thing.digests)]
    rows: list[Json] = [*one.rows]
    through: list[Json] = [*one.through]
    return {
        "path": one.thing.name,
        "digest": one.thing.digest,
        "digests": digests,
        "record": None if one.origin else one.record,
        "status": one.status,
        **({"toldBy": one.origin} if one.origin else {}),
        **({"uri": one.thing.uri} if one.thing.uri else {}),
        **({"rows": rows} if rows else {}),
        **({"through": through} if through else {}),
    }


def _step(step: Step) -> dict[str, Json]:
    if step.origin:
        told_by: dict[str, Json] = {"record": None, "toldBy": step.origin}
    else:
        told_by = {"record": step.index}
    told = ("recordedAt", "command", "parameters", "seeds", "code", "gate", "dropped", "exitCode")
    said: dict[str, Json] = {key: step.said[key] for key in told if key in step.said}
    inputs: list[Json] = [thing.name for thing in step.inputs]
    outputs: list[Json] = [thing.name for thing in step.outputs]
    return {**told_by, "kind": step.kind, "status": step.status, "inputs": inputs, "outputs": outputs, **said}


def as_text(found: Traced, *, colour: bool = False) -> str:
    """Write a tree for a person."""
    lines = [printable(found.what)]
    rows = any(one.rows for one in found.inputs)
    lines += _section("seen in" if rows else "went into it", found.inputs, colour=colour)
    lines += _section("by" if rows else "came of it", found.models, colour=colour)
    if not found.inputs and not found.models:
        lines.append("  nothing in the ledger is related to it")
    if found.proofs:
        lines.append(
            f"  {len(found.proofs):,} of these rows are proved to be in what was trained on (--format json has the proofs)"
        )
    lines += [f"  note: {printable(note)}" for note in found.notes]
    return "\n".join(lines) + "\n"


def _section(title: str, sighted: tuple[Sighted, ...], *, colour: bool) -> Iterator[str]:
    if not sighted:
        return
    yield f"  {title}"
    for number, one in enumerate(sighted[:_SHOWN], 1):
        branch = "└─" if number == min(len(sighted), _SHOWN) else "├─"
        told = [f"{one.origin}, not sealed" if one.origin else one.called]
        if one.status != "succeeded":
            told.append(one.status)
        if one.rows:
            told.append(f"row{'' if len(one.rows) == 1 else 's'} {spans(one.rows)}")
        if one.through:
            told.append(f"built on what record {', '.join(map(str, one.through))} made")
        name = printable(one.thing.uri or one.thing.name)
        name = f"\x1b[1m{name}\x1b[0m" if colour else name
        yield f"  {branch} {name}  {short(one.thing)}  ({', '.join(told)})"
    if len(sighted) > _SHOWN:
        yield f"     … and {len(sighted) - _SHOWN:,} more (--format json lists them)"


def short(thing: Thing) -> str:
    """Write the beginning of a thing's digest."""
    algorithm, _, value = thing.digest.partition(":")
    return f"{algorithm}:{value.partition(':')[0][:_SHORT]}"  # behind a tracker's digest stands what it is of


def as_mermaid(found: Traced) -> str:
    """Draw the records and what they joined as a Mermaid flow chart."""
    names: dict[str, str] = {}
    lines = ["flowchart LR"]
    for step in found.steps:
        called = _label(step.origin) if step.origin else f"{step.kind} {step.index}"
        lines.append(f'  r{step.index}(["{called}: {step.status}"])')
        lines += [f"  {_node(thing, names, lines)} --> r{step.index}" for thing in step.inputs]
        lines += [f"  r{step.index} --> {_node(thing, names, lines)}" for thing in step.outputs]
    return "\n".join(_each_once(lines)) + "\n"


def _node(thing: Thing, names: dict[str, str], lines: list[str]) -> str:
    key = thing.digest
    if key not in names:
        names[key] = f"t{len(names)}"
        lines.append(f'  {names[key]}["{_label(thing.name)}<br/>{short(thing)}"]')
    return names[key]


def _label(text: str) -> str:
    return printable(text).replace('"', "'").replace("<", "&lt;").replace(">", "&gt;")


def _each_once(lines: Iterable[str]) -> Iterator[str]:
    yield from dict.fromkeys(lines)
