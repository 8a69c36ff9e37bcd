"""Names that have a meaning of their own: built-ins, modules of the standard library, methods that loaders call."""

from __future__ import annotations

import sys


def words(text: str) -> frozenset[str]:
    """Make a set of the words of a text."""
    return frozenset(text.split())


MODULES = frozenset(sys.stdlib_module_names) | words("imp asyncore asynchat distutils smtpd pipes telnetlib crypt cgi")
"""Top-level modules of the standard library, the departed ones included."""

BUILTINS = words(
    "abs aiter all anext any ascii bin bool breakpoint bytearray bytes callable chr classmethod compile complex delattr "
    "dict dir divmod enumerate eval exec filter float format frozenset getattr globals hasattr hash help hex id input int "
    "isinstance issubclass iter len list locals map max memoryview min next object oct open ord pow print property range "
    "repr reversed round set setattr slice sorted staticmethod str sum super tuple type vars zip __import__ "
    "__build_class__ exit quit copyright credits license execfile raw_input unicode unichr reload xrange apply",
)
"""Built-in functions and types, those of Python 2 included."""

SILENT = words(
    "len isinstance issubclass hasattr super range print repr str int float bool list dict set tuple frozenset type "
    "enumerate zip min max sum sorted abs round any all id hash iter next callable slice property staticmethod "
    "classmethod object ord hex oct bin format divmod pow complex reversed ascii aiter anext memoryview bytes bytearray "
    "unicode unichr xrange getattr chr dir help globals locals vars",
)
"""Built-ins that neither run, read nor change anything outside: calls of them say nothing."""

RISKY = words("exec eval compile __import__ open getattr setattr globals breakpoint input")
"""Built-ins whose mere mention tells something where instructions cannot be followed."""

LOADED = words(
    "__init__ __new__ __post_init__ __setstate__ __reduce__ __reduce_ex__ __getstate__ __getnewargs__ __call__ __del__ "
    "__init_subclass__ __set_name__ __getattr__ __class_getitem__ forward _forward from_pretrained from_config "
    "_from_config _init_weights init_weights post_init build call preprocess postprocess encode decode handle initialize "
    "inference",
)
"""Methods that loaders and runtimes call by themselves; facts inside them say so."""

MODULE_NAMES = words("__name__ __file__ __doc__ __package__ __spec__ __loader__ __path__ __all__")
"""Names that every module has."""

CHANGING = words("append extend insert remove pop clear sort reverse add update discard setdefault popitem")
"""Methods that change a container in place."""

TEXT_CODECS = words(
    "utf-8 utf8 ascii latin-1 latin1 iso-8859-1 utf-16 utf-16le utf-16-le utf-32 cp437 cp1252 raw_unicode_escape "
    "unicode_escape utf_8 u8",
)
"""Codecs between text and bytes; others turn one kind of bytes into another."""

ALIASES = {"np": "numpy", "pd": "pandas", "tf": "tensorflow", "plt": "matplotlib.pyplot", "K": "keras.backend", "nn": "torch.nn"}
"""Customary names of modules, for code whose imports are not in sight."""

LIBRARIES = words("numpy torch tensorflow keras pandas requests scipy sklearn")
"""Libraries that functions inside models take for granted."""
