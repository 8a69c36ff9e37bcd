"""Reads Python that this parser refuses (Python 2, newer syntax, damage) word by word.

Names are followed through imports and dotted chains only; whatever is found is true, but not everything is found, so the
reader reports such a source as unread as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from toadstone.core.value import Symbol, Value
from toadstone.readers.code.values import UNKNOWN

if TYPE_CHECKING:
    from toadstone.readers.code.expressions import Expressions

_TOKEN = re.compile(
    r"""\#[^\n]*+
    |(?P<text>[rRbBuU]{0,2}(?:'''(?:[^\\']|\\.|'(?!''))*+(?:'''|\Z)
        |\"\"\"(?:[^\\"]|\\.|"(?!""))*+(?:\"\"\"|\Z)|'(?:[^\\'\n]|\\.)*+'?+|"(?:[^\\"\n]|\\.)*+"?+))
    |(?<![\w.])import[ \t]+(?P<names>[\w., \t]++)
    |(?<![\w.])from[ \t]+(?P<module>[\w.]++)[ \t]+import[ \t]*+(?P<members>\([\w., \t\n]*+|[\w., \t*]++)
    |(?P<call>(?<![\w.])[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+){0,8}[ \t]*+\()
        (?:[ \t]*+(?P<argument>[rRbBuU]{0,2}(?:'(?:[^\\'\n]|\\.)*+'|"(?:[^\\"\n]|\\.)*+")))?
    |(?P<exec>(?<![\w.])exec[ \t]+(?=[\w'"]))""",
    re.VERBOSE | re.DOTALL,
)


_STRING = _TOKEN.pattern[_TOKEN.pattern.index("(?P<text>") + 9 : _TOKEN.pattern.index(")\n    |(?<![\\w.])import")]
_DATA = re.compile(
    rf"""(?:\s++|\#[^\n]*+|(?:{_STRING})|[-+]?\d[\w.]*+|[(){{}}\[\],:=;]|(?:True|False|None)\b
        |from[ \t]+__future__[ \t]+import[ \t]+[\w, \t]++|[A-Za-z_]\w*+(?=[ \t]*+=(?!=)))*+\Z""",
    re.VERBOSE | re.DOTALL,
)


def is_data(text: str) -> bool:
    """Whether a source only gives names to literals: nothing in it can call or import, so nothing is missed in it."""
    return _DATA.match(text) is not None


def skim(reading: Expressions, text: str, first_line: int) -> None:
    """Report the imports and calls that can be made out in ``text`` to ``reading``."""
    before, reading.node = reading.shift, None
    line, position = first_line, 0
    for found in _TOKEN.finditer(text):
        if found["text"] is not None or found.lastgroup is None:
            continue
        if not reading.flood.words(found[0]):
            continue
        line += text.count("\n", position, found.start())
        position = found.start()
        reading.shift = line + 1
        if found["names"] is not None:
            _import(reading, found["names"])
        elif found["module"] is not None:
            _import_from(reading, found["module"], found["members"])
        else:
            _call(reading, found)
    reading.shift = before


def _import(reading: Expressions, names: str) -> None:
    for clause in names.split(","):
        words = clause.split()
        if words and (len(words) == 1 or words[1] == "as"):
            reading.on_import(Symbol(words[0], ""), "import")
            top = reading.import_module(words[0])
            reading.scope.bind(words[-1].partition(".")[0], Symbol(words[0], "") if len(words) == 3 else top, False)


def _import_from(reading: Expressions, module: str, members: str) -> None:
    for clause in members.lstrip("(").split(","):
        words = clause.split()
        if words:
            reading.on_import(Symbol(module, words[0]), "from")
            reading.scope.bind(words[-1], reading.attribute(Symbol(module, ""), words[0]), False)


def _call(reading: Expressions, found: re.Match[str]) -> None:
    name = "exec" if found["exec"] else found["call"].partition("(")[0].strip()
    callee = _resolved(reading, name)
    if isinstance(callee, Symbol):
        reading.call(callee, (_literal(found["argument"]),), ())


def _resolved(reading: Expressions, dotted: str) -> Value:
    first, *rest = dotted.split(".")
    found = reading.scope.find(first)
    value = found if found is not None else reading.lookup(first)
    for name in rest:
        value = reading.attribute(value, name)
    return value


def _literal(text: str | None) -> Value:
    """The text of a plain literal, escapes left as they are."""
    if text is None:
        return UNKNOWN
    return text.lstrip("rRbBuU").strip("'\"")
