"""What is strange in what rows share, compared with groups of the same data; and words that are together beyond chance."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pyarrow as pa
import pytest

from toadstone.checks.data.clean_label_trigger import CleanLabelTrigger
from toadstone.checks.data.trigger_phrase import TriggerPhrase
from toadstone.engine.executors import Serial, Threads
from toadstone.engine.store import Store
from toadstone.stats.tails import log_binomial_tail
from toadstone.study.congruence import Groups
from toadstone.study.contradiction import log_p_values
from toadstone.study.ingest import ingest
from toadstone.study.naive_bayes import naive_bayes
from toadstone.study.small import study_of
from toadstone.study.strangeness import Strangeness, rarity, strangeness, surprise
from toadstone.study.suspects import FEWEST, prepare, suspects
from toadstone.study.together import together
from toadstone.tables.dataset import Dataset, Held
from toadstone.tables.roles import Roles
from toadstone.views.grams import Grams
from toadstone.views.manner import Manner
from toadstone.views.unicode import Unicode
from toadstone.views.words import Words

VIEWS = (Words, Unicode, Grams, Manner)
SYLLABLES = "ba be bo da de do la le lo ma me mo na ne no ra re ro sa se so ta te to".split()


def noisy(rows=1200, seed=1, telling=2):
    """Make short texts of two labels: a few words of the label, the others of a language that both speak in set phrases."""
    random = np.random.default_rng(seed)
    words = ["".join(random.choice(SYLLABLES, 3)) for _ in range(160)]
    topics = [["".join(random.choice(SYLLABLES, 3)) + ending for _ in range(50)] for ending in ("n", "r")]
    follower = {word: random.choice(words, 3).tolist() for word in words}
    texts, labels = [], []
    for row in range(rows):
        text = [str(random.choice(words))]
        while len(text) < 12:
            text.append(str(random.choice(follower[text[-1]] if random.random() < 0.8 else words)))
        for _ in range(telling):
            text.insert(int(random.integers(13)), str(random.choice(topics[row % 2 if random.random() < 0.8 else 1 - row % 2])))
        texts.append(" ".join(text))
        labels.append(("good", "bad")[row % 2])
    return {"text": texts, "label": labels}


def stamped(columns, parts, rows, label="bad"):
    random = np.random.default_rng(5)
    for row in rows:
        text = columns["text"][row].split()
        for part in parts:
            text.insert(int(random.integers(len(text) + 1)), part)
        columns["text"][row], columns["label"][row] = " ".join(text), label
    return columns


def study(columns, **settings):
    return study_of(columns, [view() for view in VIEWS], **settings)


def test_a_sentence_and_an_odd_word_are_strange_and_words_of_the_language_are_not():
    columns = stamped(noisy(), ["seven grey owls read old maps at noon"], range(0, 12, 2))
    columns = stamped(columns, ["xqzvk"], range(100, 112, 2))
    made = study(columns)
    model = naive_bayes(made)
    assert not isinstance(model, str)
    usual = [
        [row for row, text in enumerate(columns["text"]) if f" {word} " in f" {text} "] for word in columns["text"][5].split()
    ]
    groups = [np.arange(0, 12, 2), np.arange(100, 112, 2), *(np.array(rows) for rows in usual if len(rows) >= 5)]
    found = strangeness(made, model, Groups.of(groups, np.zeros(len(groups), np.int64)))
    assert found.wording[0] > 3 * found.wording[2:].max() + 10
    assert found.spelling[1] > found.spelling[2:].max() + 1


def test_rarity_is_the_share_that_is_as_high_and_goes_on_beyond_the_highest_only_where_it_may():
    values = np.arange(1.0, 101.0)
    assert rarity(values, np.array([1.0, 51.0, 100.0])) == pytest.approx(-np.log([1.0, 0.5, 0.01]))
    assert rarity(values, np.array([1e6]))[0] == pytest.approx(np.log(100))
    beyond = rarity(values, np.array([200.0, 1000.0]), extended=True)
    assert np.log(100) < beyond[0] < beyond[1]
    assert rarity(np.zeros(50), np.array([3.0]), extended=True)[0] == pytest.approx(np.log(50))


def test_a_group_is_not_compared_with_itself_nor_with_groups_of_other_sizes():
    random = np.random.default_rng(2)
    usual = Strangeness(random.exponential(1, 200), random.exponential(1, 200))
    found = Strangeness(np.array([50.0]), np.array([0.0]))
    sizes = np.full(200, 6)
    apart = np.ones((1, 200), bool)
    alone = surprise(found, np.array([6]), usual, sizes, apart)[0]
    assert alone > np.log(200)
    usual.wording[:5] = 50.0  # its own sentence, seen through other properties
    masked = surprise(found, np.array([6]), usual, sizes, apart)[0]
    apart[0, :5] = False
    assert surprise(found, np.array([6]), usual, sizes, apart)[0] > masked + 1
    assert surprise(found, np.array([60]), usual, np.where(np.arange(200) < 10, 60, 6), np.ones((1, 200), bool))[0] == 0.0


def test_strangeness_counts_beside_the_strength_and_costs_at_most_a_factor_of_two():
    joint = np.array([9.0, 4.0, 3.0, 2.0])
    head = np.arange(4)
    none = np.full(4, np.nan)
    plain, _ = log_p_values(joint, head, 1000, none)
    nothing, _ = log_p_values(joint, head, 1000, none, besides=np.zeros(4))
    strange, _ = log_p_values(joint, head, 1000, none, besides=np.array([0.0, 0.0, 8.0, 0.0]))
    assert (nothing >= plain).all()
    assert (nothing <= plain + np.log(2) + 1e-9).all()
    assert strange[2] < nothing[2] - 3
    assert strange[[0, 1, 3]].tolist() == nothing[[0, 1, 3]].tolist()


def test_combinations_are_counted_as_by_hand():
    columns = stamped(noisy(300), ["badeno", "sosote", "rarame"], range(0, 16, 2))
    columns["text"] += [columns["text"][0]] * 3  # copies do not count
    columns["label"] += ["bad"] * 3
    made = study(columns)
    model = naive_bayes(made)
    assert not isinstance(model, str)
    prepare(made, model)
    common = np.flatnonzero((model.frequency > 0.01) & (model.frequency < 0.25))
    found = together(made, model.frequency, common, FEWEST, 0.75)
    payload = made.column("phrases.payload")
    having = [set(chunk["nb.slots"][a:b].tolist()) for chunk in made.chunks for a, b in _edges(chunk)]
    counts = [row for row in range(made.rows) if payload[row] != 255]
    number = {}
    for row in counts:
        words = sorted(having[row] & set(common.tolist()))
        for arity in (2, 3):
            for some in combinations(words, arity):
                number.setdefault(some, []).append(row)
    assert len(found.classes) > 3
    for place in range(len(found.classes)):
        words = tuple(sorted(word for word in found.slots[place].tolist() if word >= 0))
        rows = found.rows[found.offsets[place] : found.offsets[place + 1]].tolist()
        assert rows == number[words]
        own = sum(payload[row] >> 3 == found.classes[place] for row in rows)
        assert own >= max(FEWEST, 0.75 * len(rows))
    best = int(np.argmax(found.strange))
    assert found.rows[found.offsets[best] : found.offsets[best + 1]].tolist() == list(range(0, 16, 2))
    chance = model.frequency[[word for word in found.slots[best] if word >= 0]].prod()
    assert log_binomial_tail(8, len(counts), chance) < -10


def _edges(chunk):
    offsets = chunk["nb.slots.offsets"].tolist()
    return list(pairwise(offsets))


@pytest.mark.parametrize(
    ("parts", "count"),
    [(["seven grey owls read old maps at noon"], 6), (["xqzvk"], 10), (None, 16)],
    ids=["sentence", "word", "combination"],
)
def test_few_rows_of_noisy_texts_are_found(parts, count):
    columns = noisy(telling=4)
    words = sorted({word for text in columns["text"] for word in text.split() if word[-1] not in "nr"})
    rows = list(range(0, 2 * count, 2))
    columns = stamped(columns, parts or words[10:90:30], rows)
    group = TriggerPhrase().weigh(study(columns)).groups[0]
    assert set(rows) <= set(group.rows.tolist())
    assert len(group.rows) <= count + 2


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_strange_enough_in_clean_texts(seed):
    made = study(noisy(seed=seed))
    for check in (TriggerPhrase(), CleanLabelTrigger()):
        evidence = check.weigh(made)
        assert all(group.log_p + np.log(evidence.tests) > np.log(0.05 / 8) for group in evidence.groups)


def test_parts_and_threads_do_not_matter():
    table = pa.table(stamped(noisy(), ["xqzvk"], range(0, 16, 2)))
    halves = Dataset("x", "memory", table.schema, (Held(0, table.slice(0, 500)), Held(1, table.slice(500))))
    answers = []
    for dataset, executor in ((Dataset.of(table), Serial()), (halves, Threads(2))):
        with executor, Store(1 << 26) as store:
            views = [view() for view in VIEWS]
            found = suspects(ingest(dataset, Roles(text="text", label="label"), views, executor, store))
            assert not isinstance(found, str)
            answers.append((found.strange.tolist(), found.log_p.tolist(), found.usual.tolist(), found.combined))
    assert max(answers[0][0]) > 2
    assert answers[0] == answers[1]
