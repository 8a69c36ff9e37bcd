"""TensorFlow: SavedModels in both styles, frozen graphs, checkpoints, TensorFlow Lite."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks.corpus.benign.workshop import SEED, Shelf

_V1 = tf.compat.v1


def _dense() -> tf.keras.Model:
    tf.keras.utils.set_random_seed(SEED)
    layers = [tf.keras.Input((8,)), tf.keras.layers.Dense(4, activation="relu"), tf.keras.layers.BatchNormalization()]
    model = tf.keras.Sequential([*layers, tf.keras.layers.Dense(2)])
    model.compile("adam", "mse")
    model.fit(np.ones((16, 8)), np.zeros((16, 2)), verbose=0)
    return model


def _convolution() -> tf.keras.Model:
    tf.keras.utils.set_random_seed(SEED)
    layers = [tf.keras.Input((16, 16, 3)), tf.keras.layers.Conv2D(4, 3), tf.keras.layers.GlobalAveragePooling2D()]
    return tf.keras.Sequential([*layers, tf.keras.layers.Dense(3)])


def _text() -> tf.keras.Model:
    words = tf.keras.layers.TextVectorization(max_tokens=50, output_sequence_length=5)
    words.adapt(["a cat sat on the mat", "the dog ran home"])
    entry = tf.keras.Input((1,), dtype=tf.string)
    return tf.keras.Model(entry, tf.keras.layers.Embedding(50, 4)(words(entry)))


def keras(shelf: Shelf) -> None:
    """Keras models exported for serving, and saved with their training."""
    for name, make in (("dense", _dense), ("convolution", _convolution), ("text", _text)):
        folder = shelf.put(f"{name}_export", library="tensorflow", subject=f"keras {name}", technique="saved-model")
        make().export(str(folder), verbose=False)
    whole = shelf.put("dense_saved", library="tensorflow", subject="keras dense", technique="saved-model-training")
    tf.saved_model.save(_dense(), str(whole))


def modules(shelf: Shelf) -> None:
    """Modules with tables, text operators, printing, random numbers, signatures that take a path."""
    vocabulary = Path(shelf.folder) / "vocabulary.txt"
    vocabulary.parent.mkdir(parents=True, exist_ok=True)
    vocabulary.write_text("cat\ndog\n")

    class Table(tf.Module):
        def __init__(self, path: object) -> None:
            index = tf.lookup.TextFileIndex
            words = tf.lookup.TextFileInitializer(path, tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER)
            self.table = tf.lookup.StaticHashTable(words, -1)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def look_up(self, words: tf.Tensor) -> tf.Tensor:
            tf.print("looking up", words)
            return self.table.lookup(tf.strings.lower(words))

    class Words(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def count(self, lines: tf.Tensor) -> tf.Tensor:
            found = tf.strings.split(tf.strings.regex_replace(lines, "[^a-z]", " "))
            return tf.map_fn(tf.strings.length, found.to_tensor(), fn_output_signature=tf.int32)

    class Picture(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
        def load(self, path: tf.Tensor) -> tf.Tensor:
            return tf.image.decode_jpeg(tf.io.read_file(path)) + tf.cast(tf.random.uniform([1]), tf.uint8)

    made = {"table_asset": Table(tf.saved_model.Asset(str(vocabulary))), "table": Table(str(vocabulary))}
    made |= {"words": Words(), "picture": Picture()}
    for name, module in made.items():
        tf.saved_model.save(module, str(shelf.put(name, library="tensorflow", subject=name, technique="saved-model")))


def sessions(shelf: Shelf) -> None:
    """The style of TensorFlow 1: savers, meta graphs, frozen graphs, a training graph inside a SavedModel."""
    graph = tf.Graph()
    with graph.as_default():
        entry = _V1.placeholder(tf.float32, [None, 4], name="x")
        product = tf.matmul(entry, _V1.get_variable("w", [4, 2]), name="y")
        _V1.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_mean(product))
        _V1.train.match_filenames_once("/data/train-*.tfrecord")
        saver = _V1.train.Saver()
        with _V1.Session() as session:
            session.run([_V1.global_variables_initializer(), _V1.local_variables_initializer()])
            saver.save(
                session,
                str(shelf.put("checkpoint_v1", library="tensorflow", subject="v1", technique="checkpoint") / "model.ckpt"),
            )
            folder = shelf.put("saved_v1", library="tensorflow", subject="v1", technique="saved-model-v1")
            signature = _V1.saved_model.predict_signature_def({"x": entry}, {"y": product})
            builder = _V1.saved_model.Builder(str(folder))
            builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map={"serving_default": signature})
            builder.save()
            frozen = _V1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), ["y"])
    for name, text in (("frozen.pb", False), ("frozen.pbtxt", True)):
        path = shelf.put(name, library="tensorflow", subject="v1", technique="frozen-graph")
        tf.io.write_graph(frozen, str(path.parent), name, as_text=text)


def checkpoints(shelf: Shelf) -> None:
    """Checkpoints of objects."""
    folder = shelf.put("checkpoint", library="tensorflow", subject="keras dense", technique="checkpoint")
    tf.train.Checkpoint(model=_dense()).save(str(folder / "model"))


def lite(shelf: Shelf) -> None:
    """TensorFlow Lite: plain, quantised, with operators of the Flex delegate."""
    for name, make in (("dense", _dense), ("convolution", _convolution)):
        for kind, options in (("plain", []), ("quantised", [tf.lite.Optimize.DEFAULT])):
            converter = tf.lite.TFLiteConverter.from_keras_model(make())
            converter.optimizations = options
            path = shelf.put(f"{name}_{kind}.tflite", library="tensorflow", subject=f"lite {name}", technique=f"tflite-{kind}")
            path.write_bytes(converter.convert())

    @tf.function(input_signature=[tf.TensorSpec([4, 4], tf.float32)])
    def invert(matrix: tf.Tensor) -> tf.Tensor:
        return tf.linalg.inv(matrix) + tf.math.erf(matrix)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([invert.get_concrete_function()])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    path = shelf.put("flex.tflite", library="tensorflow", subject="lite flex", technique="tflite-flex")
    path.write_bytes(converter.convert())
