"""Keras 3: whole models as ``.keras`` and ``.h5``, weights alone, and plain HDF5 files."""

from __future__ import annotations

import h5py
import keras
import numpy as np

from benchmarks.corpus.benign.workshop import SEED, Shelf


def models(shelf: Shelf) -> None:
    """Six architectures in three formats each."""
    for name, model in _models().items():
        model.save(shelf.put(f"{name}.keras", library="keras", subject=name, technique="keras"))
        model.save(shelf.put(f"{name}.h5", library="keras", subject=name, technique="keras-h5"))
        model.save_weights(shelf.put(f"{name}.weights.h5", library="keras", subject=name, technique="keras-weights"))


def trained(shelf: Shelf) -> None:
    """A compiled and fitted model: optimiser state, metrics, losses by name."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="relu"), keras.layers.Dense(1)])
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    model.fit(np.ones((8, 4)), np.ones((8, 1)), verbose=0)
    model.save(shelf.put("trained.keras", library="keras", subject="trained", technique="keras"))
    model.save(shelf.put("trained.h5", library="keras", subject="trained", technique="keras-h5"))


def plain_hdf5(shelf: Shelf) -> None:
    """HDF5 that is no Keras model: chunked, compressed, with links inside the file and text attributes."""
    path = shelf.put("data.h5", library="h5py", subject="data", technique="hdf5")
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=np.arange(400.0).reshape(40, 10), chunks=(10, 10), compression="gzip")
        group = file.create_group("labels")
        group["names"] = np.array([b"cat", b"dog"])
        group["same"] = h5py.SoftLink("/x")
        file["again"] = file["x"]
        file.attrs["source"] = "measured; see https://data.example/x"
        file["text"] = np.array(["one", "two"], dtype=h5py.string_dtype())


def _models() -> dict[str, keras.Model]:
    keras.utils.set_random_seed(SEED)
    layers = keras.layers
    entry = keras.Input((6,))
    left, right = layers.Dense(4, activation="gelu")(entry), layers.Dense(4, kernel_regularizer="l2")(entry)
    merged = layers.Dense(1, activation="sigmoid")(layers.Concatenate()([left, right]))
    return {
        "dense": keras.Sequential([keras.Input((6,)), layers.Dense(5, activation="relu"), layers.Dropout(0.2), layers.Dense(2)]),
        "functional": keras.Model(entry, merged, name="two_branches"),
        "convolution": keras.Sequential(
            [keras.Input((12, 12, 1)), layers.Conv2D(3, 3), layers.BatchNormalization(), layers.MaxPooling2D(), layers.Flatten()]
        ),
        "recurrent": keras.Sequential(
            [keras.Input((5, 3)), layers.LSTM(4, return_sequences=True), layers.Bidirectional(layers.GRU(2))]
        ),
        "embedding": keras.Sequential(
            [keras.Input((7,), dtype="int32"), layers.Embedding(20, 4), layers.GlobalAveragePooling1D()]
        ),
        "preprocessing": keras.Sequential(
            [keras.Input((3,)), layers.Normalization(mean=0.0, variance=1.0), layers.Rescaling(0.5)]
        ),
    }
