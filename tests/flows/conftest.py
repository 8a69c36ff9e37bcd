from __future__ import annotations

import importlib
import sys

import pytest

from toadstone.core import check as core_check


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Write a module of third-party checks, and forget its checks afterwards."""
    known = dict(core_check.discover())
    modules = set(sys.modules)

    def written(name: str, source: str) -> str:
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
        importlib.invalidate_caches()
        return name

    yield written
    core_check.registry.clear()
    core_check.registry.update(known)
    for name in set(sys.modules) - modules:
        if not name.startswith("toadstone"):
            del sys.modules[name]
