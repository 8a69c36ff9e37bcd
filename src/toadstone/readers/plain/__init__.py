"""Kinds that are plainly no model: text, images, sound, documents, tables, fonts, and programs.

Each is followed by its own structure to its end and claimed as inert up to there, so that whatever was appended falls out
as a gap and is looked at for what it is.
"""

from toadstone.readers.plain import columnar, document, media, native, raster, records, text, tiff

READERS = (
    *text.READERS,
    *raster.READERS,
    *tiff.READERS,
    *media.READERS,
    *document.READERS,
    *columnar.READERS,
    *records.READERS,
    *native.READERS,
)
