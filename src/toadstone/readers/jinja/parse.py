"""Parse a template with the parser that its renderers use, and nothing beyond the syntax tree."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import lru_cache

from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.ext import Extension
from jinja2.parser import Parser

MAX_DEPTH = 120
"""Depth of the syntax tree that is analysed, after chains of ``+``, ``and`` and ``or`` are taken as one level."""

MAX_CHAIN = 1000
"""Operands of one chain of ``+``, ``and`` or ``or``."""

_CHAINS = (nodes.Add, nodes.And, nodes.Or)


class NotParsedError(Exception):
    """The template has no syntax tree that can be analysed; the message says why."""


class GenerationTag(Extension):
    """``{% generation %}…{% endgeneration %}``: marks the assistant's turn; transformers defines it, here it is a plain scope."""

    tags = {"generation"}  # noqa: RUF012  (the base class declares it so)

    def parse(self, parser: Parser) -> nodes.Node:
        """Give the tag's body as a scope."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    # the settings of transformers, and the `do` tag that other template users enable
    return Environment(  # noqa: S701  (nothing is ever rendered)
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do", GenerationTag]
    )


def parse_template(text: str, size: int, limit: int) -> nodes.Template:
    """Parse a template of ``size`` bytes.

    Raises:
        NotParsedError: If it is no valid template, longer than ``limit`` bytes, or nested too deep to be analysed.
    """
    if size > limit:
        raise NotParsedError(f"longer than {limit:,} bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in string literals of the template
            tree = Parser(_environment(), text).parse()
    except TemplateSyntaxError as error:
        raise NotParsedError(f"line {error.lineno}: {(error.message or 'syntax error')[:120]}") from None
    except RecursionError:
        raise NotParsedError("nested too deep") from None
    except (ValueError, SyntaxError, OverflowError, AssertionError, AttributeError, TypeError, MemoryError) as error:
        raise NotParsedError(f"parser failed with {type(error).__name__}") from None
    if _too_deep(tree):
        raise NotParsedError(f"nested deeper than {MAX_DEPTH} levels")
    return tree


def _too_deep(tree: nodes.Node) -> bool:
    """Whether the tree is deeper than `MAX_DEPTH`, or one operator's chain longer than `MAX_CHAIN`; without recursion."""
    stack: list[tuple[nodes.Node, int, int]] = [(tree, 0, 0)]
    while stack:
        node, depth, chain = stack.pop()
        if depth > MAX_DEPTH or chain > MAX_CHAIN:
            return True
        for child in children(node):
            chained = isinstance(node, _CHAINS) and type(child) is type(node)
            stack.append((child, depth, chain + 1) if chained else (child, depth + 1, 0))
    return False


def children(node: nodes.Node) -> list[nodes.Node]:
    """List the nodes right below one; `nodes.Node.iter_child_nodes` gives the same in three times the time."""
    found: list[nodes.Node] = []
    for name in node.fields:
        held = getattr(node, name, None)
        if isinstance(held, nodes.Node):
            found.append(held)
        elif isinstance(held, list):
            found += [item for item in held if isinstance(item, nodes.Node)]
    return found


def every(tree: nodes.Node) -> Iterator[nodes.Node]:
    """Yield all nodes of a tree in document order, without recursion; of a whole template they are listed once."""
    if not isinstance(tree, nodes.Template):
        return _walked(tree)
    known: list[nodes.Node] | None = getattr(tree, _WALKED, None)
    if known is None:
        known = list(_walked(tree))
        setattr(tree, _WALKED, known)
    return iter(known)


_WALKED = "toadstone_walked"


def _walked(tree: nodes.Node) -> Iterator[nodes.Node]:
    stack: list[nodes.Node] = [tree]
    while stack:
        node = stack.pop()
        yield node
        stack += reversed(children(node))


def line_of(node: nodes.Node) -> int:
    """Give the 0-based line of a node."""
    return max((node.lineno or 1) - 1, 0)
