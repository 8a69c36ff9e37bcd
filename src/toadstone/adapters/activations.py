"""What a layer of the user's own model makes of rows, so that checks of vectors see them as the model does.

Poison that barely shows in the input shows in a trained model's inner layers: rows with a trigger come close to each other there
(Tran, Li and Madry, *Spectral Signatures in Backdoor Attacks*, NeurIPS 2018; Chen et al., *Activation Clustering*, SafeAI 2019).
The model is one that the user's program made or loaded; nothing is loaded here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from toadstone.core.errors import UsageError, nearest

Vectors = NDArray[np.float32]
_SIZED = ("__len__", "__getitem__")


class Activations:
    """Turns rows into what a layer makes of them; see `activations`."""

    def __init__(
        self,
        model: Callable[..., Any],
        layer: Any = None,  # noqa: ANN401  (a name, or a module of torch)
        *,
        batch: int = 64,
        prepare: Callable[[Any], Any] | None = None,
        pool: Callable[[Any], Any] | None = None,
    ) -> None:
        if not callable(model):
            raise UsageError(f"a model must be callable. Got an object of type {type(model).__name__} instead.")
        if batch < 1:
            raise UsageError(f"batch must be at least 1. Got {batch} instead.")
        self._torch = _torch_of(model)
        self._model, self._batch, self._prepare, self._pool = model, batch, prepare, pool
        self._layer = _module(self._torch, model, layer)

    def __call__(self, data: Any) -> Vectors:  # noqa: ANN401  (whatever the model takes)
        """Give the vectors of some rows.

        Args:
            data: A tensor, an array or a sequence of rows; or an iterable of batches, such as a ``DataLoader``, whose batches
                may be pairs of inputs and labels.

        Returns:
            float32, shape (n, d), in the order of the rows.

        Raises:
            UsageError: The layer is not used, or what comes out is not one vector a row.
        """
        found: list[Vectors] = []
        with self._watched() as seen:
            for inputs, rows in self._batches(data):
                found.append(self._vectors(self._outcome(inputs, seen), rows))
                if found[-1].shape[1] != found[0].shape[1]:
                    raise UsageError(f"vectors differ in length: {found[0].shape[1]} and {found[-1].shape[1]}.", "Pass pool=….")
        return np.concatenate(found) if found else np.zeros((0, 0), np.float32)

    def _batches(self, data: Any) -> Iterator[tuple[Any, int]]:  # noqa: ANN401  (whatever the model takes)
        """Give what the model is called with, and the rows of each call (-1: not known)."""
        if isinstance(data, str | bytes | Mapping):
            raise UsageError(f"data must be rows or batches of rows. Got a {type(data).__name__} instead.")
        if all(hasattr(data, name) for name in _SIZED):
            for start in range(0, len(data), self._batch):
                rows = data[start : start + self._batch]
                yield self._given(rows), len(rows)
            return
        if not isinstance(data, Iterable):
            raise UsageError(f"data must be rows or batches of rows. Got an object of type {type(data).__name__} instead.")
        for given in data:
            inputs = given[0] if isinstance(given, tuple | list) and given else given
            yield self._given(inputs), len(inputs) if hasattr(inputs, "__len__") and not isinstance(inputs, Mapping) else -1

    def _given(self, rows: Any) -> Any:  # noqa: ANN401  (as above)
        made = rows if self._prepare is None else self._prepare(rows)
        if self._torch is None:
            return made
        if self._prepare is None and isinstance(made, list | tuple | np.ndarray):
            made = self._torch.as_tensor(np.asarray(made))
        return _moved(made, self._torch, _device(self._model))

    def _outcome(self, inputs: Any, seen: list[Any]) -> Any:  # noqa: ANN401  (as above)
        seen.clear()
        if isinstance(inputs, Mapping):
            given = self._model(**inputs)
        elif isinstance(inputs, tuple):
            given = self._model(*inputs)
        else:
            given = self._model(inputs)
        if self._layer is None:
            return given
        if not seen:
            raise UsageError("the layer was not used when the model was called.", "Name a layer that inputs go through.")
        return seen[-1]

    def _vectors(self, outcome: Any, rows: int) -> Vectors:  # noqa: ANN401  (as above)
        outcome = _tensor_of(outcome)
        pooled = self._pool(outcome) if self._pool is not None else outcome
        if self._torch is not None and isinstance(pooled, self._torch.Tensor):
            pooled = pooled.detach().to("cpu", self._torch.float32).numpy()
        values = np.asarray(pooled)
        if values.dtype.kind not in "biuf" or values.ndim < 1:
            raise UsageError(
                f"the layer gives {type(outcome).__name__} of {values.dtype}, no numbers.", "Name another, or pass pool=…."
            )
        values = _flat(np.asarray(values, np.float32))
        if rows >= 0 and len(values) != rows:
            raise UsageError(f"the layer gives {len(values):,} vectors for {rows:,} rows.", "Pass pool=…, which gives one a row.")
        return values

    @contextmanager
    def _watched(self) -> Iterator[list[Any]]:
        """Put the model in evaluation mode without gradients and look at the layer; afterwards it is what it was before."""
        seen: list[Any] = []
        if self._torch is None:
            yield seen
            return
        modes = {module: module.training for module in self._model.modules()}  # type: ignore[attr-defined]  # (a module of torch)
        hook = (
            self._layer.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
            if self._layer is not None
            else None
        )
        try:
            self._model.eval()  # type: ignore[attr-defined]  # (as above)
            with self._torch.no_grad():
                yield seen
        finally:
            if hook is not None:
                hook.remove()
            for module, training in modes.items():
                module.training = training


@overload
def activations(
    model: Callable[..., Any],
    layer: object = ...,
    data: None = ...,
    *,
    batch: int = ...,
    prepare: Callable[[Any], Any] | None = ...,
    pool: Callable[[Any], Any] | None = ...,
) -> Activations: ...
@overload
def activations(
    model: Callable[..., Any],
    layer: object,
    data: object,
    *,
    batch: int = ...,
    prepare: Callable[[Any], Any] | None = ...,
    pool: Callable[[Any], Any] | None = ...,
) -> Vectors: ...


def activations(
    model: Callable[..., Any],
    layer: object = None,
    data: object = None,
    *,
    batch: int = 64,
    prepare: Callable[[Any], Any] | None = None,
    pool: Callable[[Any], Any] | None = None,
) -> Activations | Vectors:
    """Give what a layer of a model makes of rows.

    The model is called in evaluation mode, without gradients, in batches; afterwards its modes are as before and no hook is left,
    whatever happened. Vectors of an array with more than two dimensions are means: over positions (rows, positions, width), or
    over places (rows, channels, height, width).

    Args:
        model: A ``torch.nn.Module``, or any callable that gives vectors for a batch of rows.
        layer: Name of a module inside, as in ``named_modules()``, or that module; None: what the model gives.
        data: A tensor, an array, a sequence of rows or an iterable of batches; None: give an object to be called with rows, for
            ``RowOptions(embed=...)``.
        batch: Rows of a call.
        prepare: Turns a batch of rows into what the model takes: a tensor, a tuple of arguments, or a dict of them.
        pool: Turns what the layer gives into one vector a row.

    Returns:
        float32, shape (n, d), in the order of the rows.

    Raises:
        UsageError: There is no such layer, it is not used, or what comes out is not one vector a row.
    """
    made = Activations(model, layer, batch=batch, prepare=prepare, pool=pool)
    return made if data is None else made(data)


def _torch_of(model: object) -> Any:  # noqa: ANN401  (a module)
    """Give torch when the model is one of its modules: whoever has one has imported it."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(model, torch.nn.Module) else None


def _module(torch: Any, model: Any, layer: Any) -> Any:  # noqa: ANN401  (modules)
    if layer is None:
        return None
    if torch is None:
        raise UsageError(
            "a layer can be named of a torch.nn.Module only.", "Leave it out, and let the callable give its activations."
        )
    known = dict(model.named_modules())
    if isinstance(layer, str):
        if layer not in known:
            some = ", ".join(name for name in list(known)[:12] if name)
            raise UsageError(f"the model has no layer {layer!r}.", f"{nearest(layer, known)} There are {some}.".strip())
        return known[layer]
    if not any(module is layer for module in known.values()):
        raise UsageError("the layer is no part of the model.", "Name one of model.named_modules().")
    return layer


def _device(model: Any) -> Any:  # noqa: ANN401  (torch's own)
    first = next(model.parameters(), None)
    return None if first is None else first.device


def _moved(inputs: Any, torch: Any, device: Any) -> Any:  # noqa: ANN401  (whatever the model takes)
    if device is None:
        return inputs
    if isinstance(inputs, torch.Tensor):
        return inputs.to(device)
    if isinstance(inputs, Mapping):
        return {name: _moved(value, torch, device) for name, value in inputs.items()}
    return tuple(_moved(value, torch, device) for value in inputs) if isinstance(inputs, tuple) else inputs


def _tensor_of(outcome: Any) -> Any:  # noqa: ANN401  (whatever the layer gives)
    """Give the first array of what a layer gives: many give more than one."""
    while isinstance(outcome, Mapping | tuple) and len(outcome):
        outcome = next(iter(outcome.values())) if isinstance(outcome, Mapping) else outcome[0]
    return outcome


def _flat(values: Vectors) -> Vectors:
    if values.ndim == 1:
        return values[:, None]
    if values.ndim == 3:
        return np.asarray(values.mean(axis=1), np.float32)
    return np.asarray(values.mean(axis=tuple(range(2, values.ndim))), np.float32) if values.ndim > 3 else values
