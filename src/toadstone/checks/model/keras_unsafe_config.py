"""Keras configurations that make the loader do more than build a model."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Setting
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place
from toadstone.core.value import Symbol, render

_OFF = frozenset({"enable_unsafe_deserialization", "set_global_attribute", "func_load"})
"""Functions that end Keras' own protection or are what it protects against."""


@check(
    "keras-unsafe-config",
    severity=Severity.HIGH,
    reads=Setting,
    references=(
        "CVE-2025-1550",
        "CVE-2025-8747",
        "CVE-2025-9906",
        "CVE-2025-12060",
        "CVE-2025-49655",
        "CVE-2026-1462",
        "CWE-502",
        "CWE-913",
        "MITRE ATLAS 2026.08 AML.T0011.000",
        "OWASP ML 2023 ML06",
        "NIST AI 100-2e2025 NISTAML.051",
    ),
)
class KerasUnsafeConfig(Check):
    """A Keras configuration names functions that load, fetch or write files, or that switch Keras' protection off.

    ## Why it matters
    A configuration is data, but Keras resolves the functions it names and a Lambda layer calls them while the model is put
    together. With `keras.utils.get_file` the loader downloads and unpacks an archive, with `load_model` it opens another file
    with protection off, with `enable_unsafe_deserialization` it stops asking. All three were used to run code under
    `safe_mode=True`. A TorchModuleWrapper carries a pickle; a TFSMLayer loads a SavedModel, whose graph can read and write files.

    ## How it decides
    Functions of Keras count as building blocks when they come from the parts that compute: activations, losses, metrics, ops,
    initializers, regularizers, constraints, layers, optimizers, quantizers, random. A function from any other part is `high`,
    and so is anything from a module of Python that reaches the system, such as `os` or `subprocess`; one that ends the
    protection, or an argument such as `safe_mode: false`, is `critical`. TensorFlow operators that reach files, devices or Python
    are `high`. TorchModuleWrapper and TFSMLayer are `medium`: they exist in honest models, current versions refuse them, and
    their content is judged by itself.

    ## What it misses
    Functions of custom packages (they are reported as imports and calls) and what a SavedModel elsewhere contains.

    ## Remedy
    Do not load the file. An honest model of this kind is saved again with layers instead of functions, and with its weights
    instead of a pickled module.

    ## References
    CVE-2025-1550, CVE-2025-8747, CVE-2025-9906, CVE-2025-12060, CVE-2025-49655, CVE-2026-1462; CWE-502, CWE-913.
    """

    def examine(self, fact: Setting) -> Iterator[Finding]:
        if fact.schema != "keras":
            return
        kind, _, where = fact.key.partition(":")
        if kind == "unsafe-api" and isinstance(fact.value, Symbol):
            name = fact.value.name.rsplit(".", 1)[-1]
            severity = Severity.CRITICAL if name in _OFF else Severity.HIGH
            message = f"The configuration refers to {fact.value}, which is no building block of a model."
            yield self.finding(fact.place, message, severity=severity, key=str(fact.value), where=where, symbol=str(fact.value))
        elif kind == "unsafe-switch":
            message = f"The configuration switches a protection off: {where} = {render(fact.value)}."
            yield self.finding(fact.place, message, severity=Severity.CRITICAL, key=where, where=where)
        elif kind == "pickled_module":
            message = "A TorchModuleWrapper carries a pickled PyTorch module, which is unpickled when the model is loaded."
            yield self.finding(fact.place, message, severity=Severity.MEDIUM, key=where, where=where)
        elif kind == "saved_model_layer":
            target = render(fact.value, 300)
            message = f"A TFSMLayer loads the SavedModel {target} and makes its graph part of the model."
            yield self.finding(fact.place, message, severity=Severity.MEDIUM, key=where, where=where, target=target)

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        place = Place("model.keras", "config.json")
        yield Setting(place, "keras", "unsafe-api:config.layers[1].config.function", Symbol("keras.utils", "get_file"))
        yield Setting(place, "keras", "unsafe-api:config.layers[1]", Symbol("keras.config", "enable_unsafe_deserialization"))
        yield Setting(place, "keras", "unsafe-switch:config.layers[1].config.arguments.safe_mode", False)
        yield Setting(place, "keras", "pickled_module:config.layers[1]", "1,024 characters of base64")
        yield Setting(place, "keras", "saved_model_layer:config.layers[1]", "saved/model")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        yield Setting(Place("model.keras", "metadata.json"), "keras", "keras_version", "3.15.1")
        yield Setting(Place("model.keras", "config.json"), "keras", "registered_object:config.layers[2]", "acme>Attention")
        yield Setting(Place("config.json"), "transformers", "unsafe-switch:x", False)
