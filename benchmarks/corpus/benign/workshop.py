"""Runs the recipes of one family inside a benchmark environment: ``python -m ….workshop ENVIRONMENT FAMILY CORPUS``.

A recipe is a function that takes a :class:`Shelf` and saves real models on it. The module of a family imports its
libraries at the top: it runs only where they are installed.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib
import importlib.util
import inspect
import json
import os
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.corpus.manifest import Entry, split_of

SEED = 20261123
PARTS = ".parts"
Recipe = Callable[["Shelf"], None]


@dataclass
class Shelf:
    """The place where one recipe puts its files, and the list of what it put there."""

    corpus: Path
    environment: str
    family: str
    recipe: str
    entries: list[Entry] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """The recipe's own folder below the corpus."""
        return self.corpus / self.environment / self.family / self.recipe

    def put(
        self,
        name: str,
        *,
        library: str,
        subject: str,
        technique: str,
        group: str = "model",
        label: str = "benign",
    ) -> Path:
        """Register a file or folder that the recipe is about to write; return its path, parents created."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self.entries.append(
            Entry(
                path=path.relative_to(self.corpus).as_posix(),
                label=label,
                family=library,
                technique=technique,
                source=f"{self.environment}: benchmarks.corpus.benign.{self.family}.{self.recipe}",
                payload=False,
                split=split_of(library, subject),
                subject=subject,
                group=group,
            )
        )
        return path


def recipes_of(family: str) -> dict[str, Recipe]:
    """Import a family's module and return its recipes: public functions whose one parameter is ``shelf``."""
    module = importlib.import_module(f"benchmarks.corpus.benign.{family}")
    return {
        name: function
        for name, function in vars(module).items()
        if inspect.isfunction(function)
        and function.__module__ == module.__name__
        and not name.startswith("_")
        and list(inspect.signature(function).parameters) == ["shelf"]
    }


def record_of(shelf: Shelf) -> Path:
    """Return the file that records a finished recipe."""
    return shelf.corpus / PARTS / f"{shelf.environment}.{shelf.family}.{shelf.recipe}.json"


def make(shelf: Shelf, function: Recipe) -> None:
    """Run one recipe, unless its record says that this very source was run before.

    Raises:
        ValueError: the recipe registered something that it did not write.
    """
    record = record_of(shelf)
    source = _source_of(function)
    if record.is_file() and json.loads(record.read_text())["source"] == source:
        return
    record.unlink(missing_ok=True)
    shutil.rmtree(shelf.folder, ignore_errors=True)
    _seed()
    function(shelf)
    for entry in shelf.entries:
        if not (shelf.corpus / entry.path).exists():
            raise ValueError(f"{entry.source} registered {entry.path} and did not write it")
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps({"source": source, "files": [asdict(entry) for entry in shelf.entries]}))


def _source_of(function: Recipe) -> str:
    # The syntax tree, not the text: a new layout of the same recipe makes the same files.
    text = Path(inspect.getsourcefile(function) or "").read_text(encoding="utf-8")
    return hashlib.sha256(ast.dump(ast.parse(text)).encode()).hexdigest()


def _seed() -> None:
    random.seed(SEED)
    for name, attribute in (("numpy.random", "seed"), ("torch", "manual_seed")):
        module = importlib.util.find_spec(name.split(".")[0])
        if module is not None:
            getattr(importlib.import_module(name), attribute)(SEED)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the recipes of one family in order; ``--skip`` leaves out those that failed before."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("environment")
    parser.add_argument("family")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--skip", action="append", default=[])
    options = parser.parse_args(arguments)
    backend = "tensorflow" if options.environment == "frameworks" else "torch"
    os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", KERAS_BACKEND=backend, TQDM_DISABLE="1")
    for name, function in recipes_of(options.family).items():
        if name not in options.skip:
            # The driver reads the last such line to know which recipe failed.
            print(f"recipe {name}", flush=True)
            make(Shelf(options.corpus.resolve(), options.environment, options.family, name), function)
    print("recipe -", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
