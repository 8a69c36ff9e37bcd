"""``inventory``: the AI supply chain of a source tree, and what of it is unpinned or unscanned."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from toadstone.core.errors import UsageError
from toadstone.core.finding import Severity
from toadstone.identity import lock as locks
from toadstone.identity.files import file_digests
from toadstone.identity.lock import Lock, Pin
from toadstone.readers.code.magics import as_python
from toadstone.readers.code.supply import DATASET, LARGEST, MODEL, SERVICE, Taken, taken

PACKAGE, PROMPT = "package", "prompt"
_SKIPPED = frozenset(
    {".git", ".hg", ".venv", "venv", "node_modules", "__pycache__", ".toadstone", ".mypy_cache", ".ruff_cache", ".tox"}
)
_MODELS = (
    ".pt .pth .bin .ckpt .safetensors .onnx .h5 .keras .pkl .pickle .joblib .gguf .ggml .tflite .pb .mlmodel .ubj .cbm "
    ".skops .nemo .mar .llamafile .engine .pt2 .msgpack .pdparams .params .t7 .rds"
).split()
_DATA = ".parquet .arrow .feather .jsonl .jsonl.gz .ndjson .csv .tsv .npz .npy".split()
_PROMPTS = ".prompt .prompty .jinja .j2".split()
_AI_PACKAGES = frozenset(
    "torch torchvision torchaudio tensorflow tensorflow-hub keras jax flax transformers datasets tokenizers diffusers "
    "accelerate peft sentence-transformers huggingface-hub safetensors onnx onnxruntime scikit-learn xgboost lightgbm "
    "catboost spacy nltk gensim openai anthropic cohere mistralai google-generativeai google-genai vertexai groq together "
    "replicate ollama litellm voyageai langchain langchain-core langchain-community langchain-openai langgraph "
    "llama-index crewai autogen haystack-ai dspy chromadb faiss-cpu faiss-gpu qdrant-client pinecone weaviate-client mlflow "
    "wandb ray vllm gguf llama-cpp-python timm skops joblib dill cloudpickle openvino paddlepaddle mxnet fastai "
    "pytorch-lightning lightning modelscope unsloth trl bitsandbytes".split()
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_HUB_NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)?")
_REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*([^;#]*)")


@dataclass(frozen=True)
class Part:
    """A part of the supply chain.

    Attributes:
        kind: ``model``, ``dataset``, ``prompt``, ``service`` or ``package``.
        name: What it is called.
        path: Where it is, or where it is named, relative to the tree.
        line: From 1; 0: the whole file.
        pinned: To what; empty: to nothing.
        scan: What a scan said when it was pinned; empty: it was not scanned.
        flaws: What is wrong with how it is taken in.
        severity: Of the worst of them.
    """

    kind: str
    name: str
    path: str
    line: int = 0
    pinned: str = ""
    scan: str = ""
    flaws: tuple[str, ...] = ()
    severity: Severity = Severity.INFO


def inventory(tree: str, *, lock: str | os.PathLike[str] = locks.NAME) -> list[Part]:
    """List the models, data sets, prompts, services and packages of a source tree.

    Args:
        tree: Its folder.
        lock: Path of the lock, which says what is pinned; it may be missing.

    Raises:
        UsageError: The tree is no folder.
        LockError: The lock cannot be read.
    """
    if not Path(tree).is_dir():
        raise UsageError(f"{tree} is no folder.", "Name the folder of the sources.")
    place = Path(lock)
    held = locks.read_lock(place) if place.exists() else Lock()
    found: list[Part] = []
    for folder, folders, names in os.walk(tree):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        for name in sorted(names):
            path = Path(folder, name)
            shown = path.relative_to(tree).as_posix()
            found += _parts(path, shown, name.lower(), held, place.absolute().parent)
    return sorted(found, key=lambda part: (-part.severity, part.kind, part.path, part.line, part.name))


def _parts(path: Path, shown: str, name: str, held: Lock, home: Path) -> Iterator[Part]:
    if path.is_symlink() and not path.exists():
        return
    if name.endswith(tuple(_MODELS)):
        yield _file(MODEL, path, shown, held, home)
    elif name.endswith(tuple(_DATA)):
        yield _file(DATASET, path, shown, held, home)
    elif name.endswith(tuple(_PROMPTS)):
        yield Part(PROMPT, shown, shown)
    elif name.endswith((".py", ".ipynb")):
        for one in taken(_source(path)):
            yield _reference(one, shown, path.parent, held)
    elif name == "pyproject.toml" or (name.startswith("requirements") and name.endswith((".txt", ".in"))):
        yield from (_package(line, number, shown) for number, line in _requirements(path, name))


def _file(kind: str, path: Path, shown: str, held: Lock, home: Path) -> Part:
    """A file that stands in the tree: pinned by itself, or within a folder that is."""
    relative = Path(os.path.relpath(path.absolute(), home)).as_posix()
    for pin in held.pins:
        if pin.name == relative:
            return _pinned(kind, shown, pin, "" if _same(path, pin.root) else "it changed since it was pinned")
        if pin.kind == "folder" and (pin.name == "." or relative.startswith(f"{pin.name}/")):
            return _pinned(kind, shown, pin, "")
    return Part(kind, shown, shown, flaws=("not pinned", "not scanned"), severity=Severity.MEDIUM)


def _same(path: Path, digest: str) -> bool:
    try:
        return file_digests(str(path))[1] == digest
    except OSError:
        return False


def _pinned(kind: str, shown: str, pin: Pin, flaw: str) -> Part:
    flaws = [flaw] if flaw else []
    bad = pin.scan in ("malicious", "poisoned", "suspicious")
    if not pin.scan:
        flaws.append("not scanned")
    elif bad:
        flaws.append(f"{pin.scan} by its scan")
    severity = Severity.HIGH if flaw or bad else Severity.MEDIUM if flaws else Severity.INFO
    return Part(kind, shown, shown, pinned=pin.root[:12], scan=pin.scan, flaws=tuple(flaws), severity=severity)


def _reference(one: Taken, shown: str, folder: Path, held: Lock) -> Part:
    """Something that code takes from elsewhere."""
    name = one.name or f"(worked out at run time, {one.call})"
    if one.kind == SERVICE:
        return Part(SERVICE, one.name, shown, one.line)
    local = bool(one.name) and (one.name.startswith((".", "/", "~")) or (folder / one.name).exists())
    flaws: list[str] = []
    severity = Severity.INFO
    pinned = one.revision if _COMMIT.fullmatch(one.revision) else ""
    known = next((pin for pin in held.pins if one.name and _repository(pin.name) == one.name), None)
    if not local and not pinned and one.name and _HUB_NAME.fullmatch(one.name.partition("@")[0]):
        moving = (
            f"the revision {one.revision!r} can be moved" if one.revision else "no revision: it is whatever its owner makes of it"
        )
        flaws.append(moving + (", though the lock knows it" if known else ""))
        severity = Severity.MEDIUM
    if one.name.startswith("http://"):
        flaws.append("fetched without protection on the way")
        severity = Severity.HIGH
    if one.runs_code:
        flaws.append("code of the repository runs" + ("" if pinned else ", whatever it is by then"))
        severity = Severity.MEDIUM if pinned else Severity.HIGH
    if not one.name:
        flaws.append("what it takes cannot be told from the source")
        severity = max(severity, Severity.LOW)
    return Part(one.kind, name, shown, one.line, pinned[:12], known.scan if known else "", tuple(flaws), severity)


def _repository(name: str) -> str:
    """Give ``owner/name`` of a hub address."""
    if not name.startswith("hf://"):
        return ""
    parts = name.removeprefix("hf://").removeprefix("datasets/").removeprefix("models/").split("/")
    return "/".join(parts[:2]).partition("@")[0]


def _source(path: Path) -> str:
    """Read a source; of a notebook its code, cell after cell."""
    try:
        if path.stat().st_size > 8 * LARGEST:
            return ""
        text = path.read_text("utf-8", errors="replace")
    except OSError:
        return ""
    if path.suffix != ".ipynb":
        return text
    try:
        cells = json.loads(text).get("cells", [])
    except (ValueError, RecursionError, AttributeError):
        return ""
    codes = [cell.get("source", "") for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    return "\n".join(as_python("".join(code) if isinstance(code, list) else str(code)) for code in codes)


def _requirements(path: Path, name: str) -> Iterator[tuple[int, str]]:
    """Give the requirements of a file with their lines."""
    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError:
        return
    if name != "pyproject.toml":
        yield from ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if _ai(line))
        return
    try:
        project = tomllib.loads(text).get("project", {})
    except (ValueError, RecursionError):
        return
    if not isinstance(project, dict):
        return
    optional = project.get("optional-dependencies")
    groups = [project.get("dependencies"), *(optional.values() if isinstance(optional, dict) else [])]
    for line in [line for group in groups if isinstance(group, list) for line in group if isinstance(line, str) and _ai(line)]:
        yield next((number for number, whole in enumerate(text.splitlines(), 1) if line in whole), 0), line


def _ai(line: str) -> bool:
    match = _REQUIREMENT.match(line.strip())
    return match is not None and re.sub(r"[._-]+", "-", match[1].lower()) in _AI_PACKAGES


def _package(line: str, number: int, shown: str) -> Part:
    match = _REQUIREMENT.match(line)
    assert match is not None
    version = match[2].strip()
    exact = version.startswith("==") and "*" not in version and "," not in version
    flaws: Sequence[str] = () if exact else ("any version that fits",)
    pinned = version.removeprefix("==").split()[0] if exact else ""
    return Part(PACKAGE, match[1], shown, number, pinned, flaws=tuple(flaws), severity=Severity.INFO if exact else Severity.LOW)
