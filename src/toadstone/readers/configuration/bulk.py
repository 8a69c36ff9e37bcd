"""Large vocabularies: their plain entries are taken out of a JSON text before it is parsed.

A tokenizer's ``vocab`` and ``merges`` hold up to a million entries that are a string, a number, a string with a number,
or a pair of them. None of these can be a setting, and as Python objects they would cost twenty times the file's size.
"""

from __future__ import annotations

import re

LARGE = 4 << 20
"""Bytes from which a JSON text is thinned before it is parsed."""

_TEXT = rb'"(?:[^"\\]++|\\.)*+"'
_NUMBER = rb"-?[0-9][0-9.eE+-]*+"
_ITEM = (
    rb"(?:"
    + _TEXT
    + rb"\s*+(?::\s*+"
    + _NUMBER
    + rb"\s*+)?+|"
    + _NUMBER
    + rb"\s*+|\[\s*+(?:"
    + _TEXT
    + rb"|"
    + _NUMBER
    + rb")\s*+,\s*+(?:"
    + _TEXT
    + rb"|"
    + _NUMBER
    + rb")\s*+\]\s*+)"
)
_RUN = re.compile(rb"((?:" + _ITEM + rb",\s*+){64,1024}+)|" + _TEXT, re.DOTALL)


_SCALAR = rb"(?:" + _TEXT + rb"|" + _NUMBER + rb"|true|false|null|NaN)\s*+"
_PAIR = _TEXT + rb"\s*+:\s*+" + _SCALAR
_RECORD = rb"\{\s*+" + _PAIR + rb"(?:,\s*+" + _PAIR + rb")*+\}"
_LIST = rb"\[\s*+" + _SCALAR + rb"(?:,\s*+" + _SCALAR + rb")*+\]"
_FLAT = re.compile(rb"((?:" + _TEXT + rb"\s*+:\s*+)?+(?:" + _RECORD + rb"|" + _LIST + rb"))|" + _TEXT, re.DOTALL)
_TELLING = re.compile(
    rb'"(?:_target_|__target__|target|class_path|init_args|_args_|_component_|\(\)|init_parameters|kwargs|py/\w+|import_path|auto_map|AutoM\w+|AutoT\w+|'
    rb"AutoC\w+|custom_pipelines|impl|trust_remote_code|_?attn_implementation|\w*name_or_path|auto_mapping|parent_library|loader_module|mcpServers|command|args|"
    rb'\w*chat_templates?\w*|template|weight_map|Regex|pattern)"|\$\{|\{[{%]|\\u'
)


def collapsed(data: bytes) -> bytes | None:
    """Replace flat records and lists without a telling key by a number; give None when nothing was left to replace.

    For data sets in one JSON document, which would become too many objects. Applied again, it takes the next level.
    """

    def replace(found: re.Match[bytes]) -> bytes:
        if found[1] is None or _TELLING.search(found[1]):
            return found[0]
        key = _KEY.match(found[1])
        return (key[0] if key is not None else b"") + b"0"

    smaller = thinned(_FLAT.sub(replace, data))
    return smaller if len(smaller) < 0.9 * len(data) else None


_KEY = re.compile(_TEXT + rb"\s*+:\s*+", re.DOTALL)


def thinned(data: bytes) -> bytes:
    """Remove long runs of plain entries from a JSON text; what is left is JSON if and only if the text was.

    Strings are matched as wholes from the first to the last, so a run never begins inside one. An entry is removed with
    its comma, and the last entry of a container has none, so something is always left to hold the syntax together.
    """
    return _RUN.sub(lambda found: b"" if found[1] is not None else found[0], data)


def has_vocabulary(data: bytes) -> bool:
    """Whether a JSON text looks like a tokenizer, so that thinning is worth its time."""
    return b'"vocab"' in data or b'"merges"' in data
