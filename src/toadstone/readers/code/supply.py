"""What a Python source takes from elsewhere: models, data sets and services that its calls name.

A reading of names, not a run: imports are followed to what they name, arguments to string constants of the same file.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from toadstone.core.record import dataclass
from toadstone.readers.code.reading import PARSE_ERRORS, parse

MODEL, DATASET, SERVICE = "model", "dataset", "service"
LARGEST = 1 << 20
"""Characters of a source that is read."""


@dataclass(frozen=True)
class Taken:
    """Something that a call takes from elsewhere.

    Attributes:
        kind: ``model``, ``dataset`` or ``service``.
        name: As the call names it; empty when it is worked out at run time.
        line: From 1.
        call: What is called, as dotted names.
        revision: As the call names it; empty when it names none.
        runs_code: Whether the call lets code of the repository run (``trust_remote_code=True`` and the like).
    """

    kind: str
    name: str
    line: int
    call: str
    revision: str = ""
    runs_code: bool = False


_FROM_PRETRAINED = ("from_pretrained", "from_preset", "load_from_hub", "push_from_hub", "load_adapter")
"""Methods whose first argument names a model, whatever their class."""
_FUNCTIONS = {
    "datasets.load_dataset": (DATASET, ("path",)),
    "datasets.load_dataset_builder": (DATASET, ("path",)),
    "huggingface_hub.hf_hub_download": (MODEL, ("repo_id",)),
    "huggingface_hub.snapshot_download": (MODEL, ("repo_id",)),
    "transformers.pipeline": (MODEL, ("model",)),
    "sentence_transformers.SentenceTransformer": (MODEL, ("model_name_or_path",)),
    "sentence_transformers.CrossEncoder": (MODEL, ("model_name", "model_name_or_path")),
    "torch.hub.load": (MODEL, ("repo_or_dir",)),
    "torch.hub.load_state_dict_from_url": (MODEL, ("url",)),
    "timm.create_model": (MODEL, ("model_name",)),
    "spacy.load": (MODEL, ("name",)),
    "whisper.load_model": (MODEL, ("name",)),
    "vllm.LLM": (MODEL, ("model",)),
    "keras.saving.load_model": (MODEL, ("filepath",)),
    "mlflow.pyfunc.load_model": (MODEL, ("model_uri",)),
    "tensorflow_hub.load": (MODEL, ("handle",)),
    "tensorflow_hub.KerasLayer": (MODEL, ("handle",)),
    "tensorflow_datasets.load": (DATASET, ("name",)),
    "sklearn.datasets.fetch_openml": (DATASET, ("name", "data_id")),
    "kagglehub.dataset_download": (DATASET, ("handle",)),
    "kagglehub.model_download": (MODEL, ("handle",)),
}
_POSITION = {"transformers.pipeline": 1}
"""Where the name stands among the positional arguments, if not first."""
SERVICES = {
    "openai": "OpenAI",
    "anthropic": "Anthropic",
    "cohere": "Cohere",
    "mistralai": "Mistral AI",
    "google.generativeai": "Google Gemini",
    "google.genai": "Google Gemini",
    "vertexai": "Google Vertex AI",
    "groq": "Groq",
    "together": "Together AI",
    "replicate": "Replicate",
    "ollama": "Ollama",
    "litellm": "LiteLLM",
    "voyageai": "Voyage AI",
    "azure.ai.inference": "Azure AI",
    "dashscope": "DashScope",
    "xai_sdk": "xAI",
}
"""Packages of services that answer with models of their own."""
_CODE_FLAGS = ("trust_remote_code", "trust_repo")


def taken(text: str) -> Iterator[Taken]:
    """Give what a source takes from elsewhere, in the order of its lines.

    Args:
        text: Of the source; more than `LARGEST` characters, or text that is no Python, gives nothing.
    """
    if len(text) > LARGEST:
        return
    try:
        tree = parse(text)
    except PARSE_ERRORS:
        return
    nodes = list(ast.walk(tree))
    names = _imported(nodes)
    texts = _constants(nodes)
    found = [
        *_services(nodes),
        *(one for node in nodes if isinstance(node, ast.Call) and (one := _call(node, names, texts)) is not None),
    ]
    yield from sorted(found, key=lambda one: (one.line, one.kind, one.name))


def _imported(nodes: list[ast.AST]) -> dict[str, str]:
    """Map names of the file to what they were imported as."""
    found: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {
                one.asname or one.name.partition(".")[0]: one.name if one.asname else one.name.partition(".")[0]
                for one in node.names
            }
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    return found


def _constants(nodes: list[ast.AST]) -> dict[str, str]:
    """Map names to the only string that is ever assigned to them."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for node in nodes:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        for target in targets:
            if isinstance(target, ast.Name):
                value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
                if target.id in found or not (isinstance(value, ast.Constant) and isinstance(value.value, str)):
                    twice.add(target.id)
                else:
                    found[target.id] = value.value
    return {name: text for name, text in found.items() if name not in twice}


def _services(nodes: list[ast.AST]) -> Iterator[Taken]:
    for node in nodes:
        modules = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
        for module in modules:
            service = next((name for name in SERVICES if module == name or module.startswith(f"{name}.")), "")
            if service and isinstance(node, ast.Import | ast.ImportFrom):
                yield Taken(SERVICE, SERVICES[service], node.lineno, f"import {module}")
                break


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ".".join(reversed(parts))
    return ".".join([names.get(node.id, node.id), *reversed(parts)])


def _call(node: ast.Call, names: dict[str, str], texts: dict[str, str]) -> Taken | None:
    called = _dotted(node.func, names)
    short = called.rpartition(".")[2]
    wanted: tuple[str, ...]
    keywords = {one.arg: one.value for one in node.keywords if one.arg is not None}
    if short in _FROM_PRETRAINED:
        place = 0
        kind, wanted = MODEL, ("pretrained_model_name_or_path", "preset", "repo_id", "model_id")
    elif called in _FUNCTIONS:
        (kind, wanted), place = _FUNCTIONS[called], _POSITION.get(called, 0)
    else:
        return None
    value = next((keywords[name] for name in wanted if name in keywords), None)
    if value is None and len(node.args) > place:
        value = node.args[place]
    if value is None and called == "transformers.pipeline":
        return None  # the task's default model, which is the library's own choice
    if called in ("huggingface_hub.snapshot_download", "huggingface_hub.hf_hub_download"):
        kind = DATASET if _string(keywords.get("repo_type"), texts) == "dataset" else MODEL
    runs = any(isinstance(keywords.get(flag), ast.Constant) and bool(keywords[flag].value) for flag in _CODE_FLAGS)  # type: ignore[attr-defined]  # (a constant has a value)
    return Taken(kind, _string(value, texts), node.lineno, called, _string(keywords.get("revision"), texts), runs)


def _string(node: ast.expr | None, texts: dict[str, str]) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return texts.get(node.id, "") if isinstance(node, ast.Name) else ""
