"""Kinds that are plainly no model: text, images, sound, documents, tables, fonts, and programs.

Each is followed by its own structure to its end and claimed as inert up to there, so that whatever was appended falls out
as a gap and is looked at for what it is.
"""

from __future__ import annotations

import importlib

_HOMES = ("text", "raster", "tiff", "media", "document", "columnar", "records", "native", "sundry")


def __getattr__(name: str) -> object:
    """Import the kinds when all of them are asked for: the index knows each by its own module."""
    if name != "READERS":
        raise AttributeError(name)
    return tuple(reader for home in _HOMES for reader in importlib.import_module(f"{__name__}.{home}").READERS)
