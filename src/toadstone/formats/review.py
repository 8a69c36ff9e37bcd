"""The page on which a person looks at groups of rows and chooses what is kept: self-contained, works without a network.

Choices are exported as a suppression file. Everything that goes into that file was written by Python, as TOML literals: the
script joins lines, it never escapes.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from toadstone.core.finding import Finding
from toadstone.core.policy import group_of
from toadstone.core.record import dataclass
from toadstone.formats.groups import shortened
from toadstone.formats.markup import badge, counted, page_foot, page_head, text
from toadstone.formats.plots import PLOT_STYLE, bars, curve, timeline
from toadstone.formats.review_script import SCRIPT

_LENGTH = 600
"""Characters of a value that are shown."""

_STYLE = (
    """
.group { border: 1px solid var(--line); border-left: .3rem solid var(--line); border-radius: .3rem; padding: .6rem .9rem;
  margin: 1rem 0; }
.group.critical, .group.high { border-left-color: var(--critical); } .group.medium { border-left-color: var(--medium); }
.group > * { color: var(--ink); }
.choices { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; align-items: center; background: var(--box); padding: .4rem .6rem;
  border-radius: .3rem; }
.choices input[type=text] { flex: 1 1 18rem; } input, button { font: inherit; color: inherit; background: var(--paper);
  border: 1px solid var(--line); border-radius: .3rem; padding: .15rem .5rem; }
button { cursor: pointer; font-weight: 600; } .plots { display: flex; flex-wrap: wrap; gap: 1rem; }
.group th, .group td { overflow-wrap: break-word; min-width: 4rem; }
mark { background: #ffe38a; color: #1b1f24; } td.row { white-space: nowrap; }
.bar { position: sticky; bottom: 0; background: var(--paper); border-top: 1px solid var(--line); padding: .6rem 0;
  display: flex; flex-wrap: wrap; gap: .4rem 1rem; align-items: center; }
img { image-rendering: pixelated; min-width: 4rem; max-width: 8rem; border: 1px solid var(--line); }
"""
    + PLOT_STYLE
)


@dataclass(frozen=True)
class ReviewRow:
    """One row as it is shown.

    Attributes:
        number: 0-based.
        values: Column and value, as text.
        score: Evidence on it; higher is worse.
        flagged: Whether it is quarantined unless somebody keeps it.
        image: A ``data:`` address of a picture that was drawn anew, or empty.
    """

    number: int
    values: tuple[tuple[str, str], ...]
    score: float
    flagged: bool
    image: str = ""


@dataclass(frozen=True)
class ReviewGroup:
    """A finding and some of its rows.

    Attributes:
        finding: What is said of them.
        stands: Whether its rows are quarantined unless somebody keeps them.
        rows: Those that are shown.
        count: How many there are.
        labels: Label, share of it in the group, share of it in all rows.
        times: Counts of the group's rows, and of all rows, over equal spans of time; empty without times.
        span: First and last time, as text.
    """

    finding: Finding
    stands: bool
    rows: tuple[ReviewRow, ...]
    count: int
    labels: tuple[tuple[str, float, float], ...] = ()
    times: tuple[tuple[int, int], ...] = ()
    span: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Review:
    """Everything on the page.

    Attributes:
        name: Of the data set.
        sha256: Of its file, or empty.
        count: Rows.
        flagged: Rows that are quarantined unless somebody keeps them.
        groups: In the order of the report.
        scores: The highest scores of rows, descending.
        expires: Day on which waivers made today expire, YYYY-MM-DD.
    """

    name: str
    sha256: str
    count: int
    flagged: int
    groups: tuple[ReviewGroup, ...]
    scores: tuple[float, ...]
    expires: str


def write_review(review: Review) -> str:
    """Write the page."""
    images = any(row.image for group in review.groups for row in group.rows)
    lines = [
        *page_head(f"toadstone: review of {review.name}", _STYLE, SCRIPT, images=images),
        *_top(review),
        *(line for number, group in enumerate(review.groups) for line in _group(number, group)),
        *_bar(review),
        *page_foot(SCRIPT),
    ]
    return "\n".join(lines) + "\n"


def literal(value: str) -> str:
    """Write text as a TOML basic string, in ASCII: what cannot be seen in it is still the same after a round trip."""
    plain = value.encode("utf-8", "backslashreplace").decode()
    return '"' + "".join(_escaped(sign) for sign in plain) + '"'


def _escaped(sign: str) -> str:
    if sign in '"\\':
        return f"\\{sign}"
    if " " <= sign <= "~":
        return sign
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"


def _top(review: Review) -> Iterator[str]:
    yield f"<h1>Review of <code>{text(review.name)}</code></h1>"
    groups = counted(len(review.groups), "group")
    yield f"<p>{groups} of suspicious rows; {counted(review.flagged, 'row')} of {review.count:,} would be quarantined.</p>"
    if not review.groups:
        yield "<p>There is nothing to choose.</p>"
        return
    yield (
        '<p class="faint">Look at each group, choose, then export your choices and clean again with '
        "<code>toadstone clean … --suppress review.toml</code>. What you do not touch stays as it is.</p>"
    )
    yield curve(review.scores, review.flagged)


def _group(number: int, group: ReviewGroup) -> Iterator[str]:
    finding = group.finding
    level = finding.severity.label
    value = group_of(finding)
    yield (
        f'<section class="group {level}" id="group-{number}" data-check="{escape(literal(finding.check))}" '
        f'data-group="{escape(literal(value))}" data-stands="{int(group.stands)}">'
    )
    state = "" if group.stands else ' <span class="faint">reported only: its rows are kept unless you quarantine them</span>'
    yield f'<p><span class="{level}">{badge(level)}</span> <code>{text(finding.check)}</code>{state}</p>'
    yield f"<p>{text(finding.message)}</p>"
    if isinstance(lesson := finding.evidence.get("lesson"), str) and lesson:
        yield f"<p>A model would learn {text(lesson)}.</p>"
    p_value = finding.evidence.get("p_value")
    sure = f"corrected p {p_value:.1e}, " if isinstance(p_value, float) else ""
    yield f'<p class="faint">{sure}{counted(group.count, "row")}</p>'
    yield '<div class="plots">'
    if group.labels:
        yield bars(group.labels)
    if group.times:
        yield timeline(group.times, group.span)
    yield "</div>"
    yield _choice(number, stands=group.stands)
    yield from _rows(group, value if len(value) < _LENGTH else "")
    yield "</section>"


def _choice(number: int, *, stands: bool) -> str:
    def option(name: str, label: str, *, on: bool) -> str:
        checked = " checked" if on else ""
        return f'<label><input type="radio" name="choice-{number}" value="{name}"{checked}> {label}</label>'

    return (
        '<div class="choices">'
        + option("quarantine", "quarantine these rows", on=stands)
        + option("keep", "keep them", on=not stands)
        + f'<input type="text" id="reason-{number}" placeholder="why (required to keep what stands)" aria-label="reason">'
        + "</div>"
    )


def _rows(group: ReviewGroup, value: str) -> Iterator[str]:
    pictures = any(row.image for row in group.rows)
    names = [name for name, _ in group.rows[0].values] if group.rows else []
    titles = "".join(f"<th>{text(name)}</th>" for name in names)
    titles = f"<th>row</th>{'<th>image</th>' if pictures else ''}{titles}<th>evidence</th><th>this row</th>"
    yield f"<table><thead><tr>{titles}</tr></thead><tbody>"
    for row in group.rows:
        picture = f'<td><img alt="row {row.number}" src="{row.image}"></td>' if pictures else ""
        cells = "".join(f"<td>{_marked(content, value)}</td>" for _, content in row.values)
        choice = (
            f'<select data-row="{row.number}" aria-label="row {row.number}"><option value="">as the group</option>'
            '<option value="keep">keep</option><option value="quarantine">quarantine</option></select>'
        )
        evidence = f'<td class="number">{row.score:.1f}</td>'
        yield f'<tr><td class="row">{row.number:,}</td>{picture}{cells}{evidence}<td>{choice}</td></tr>'
    yield "</tbody></table>"
    if group.count > len(group.rows):
        shown = f"{len(group.rows):,} of {group.count:,} rows"
        yield f'<p class="faint">{shown}: those with the strongest evidence, then those with the weakest.</p>'


def _marked(content: str, value: str) -> str:
    """Write a value, cut around the group's own value if it has that, and that marked."""
    shown = shortened(content, value, _LENGTH)
    place = shown.lower().find(value.lower()) if value else -1
    if place < 0 or len(shown.lower()) != len(shown):
        return text(shown)
    end = place + len(value)
    return f"{text(shown[:place])}<mark>{text(shown[place:end])}</mark>{text(shown[end:])}"


def _bar(review: Review) -> Iterator[str]:
    if not review.groups:
        return
    yield (
        f'<div class="bar" id="bar" data-sha256="{review.sha256}" data-count="{review.count}" data-name="{text(review.name)}">'
        '<button type="button" id="export">Export choices</button>'
        f'<label>kept until <input type="date" id="expires" value="{review.expires}"></label>'
        '<span id="said" class="faint" role="status"></span></div>'
    )
    yield '<details id="shown"><summary>the file</summary><pre id="file"></pre></details>'
