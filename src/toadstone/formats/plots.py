"""Small drawings for pages, as SVG that is part of the page."""

from __future__ import annotations

from collections.abc import Sequence

from toadstone.formats.markup import text

PLOT_STYLE = """
svg { font: 11px system-ui, sans-serif; fill: var(--ink); } svg .all { fill: var(--line); } svg .own { fill: var(--critical); }
svg .axis { stroke: var(--faint); stroke-width: 1; } svg .name { fill: var(--faint); } figure { margin: .4rem 0; }
figcaption { color: var(--faint); font-size: .8rem; }
"""

_WIDTH = 420
_HIGH = 120
_MOST_LABELS = 8


def curve(scores: Sequence[float], flagged: int) -> str:
    """Draw the highest scores of rows in falling order, those that are flagged in colour.

    Args:
        scores: Descending.
        flagged: How many of all rows are flagged.
    """
    if not scores or scores[0] <= 0:
        return ""
    step = _WIDTH / len(scores)
    drawn = [
        f'<rect class="{"own" if place < flagged else "all"}" x="{place * step:.1f}" width="{max(step, 0.5):.1f}" '
        f'y="{_HIGH * (1 - score / scores[0]):.1f}" height="{_HIGH * score / scores[0]:.1f}"/>'
        for place, score in enumerate(scores)
    ]
    drawn.append(f'<line class="axis" x1="0" x2="{_WIDTH}" y1="{_HIGH}" y2="{_HIGH}"/>')
    caption = f"Evidence on the {len(scores):,} worst rows, as many in colour as would be quarantined"
    return _figure(drawn, _HIGH + 4, caption)


def bars(shares: Sequence[tuple[str, float, float]]) -> str:
    """Draw what share of the group, and of all rows, each label has.

    Args:
        shares: Label, share in the group, share in all rows; in the order to draw.
    """
    drawn: list[str] = []
    for place, (label, own, everywhere) in enumerate(shares[:_MOST_LABELS]):
        y, wide = place * 30, _WIDTH - 190
        name = label if len(label) <= 22 else label[:21] + "…"
        drawn.append(f'<text class="name" x="132" y="{y + 17}" text-anchor="end">{text(name)}</text>')
        drawn.append(f'<rect class="own" x="140" y="{y + 3}" width="{wide * own:.1f}" height="10"/>')
        drawn.append(f'<rect class="all" x="140" y="{y + 14}" width="{wide * everywhere:.1f}" height="8"/>')
        drawn.append(f'<text x="{144 + wide * max(own, everywhere):.1f}" y="{y + 16}">{own:.0%}</text>')
    return _figure(drawn, 30 * len(shares[:_MOST_LABELS]), "Labels of the group, and below of all rows")


def timeline(counts: Sequence[tuple[int, int]], span: tuple[str, str]) -> str:
    """Draw when the rows of the group, and all rows, came.

    Args:
        counts: Of the group and of all rows, for equal spans of time.
        span: First and last time, as text.
    """
    own_most = max(own for own, _ in counts) or 1
    most = max(everywhere for _, everywhere in counts) or 1
    step = _WIDTH / len(counts)
    drawn: list[str] = []
    for place, (own, everywhere) in enumerate(counts):
        for kind, share in (("all", everywhere / most), ("own", own / own_most)):
            left = place * step + (0 if kind == "all" else step / 2)
            size = f'y="{_HIGH * (1 - share):.1f}" height="{_HIGH * share:.1f}"'
            drawn.append(f'<rect class="{kind}" x="{left:.1f}" width="{step / 2:.1f}" {size}/>')
    drawn.append(f'<text class="name" x="0" y="{_HIGH + 14}">{text(span[0])}</text>')
    drawn.append(f'<text class="name" x="{_WIDTH}" y="{_HIGH + 14}" text-anchor="end">{text(span[1])}</text>')
    return _figure(drawn, _HIGH + 18, "When the rows of the group came (in colour), and all rows; each to its own scale")


def _figure(drawn: Sequence[str], height: int, caption: str) -> str:
    shapes = "".join(drawn)
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    shown = f'<svg {size} role="img" aria-label="{text(caption)}">{shapes}</svg>'
    return f"<figure>{shown}<figcaption>{text(caption)}</figcaption></figure>"
