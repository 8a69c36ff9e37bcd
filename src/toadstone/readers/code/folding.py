"""Names of operators, and calls that the machine follows by itself."""

from __future__ import annotations

from toadstone.forensics.interpreter import SIGNS

__all__ = ["KEPT_CALLS", "NAMES", "SIGNS"]

NAMES = {
    "%": "mod",
    "*": "mul",
    "**": "pow",
    "-": "sub",
    "^": "xor",
    "&": "and_",
    "|": "or_",
    "//": "floordiv",
    ">>": "rshift",
    "<<": "lshift",
    "/": "truediv",
    "@": "matmul",
    "[]": "getitem",
}
"""How the module ``operator`` calls them."""

KEPT_CALLS = frozenset(
    {
        "builtins.getattr",
        "builtins.__import__",
        "builtins.isinstance",
        "builtins.print",
        "importlib.import_module",
        "functools.partial",
    }
)
"""Calls whose pictures say more than what they give."""
