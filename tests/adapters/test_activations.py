"""Activations of a torch model, and of any callable; as a view of an examination."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import toadstone
from toadstone import RowOptions, UsageError, activations, clean
from toadstone.engine.executors import Serial
from toadstone.tables.beside import embedded
from toadstone.tables.open import open_dataset
from toadstone.tables.roles import Roles
from toadstone.verbs.rows import examine

RNG = np.random.default_rng(0)


def lengths(texts):
    return np.array([[len(text), text.count("e")] for text in texts], np.float64)


def table(rows=400):
    texts = [f"row {number} " + "e" * (number % 5) for number in range(rows)]
    texts[3] = None
    return pa.table({"text": texts, "label": ["a", "b"] * (rows // 2)})


# A plain callable


def test_a_callable_gives_its_vectors_in_batches():
    calls = []

    def model(rows):
        calls.append(len(rows))
        return np.asarray(rows) * 2

    data = RNG.standard_normal((150, 3))
    found = activations(model, None, data, batch=64)
    assert calls == [64, 64, 22]
    assert found.dtype == np.float32
    assert np.allclose(found, data * 2)
    assert activations(model, data=[]).shape == (0, 0)


def test_a_callable_has_no_layers():
    with pytest.raises(UsageError, match=r"of a torch\.nn\.Module only"):
        activations(lengths, "layer1", ["a"])


@pytest.mark.parametrize(
    ("model", "data", "word"),
    [
        (7, ["a"], "must be callable"),
        (lengths, "one text", "Got a str instead"),
        (lengths, 7, "Got an object of type int"),
        (lambda rows: np.zeros((len(rows) + 1, 2)), ["a", "b"], "3 vectors for 2 rows"),
        (lambda rows: ["x"] * len(rows), ["a"], "no numbers"),
    ],
)
def test_what_is_wrong_is_said(model, data, word):
    with pytest.raises(UsageError, match=word):
        activations(model, None, data)


# As a view of an examination


def test_vectors_stand_beside_the_rows(tmp_path):
    pq.write_table(table(), tmp_path / "data.parquet", row_group_size=90)
    dataset = open_dataset(tmp_path / "data.parquet")
    whole = embedded(dataset, "text", lengths, tmp_path)
    name = whole.schema.names[-1]
    assert name not in dataset.schema.names
    read = pa.Table.from_batches([batch for fragment in whole.fragments for batch in fragment.batches(["label", name])])
    vectors = np.array(read.column(name).to_pylist())
    assert np.isnan(vectors[3]).all()
    kept = [text for text in table()["text"].to_pylist() if text is not None]
    assert np.array_equal(np.delete(vectors, 3, axis=0), lengths(kept))
    assert whole.take([5, 2], ["text", name]).column(name).to_pylist() == lengths([kept[4], kept[2]]).tolist()
    for fragment in whole.fragments:
        assert all(batch.schema.names == ["text", "label", name] for batch in fragment.batches(None))


def test_an_examination_sees_them_and_writes_none(tmp_path):
    pq.write_table(table(), tmp_path / "data.parquet")
    seen = []

    def embed(texts):
        seen.append(len(texts))
        return lengths(texts)

    options = RowOptions(roles=Roles(text="text", label="label"), embed=embed)
    done = clean(str(tmp_path / "data.parquet"), tmp_path / "kept.parquet", options=options)
    assert done.examined.statistics["columns"]["embedding"] == "toadstone_embedding"
    assert pq.read_schema(tmp_path / "kept.parquet").names == ["text", "label"]
    assert sum(seen) == 399 + 1, "each row once, and one to learn the width"
    vectors = [None if text is None else lengths([text])[0].tolist() for text in table()["text"].to_pylist()]
    given = table().append_column("vector", pa.array(vectors))
    roles = Roles(text="text", label="label", embedding="vector")
    same = examine(given, RowOptions(roles=roles))
    assert done.examined.decision.tests == same.decision.tests


def test_reference_and_baseline_get_vectors_too(tmp_path):
    options = RowOptions(roles=Roles(text="text", label="label"), embed=lengths, reference=table(200), baseline=table(200))
    found = examine(table(), options)
    assert found.statistics["references"] == 200
    assert not found.gaps


@pytest.mark.parametrize(
    ("embed", "word"),
    [
        (lambda texts: np.zeros(len(texts)), "shape"),
        (lambda _: "x", "no numbers"),
        (lambda texts: np.zeros((2, len(texts))), "for"),
    ],
)
def test_an_embedding_that_is_none(embed, word):
    with pytest.raises(UsageError, match=word):
        examine(table(), RowOptions(roles=Roles(text="text", label="label"), embed=embed))


def test_an_embedding_of_nothing():
    with pytest.raises(UsageError, match="no column was taken for texts or images"):
        examine(pa.table({"a": [1.0, 2.0], "label": ["x", "y"]}), RowOptions(embed=lengths))
    options = RowOptions(roles=Roles(text="text", embedding="vector"), embed=lengths)
    with pytest.raises(UsageError, match="is one already"):
        examine(table().append_column("vector", pa.array([[1.0]] * 400)), options)


def test_serial_is_what_an_executor_is():  # the module is importable where torch is not
    assert Serial().jobs == 1
    assert "activations" in toadstone.__all__


# A model of torch


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="torch is not installed: activations of its modules are NOT tested here")


@pytest.fixture
def network(torch):
    torch.manual_seed(0)
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.9),
        nn.Linear(4 * 36, 7),
        nn.ReLU(),
        nn.Linear(7, 3),
    )


def state(model):
    return {name: value.clone() for name, value in model.state_dict().items()}, [module.training for module in model.modules()]


def hooks(model):
    return sum(len(module._forward_hooks) for module in model.modules())


def test_a_layer_is_seen_in_evaluation_mode_and_the_model_left_as_it_was(torch, network):
    network.train()
    network[5].eval()  # modes may differ from module to module
    images = torch.rand(130, 1, 8, 8)
    before, modes = state(network)
    found = activations(network, "6", images, batch=50)
    again = activations(network, network[6], images.numpy(), batch=7)
    assert found.shape == (130, 7)
    assert found.dtype == np.float32
    assert np.allclose(found, again, atol=1e-6), "no dropout, no statistics of the batch"
    after, same = state(network)
    assert same == modes
    assert hooks(network) == 0
    assert all(torch.equal(after[name], before[name]) for name in before)
    network.eval()
    with torch.no_grad():
        assert np.allclose(found, network[:7](images).numpy(), atol=1e-5)


def test_no_hook_is_left_and_modes_are_back_after_an_error(torch, network):
    network.train()
    with pytest.raises(RuntimeError):
        activations(network, "6", torch.rand(4, 3, 8, 8))
    assert hooks(network) == 0
    assert all(module.training for module in network.modules())


def test_places_and_positions_are_averaged(torch, network):
    images = torch.rand(5, 1, 8, 8)
    assert np.allclose(activations(network, "2", images), network.eval()[:3](images).detach().numpy().mean((2, 3)), atol=1e-6)
    assert activations(network, "2", images, pool=lambda maps: maps.flatten(1)).shape == (5, 4 * 36)
    encoder = torch.nn.TransformerEncoderLayer(8, 2, batch_first=True)
    assert activations(encoder, "norm2", torch.rand(6, 11, 8)).shape == (6, 8)


def test_a_loader_a_layer_of_many_outputs_and_named_arguments(torch):
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = torch.nn.LSTM(4, 6, batch_first=True)
            self.head = torch.nn.Linear(6, 2)

        def forward(self, *, values):
            return {"logits": self.head(self.rnn(values)[0][:, -1]), "more": None}

    data = torch.rand(20, 9, 4)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(data, torch.zeros(20)), batch_size=8)
    found = activations(Model(), "rnn", loader, prepare=lambda rows: {"values": rows})
    assert found.shape == (20, 6)
    assert activations(Model(), None, data, prepare=lambda rows: {"values": rows}).shape == (20, 2)


@pytest.mark.parametrize(
    ("layer", "word"), [("nothing", "no layer 'nothing'"), ("unused", "was not used"), (object(), "no part of the model")]
)
def test_a_layer_that_is_none(torch, layer, word):
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)

        def forward(self, values):
            return self.used(values)

    with pytest.raises(UsageError, match=word):
        activations(Model(), layer, torch.rand(2, 3))


def test_texts_of_a_data_set_through_a_model(torch, tmp_path):
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.out = torch.nn.EmbeddingBag(64, 5), torch.nn.ReLU()

        def forward(self, codes, offsets):
            return self.out(self.words(codes, offsets))

    def prepare(texts):
        codes = [[ord(character) % 64 for character in text] or [0] for text in texts]
        offsets = np.cumsum([0, *map(len, codes[:-1])])
        return torch.tensor([code for text in codes for code in text]), torch.tensor(offsets)

    embed = activations(Model(), "out", prepare=prepare)
    found = examine(table(), RowOptions(roles=Roles(text="text", label="label"), embed=embed))
    assert found.statistics["columns"]["embedding"] == "toadstone_embedding"
    assert not found.gaps
