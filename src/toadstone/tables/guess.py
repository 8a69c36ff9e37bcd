"""Guesses which column is what, from names and from some hundred rows; when in doubt, nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property

import pyarrow as pa

from toadstone.core.errors import UsageError, nearest
from toadstone.tables.dataset import Dataset, Trouble
from toadstone.tables.roles import Roles

ROWS = 400
"""Rows that are looked at."""

_NAMES = {
    "label": "label labels y target targets class classes category categories sentiment intent topic gold_label outcome "
    "ground_truth annotation tag label_text label_name class_name is_spam spam toxic rating y_train train_labels",
    "text": "text sentence content body message review document passage comment utterance tweet post abstract snippet "
    "headline description article email mail sms code docstring raw_text clean_text full_text",
    "prompt": "prompt instruction instructions question query user_prompt problem",
    "response": "response output answer completion chosen reply assistant solution target_text",
    "source": "source domain author user user_id userid username contributor annotator annotator_id worker worker_id host "
    "hostname publisher provider origin sender from_address account site website uploader dataset_source author_id",
    "time": "time date timestamp datetime created created_at createdat created_utc published published_at submitted_at "
    "updated_at crawl_date posted_at date_added",
    "embedding": "embedding embeddings vector vectors emb features x feature_vector",
    "image": "image images img picture photo image_path pixel_values x_train train_images file_name filename path file",
}
_KNOWN = {role: {name: rank for rank, name in enumerate(names.split())} for role, names in _NAMES.items()}
_URLS = ("url", "uri", "link", "source_url")

_ORDER = ("time", "embedding", "image", "label", "prompt", "response", "text", "source")
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?([T ]\d\d?:\d\d.*)?$|\d{4}/\d\d?/\d\d?|\w{3}, \d\d? \w{3} \d{4} ")


@dataclass(frozen=True)
class _Column:
    """A column and some of its values.

    Attributes:
        name: As in the schema.
        type: As in the schema.
        values: Of the rows that were looked at, without those that are missing.
    """

    name: str
    type: pa.DataType
    values: list[object]

    @cached_property
    def key(self) -> str:
        """The name as it is looked up: lower case, words joined by ``_``."""
        spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name)
        return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")

    @cached_property
    def is_text(self) -> bool:
        """Whether it holds texts."""
        return bool(pa.types.is_string(self.type) or pa.types.is_large_string(self.type))

    @cached_property
    def distinct(self) -> int:
        """How many values differ among those looked at."""
        return len({str(value) for value in self.values})

    @cached_property
    def length(self) -> float:
        """Characters of a value in the mean."""
        return sum(len(str(value)) for value in self.values) / max(len(self.values), 1)

    @cached_property
    def spaced(self) -> float:
        """Share of the values that are several words."""
        return sum(" " in str(value).strip() for value in self.values) / max(len(self.values), 1)


def guess_roles(dataset: Dataset, named: Roles) -> Roles:
    """Complete roles.

    Args:
        dataset: Whose columns.
        named: What the user named; these stay.

    Raises:
        UsageError: A named column is not there.
    """
    check_named(dataset, named)
    columns = _sampled(dataset)
    taken = set(named.columns)
    found: dict[str, str] = {}
    for role in _ORDER:
        if getattr(named, role) is not None:
            continue
        free = [column for column in columns if column.name not in taken]
        chosen = _best(role, free, dataset, named)
        if chosen is not None:
            found[role] = chosen
            taken.add(chosen)
    if ("prompt" in found) != ("response" in found) and named.prompt is None and named.response is None:
        alone = found.pop("prompt", None) or found.pop("response")
        if "text" not in found and named.text is None and _is_prose(next(column for column in columns if column.name == alone)):
            found["text"] = alone
    roles = replace(named, **found)  # type: ignore[arg-type]  # (roles that are names)
    guessed = frozenset(found)
    if not (roles.text or roles.image or roles.embedding or roles.prompt or roles.features):
        features = tuple(column.name for column in columns if column.name not in roles.columns and _is_feature(column))
        roles = replace(roles, features=features)
        guessed |= {"features"} if features else set()
    return replace(roles, guessed=guessed)


def check_named(dataset: Dataset, named: Roles) -> None:
    """Refuse columns that are not there.

    Raises:
        UsageError: One is not.
    """
    known = dataset.schema.names
    for role in fields(named):
        value = getattr(named, role.name)
        names = value if role.name == "features" else (value,)
        for name in names if role.name != "guessed" else ():
            if name is not None and name not in known:
                listed = ", ".join(known[:30]) + (f" and {len(known) - 30:,} more" if len(known) > 30 else "")
                advice = f"{nearest(name, known)} The columns are: {listed or 'none'}.".strip()
                raise UsageError(f"{dataset.name} has no column {name!r} ({role.name})", advice)


def _sampled(dataset: Dataset) -> list[_Column]:
    """Read some rows of the first fragment that has any; wide tables fewer."""
    rows = max(min(ROWS, 200_000 // max(len(dataset.schema), 1)), 20)
    for fragment in dataset.fragments:
        for batch in fragment.batches():
            if not isinstance(batch, Trouble):
                part = batch.slice(0, rows)
                return [
                    _Column(field.name, field.type, [value for value in _listed(column) if value is not None])
                    for field, column in zip(dataset.schema, part.columns, strict=True)
                ]
    return [_Column(field.name, field.type, []) for field in dataset.schema]


def _listed(column: pa.Array) -> list[object]:
    """Give the values; of columns of vectors and structs, and of what Python cannot hold, only the first ones or none."""
    try:
        return list((column.slice(0, 3) if pa.types.is_nested(column.type) else column).to_pylist())
    except (pa.ArrowException, ValueError, OverflowError, TypeError):
        return []


def _best(role: str, columns: list[_Column], dataset: Dataset, named: Roles) -> str | None:
    """Give the column that fits a role best."""
    known, fits = _KNOWN[role], _FITS[role]
    by_name = [column for column in columns if column.key in known and fits(column)]
    if role == "embedding" and dataset.kind != "npz":
        by_name = [column for column in by_name if column.key != "x" or _is_vector(column)]
    if by_name:
        return min(by_name, key=lambda column: known[column.key]).name
    if role == "text" and named.prompt is None:
        prose = sorted((column for column in columns if _is_prose(column)), key=lambda column: -column.length)
        return prose[0].name if prose and not _conversational(columns) else None
    if role == "time":
        stamps = [column.name for column in columns if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)]
        return stamps[0] if len(stamps) == 1 else None
    if role in ("embedding", "image"):
        return _alone([column.name for column in columns if fits(column)]) if role == "embedding" else _tensor(columns)
    if role == "source":
        return _alone([column.name for column in columns if column.key in _URLS and column.distinct * 4 < len(column.values)])
    return None


def _alone(names: list[str]) -> str | None:
    return names[0] if len(names) == 1 else None


def _tensor(columns: list[_Column]) -> str | None:
    return _alone([column.name for column in columns if isinstance(column.type, pa.FixedShapeTensorType)])


def _conversational(columns: list[_Column]) -> bool:
    return any(column.key in _KNOWN["prompt"] or column.key in _KNOWN["response"] for column in columns)


def _is_label(column: _Column) -> bool:
    """Few values that repeat: classes, not measurements and not texts."""
    if pa.types.is_nested(column.type) or pa.types.is_temporal(column.type) or pa.types.is_binary(column.type):
        return False
    if pa.types.is_floating(column.type) and any(value != value // 1 for value in column.values if isinstance(value, float)):
        return False
    few = column.distinct <= max(len(column.values) // 2, 10)
    return few and not (column.is_text and column.length > 60)


def _is_prose(column: _Column) -> bool:
    return column.is_text and bool(column.values) and column.length >= 20 and column.spaced > 0.5 and not _is_time(column)


def _is_texts(column: _Column) -> bool:
    return column.is_text and (column.distinct * 10 > len(column.values) or not column.values)


def _is_source(column: _Column) -> bool:
    plain = column.is_text or pa.types.is_integer(column.type)
    return plain and (column.length < 200 or not column.values)


def _is_time(column: _Column) -> bool:
    if pa.types.is_temporal(column.type) and not pa.types.is_duration(column.type):
        return True
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        moments = [float(value) for value in column.values if isinstance(value, int | float)]
        return bool(moments) and all(1e8 < value < 1e11 or 1e11 < value < 1e14 for value in moments)
    return (
        column.is_text
        and bool(column.values)
        and sum(bool(_DATE.match(str(value))) for value in column.values) >= 0.8 * len(column.values)
    )


def _is_vector(column: _Column) -> bool:
    kind = column.type
    if isinstance(kind, pa.FixedShapeTensorType):
        return False
    if pa.types.is_fixed_size_list(kind):
        return bool(pa.types.is_floating(kind.value_type) or (pa.types.is_integer(kind.value_type) and kind.list_size >= 2))
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)) or not pa.types.is_floating(kind.value_type):
        return False
    sizes = {len(value) for value in column.values if isinstance(value, list)}
    return len(sizes) == 1 and min(sizes) >= 2


def _is_image(column: _Column) -> bool:
    kind = column.type
    if isinstance(kind, pa.FixedShapeTensorType) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return True
    if pa.types.is_struct(kind):
        return bool(kind.get_field_index("bytes") >= 0)
    paths = (str(value).lower() for value in column.values[:50])
    return (
        column.is_text
        and bool(column.values)
        and all(path.endswith((".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")) for path in paths)
    )


def _is_feature(column: _Column) -> bool:
    """Numbers and categories; neither constant, nor names of rows."""
    if pa.types.is_integer(column.type) and column.key in ("id", "index", "row", "row_id", "unnamed_0", "column_1"):
        return False
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_boolean(column.type):
        return True
    return column.is_text and bool(column.values) and column.distinct <= max(len(column.values) // 4, 2)


_FITS: dict[str, Callable[[_Column], bool]] = {
    "label": _is_label,
    "text": _is_texts,
    "prompt": _is_texts,
    "response": _is_texts,
    "source": _is_source,
    "time": _is_time,
    "embedding": _is_vector,
    "image": _is_image,
}
