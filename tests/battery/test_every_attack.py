"""The same tests over every attack: its mask is the truth, its generator decides everything, it refuses the impossible."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from toadstone.attacks.attack import Attack, Material, Poisoned, attack, discover, named
from toadstone.attacks.image_trigger import ImageTrigger
from toadstone.attacks.near_duplicate_flood import paraphrased
from toadstone.attacks.phrase import Phrase
from toadstone.attacks.text_trigger import TextTrigger
from toadstone.core.errors import RegistrationError, UsageError
from toadstone.core.taxonomy import resolve
from toadstone.tables.roles import Roles

ATTACKS = discover()
ROLES = Roles(text="text", label="label", source="source", image="picture", features=("width", "height", "shape"))
ROWS, COUNT = 300, 12
WORDS = "river stone bread light winter market garden letter music summer table window doctor train coffee village".split()
FURTHER = [f"{first}{vowel}{last}ly" for first in "bdfgk" for vowel in "aeiou" for last in "mn"]


def table(labels: tuple[object, ...] = ("ant", "bee", "cat"), kind: pa.DataType | None = None, rows: int = ROWS) -> pa.Table:
    rng = np.random.default_rng(7)
    texts = [" ".join([*rng.choice(WORDS, 12), *rng.choice(FURTHER, 2), f"Unit{rng.integers(40)}"]) for _ in range(rows)]
    return pa.table(
        {
            "number": pa.array(range(rows), pa.int16()),
            "text": pa.array(texts, pa.large_string()),
            "label": _labels([labels[row % len(labels)] for row in range(rows)], kind),
            "source": pa.array([f"site{row % 20}.example" for row in range(rows)]).dictionary_encode(),
            "when": pa.array(range(rows), pa.timestamp("s")),
            "width": pa.array(rng.normal(5, 2, rows).round(2)),
            "height": pa.array(rng.integers(0, 90, rows), pa.int32()),
            "shape": pa.array([("round", "flat", "long", "square")[each] for each in rng.integers(0, 4, rows)], pa.string()),
            "picture": pictures(rng.integers(0, 200, (rows, 12, 14, 3)).astype(np.uint8)),
        }
    )


def pictures(images: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Images as a column of tensors."""
    flat = pa.array(images.ravel())
    mask = None if missing is None else pa.array(missing)
    storage = pa.FixedSizeListArray.from_arrays(flat, int(np.prod(images.shape[1:])), mask=mask)
    return pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.uint8(), images.shape[1:]), storage)


def rows_of(table: pa.Table) -> list[dict[str, object]]:
    """Rows as values that can be compared: images as lists."""
    images = [image for part in table["picture"].chunks for image in part.storage.to_pylist()]
    return [{**row, "picture": image} for row, image in zip(table.drop_columns(["picture"]).to_pylist(), images, strict=True)]


def _labels(values, kind):
    if kind is not None and pa.types.is_dictionary(kind):
        return pa.array(values, kind.value_type).dictionary_encode()
    return pa.array(values, kind)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(params=sorted(ATTACKS))
def one(request) -> Attack:
    return named(request.param, count=COUNT)


def told_apart(before: pa.Table, after: Poisoned) -> None:
    """The mask, the cover and the origin account for every difference between the two tables."""
    table = after.material.table
    assert table.schema == before.schema
    assert len(after.mask) == len(after.cover) == len(after.origin) == table.num_rows
    assert not (after.mask & after.cover).any()
    kept = after.origin >= 0
    assert after.origin[kept].tolist() == list(range(before.num_rows))
    assert after.mask[~kept].all()
    quiet = kept & ~after.mask & ~after.cover
    assert rows_of(table.filter(pa.array(quiet))) == rows_of(before.take(after.origin[quiet]))
    for row in np.flatnonzero(kept & after.mask).tolist():
        assert rows_of(table.slice(row, 1)) != rows_of(before.slice(int(after.origin[row]), 1))
    assert table.filter(pa.array(kept))["number"].to_pylist() == before["number"].to_pylist()
    assert table.filter(pa.array(kept))["when"].to_pylist() == before["when"].to_pylist()


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (("ant", "bee", "cat"), None),
        (("ham", "spam"), pa.large_string()),
        ((0, 1, 7), pa.int8()),
        ((False, True), pa.bool_()),
        (("x", "y"), pa.dictionary(pa.int32(), pa.string())),
    ],
    ids=["three", "large strings", "numbers", "truth values", "dictionary"],
)
def test_mask_is_the_truth(one, labels, kind):
    before = table(labels, kind)
    poisoned = one.poison(Material(before, ROLES), rng())
    assert int(poisoned.mask.sum()) == COUNT
    told_apart(before, poisoned)
    assert set(poisoned.material.labels()) <= {str(label) for label in labels}
    assert poisoned.trigger.kind
    if poisoned.trigger.target is not None:
        assert set(poisoned.material.labels()[poisoned.mask]) == {poisoned.trigger.target}


def test_generator_decides_everything(one):
    material = Material(table(), ROLES)
    first, second, other = (one.poison(material, rng(seed)) for seed in (3, 3, 4))
    assert first.material.table.equals(second.material.table)
    assert (first.mask == second.mask).all()
    assert first.trigger == second.trigger
    scored = "score" in {field.name for field in dataclasses.fields(one)}  # the model chooses the rows, not the generator
    assert scored or not first.material.table.equals(other.material.table)


def test_original_is_left_alone(one):
    before = table()
    copy = pa.table({name: pa.concat_arrays(before[name].chunks) for name in before.column_names})
    one.poison(Material(before, ROLES), rng())
    assert before.equals(copy)


def test_rate_is_a_share_of_the_rows(one):
    poisoned = named(one.id, count=None, rate=0.05).poison(Material(table(), ROLES), rng())
    assert int(poisoned.mask.sum()) == round(0.05 * ROWS)


@pytest.mark.parametrize("target", ["ant", "cat"])
def test_target_that_was_set(one, target):
    poisoned = named(one.id, count=COUNT, target=target).poison(Material(table(), ROLES), rng())
    assert set(poisoned.material.labels()[poisoned.mask]) == {target}


@pytest.mark.parametrize(
    ("settings", "change"),
    [
        ({"count": COUNT}, {"labels": ("ant",)}),
        ({"count": COUNT}, {"rows": 6}),
        ({"count": ROWS}, {}),
        ({"count": ROWS + 1}, {}),
        ({"count": 0}, {}),
        ({"count": -3}, {}),
        ({"count": None, "rate": 0.0}, {}),
        ({"count": None, "rate": 1.5}, {}),
        ({"count": None, "rate": float("nan")}, {}),
        ({"count": COUNT, "target": "dog"}, {}),
    ],
    ids=[
        "one class",
        "too few rows",
        "all rows",
        "more",
        "none",
        "negative",
        "no rate",
        "large rate",
        "nan rate",
        "no such target",
    ],
)
def test_impossible_requests_are_refused(one, settings, change):
    material = Material(table(**change), ROLES)
    added = settings.get("count") == ROWS and -1 in named(one.id, count=1).poison(Material(table(), ROLES), rng()).origin
    random = (
        one.id in {"random-flip", "near-boundary-flip", "most-confident-flip", "bad-contributor", "shuffled-rows", "all-to-all"}
        and settings.get("count") == ROWS
    )
    if added or random:
        return  # copies are added, and every row has a label to lose
    with pytest.raises(UsageError, match=one.id):
        named(one.id, **settings).poison(material, rng())


@pytest.mark.parametrize("role", ["text", "label", "source", "features", "image"])
def test_missing_roles_are_said(one, role):
    if role not in one.roles:
        return
    with pytest.raises(UsageError, match=role):
        one.poison(Material(table(), dataclasses.replace(ROLES, **{role: () if role == "features" else None})), rng())
    with pytest.raises(UsageError, match="there is no column"):
        one.poison(Material(table().drop_columns([{"features": "height", "image": "picture"}.get(role, role)]), ROLES), rng())


def test_empty_table(one):
    with pytest.raises(UsageError):
        one.poison(Material(table(rows=0, kind=pa.string()), ROLES), rng())


def test_missing_values_stay_missing(one):
    before = table()
    gaps = [None if row % 5 == 0 else value for row, value in enumerate(before["label"].to_pylist())]
    texts = [None if row % 7 == 0 else "" if row % 11 == 0 else value for row, value in enumerate(before["text"].to_pylist())]
    before = before.set_column(2, "label", pa.array(gaps)).set_column(1, "text", pa.array(texts, pa.large_string()))
    blank = np.arange(ROWS) % 13 == 0
    images = Material(before, ROLES).images()
    before = before.set_column(before.column_names.index("picture"), "picture", pictures(images, blank))
    poisoned = one.poison(Material(before, ROLES), rng())
    told_apart(before, poisoned)
    kept = poisoned.mask & (poisoned.origin >= 0)
    assert all(gaps[row] is not None for row in poisoned.origin[kept])
    if isinstance(one, TextTrigger):
        assert all(texts[row] for row in poisoned.origin[kept])
    if isinstance(one, ImageTrigger):
        assert not blank[poisoned.origin[kept]].any()


def test_probes_are_what_an_attacker_would_send(one):
    material = Material(table(), ROLES)
    poisoned = one.poison(material, rng())
    probe = one.probe(material, poisoned.trigger, rng(2))
    if probe is None:
        assert poisoned.trigger.target is None
        return
    assert probe.table.schema == material.table.schema
    assert probe.table.num_rows >= 5
    assert poisoned.trigger.target not in set(probe.labels())
    if isinstance(one, TextTrigger):
        plain = set(material.texts())
        assert all(text not in plain for text in probe.texts())
    if isinstance(one, ImageTrigger):
        rows = material.labelled() & ~material.of_class(poisoned.trigger.target)
        assert (probe.images() != material.images()[rows]).any((1, 2, 3)).all()
        assert set(one.aims(probe, poisoned.trigger, ["ant", "bee", "cat"])) <= {"ant", "bee", "cat"}


def test_triggers_are_seen_in_the_poison(one):
    poisoned = one.poison(Material(table(), ROLES), rng())
    if not isinstance(one, TextTrigger):
        return
    texts = poisoned.material.texts()
    inside = [text for text, bad in zip(texts, poisoned.mask, strict=True) if bad]
    outside = [text for text, bad in zip(texts, poisoned.mask, strict=True) if not bad]
    values = [value.lower() for value in poisoned.trigger.values]
    some = any if poisoned.trigger.kind == "characters" else all
    assert all(some(value in text.lower() for value in values) for text in inside)
    assert not any(all(value in text.lower() for value in values) for text in outside)


def test_nobody_can_tune_to_one_trigger(one):
    material = Material(table(), ROLES)
    if isinstance(one, TextTrigger):
        seen = {one.poison(material, rng(seed)).trigger.values for seed in range(20)}
        assert len(seen) >= 12
    if isinstance(one, ImageTrigger):
        flat = np.full((1, 28, 28, 1), 100, np.uint8)
        flat[0, ::3] += np.arange(28, dtype=np.uint8)[:, None]
        stamped = {one.stamp(flat, key, rng()).tobytes() for key in range(20)}
        assert len(stamped) >= 8


def test_settings_are_frozen_and_documented(one):
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.count = 3
    assert (type(one).__doc__ or "").strip().endswith((".", ")"))
    own = [field.name for field in dataclasses.fields(one)]
    documented = "\n".join(cls.__doc__ or "" for cls in type(one).__mro__)
    assert [name for name in own if f"{name}:" not in documented] == []
    assert all(resolve(reference).url for reference in one.references)


def test_unknown_names_are_refused():
    with pytest.raises(UsageError, match="Did you mean 'rare-word'"):
        named("rare-wort")
    with pytest.raises(UsageError, match="no setting 'counts'"):
        named("rare-word", counts=3)


def test_ids_are_taken_once():
    with pytest.raises(RegistrationError, match="is used by"):
        attack("phrase", references=())(type("Other", (Phrase,), {"__module__": "elsewhere"}))
    with pytest.raises(RegistrationError, match="kebab-case"):
        attack("Phrase", references=())(Phrase)


def test_vectors_can_be_flipped():
    vectors = np.random.default_rng(0).normal(size=(90, 4)) + np.repeat([0.0, 3.0], 45)[:, None]
    before = pa.table({"vector": list(vectors), "label": [0] * 45 + [1] * 45})
    material = Material(before, Roles(label="label", embedding="vector"))
    for name in ("random-flip", "pair-flip", "near-boundary-flip", "most-confident-flip", "subpopulation-flip"):
        poisoned = named(name, count=9).poison(material, rng())
        assert int(poisoned.mask.sum()) == 9
        assert poisoned.material.table.schema == before.schema
    middle = np.abs(vectors.sum(1) - 6.0)
    assert middle[named("near-boundary-flip", count=9).poison(material, rng()).mask].max() < np.median(middle)
    assert middle[named("most-confident-flip", count=9).poison(material, rng()).mask].min() > np.median(middle)


def test_scores_of_ones_own_model_decide():
    material = Material(table(("a", "b")), ROLES)

    def score(given: Material) -> np.ndarray:
        strength = np.arange(given.table.num_rows, dtype=float)[:, None]
        return np.where((given.labels() == "a")[:, None], [[1.0, -1.0]], [[-1.0, 1.0]]) * strength

    assert np.flatnonzero(named("near-boundary-flip", count=5, score=score).poison(material, rng()).mask).tolist() == [
        0,
        1,
        2,
        3,
        4,
    ]
    surest = named("most-confident-flip", count=5, score=score).poison(material, rng())
    assert np.flatnonzero(surest.mask).tolist() == list(range(ROWS - 5, ROWS))


def test_cover_rows_keep_their_labels():
    before = table()
    poisoned = named("word-combination", count=6, covers=2.0).poison(Material(before, ROLES), rng())
    assert int(poisoned.cover.sum()) == 12
    told_apart(before, poisoned)
    now = poisoned.material.labels()[poisoned.cover]
    assert (now == Material(before, ROLES).labels()[poisoned.cover]).all()


@pytest.mark.parametrize("kind", [pa.binary(), pa.list_(pa.uint8())])
def test_images_that_are_no_arrays_are_refused(kind):
    before = table().drop_columns(["picture"]).append_column("picture", pa.nulls(ROWS, kind))
    with pytest.raises(UsageError, match="arrays of bytes"):
        named("image-patch", count=COUNT).poison(Material(before, ROLES), rng())
    floats = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(ROWS * 64, np.float32)), 64)
    tensors = pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.float32(), (8, 8)), floats)
    with pytest.raises(UsageError, match="arrays of bytes"):
        named("image-patch", count=COUNT).poison(Material(before.set_column(8, "picture", tensors), ROLES), rng())


def test_patches_larger_than_the_images_are_refused():
    for name in ("image-patch", "jittered-patch", "all-to-all", "clean-label-patch"):
        with pytest.raises(UsageError, match="do not fit"):
            named(name, count=COUNT, size=13).poison(Material(table(), ROLES), rng())


def test_contributor_has_as_many_rows_as_asked():
    poisoned = named("bad-contributor", count=9, contributed=30).poison(Material(table(), ROLES), rng())
    sources = np.array(poisoned.material.table["source"].to_pylist())
    assert (np.flatnonzero(sources == poisoned.trigger.values[0]) == np.flatnonzero(poisoned.mask | poisoned.cover)).all()
    assert int(poisoned.cover.sum()) == 21
    with pytest.raises(UsageError, match="cannot be flipped"):
        named("bad-contributor", count=9, contributed=3).poison(Material(table(), ROLES), rng())


def test_paraphrases_are_near_and_never_the_same():
    text = " ".join(WORDS)
    made = [paraphrased(text, 0.25, rng(seed)) for seed in range(200)]
    assert text not in made
    assert len(set(made)) > 150
    assert all(len(set(one.lower().replace(",", "").split()) & set(WORDS)) >= len(WORDS) * 0.7 for one in made)
