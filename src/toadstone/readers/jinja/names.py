"""Names that a template can reach Python through, and names that templates really use."""

from __future__ import annotations

from toadstone.core.place import Place
from toadstone.core.regex import regex

DUNDER = regex(r"__\w{2,40}__")
"""A special name of Python."""

MANGLED = regex(r"_[A-Z]\w*__\w+")
"""A private name of a class of Python."""

INTROSPECTION = regex(
    r"(?:func|im|gi|cr|ag|tb|f|co)_(?:globals|code|closure|func|self|frame|yieldfrom|next|back|locals|builtins|trace|consts)|mro"
)
"""Attributes without leading underscores that lead from a value to frames, code or modules."""

EXECUTION = frozenset(
    [
        "system",
        "popen",
        "spawn",
        "exec",
        "eval",
        "compile",
        "execfile",
        "check_output",
        "check_call",
        "getoutput",
        "getstatusoutput",
        "Popen",
        "execv",
        "execve",
        "execvp",
        "posix_spawn",
        "fork",
        "import_module",
        "load_module",
        "exec_module",
        "open_code",
        "run_code",
        "runsource",
    ]
)
"""Methods whose call means that Python was reached already."""

CONTEXT = frozenset(
    [
        "self",
        "cycler",
        "joiner",
        "lipsum",
        "config",
        "request",
        "session",
        "g",
        "get_flashed_messages",
        "url_for",
        "application",
        "current_app",
        "caller",
        "varargs",
        "kwargs",
    ]
)
"""Objects of the template's surroundings that are no data of a conversation."""

BUILTIN_FILTERS = frozenset(
    [
        "abs",
        "attr",
        "batch",
        "capitalize",
        "center",
        "count",
        "d",
        "default",
        "dictsort",
        "e",
        "escape",
        "filesizeformat",
        "first",
        "float",
        "forceescape",
        "format",
        "groupby",
        "indent",
        "int",
        "items",
        "join",
        "last",
        "length",
        "list",
        "lower",
        "map",
        "max",
        "min",
        "pprint",
        "random",
        "reject",
        "rejectattr",
        "replace",
        "reverse",
        "round",
        "safe",
        "select",
        "selectattr",
        "slice",
        "sort",
        "string",
        "striptags",
        "sum",
        "title",
        "tojson",
        "trim",
        "truncate",
        "unique",
        "upper",
        "urlencode",
        "urlize",
        "wordcount",
        "wordwrap",
        "xmlattr",
        "from_json",
        "fromjson",
        "split",
        "strip",
        "lstrip",
        "rstrip",
        "startswith",
        "endswith",
    ]
)
"""Filters of Jinja and of the chat template engines."""

BUILTIN_TESTS = frozenset(
    [
        "boolean",
        "callable",
        "defined",
        "divisibleby",
        "eq",
        "equalto",
        "escaped",
        "even",
        "false",
        "filter",
        "float",
        "ge",
        "greaterthan",
        "gt",
        "in",
        "integer",
        "iterable",
        "le",
        "lessthan",
        "lower",
        "lt",
        "mapping",
        "ne",
        "none",
        "number",
        "odd",
        "sameas",
        "sequence",
        "string",
        "test",
        "true",
        "undefined",
        "upper",
        "==",
        "!=",
        ">",
        "<",
        ">=",
        "<=",
        "startingwith",
        "endingwith",
        "containing",
    ]
)
"""Tests of Jinja."""

KNOWN_CALLS = frozenset(
    [
        "namespace",
        "dict",
        "range",
        "raise_exception",
        "strftime_now",
        "tojson",
        "joiner",
        "cycler",
        "split",
        "strip",
        "lstrip",
        "rstrip",
        "startswith",
        "endswith",
        "replace",
        "lower",
        "upper",
        "title",
        "capitalize",
        "items",
        "keys",
        "values",
        "get",
        "join",
        "append",
        "extend",
        "update",
        "find",
        "rfind",
        "index",
        "count",
        "format",
        "pop",
        "insert",
        "setdefault",
        "removeprefix",
        "removesuffix",
        "partition",
        "rpartition",
        "splitlines",
        "isdigit",
        "isalpha",
        "isspace",
        "isalnum",
        "copy",
        "loop",
        "cycle",
        "changed",
        "zfill",
        "ljust",
        "rjust",
        "center",
        "rsplit",
        "casefold",
        "swapcase",
        "reverse",
        "sort",
        "clear",
        "remove",
    ]
)
"""Functions and methods that templates call on data."""

SUSPECT_PIECE = regex(r"__")
"""A piece of a computed name that looks like part of a special name."""

_PAGE = regex(r"(?i)\.(?:html?|xml|svg|css|js|tex|md|rst|sql|conf)\.(?:j2|jinja2?)\Z")


def is_page(place: Place) -> bool:
    """Whether a template is, by its own name, one of a page or a document: no loader takes it for a chat template."""
    return not place.member and "chat" not in place.path.lower() and _PAGE.search(place.path) is not None
