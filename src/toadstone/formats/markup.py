"""The look of pages, and text that can be nothing but text.

Whatever a scanned file brings into a page is text: control characters are written as escapes, markup as entities, and a page's
own policy forbids everything that it does not bring itself, should that ever fail.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape

from toadstone.core.version import __version__
from toadstone.formats.terminal import printable

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #57606a; --line: #d0d7de; --box: #f6f8fa;
  --critical: #a40e26; --high: #cf222e; --medium: #9a6700; --low: #0969da; --info: #57606a; --good: #1a7f37; --gap: #8250df; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --faint: #8d96a0; --line: #30363d; --box: #161b22;
  --critical: #ff7b72; --high: #ff7b72; --medium: #d29922; --low: #58a6ff; --info: #8d96a0; --good: #3fb950; --gap: #bc8cff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 1.5rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; overflow-wrap: anywhere; }
p { margin: .3rem 0; } .faint { color: var(--faint); font-size: .875rem; }
.badge { border: 1px solid currentcolor; border-radius: .3rem; padding: 0 .4rem; font-size: .8rem; font-weight: 600;
  text-transform: uppercase; white-space: nowrap; }
.malicious, .critical, .high { color: var(--critical); } .suspicious, .medium { color: var(--medium); }
.low { color: var(--low); } .info { color: var(--info); }
.clean { color: var(--good); } .incomplete, .unread { color: var(--gap); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
td.number { text-align: right; white-space: nowrap; }
.finding { border: 1px solid var(--line); border-left: .3rem solid var(--line); border-radius: .3rem; padding: .6rem .9rem;
  margin: .7rem 0; break-inside: avoid; }
.finding.critical, .finding.high { border-left-color: var(--critical); } .finding.medium { border-left-color: var(--medium); }
.finding > * { color: var(--ink); } .finding .badge { color: inherit; }
code, pre { font: .85rem/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--box); border: 1px solid var(--line); border-radius: .3rem; padding: .6rem; white-space: pre-wrap; }
details { margin: .3rem 0; } summary { cursor: pointer; color: var(--faint); font-size: .875rem; }
a { color: inherit; } li { overflow-wrap: anywhere; }
@media print { body { max-width: none; padding: 0; } .finding { break-inside: avoid; } details > summary { display: none; } }
"""


def page_head(title: str, style: str = "", script: str = "", *, images: bool = False) -> Iterator[str]:
    """Yield the beginning of a page, with a policy that allows its own style and script and nothing else.

    Args:
        title: Of the page.
        style: Beside that of all pages.
        script: That the page will hold; empty for none.
        images: Whether it holds images, as data.
    """
    allowed = f"default-src 'none'; style-src '{_hashed(STYLE + style)}'; base-uri 'none'; form-action 'none'"
    if script:
        allowed += f"; script-src '{_hashed(script)}'"
    if images:
        allowed += "; img-src data:"
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{allowed}">'
    yield '<meta name="referrer" content="no-referrer">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{text(title)}</title>"
    yield f"<style>{STYLE}{style}</style>"
    yield "</head>"
    yield "<body>"


def page_foot(script: str = "") -> Iterator[str]:
    """Yield the end of a page, with its script."""
    yield f'<p class="faint">toadstone {escape(__version__)}. Addresses and names are shown as found; none is a link.</p>'
    if script:
        yield f"<script>{script}</script>"
    yield "</body>"
    yield "</html>"


def _hashed(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def text(value: object) -> str:
    """Give text that is neither markup nor control characters."""
    return escape(printable(str(value)).encode("utf-8", "backslashreplace").decode(), quote=True)


def block(code: str) -> str:
    """Give code: as `text`, with its line ends kept."""
    return "\n".join(text(line) for line in code.split("\n"))


def counted(count: int, noun: str) -> str:
    """Give a number and its noun, in the plural when it has to be."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def badge(word: str, kind: str = "") -> str:
    """Give a word in a box, in the colour of its kind."""
    return f'<span class="badge {kind or word}">{escape(word)}</span>'
