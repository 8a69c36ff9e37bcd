"""Keras models that need code which is not part of Keras."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Setting
from toadstone.core.finding import Confidence, Finding, Severity
from toadstone.core.place import Place
from toadstone.core.value import render

_REGISTERED, _SHADOWED = "registered_object:", "shadowed_object:"


@check(
    "keras-custom-object",
    severity=Severity.LOW,
    reads=Setting,
    references=("CWE-829", "CWE-470", "MITRE ATLAS 2026.08 AML.T0010.001", "OWASP ML 2023 ML06"),
)
class KerasCustomObject(Check):
    """A Keras model names layers, losses or functions that are not part of Keras and that the user has to bring.

    ## Why it matters
    The file does not contain that code: whoever loads it is told to get it from somewhere, often from the place that offers
    the model, and a name can be claimed by another package. A configuration that names a part of Keras *and* a registered
    object of another package is worse: readers see a plain `Dense`, the loader takes the other one.

    ## How it decides
    Names that Keras resolves in its own tables are silent. `package>Name`, functions saved by name only, and losses and
    metrics that Keras does not have are `low`. A part of Keras that carries another package's registered name is `medium`.
    Objects with a module outside Keras are imports and calls, judged as in any other format.

    ## What it misses
    A registered object with the same name as the one the authors meant. A custom object whose name Keras also uses.

    ## Remedy
    Get the code of the custom objects from a source that you trust and pin it together with the model. For a shadowed object,
    do not load the file with that package installed.

    ## References
    Keras issue 22779 (registered names take precedence); Keras guide "Serialization and saving"; CWE-470, CWE-829.
    """

    def examine(self, fact: Setting) -> Iterator[Finding]:
        if fact.schema != "keras":
            return
        shown = render(fact.value, 300).strip("'\"")
        if fact.key.startswith(_SHADOWED):
            message = f"The configuration names a part of Keras but the loader takes another object: {shown}."
            yield self.finding(fact.place, message, severity=Severity.MEDIUM, key=shown, object=shown, where=fact.key)
        elif fact.key.startswith(_REGISTERED):
            message = f"The model needs {shown}, which is not part of Keras."
            yield self.finding(fact.place, message, confidence=Confidence.MEDIUM, key=shown, object=shown, where=fact.key)

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        place = Place("model.keras", "config.json")
        yield Setting(place, "keras", "registered_object:config.layers[2]", "acme>Attention")
        yield Setting(place, "keras", "shadowed_object:config.layers[1]", "keras.layers.Dense resolved as acme>Dense")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        yield Setting(Place("model.keras", "metadata.json"), "keras", "keras_version", "3.15.1")
        yield Setting(Place("config.json"), "transformers", "registered_object:x", "acme>Attention")
