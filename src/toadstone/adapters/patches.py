"""Puts guarded loaders in the place of the real ones, and the real ones back."""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

from toadstone.core.errors import UnsafeError

Loader = Callable[..., Any]

_LOCK = threading.RLock()
_count = 0
_placed: list[tuple[ModuleType, str, Any, Any]] = []
"""Module, attribute, what was there, what is there now."""


def _pickle_load(real: Loader, what: str) -> Loader:
    @functools.wraps(real)
    def load(file: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  (the loader's own signature)
        from toadstone.adapters.guarded import judges  # noqa: PLC0415  (it imports this module)
        from toadstone.adapters.judged import PickleStream, is_judged  # noqa: PLC0415

        deciding = judges()
        if not deciding or is_judged(file):
            return real(file, *args, **kwargs)
        with PickleStream(deciding, file, what) as stream:
            stream.judge_next()
            try:
                return real(stream, *args, **kwargs)
            finally:
                stream.done()

    return load


def _pickle_loads(real: Loader, what: str) -> Loader:
    @functools.wraps(real)
    def loads(data: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  (the loader's own signature)
        from toadstone.adapters.guarded import judges  # noqa: PLC0415  (it imports this module)

        deciding = judges()
        if not deciding:
            return real(data, *args, **kwargs)
        kept = bytes(data)  # a buffer could be changed while it is judged
        for judge in deciding:
            kept = judge.pickle(kept, what)
        return real(kept, *args, **kwargs)

    return loads


def _unpickler(real: Any, what: str) -> Any:  # noqa: ANN401  (a class)
    from toadstone.adapters.guarded import judges  # noqa: PLC0415  (it imports this module)
    from toadstone.adapters.judged import PickleStream, is_judged  # noqa: PLC0415

    class Unpickler(real):  # type: ignore[misc]  # (whatever class is there)
        """The unpickler, judging each pickle before it is loaded."""

        def __init__(self, file: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  (the class's own signature)
            deciding = [] if is_judged(file) else judges()
            self._toadstone_stream = PickleStream(deciding, file, what) if deciding else None
            super().__init__(self._toadstone_stream or file, *args, **kwargs)

        def load(self) -> Any:  # noqa: ANN401  (any object)
            stream = self._toadstone_stream
            if stream is None:
                return super().load()
            stream.judge_next()
            try:
                return super().load()
            finally:
                stream.done()

    Unpickler.__name__, Unpickler.__qualname__, Unpickler.__module__ = real.__name__, real.__qualname__, real.__module__
    return Unpickler


def _file_loader(real: Loader, what: str, *, needed: Callable[[dict[str, Any], Sequence[Any]], bool], mapped: str) -> Loader:
    """Guard a loader that takes a path or a stream first.

    Args:
        real: The loader.
        what: Its name.
        needed: Whether a call with these named and further positional arguments can run code at all.
        mapped: The argument that makes the loader map a file into memory, which needs a path.
    """

    @functools.wraps(real)
    def load(file: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  (the loader's own signature)
        from toadstone.adapters.guarded import judges  # noqa: PLC0415  (it imports this module)
        from toadstone.adapters.judged import is_judged  # noqa: PLC0415

        deciding = judges()
        if not deciding or is_judged(file) or not needed(kwargs, args):
            return real(file, *args, **kwargs)
        mapping = kwargs.get(mapped) or (args[0] if args and mapped == "mmap_mode" else None)
        if isinstance(file, (str, os.PathLike)) and (mapping or os.path.isdir(file)):  # noqa: PTH112  (any path)
            if mapping not in (None, True, "r", "c"):
                raise UnsafeError(f"{what} refused {file}: what is mapped for writing would be written to a copy.")
            return _from_folder(real, what, file, args, kwargs)
        return _from_copy(real, what, file, args, kwargs)

    return load


def _from_copy(real: Loader, what: str, file: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401
    """Load a judged copy as a stream."""
    from toadstone.adapters.guarded import judges  # noqa: PLC0415  (it imports this module)

    with ExitStack() as closing:
        copy = file
        for judge in judges():
            copy = closing.enter_context(judge.opened(copy, what))
        loaded = real(copy, *args, **kwargs)
        if getattr(loaded, "fid", copy) is None:  # an NpzFile reads on later, and closes what it holds there
            loaded.fid = copy
            closing.pop_all()
        return loaded


def _path_loader(real: Loader, what: str) -> Loader:
    """Guard a loader that takes a path, and looks at its ending."""

    @functools.wraps(real)
    def load_model(filepath: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  (the loader's own signature)
        from toadstone.adapters.guarded import judges  # noqa: PLC0415  (it imports this module)

        if not judges():
            return real(filepath, *args, **kwargs)
        return _from_folder(real, what, filepath, args, kwargs)

    return load_model


def _from_folder(real: Loader, what: str, path: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401
    """Load a judged copy by its path; a file that stays mapped lives on after its name is gone."""
    from toadstone.adapters.guarded import judges  # noqa: PLC0415  (it imports this module)

    with tempfile.TemporaryDirectory(prefix="toadstone-") as private:
        for number, judge in enumerate(judges()):
            (Path(private) / str(number)).mkdir()
            path = judge.folder(path, what, Path(private) / str(number))
        return real(str(path), *args, **kwargs)


def _always(_kwargs: dict[str, Any], _args: Sequence[Any]) -> bool:
    return True


def _numpy_pickles(kwargs: dict[str, Any], args: Sequence[Any]) -> bool:
    """Whether ``numpy.load(file, mmap_mode, allow_pickle)`` may unpickle."""
    return bool(kwargs.get("allow_pickle") or (len(args) > 1 and args[1]))


def _files(needed: Callable[[dict[str, Any], Sequence[Any]], bool], mapped: str) -> Callable[[Loader, str], Loader]:
    return lambda real, what: _file_loader(real, what, needed=needed, mapped=mapped)


_PLACES: dict[str, dict[str, tuple[str, Callable[[Any, str], Any]]]] = {
    "pickle": {
        "load": ("pickle.load", _pickle_load),
        "loads": ("pickle.loads", _pickle_loads),
        "Unpickler": ("pickle.Unpickler", _unpickler),
    },
    "_pickle": {
        "load": ("pickle.load", _pickle_load),
        "loads": ("pickle.loads", _pickle_loads),
        "Unpickler": ("pickle.Unpickler", _unpickler),
    },
    "cloudpickle": {"load": ("cloudpickle.load", _pickle_load), "loads": ("cloudpickle.loads", _pickle_loads)},
    "cloudpickle.cloudpickle": {"load": ("cloudpickle.load", _pickle_load), "loads": ("cloudpickle.loads", _pickle_loads)},
    "dill": {"load": ("dill.load", _pickle_load), "loads": ("dill.loads", _pickle_loads)},
    "dill._dill": {"load": ("dill.load", _pickle_load), "loads": ("dill.loads", _pickle_loads)},
    "joblib": {"load": ("joblib.load", _files(_always, "mmap_mode"))},
    "joblib.numpy_pickle": {"load": ("joblib.load", _files(_always, "mmap_mode"))},
    "numpy": {"load": ("numpy.load", _files(_numpy_pickles, "mmap_mode"))},
    "torch": {"load": ("torch.load", _files(_always, "mmap"))},
    "torch.serialization": {"load": ("torch.load", _files(_always, "mmap"))},
    "keras.models": {"load_model": ("keras.load_model", _path_loader)},
    "keras.saving": {"load_model": ("keras.load_model", _path_loader)},
    "tensorflow.keras.models": {"load_model": ("keras.load_model", _path_loader)},
}
"""Module and attribute to the name that errors tell and the maker of the guarded loader."""


class _Watcher(importlib.abc.MetaPathFinder):
    """Guards the loaders of a library that is imported while a block is open."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:  # noqa: ANN401
        """Find a watched module as everybody else would, and place the guards once it has been executed."""
        if name not in _PLACES:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Following(spec.loader)
                return spec
        return None


class _Following(importlib.abc.Loader):
    """Another loader, with the guards placed behind it."""

    def __init__(self, real: Any) -> None:  # noqa: ANN401  (any loader)
        self._real = real

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)  # type: ignore[no-any-return]  # (as the real one says)

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        if spec is not None:
            spec.loader = module.__loader__ = self._real
        self._real.exec_module(module)
        with _LOCK:
            if _count:
                _place(module.__name__)


_watcher = _Watcher()


def _place(name: str) -> None:
    module = sys.modules.get(name)
    for attribute, (what, make) in _PLACES[name].items() if module is not None else ():
        real = getattr(module, attribute, None)
        if real is None:
            continue
        assert module is not None
        behind = [placed for placed in _placed if placed[3] is real]
        if behind:  # a module that was imported inside a block took over a guard
            _placed.append((module, attribute, behind[0][2], real))
            continue
        guard = make(real, what)
        setattr(module, attribute, guard)
        _placed.append((module, attribute, real, guard))


def install() -> None:
    """Place the guards when the first block begins; they let everything pass for whoever is in no block."""
    global _count  # noqa: PLW0603  (one count for the process, like the modules that it is about)
    with _LOCK:
        _count += 1
        if _count == 1:
            importlib.import_module("pickle")
            sys.meta_path.insert(0, _watcher)
            for name in _PLACES:
                _place(name)


def remove() -> None:
    """Put the real loaders back when the last block has ended; what somebody else put there meanwhile stays."""
    global _count  # noqa: PLW0603  (see above)
    with _LOCK:
        _count -= 1
        if _count:
            return
        sys.meta_path.remove(_watcher)
        while _placed:
            module, attribute, real, guard = _placed.pop()
            if getattr(module, attribute, None) is guard:
                setattr(module, attribute, real)
