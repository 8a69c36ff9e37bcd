"""Names of Python 2 that unpicklers translate for protocols below 3 (``fix_imports``)."""

from __future__ import annotations

from functools import lru_cache

from toadstone.core.value import Symbol


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[tuple[str, str], tuple[str, str]], dict[str, str]]:
    import _compat_pickle  # noqa: PLC0415  (plain tables of the standard library; no unpickler)

    return _compat_pickle.NAME_MAPPING, _compat_pickle.IMPORT_MAPPING


def python3_name(symbol: Symbol) -> Symbol:
    """Translate as the default ``find_class`` does; other names pass unchanged."""
    names, modules = _tables()
    mapped = names.get((symbol.module, symbol.name))
    if mapped:
        return Symbol(*mapped)
    module = modules.get(symbol.module)
    return Symbol(module, symbol.name) if module else symbol
