"""What went into what, drawn from left to right: one page, or one picture, that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from toadstone.formats.markup import counted, page_foot, page_head, text
from toadstone.formats.traced import short
from toadstone.ledger.things import Step, Thing, Traced

_WIDE, _HIGH = 190, 46
_ACROSS, _DOWN = 250, 64
_LETTERS = 24
_STYLE = """
svg { max-width: 100%; height: auto; font: 12px ui-monospace, monospace; } svg .thing { fill: var(--box); stroke: var(--line); }
svg .asked { stroke: var(--low); stroke-width: 2; } svg .step { fill: var(--paper); stroke: var(--good); }
svg .failed { stroke: var(--high); }
svg text { fill: var(--ink); } svg .small { fill: var(--faint); font-size: 10px; } svg path { fill: none; stroke: var(--faint); }
"""
_ALONE = """
text { font: 12px monospace; } .thing { fill: #f6f8fa; stroke: #d0d7de; } .asked { stroke: #0969da; stroke-width: 2; }
.step { fill: #fff; stroke: #1a7f37; } .failed { stroke: #cf222e; } .small { fill: #57606a; font-size: 10px; }
path { fill: none; stroke: #57606a; }
"""


@dataclass(frozen=True)
class _Box:
    key: str
    column: int
    title: str
    small: str
    kind: str


def write_svg(found: Traced) -> str:
    """Draw the records and what they joined as one SVG picture."""
    return "".join(_drawn(found, _ALONE)) + "\n"


def write_html(found: Traced) -> str:
    """Write a page with the drawing, and everything that it shows as tables."""
    return "\n".join(_page(found)) + "\n"


def _page(found: Traced) -> Iterator[str]:
    yield from page_head(f"Lineage of {found.what}", _STYLE)
    yield f"<h1>{text(found.what)}</h1>"
    counts = [
        counted(len(part), noun) for part, noun in ((found.inputs, "input"), (found.models, "output"), (found.steps, "record"))
    ]
    yield f"<p>{', '.join(counts)}</p>"
    yield "".join(_drawn(found, ""))
    for title, sighted in (("What went in", found.inputs), ("What came of it", found.models)):
        if sighted:
            yield f"<h2>{title}</h2><table><tr><th>name</th><th>digest</th><th>record</th><th>rows</th></tr>"
            for one in sighted:
                rows = f"{len(one.rows):,}" if one.rows else ""
                cells = (one.thing.uri or one.thing.name, one.thing.digest, one.origin or one.record, rows)
                yield f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in cells)}</tr>"
            yield "</table>"
    for note in found.notes:
        yield f'<p class="faint">{text(note)}</p>'
    yield from page_foot()


def _drawn(found: Traced, style: str) -> Iterator[str]:
    boxes, joins = _laid(found)
    places: dict[str, tuple[int, int]] = {}
    filled: dict[int, int] = {}
    for box in boxes:
        row = filled.get(box.column, 0)
        filled[box.column] = row + 1
        places[box.key] = (10 + box.column * _ACROSS, 10 + row * _DOWN)
    wide = 20 + max(filled, default=0) * _ACROSS + _WIDE
    tall = 20 + max(filled.values(), default=1) * _DOWN
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {tall}" role="img">'
    yield f"<title>{text(found.what)}</title>"
    if style:
        yield f"<style>{style}</style>"
    for left, right in joins:
        begin, end = places[left][0] + _WIDE, places[right][0]
        high, low = (places[key][1] + _HIGH // 2 for key in (left, right))
        middle = (begin + end) // 2
        around = _HIGH if end - begin > _ACROSS else 0  # not through the boxes in between
        yield f'<path d="M{begin},{high} C{middle},{high + around} {middle},{low + around} {end},{low}"/>'
    for box in boxes:
        x, y = places[box.key]
        round_ = 4 if "thing" in box.kind else 22
        yield f'<rect class="{box.kind}" x="{x}" y="{y}" width="{_WIDE}" height="{_HIGH}" rx="{round_}"/>'
        yield f'<text x="{x + 10}" y="{y + 20}">{text(_cut(box.title))}</text>'
        yield f'<text class="small" x="{x + 10}" y="{y + 36}">{text(_cut(box.small))}</text>'
    yield "</svg>"


def _cut(words: str) -> str:
    return words if len(words) <= _LETTERS else f"…{words[1 - _LETTERS :]}"


def _laid(found: Traced) -> tuple[list[_Box], list[tuple[str, str]]]:
    """Put each record one column behind the last of its inputs, and each thing one behind what made it."""
    columns: dict[str, int] = {}
    boxes: dict[str, _Box] = {}
    joins: dict[tuple[str, str], None] = {}
    for step in sorted(found.steps, key=lambda step: step.index):
        key = f"r{step.index}"
        for thing in step.inputs:
            columns.setdefault(thing.digest, 0)
            boxes.setdefault(thing.digest, _thing(thing, columns[thing.digest], found.what))
            joins[thing.digest, key] = None
        columns[key] = 1 + max((columns[thing.digest] for thing in step.inputs), default=-1)
        boxes[key] = _record(step, columns[key])
        for thing in step.outputs:
            if thing.digest not in columns:
                columns[thing.digest] = columns[key] + 1
                boxes[thing.digest] = _thing(thing, columns[thing.digest], found.what)
            joins[key, thing.digest] = None
    return list(boxes.values()), list(joins)


def _thing(thing: Thing, column: int, what: str) -> _Box:
    return _Box(
        thing.digest, column, thing.uri or thing.name, short(thing), "thing asked" if what in (thing.name, thing.uri) else "thing"
    )


def _record(step: Step, column: int) -> _Box:
    kind = "step" if step.status == "succeeded" else "step failed"
    return _Box(f"r{step.index}", column, step.origin or f"{step.kind} {step.index}", step.status, kind)
