"""Keras Lambda layers that carry code."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Setting
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place
from toadstone.core.value import render

_CODE, _NAMED = "lambda_code:", "lambda_function:"


@check(
    "keras-lambda",
    severity=Severity.HIGH,
    reads=Setting,
    references=(
        "CVE-2024-3660",
        "CVE-2025-9905",
        "CWE-94",
        "CWE-502",
        "MITRE ATLAS 2026.08 AML.T0011.000",
        "OWASP ML 2023 ML06",
        "NIST AI 100-2e2025 NISTAML.051",
    ),
)
class KerasLambda(Check):
    """A Keras configuration carries compiled Python code that becomes a function of the model.

    ## Why it matters
    A Lambda layer made from a Python `lambda` is saved as marshalled bytecode. Keras turns it into a function and calls it on
    symbolic inputs while the model is put together, so the code runs on load and again at every prediction. Bytecode can do
    whatever Python can. Versions before 2.13 load it without a question; the `.h5` format ignored `safe_mode` until 3.11.3.

    ## How it decides
    Every place from which any version of Keras takes code counts: `__lambda__` objects, `function`, `output_shape` and `mask` of
    Lambda layers in the forms of Keras 1, 2 and 3, as base64 or as raw characters. Carried code is `high` whatever it does; the
    code itself is read as well and judged by the other checks. A Lambda that only names a function of your own is `low`: the
    function is not in the file, and what it does depends on where the model is loaded.

    ## What it misses
    Code in a custom layer's own `get_config` format, and what a named function does on the machine that loads the model.

    ## Remedy
    Replace the Lambda by a layer class or by `keras.ops` functions and save again. Until then load with `safe_mode=True` only,
    and never pass `safe_mode=False` for a file that you did not write.

    ## References
    CVE-2024-3660, CVE-2025-9905; Keras guide "Serialization and saving"; CWE-94, CWE-502.
    """

    def examine(self, fact: Setting) -> Iterator[Finding]:
        if fact.schema != "keras":
            return
        if fact.key.startswith(_CODE):
            where = fact.key.removeprefix(_CODE)
            message = f"{where or 'The configuration'} carries compiled Python code that runs when the model is loaded or used."
            yield self.finding(fact.place, message, key=where, where=where, size=render(fact.value))
        elif fact.key.startswith(_NAMED):
            where = fact.key.removeprefix(_NAMED)
            name = render(fact.value, 200)
            message = f"A Lambda layer calls the function {name}, which is not part of Keras and not in the file."
            yield self.finding(fact.place, message, severity=Severity.LOW, key=name, where=where, function=name)

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        yield Setting(Place("model.keras", "config.json"), "keras", "lambda_code:config.layers[1].config.function", "214 bytes")
        yield Setting(Place("model.h5", "@model_config"), "keras", "lambda_function:config.layers[1]", "my_scaling")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        yield Setting(Place("model.keras", "metadata.json"), "keras", "keras_version", "3.15.1")
        yield Setting(Place("data.h5"), "hdf5", "/@lambda_code:", "not a Keras configuration")
