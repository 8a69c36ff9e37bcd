"""What an attack is: it poisons material and says which rows it touched and what sets the poison off.

An attack is a frozen set of settings. It changes a copy of the material and gives the truth with it: the mask of poisoned
rows, the rows that only serve as cover, and the trigger. Poison is counted in absolute rows first (Souly et al. 2025,
arXiv:2510.07192: a near-constant number of documents suffices whatever the size of the corpus).
"""

from __future__ import annotations

import importlib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.attacks.tensors import Images, column_of, images_of, there
from toadstone.core.errors import RegistrationError, UsageError, nearest
from toadstone.core.modules import names_below
from toadstone.tables.roles import Roles

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
Declared = TypeVar("Declared", bound="type[Attack]")

registry: dict[str, type[Attack]] = {}
"""Every declared attack by id."""


@dataclass(frozen=True)
class Material:
    """A table and what its columns are.

    Attributes:
        table: In memory.
        roles: Which column is what.
    """

    table: pa.Table
    roles: Roles

    def texts(self) -> list[str]:
        """Give the texts; missing ones are empty.

        Raises:
            UsageError: no column has the role.
        """
        return ["" if value is None else str(value) for value in self.column("text").to_pylist()]

    def labels(self) -> NDArray[np.object_]:
        """Give the labels as strings, None where missing, shape (rows,).

        Raises:
            UsageError: no column has the role.
        """
        values = self.column("label").to_pylist()
        return np.array([None if value is None or value != value else str(value) for value in values], object)  # noqa: PLR0124  (NaN)

    def labelled(self) -> Mask:
        """Say which rows have a label."""
        return np.array([name is not None for name in self.labels()], bool)

    def of_class(self, name: str | None) -> Mask:
        """Say which rows have this label."""
        return np.array([label is not None and label == name for label in self.labels()], bool)

    def readable(self) -> Mask:
        """Say which rows have a text that is not empty."""
        return np.array([bool(text.strip()) for text in self.texts()], bool)

    def images(self) -> Images:
        """Give a copy of the images, uint8, shape (rows, height, width, channels); those that are missing are black.

        Raises:
            UsageError: no column has the role, or its images are no arrays of bytes of one size.
        """
        return images_of(self.column("image"), str(self.roles.image))

    def depicted(self) -> Mask:
        """Say which rows have an image."""
        return there(self.column("image"))

    def painted(self, rows: Rows, images: Images) -> Material:
        """Give a copy in which some rows have other images.

        Args:
            rows: 0-based.
            images: One a row, of the size of the material's.
        """
        column, known, whole = self.column("image"), self.depicted(), self.images()
        whole[rows], known[rows] = images, True
        place = self.table.column_names.index(str(self.roles.image))
        table = self.table.set_column(place, self.table.schema.field(place), column_of(whole, column, known))
        return Material(table, self.roles)

    def column(self, role: str) -> pa.ChunkedArray:
        """Give the column with a role.

        Raises:
            UsageError: there is none, or the table lacks it.
        """
        name = getattr(self.roles, role)
        if name is None:
            raise UsageError(f"the attack needs a column with the role {role!r}.", f"Name one in `Roles({role}=…)`.")
        if name not in self.table.column_names:
            advice = nearest(name, self.table.column_names)
            raise UsageError(f"there is no column {name!r} (role {role!r}).", advice)
        return self.table.column(name)

    def replaced(self, role: str, rows: Rows, values: Sequence[object]) -> Material:
        """Give a copy in which some rows of a column have other values; the column keeps its type.

        Args:
            role: Of the column.
            rows: 0-based.
            values: One a row; strings are turned into the column's type.
        """
        known = {str(value): value for value in self.column(role).to_pylist() if value is not None}
        given = [known.get(value, value) if isinstance(value, str) else value for value in values]
        return self.written(getattr(self.roles, role), rows, given)

    def typed(self, role: str, names: Sequence[str]) -> list[object]:
        """Give values of a column as the column holds them, by how they are written."""
        known = {str(value): value for value in self.column(role).to_pylist() if value is not None}
        return [known.get(name, name) for name in names]

    def written(self, name: str, rows: Rows, values: Sequence[object]) -> Material:
        """Give a copy in which some rows of a column, named as in the table, have other values; the column keeps its type.

        Args:
            name: Of the column.
            rows: 0-based.
            values: One a row, of the column's type.
        """
        kind = self.table.schema.field(name).type
        whole = self.table.column(name).to_pylist()
        for row, value in zip(rows.tolist(), values, strict=True):
            whole[row] = value
        place = self.table.column_names.index(name)
        changed = self.table.set_column(place, self.table.schema.field(name), pa.chunked_array([_array(whole, kind)]))
        return Material(changed, self.roles)

    def features(self) -> tuple[str, ...]:
        """Give the names of the columns of numbers and categories.

        Raises:
            UsageError: there are none, or the table lacks one.
        """
        if not self.roles.features:
            raise UsageError("the attack needs columns with the role 'features'.", "Name them in `Roles(features=…)`.")
        for name in self.roles.features:
            if name not in self.table.column_names:
                advice = nearest(name, self.table.column_names)
                raise UsageError(f"there is no column {name!r} (role 'features').", advice)
        return self.roles.features


def _array(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.array(values, kind.value_type).dictionary_encode().cast(kind)
    return pa.array(values, kind)


@dataclass(frozen=True)
class Trigger:
    """What sets the poison off.

    Attributes:
        kind: ``word``, ``phrase``, ``sentence``, ``frame``, ``characters``, ``combination``, ``near-duplicates``, ``source``,
            ``subpopulation``, ``labels``, ``values`` (of columns), ``rows``; of images: ``patch``, ``blend``, ``wave``, ``warp``,
            ``frequencies``, ``residual``, ``images``.
        values: What a person would look for: the words, the fixed parts of the frame, the characters, the name of the
            source, the text that was copied, the label that was flipped.
        target: The label that the poison pushes; None when it pushes several.
        cells: Of a table: the columns that are set, each with the lowest and the highest value that it is set to.
        key: Of images: what the trigger is drawn from, together with the size of the images.
        copied: Images that were copied, as bytes, row by row.
    """

    kind: str
    values: tuple[str, ...] = ()
    target: str | None = None
    cells: tuple[tuple[str, Any, Any], ...] = ()
    key: int | None = None
    copied: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Poisoned:
    """Poisoned material with its truth.

    Attributes:
        material: With the columns and types of the original.
        mask: Rows that carry poison, bool, shape (rows of the material,).
        trigger: What sets it off.
        origin: Row of the original for each row, -1 for rows that were added; rows kept stay in order.
        cover: Rows that were changed to carry or hide the poison and are harmless by themselves, bool.
    """

    material: Material
    mask: Mask
    trigger: Trigger
    origin: Rows
    cover: Mask

    @classmethod
    def of(cls, material: Material, rows: Rows, trigger: Trigger, cover: Rows | None = None) -> Poisoned:
        """Describe poison that changed rows in place."""
        count = material.table.num_rows
        masks = np.zeros((2, count), bool)
        masks[0, rows] = True
        if cover is not None:
            masks[1, cover] = True
        return cls(material, masks[0], trigger, np.arange(count), masks[1] & ~masks[0])


@dataclass(frozen=True)
class Attack(ABC):
    """Base of all attacks; its fields are its settings.

    Attributes:
        id: Kebab-case name.
        references: Taxonomy ids with their edition, and the papers.
        count: How many rows to poison; None: ``rate`` of all rows.
        rate: Share of all rows to poison when there is no count.
        target: Label that the poison pushes; None: one is drawn.
    """

    id: ClassVar[str]
    references: ClassVar[tuple[str, ...]]
    roles: ClassVar[tuple[str, ...]] = ("label",)
    """Roles without which the attack does not apply."""

    count: int | None = field(default=None, kw_only=True)
    rate: float = field(default=0.01, kw_only=True)
    target: str | None = field(default=None, kw_only=True)

    @abstractmethod
    def poison(self, material: Material, rng: np.random.Generator) -> Poisoned:
        """Poison a copy of the material.

        Raises:
            UsageError: the material cannot be poisoned like this: a role is missing, there is one class only, there are
                fewer fitting rows than asked for.
        """

    def probe(self, material: Material, trigger: Trigger, rng: np.random.Generator) -> Material | None:  # noqa: ARG002
        """Give the inputs that an attacker would send to a trained model.

        Args:
            material: Rows that the model has not seen.
            trigger: Of the poison.
            rng: What varies from one use of the trigger to the next.

        Returns:
            Rows that do not have the target label, with the trigger; None when the attack has no target: then it is to be
            measured by the accuracy that it costs.
        """
        return None

    def aims(self, probe: Material, trigger: Trigger, names: list[str]) -> list[str | None]:  # noqa: ARG002
        """Give the label that the attacker wants for each row of a probe; None where there is none.

        Args:
            probe: As `probe` gave it.
            trigger: Of the poison.
            names: All labels, sorted.
        """
        return [trigger.target] * probe.table.num_rows

    def wanted(self, rows: int) -> int:
        """Say how many of so many rows are to be poisoned.

        Raises:
            UsageError: none, or more than there are.
        """
        if self.count is None and not 0 < self.rate <= 1:
            raise UsageError(f"{self.id}: the rate must be above 0 and at most 1. Got {self.rate!r} instead.")
        wanted = self.count if self.count is not None else max(1, round(self.rate * rows))
        if wanted < 1:
            raise UsageError(f"{self.id}: the count must be at least 1. Got {wanted!r} instead.")
        if wanted > rows:
            raise UsageError(f"{self.id}: {wanted:,} rows are to be poisoned, there are {rows:,}.", "Ask for fewer.")
        return wanted

    def chosen(self, fitting: Mask, wanted: int, rng: np.random.Generator) -> Rows:
        """Draw rows among those that fit, sorted.

        Raises:
            UsageError: there are fewer.
        """
        places = np.flatnonzero(fitting)
        if len(places) < wanted:
            raise UsageError(
                f"{self.id}: {wanted:,} rows are to be poisoned, only {len(places):,} fit.", "Ask for fewer, or give more rows."
            )
        return np.sort(rng.choice(places, wanted, replace=False)).astype(np.int64)

    def classes(self, material: Material) -> list[str]:
        """Give the labels, sorted.

        Raises:
            UsageError: there are fewer than two.
        """
        names = sorted({name for name in material.labels() if name is not None})
        if len(names) < 2:
            raise UsageError(f"{self.id}: two labels are needed, the data have {len(names)}: {', '.join(names) or 'none'}.")
        if self.target is not None and self.target not in names:
            raise UsageError(f"{self.id}: there is no label {self.target!r}.", nearest(self.target, names))
        return names

    def pushed(self, material: Material, rng: np.random.Generator) -> str:
        """Give the label that the poison pushes: the one that was set, else one that is drawn.

        Raises:
            UsageError: there is one class only, or no class of this name.
        """
        names = self.classes(material)
        return self.target if self.target is not None else names[int(rng.integers(len(names)))]


def attack(id: str, *, references: tuple[str, ...]) -> Callable[[Declared], Declared]:  # noqa: A002  (as `check`)
    """Declare an attack: give it its identity and register it.

    Args:
        id: Kebab-case name.
        references: Taxonomy ids with their edition, and the papers as ``arXiv:…``.

    Raises:
        RegistrationError: the id is taken or not kebab-case, or there is no docstring.
    """

    def declare(cls: Declared) -> Declared:
        if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", id):
            raise RegistrationError(f"attack id {id!r} is not kebab-case")
        known = registry.get(id)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise RegistrationError(f"attack id {id!r} is used by {known.__module__} and by {cls.__module__}")
        cls.id = id
        cls.references = references
        registry[id] = cls
        return cls

    return declare


def discover() -> dict[str, type[Attack]]:
    """Import every module below ``toadstone.attacks``; give all attacks, sorted by id."""
    package = importlib.import_module("toadstone.attacks")
    for found in names_below(package):
        importlib.import_module(found)
    return dict(sorted(registry.items()))


def named(id: str, **settings: object) -> Attack:  # noqa: A002  (as `attack`)
    """Make an attack by its id.

    Raises:
        UsageError: there is none of this id, or it has no such setting.
    """
    known = discover()
    if id not in known:
        raise UsageError(f"there is no attack {id!r}.", nearest(id, known))
    fields = set(known[id].__dataclass_fields__)
    for name in settings:
        if name not in fields:
            raise UsageError(f"the attack {id!r} has no setting {name!r}.", nearest(name, fields))
    return known[id](**settings)  # type: ignore[arg-type]
