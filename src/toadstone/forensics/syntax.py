"""Text as a syntax tree of Python, for those who only ask whether it is one."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    import ast


def tree_of(text: str) -> ast.Module | None:
    """Parse a text without a word on standard error; None when CPython's parser refuses it, for whatever reason."""
    import ast  # noqa: PLC0415  (20 ms that most scans never need)
    import warnings  # noqa: PLC0415

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
