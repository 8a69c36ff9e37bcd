"""Jinja templates, above all chat templates: read as a syntax tree, never compiled, never rendered.

A chat template runs on every request, between the user and the model. Two families of attack live in it: expressions
that leave the template sandbox (CVE-2024-34359), and text that the template adds on its own, always or only when the
conversation contains a trigger (arXiv 2602.04653). The reader reports look-ups, literals, branches that depend on the
conversation's text, and characters that no person sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from toadstone.core.budget import BudgetError
from toadstone.core.fact import Code, Fact, Text
from toadstone.core.regex import regex
from toadstone.readers.reader import Reader, Source

if TYPE_CHECKING:
    from jinja2 import nodes

MAX_TEMPLATE = 128 << 10
"""Bytes of a template that are parsed; the largest public chat templates have about 40 KB."""

MAX_SALVAGED = 4 << 20
"""Bytes of a longer or broken template in which expressions are still looked for."""

KEPT_LITERAL = 4096
"""Characters of a literal that are kept in a `Text` fact."""


def read(source: Source) -> Iterator[Fact]:
    """Turn a template into facts.

    Yields:
        `Lookup`, `Branch`, `Stage` (addresses that the template puts together), `Text` (role ``template-literal``), `Anomaly`
        (``hidden-text``, ``template-resource``), and `Unread` when the template cannot be parsed; what a tolerant scan of its
        expressions still shows is reported as well.
    """
    from toadstone.readers.jinja.parse import NotParsedError, parse_template  # noqa: PLC0415  (jinja2 is loaded only when needed)

    data = source.blob.read(0, MAX_SALVAGED)
    source.budget.spend_steps(len(data))
    source.coverage.read(0, source.blob.size)
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = data.decode("utf-16" if wide else "utf-8", "replace").removeprefix("\ufeff")
    try:
        if source.blob.size <= MAX_TEMPLATE:
            source.budget.spend_template(len(data))
        tree = parse_template(text, source.blob.size, MAX_TEMPLATE)
    except (NotParsedError, BudgetError) as error:
        from toadstone.readers.jinja.tolerant import salvage  # noqa: PLC0415

        yield from salvage(source, text)
        yield source.unread(f"jinja: the template could not be parsed ({error})")
    else:
        yield from _facts(source, tree, text)


_SIMPLE = regex(r"\{\{[ \t]*[A-Za-z]\w*[ \t]*\}\}")


def plain(text: str) -> bool:
    """Whether the only expressions of a text are names to fill in, as in the prompts of a data set."""
    rest = _SIMPLE.sub("", text)
    return not any(mark in rest for mark in ("{{", "{%", "{#")) and "__" not in text


def expressions(source: Source, text: str) -> Iterator[Fact]:
    """Yield what the expressions of a text look up and cost, if it is a template; its words are somebody else's business.

    For text of which nobody says that a model reads it: configuration with placeholders, metadata.
    """
    from toadstone.readers.jinja.parse import NotParsedError, parse_template  # noqa: PLC0415

    source.budget.spend_steps(len(text))
    if plain(text):
        return
    if len(text) <= MAX_TEMPLATE:
        source.budget.spend_template(len(text))
    try:
        tree = parse_template(text, len(text), MAX_TEMPLATE)
    except NotParsedError:
        return
    from toadstone.readers.jinja.lookups import lookups  # noqa: PLC0415
    from toadstone.readers.jinja.resource import costs  # noqa: PLC0415

    yield from lookups(source, tree)
    yield from costs(source, tree)


def _facts(source: Source, tree: nodes.Template, text: str) -> Iterator[Fact]:
    from toadstone.readers.jinja.flow import Analysis  # noqa: PLC0415
    from toadstone.readers.jinja.literals import hidden, literals  # noqa: PLC0415
    from toadstone.readers.jinja.lookups import lookups  # noqa: PLC0415
    from toadstone.readers.jinja.output import stages  # noqa: PLC0415
    from toadstone.readers.jinja.resource import costs  # noqa: PLC0415

    yield from lookups(source, tree)
    yield from hidden(source, tree)
    yield from costs(source, tree)
    for line, literal in literals(tree):
        yield Text(source.place.line(line), "template-literal", literal[:KEPT_LITERAL])
    yield from stages(source, tree, text)
    branches = Analysis(tree, source).branches()
    yield from branches
    summary = f"template of {len(text):,} characters, {len(branches)} branches that depend on the conversation"
    yield Code(source.place, "jinja", source.name.rsplit("/", 1)[-1], summary)


_OWN = (".jinja", ".jinja2", ".j2")
_SHARED = (".template", ".tmpl", ".tpl")
"""Names that many template languages use."""


def claims(source: Source) -> bool:
    """Whether a file with a template's name is text, and, under a name that is not Jinja's own, a template that parses."""
    return _is_text(source) and (source.name.lower().endswith(_OWN) or _is_template(source))


def _is_text(source: Source) -> bool:
    """Whether the head is UTF-8 up to a cut character; loaders read NULs as characters, so they hide nothing here."""
    head = source.head()
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return True
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 4 and source.blob.size > len(head)
    return True


def _is_template(source: Source) -> bool:
    data = source.blob.read(0, MAX_TEMPLATE + 1)
    if len(data) > MAX_TEMPLATE or (b"{{" not in data and b"{%" not in data):
        return False
    from toadstone.readers.jinja.parse import NotParsedError, parse_template  # noqa: PLC0415

    try:
        parse_template(data.decode("utf-8", "replace"), len(data), MAX_TEMPLATE)
    except NotParsedError:
        return False
    return True


READERS = (Reader(kind="jinja", read=read, suffixes=(*_OWN, *_SHARED), claims=claims, rank=60),)
