"""Studies of small tables in memory: for examples, for the estimator's interface, and for whoever has a table already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from toadstone.engine.executors import Serial
from toadstone.engine.store import Store
from toadstone.study.ingest import ingest
from toadstone.study.study import Study
from toadstone.tables.dataset import Dataset
from toadstone.tables.roles import Roles
from toadstone.views.view import View

_NAMED: tuple[Any, ...] = ("label", "text", "embedding", "source", "time", "prompt", "response")


def study_of(
    columns: Mapping[str, Sequence[object]] | pa.Table,
    views: Sequence[View] = (),
    *,
    reference: Mapping[str, Sequence[object]] | pa.Table | None = None,
    baseline: Study | None = None,
    roles: Roles | None = None,
    **settings: Any,  # noqa: ANN401  (those of `ingest`: effort, seed, fdr, memory)
) -> Study:
    """Make a study of a table in memory.

    Args:
        columns: A table, or its columns by name; a column named as a role (``text``, ``label`` ...) has that role.
        views: What is seen of the content.
        reference: Rows known to be good, with the same columns.
        baseline: The previous version.
        roles: Which column is what, when their names do not say so.
        settings: ``effort``, ``seed``, ``fdr``, ``memory`` as of `toadstone.study.ingest.ingest`.
    """
    table: Any = columns if isinstance(columns, pa.Table) else pa.table(dict(columns))
    known: dict[str, Any] = {name: name for name in _NAMED if name in table.schema.names}
    chosen = roles or Roles(**known)
    good = None
    if reference is not None:
        good = Dataset.of(reference if isinstance(reference, pa.Table) else pa.table(dict(reference)))
    return ingest(
        Dataset.of(table),
        chosen,
        views,
        Serial(),
        Store(settings.get("memory", 1 << 30)),
        reference=good,
        baseline=baseline,
        **settings,
    )
