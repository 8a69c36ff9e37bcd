"""Which libraries each family of recipes needs, and the environments they are installed into.

``current`` holds this year's releases. ``classic`` holds releases of 2023, whose pickles name modules that have moved
since (``numpy.core``), as most published models do. ``wide`` holds libraries that need an older scikit-learn, ``fresh``
libraries that were first looked at when the rules were written, ``frameworks`` and ``paddle`` those that bring a runtime of
their own.
Every version, transitive ones included, is pinned by ``constraints/ENVIRONMENT.txt``.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.place import work_folder

CONSTRAINTS = Path(__file__).with_name("constraints")


@dataclass(frozen=True)
class Family:
    """A module of recipes, the environments it runs in, and what it needs there.

    Attributes:
        name: Module below ``benchmarks.corpus.benign``.
        requirements: Packages, without versions.
        bare: Packages installed without their dependencies (they would pull in GPU libraries).
        environments: Where it runs.
    """

    name: str
    requirements: tuple[str, ...]
    bare: tuple[str, ...] = ()
    environments: tuple[str, ...] = ("current",)


FAMILIES = (
    Family("sklearn_models", ("scikit-learn", "pandas", "joblib", "lz4"), environments=("current", "classic")),
    Family("torch_models", ("torch", "numpy")),
    Family("arrays", ("numpy", "scipy", "pandas", "zstandard"), environments=("current", "classic")),
    Family("xgboost_models", ("scikit-learn", "joblib"), bare=("xgboost",), environments=("current", "classic")),
    Family("lightgbm_models", ("lightgbm", "scikit-learn", "joblib"), environments=("current", "classic")),
    Family("statistics_models", ("statsmodels",), environments=("current", "classic")),
    Family("functions", ("dill", "cloudpickle", "scikit-learn")),
    Family("onnx_models", ("onnx", "skl2onnx", "scikit-learn")),
    Family("skops_models", ("skops", "scikit-learn")),
    Family("tensor_files", ("safetensors", "gguf", "numpy", "torch")),
    Family("keras_models", ("keras", "torch", "h5py")),
    Family("transformers_models", ("torch", "transformers", "tokenizers", "accelerate", "peft")),
    Family("sentence_models", ("torch", "transformers", "sentence-transformers")),
    Family("gensim_models", ("gensim",)),
    Family("nltk_models", ("nltk",)),
    Family("spacy_models", ("spacy",)),
    Family("catboost_models", ("catboost", "scikit-learn")),
    Family("training_runs", ("torch", "pytorch-lightning", "stable-baselines3")),
    Family("anomaly_models", ("pyod",), environments=("wide",)),
    Family(
        "companion_models",
        ("torch", "imbalanced-learn", "hmmlearn", "lifelines", "category_encoders", "skorch", "river", "ngboost"),
        environments=("wide",),
    ),
    Family("umap_models", ("umap-learn", "scikit-learn"), environments=("wide",)),
    Family("flax_models", ("jax", "flax", "msgpack"), environments=("wide",)),
    Family(
        "fresh_models",
        (
            "scikit-learn",
            "mlxtend",
            "feature-engine",
            "skrub",
            "imodels",
            "gplearn",
            "hdbscan",
            "scikit-survival",
            "interpret-core",
            "fairlearn",
            "mapie",
            "crepes",
            "shap",
            "optuna",
            "hyperopt",
            "deap",
            "sktime",
            "prophet",
            "tslearn",
            "arch",
            "linearmodels",
            "pgmpy",
            "implicit",
            "astropy",
            "sympy",
            "biopython",
        ),
        environments=("fresh",),
    ),
    Family(
        "fresh_objects",
        (
            "torch",
            "torch-geometric",
            "gpytorch",
            "polars",
            "pyarrow",
            "pandas",
            "xarray",
            "dask",
            "fastcore",
            "rdkit",
            "ase",
            "geopandas",
            "joblib",
        ),
        environments=("fresh",),
    ),
    Family("openvino_models", ("openvino", "numpy"), environments=("wide",)),
    Family("r_models", ("numpy",)),
    Family("exported_models", ("torch",)),
    Family("tensorflow_models", ("tensorflow-cpu",), environments=("frameworks",)),
    Family("keras2_models", ("tensorflow-cpu",), bare=("tf-keras",), environments=("frameworks",)),
    Family("published_models", (), bare=("basic-pitch", "kraken"), environments=("frameworks",)),
    Family("coreml_models", ("coremltools", "numpy"), environments=("frameworks",)),
    Family("packed_models", ("py7zr", "numpy"), environments=("frameworks",)),
    Family("paddle_models", ("paddlepaddle",), environments=("paddle",)),
    Family("projects", ("scikit-learn", "joblib", "pillow", "transformers", "torch", "zstandard", "safetensors")),
)


class NotInstalledError(Exception):
    """A family's libraries could not be installed; the message is the installer's last line."""


def python_of(environment: str) -> Path:
    """Return the interpreter of an environment; make the environment if absent."""
    folder = work_folder() / "environments" / environment
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return python


def install(environment: str, family: Family) -> Path:
    """Install what *family* needs into *environment*, once, and return the interpreter.

    ``TOADSTONE_BENCH_PIP`` adds options for the installer, e.g. the index of CPU-only builds of torch.

    Raises:
        NotInstalledError: the installer failed.
    """
    python = python_of(environment)
    constraints = CONSTRAINTS / f"{environment}.txt"
    wanted = "\n".join((constraints.read_text(), *family.requirements, *family.bare))
    stamp = python.parent.parent / f"installed-{hashlib.sha256(wanted.encode()).hexdigest()[:16]}"
    if stamp.exists():
        return python
    common = [str(python), "-m", "pip", "install", "--quiet", "--no-input", "--constraint", str(constraints)]
    common += shlex.split(os.environ.get("TOADSTONE_BENCH_PIP", ""))
    # torch goes first and alone: installed as another package's dependency it may bring a GPU build.
    torch = [name for name in family.requirements if name == "torch"]
    for options, packages in (([], torch), (["--no-deps"], family.bare), ([], family.requirements)):
        if packages:
            _install([*common, *options, *packages])
    stamp.touch()
    return python


def _install(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        errors = [line for line in result.stderr.splitlines() if line.startswith("ERROR")]
        raise NotInstalledError(errors[-1] if errors else f"the installer ended with status {result.returncode}")
