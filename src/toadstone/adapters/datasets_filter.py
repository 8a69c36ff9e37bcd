"""The examination of rows as a filter for Hugging Face ``datasets``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from toadstone.core.errors import UsageError
from toadstone.tables.plan import Flags, extra_names
from toadstone.verbs.rows import Examined, RowOptions, examine

if TYPE_CHECKING:
    from toadstone.core.policy import Config
    from toadstone.engine.progress import Progress


def keep(
    dataset: Any,  # noqa: ANN401  (datasets.Dataset, which is no dependency)
    options: RowOptions | None = None,
    *,
    config: Config | None = None,
    progress: Progress | None = None,
) -> Any:  # noqa: ANN401
    """Give the rows of a data set that stand, in order; the columns, their features and the format stay as they are.

    Args:
        dataset: A ``datasets.Dataset``.
        options: How rows are examined; columns that are not named in its roles are guessed.
        config: Settings of the checks.
        progress: Called with the name of a step, parts done and parts in all.

    Raises:
        UsageError: It is no ``datasets.Dataset``, or a named column does not exist.
    """
    return quarantine(dataset, options, config=config, progress=progress)[0]


def quarantine(
    dataset: Any,  # noqa: ANN401
    options: RowOptions | None = None,
    *,
    config: Config | None = None,
    progress: Progress | None = None,
) -> tuple[Any, Any]:
    """Give the rows of a data set that stand, and those that do not; together they are all rows.

    The latter have in addition the columns ``toadstone_row`` (0-based, in the data set as it is given), ``toadstone_checks``
    and ``toadstone_p_value``.

    Args:
        dataset: A ``datasets.Dataset``.
        options: How rows are examined; columns that are not named in its roles are guessed.
        config: Settings of the checks.
        progress: Called with the name of a step, parts done and parts in all.

    Raises:
        UsageError: It is no ``datasets.Dataset``, a named column does not exist, or not every row could be read.
    """
    if not _is_dataset(dataset):
        kind = type(dataset)
        raise UsageError(
            f"an object of type {kind.__module__}.{kind.__qualname__} cannot be filtered row by row.",
            "Give a datasets.Dataset: one split of a DatasetDict, or an IterableDataset saved first.",
        )
    examined = examine(dataset, options or RowOptions(), config, progress)
    if examined.rows != dataset.num_rows:
        raise UsageError(
            f"{examined.rows:,} of {dataset.num_rows:,} rows could be read.", "Restore the data set from its source."
        )
    rows = np.flatnonzero(examined.decision.flagged)
    kept = dataset.select(np.flatnonzero(~examined.decision.flagged))
    return kept, _told(dataset.select(rows), examined, rows)


def _is_dataset(value: object) -> bool:
    """Whether a value is a ``datasets.Dataset``; who has one has imported the library."""
    library = sys.modules.get("datasets")
    return library is not None and isinstance(value, library.Dataset)


def _told(quarantined: Any, examined: Examined, rows: Any) -> Any:  # noqa: ANN401
    checks = Flags(examined.decision.checks, examined.decision.flags).of(rows).to_pylist()
    values = (rows.tolist(), checks, examined.decision.p_values[rows].tolist())
    features = _features()
    for name, column, feature in zip(extra_names(quarantined.column_names), values, features, strict=True):
        quarantined = quarantined.add_column(name, column, feature=feature)
    return quarantined


def _features() -> tuple[Any, Any, Any]:
    """Give the types of the columns, which a data set without rows could not say."""
    from datasets import Sequence, Value  # noqa: PLC0415  # pyright: ignore[reportMissingImports]  (see above)

    return Value("int64"), Sequence(Value("string")), Value("float64")
