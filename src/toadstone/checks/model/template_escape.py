"""Template expressions that leave the template's sandbox."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Lookup
from toadstone.core.finding import Confidence, Finding, Severity
from toadstone.core.place import Place
from toadstone.readers.jinja.names import DUNDER, EXECUTION, INTROSPECTION, MANGLED

_PYTHON = frozenset(
    [
        "__class__",
        "__globals__",
        "__builtins__",
        "__subclasses__",
        "__import__",
        "__mro__",
        "__base__",
        "__bases__",
        "__init__",
        "__dict__",
        "__getattribute__",
        "__getattr__",
        "__code__",
        "__self__",
        "__func__",
        "__loader__",
        "__spec__",
        "__call__",
        "__reduce__",
        "__reduce_ex__",
        "__init_subclass__",
        "__module__",
        "__wrapped__",
        "__closure__",
        "__defaults__",
        "__enter__",
        "__exit__",
        "__new__",
        "__del__",
        "__subclasshook__",
        "__objclass__",
        "__setattr__",
    ]
)
_NAMING = frozenset(
    ["__name__", "__qualname__", "__doc__", "__version__", "__len__", "__str__", "__repr__", "__file__", "__author__"]
)


@check(
    "template-escape",
    severity=Severity.CRITICAL,
    reads=Lookup,
    references=(
        "CVE-2024-34359",
        "CWE-1336",
        "CWE-94",
        "MITRE ATLAS 2026.08 AML.T0011.000",
        "OWASP LLM 2026 LLM04",
        "NIST AI 100-2e2025 NISTAML.051",
    ),
)
class TemplateEscape(Check):
    """The template reaches for Python's internals, which is how a template runs commands on the server.

    ## Why it matters
    From any value, `__class__`, `__mro__`, `__subclasses__`, `__globals__` lead to every module that is loaded, and from there
    to a shell. Engines that render chat templates without a sandbox run such a template for whoever downloads the model and
    sends it a message; sandboxes have had holes.

    ## How it decides
    Every attribute and item of the template's syntax tree is looked at, under every spelling: `x.__class__`, `x['__class__']`,
    `x|attr('__cla' ~ 'ss__')`, `map(attribute=…)`, format strings, names joined, reversed, escaped or kept in variables. Special
    names, mangled names and attributes of frames and code objects are `critical`, in a broken template as well (another engine
    may accept it). A name given to `attr` that cannot be known, a name in brackets that is built from pieces of a special
    name, a name in brackets behind a value that has no items, and a call of a method such as `popen` or `eval` are `high`.
    Names like `__name__` and `__doc__` are ordinary; `x.__class__` that is only named, printed or compared is `low`, as
    templates ask for a type that way.

    ## What it misses
    A name that arrives at run time in an ordinary-looking subscript, and code that an engine adds as its own filter.

    ## Remedy
    Do not load the model with an engine that renders its template. Replace the template by the original publisher's.

    ## References
    CVE-2024-34359 (llama-cpp-python); Jinja documentation, "Sandbox"; CWE-1336, CWE-94.
    """

    def examine(self, fact: Lookup) -> Iterator[Finding]:
        severity = _judge(fact)
        if severity is None:
            return
        name = fact.name or "a name that is only known when it runs"
        yield self.finding(
            fact.place,
            f"The template looks up {name} in `{fact.expression}`.",
            severity=severity,
            confidence=Confidence.HIGH if fact.name else Confidence.MEDIUM,
            key=f"{fact.place.member}:{severity.label}",
            expression=fact.expression,
            name=fact.name,
            kind=fact.kind,
        )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        place = Place("chat_template.jinja", row=0)
        yield Lookup(place, "x.__class__", "__class__", "attribute")
        yield Lookup(place, "lipsum|attr('__glo' ~ 'bals__')", "__globals__", "attribute")
        yield Lookup(place, "self._TemplateReference__context", "_TemplateReference__context", "attribute")
        yield Lookup(place, "x|attr(y)", "", "attribute")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        place = Place("chat_template.jinja", row=0)
        yield Lookup(place, "message._id", "_id", "attribute")
        yield Lookup(place, "tools|fancy", "fancy", "filter")
        yield Lookup(place, "system(x)", "system", "call")


def _judge(fact: Lookup) -> Severity | None:
    if fact.kind == "call":
        method = re.search(rf"[.\]'\"]\s*{re.escape(fact.name)}\b", fact.expression) if fact.name in EXECUTION else None
        return Severity.HIGH if method else None
    if fact.kind == "class":
        return Severity.LOW
    if fact.kind == "constant":
        return Severity.CRITICAL if fact.name in _PYTHON else None
    if fact.kind not in {"attribute", "item", "global"} or fact.name in _NAMING:
        return None
    if not fact.name:
        return Severity.HIGH
    if DUNDER.search(fact.name) or MANGLED.fullmatch(fact.name) or INTROSPECTION.fullmatch(fact.name):
        return Severity.CRITICAL
    return Severity.HIGH if fact.name in EXECUTION and fact.kind == "attribute" else None
