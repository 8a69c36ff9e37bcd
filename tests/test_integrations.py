"""What runs toadstone elsewhere: each file has the form that its host reads, and every command in it does what it says."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "examples" / "project" / "models"

ACTION = {
    "type": "object",
    "required": ["name", "description", "inputs", "outputs", "runs"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "description": {"type": "string", "maxLength": 125},
        "author": {"type": "string"},
        "branding": {"type": "object", "required": ["icon", "color"]},
        "inputs": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["description", "default"],
                "additionalProperties": False,
                "properties": {"description": {"type": "string"}, "default": {"type": "string"}},
            },
        },
        "outputs": {
            "type": "object",
            "additionalProperties": {"type": "object", "required": ["description", "value"], "additionalProperties": False,
                                     "properties": {"description": {"type": "string"}, "value": {"type": "string"}}},
        },
        "runs": {
            "type": "object",
            "required": ["using", "steps"],
            "additionalProperties": False,
            "properties": {
                "using": {"const": "composite"},
                "steps": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {name: {} for name in ("name", "id", "if", "shell", "env", "run", "uses", "with")},
                        "oneOf": [{"required": ["run", "shell"]}, {"required": ["uses"]}],
                    },
                },
            },
        },
    },
}  # fmt: skip

HOOKS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["id", "name", "entry", "language"],
        "additionalProperties": False,
        "properties": {
            **{
                name: {"type": "string"}
                for name in ("id", "name", "description", "entry", "language", "language_version", "files")
            },
            **{name: {"type": "boolean"} for name in ("pass_filenames", "always_run", "require_serial")},
            "minimum_pre_commit_version": {"type": "string"},
        },
    },
}

JOB = {
    "type": "object",
    "required": ["stage", "image", "script", "artifacts"],
    "additionalProperties": False,
    "properties": {
        "stage": {"type": "string"},
        "image": {"type": "string"},
        "variables": {"type": "object", "additionalProperties": {"type": "string"}},
        "cache": {"type": "object", "required": ["key", "paths"]},
        "before_script": {"type": "array", "items": {"type": "string"}},
        "script": {"type": "array", "items": {"type": "string"}},
        "artifacts": {"type": "object", "required": ["when", "paths", "reports"]},
    },
}


def loaded(name: str) -> object:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


@pytest.fixture
def programs(tmp_path):
    """A folder with a `toadstone` that is the one under test, and a `python` whose pip is asked for nothing."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "toadstone").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m toadstone "$@"\n', encoding="utf-8")
    (folder / "python").write_text('#!/bin/sh\necho "$@" >> "$ASKED"\n', encoding="utf-8")
    for program in folder.iterdir():
        program.chmod(0o755)
    return folder


def run(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script as the hosts do: bash, ending at the first failure."""
    settings = {**os.environ, **environment}
    settings.pop("NO_COLOR", None)
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder, env=settings, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


class Action:
    """Runs the steps of action.yml like a runner, except for steps of other actions."""

    def __init__(self, folder: Path, **inputs: str) -> None:
        self.action = loaded("action.yml")
        self.folder = folder
        self.temporary = folder / "runner"
        self.temporary.mkdir(exist_ok=True)
        self.inputs = {name: entry["default"] for name, entry in self.action["inputs"].items()} | inputs
        self.outputs: dict[str, str] = {}

    def value(self, text: str) -> str:
        def one(match: re.Match[str]) -> str:
            name = match[1].strip()
            if name == "github.action_path":
                return str(ROOT)
            if name.startswith("inputs."):
                return self.inputs[name.removeprefix("inputs.")]
            return self.outputs[name.removeprefix("steps.scan.outputs.")]

        return re.sub(r"\$\{\{(.*?)\}\}", one, text)

    def step(self, name: str) -> subprocess.CompletedProcess[str]:
        step = next(step for step in self.action["runs"]["steps"] if step["name"] == name)
        assert "${{" not in step["run"], "an input inside a script could become part of it"
        output, summary = self.temporary / "output", self.temporary / "summary.md"
        settings = {name: self.value(text) for name, text in step.get("env", {}).items()}
        settings |= {"RUNNER_TEMP": str(self.temporary), "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
        done = run(step["run"], self.folder, **settings)
        if output.exists():
            self.outputs |= dict(line.split("=", 1) for line in output.read_text(encoding="utf-8").splitlines())
        return done


@pytest.fixture
def action(tmp_path, programs):
    """The action in a checkout with one good and one bad model, as if toadstone had been installed."""
    for name in ("encoder.safetensors", "sentiment.pkl"):
        shutil.copy(MODELS / name, tmp_path / name)

    def prepared(**inputs: str) -> Action:
        made = Action(tmp_path, **inputs)
        (made.temporary / "toadstone" / "bin").mkdir(parents=True, exist_ok=True)
        shutil.copy(programs / "toadstone", made.temporary / "toadstone" / "bin" / "toadstone")
        return made

    return prepared


def test_the_action_has_the_form_of_an_action():
    jsonschema.validate(loaded("action.yml"), ACTION)
    action = loaded("action.yml")
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(action["inputs"]), "every input is used, and none is missing"
    produced = set(re.findall(r'echo "([\w-]+)=', text))
    assert {re.search(r"outputs\.([\w-]+)", output["value"])[1] for output in action["outputs"].values()} == produced


@pytest.mark.parametrize(
    ("inputs", "code", "decided"),
    [
        ({}, "1", 1),
        ({"targets": "encoder.safetensors"}, "0", 0),
        ({"targets": "encoder.safetensors\nsentiment.pkl\n"}, "1", 1),
        ({"targets": "sentiment.pkl", "options": "--stage\nserving"}, "1", 1),
        ({"targets": "nothing.pkl"}, "2", 2),
        ({"targets": "cut.gguf"}, "3", 3),
        ({"targets": "cut.gguf", "allow-incomplete": "true"}, "3", 0),
        ({"targets": "sentiment.pkl", "allow-incomplete": "true"}, "1", 1),
        ({"targets": "$(touch injected); `touch injected`"}, "2", 2),
    ],
    ids=lambda value: " ".join(value.values())[:30] if isinstance(value, dict) else None,
)
def test_the_action_scans_and_decides(action, inputs, code, decided):
    made = action(**{"targets": "encoder.safetensors\nsentiment.pkl", **inputs})
    (made.folder / "cut.gguf").write_bytes(b"GGUF\x03\x00\x00\x00\x05")
    done = made.step("Scan")
    assert done.returncode == 0, done.stderr
    assert made.outputs["exit-code"] == code
    assert not (made.folder / "injected").exists()
    if code != "2":
        report = json.loads(Path(made.outputs["sarif"]).read_text(encoding="utf-8"))
        assert report["version"] == "2.1.0"
        assert "<!DOCTYPE html>" in Path(made.outputs["html"]).read_text(encoding="utf-8")
        assert "## toadstone:" in (made.temporary / "summary.md").read_text(encoding="utf-8")
    assert made.step("Decide").returncode == decided


@pytest.mark.slow
def test_the_action_installs_the_product_from_where_it_lies(tmp_path):
    made = Action(tmp_path, python=sys.executable, targets=str(MODELS))
    done = made.step("Install toadstone")
    assert done.returncode == 0, done.stderr
    made.step("Scan")
    assert made.outputs["exit-code"] == "1"


def test_the_hooks_have_the_form_of_hooks():
    hooks = loaded(".pre-commit-hooks.yaml")
    jsonschema.validate(hooks, HOOKS)
    assert [hook["id"] for hook in hooks] == ["toadstone", "toadstone-all"]


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("model.pkl", True), ("a/b/pytorch_model.BIN", True), ("weights/model.safetensors", True), ("notebooks/a.ipynb", True),
        ("config.json", True), ("model/tokenizer_config.json", True), ("requirements-dev.txt", True),
        ("pkg/sitecustomize.py", True),
        ("tsconfig.json", False), ("README.md", False), ("src/app.py", False), ("a.pkl.md", False), ("picture.png", False),
    ],
)  # fmt: skip
def test_the_hook_looks_at(path, wanted):
    pattern = loaded(".pre-commit-hooks.yaml")[0]["files"]
    assert bool(re.search(pattern, path)) is wanted


def test_the_hooks_run(programs, tmp_path):
    shutil.copy(MODELS / "sentiment.pkl", tmp_path / "bad.pkl")
    shutil.copy(MODELS / "encoder.safetensors", tmp_path / "good.safetensors")
    first, second = loaded(".pre-commit-hooks.yaml")
    path = f"{programs}:{os.environ['PATH']}"
    assert run(f"{first['entry']} good.safetensors", tmp_path, PATH=path).returncode == 0
    assert run(f"{first['entry']} good.safetensors bad.pkl", tmp_path, PATH=path).returncode == 1
    (tmp_path / ".git").mkdir()
    shutil.copy(MODELS / "sentiment.pkl", tmp_path / ".git" / "object.pkl")
    (tmp_path / "bad.pkl").unlink()
    shutil.rmtree(programs.parent / "runner", ignore_errors=True)
    words = shlex.split(second["entry"])
    done = subprocess.run([str(programs / words[0]), *words[1:]], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_template_has_the_form_of_a_pipeline():
    template = loaded("templates/gitlab.yml")
    assert set(template) == {"variables", "toadstone"}
    assert all(isinstance(value, str) for value in template["variables"].values())
    jsonschema.validate(template["toadstone"], JOB)


@pytest.mark.parametrize(
    ("targets", "code"), [("good.safetensors", 0), ("good.safetensors bad.pkl", 1), (".", 1), ("nothing", 2)]
)
def test_the_template_runs(programs, tmp_path, targets, code):
    work = tmp_path / "checkout"
    work.mkdir()
    shutil.copy(MODELS / "sentiment.pkl", work / "bad.pkl")
    shutil.copy(MODELS / "encoder.safetensors", work / "good.safetensors")
    template = loaded("templates/gitlab.yml")
    job = template["toadstone"]
    asked = tmp_path / "asked"
    settings = {
        **template["variables"],
        "TOADSTONE_TARGETS": targets,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "ASKED": str(asked),
    }
    done = run("\n".join([*job["before_script"], *job["script"]]), work, **settings)
    assert done.returncode == code, done.stderr
    assert asked.read_text(encoding="utf-8") == "-m pip install --quiet --disable-pip-version-check toadstone\n"
    if code != 2:
        for path in (job["artifacts"]["reports"]["junit"], "toadstone-report/report.html", "toadstone-report/report.sarif"):
            assert (work / path).stat().st_size
        assert job["artifacts"]["paths"] == ["toadstone-report"]
