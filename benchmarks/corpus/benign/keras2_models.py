"""Keras 2: SavedModels with the metadata that this generation wrote (``keras_metadata.pb``)."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras as keras

from benchmarks.corpus.benign.workshop import SEED, Shelf


@keras.utils.register_keras_serializable("mine")
class Weighted(keras.layers.Layer):
    """A registered layer."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.weight = self.add_weight("weight", (shape[-1], 3))

    def call(self, values: tf.Tensor) -> tf.Tensor:
        return values @ self.weight


def _functional() -> keras.Model:
    entry = keras.Input((8,))
    inner = keras.layers.Dense(4, activation="relu")(entry)
    inner = keras.layers.BatchNormalization()(tf.math.abs(inner) + inner[:, :1] * 2.0)
    model = keras.Model(entry, keras.layers.Dense(1, activation="sigmoid")(inner))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy", keras.metrics.AUC()])
    model.fit(np.ones((16, 8)), np.zeros((16, 1)), verbose=0)
    return model


def _recurrent() -> keras.Model:
    layers = [keras.layers.Embedding(50, 4, input_length=6), keras.layers.Bidirectional(keras.layers.LSTM(4))]
    model = keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")])
    model.build((None, 6))
    return model


def saved(shelf: Shelf) -> None:
    """Trained, recurrent, with a layer of one's own, and a published architecture."""
    keras.utils.set_random_seed(SEED)
    models = {
        "functional": _functional(),
        "recurrent": _recurrent(),
        "registered": keras.Sequential([keras.Input((4,)), Weighted(), keras.layers.Dense(2)]),
        "mobilenet": keras.applications.MobileNetV2(weights=None, input_shape=(32, 32, 3), alpha=0.35, classes=3),
    }
    for name, model in models.items():
        folder = shelf.put(name, library="tf-keras", subject=f"keras 2 {name}", technique="saved-model-keras-2")
        model.save(str(folder), save_format="tf")
