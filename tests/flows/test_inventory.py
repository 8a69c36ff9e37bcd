"""The supply chain of a source tree: what it names, and what of it can change under one's feet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toadstone.faces.cli import main

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CODE = f"""
import openai
from anthropic import Anthropic
from datasets import load_dataset as load
import transformers as tr
from transformers import AutoModel, pipeline
from sentence_transformers import SentenceTransformer
import torch

NAME = "owner/constant"
model = AutoModel.from_pretrained("owner/unpinned")
pinned = AutoModel.from_pretrained("owner/pinned", revision="{COMMIT}")
moved = tr.AutoModel.from_pretrained(NAME, revision="main")
code = AutoModel.from_pretrained("owner/code", trust_remote_code=True)
reviewed = AutoModel.from_pretrained("owner/code2", revision="{COMMIT}", trust_remote_code=True)
local = AutoModel.from_pretrained("./model")
unknown = AutoModel.from_pretrained(name())
data = load("owner/data", split="train")
words = pipeline("text-classification", model="owner/pipe")
plain = pipeline("text-classification")
vectors = SentenceTransformer("all-MiniLM-L6-v2")
hub = torch.hub.load("pytorch/vision", "resnet50", trust_repo=True)
page = torch.hub.load_state_dict_from_url("http://weights.example/w.pt")
"""


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(CODE)
    return tmp_path


def listed(capsys, *words):
    capsys.readouterr()
    code = main(["inventory", "--format", "json", *words])
    return code, json.loads(capsys.readouterr().out)["parts"]


def test_what_code_takes_from_elsewhere(tree, capsys):
    code, parts = listed(capsys)
    found = {part["name"]: (part["kind"], part["severity"], part["pinned"], part["flaws"]) for part in parts}
    assert found["owner/unpinned"] == ("model", "medium", "", ["no revision: it is whatever its owner makes of it"])
    assert found["owner/pinned"] == ("model", "info", COMMIT[:12], [])
    assert found["owner/constant"] == ("model", "medium", "", ["the revision 'main' can be moved"])
    assert found["owner/code"][1] == "high"
    assert found["owner/code2"] == ("model", "medium", COMMIT[:12], ["code of the repository runs"])
    assert found["./model"] == ("model", "info", "", [])
    assert found["(worked out at run time, transformers.AutoModel.from_pretrained)"][1] == "low"
    assert found["owner/data"][0] == "dataset"
    assert found["owner/pipe"][0] == "model"
    assert found["all-MiniLM-L6-v2"][1] == "medium"
    assert found["pytorch/vision"][1] == "high"
    assert found["http://weights.example/w.pt"][1] == "high"
    assert {name for name, part in found.items() if part[0] == "service"} == {"OpenAI", "Anthropic"}
    assert len(parts) == 14
    assert code == 1


def test_files_are_held_against_the_lock(tree, capsys):
    Path("train.py").unlink()
    Path("models").mkdir()
    for name in ("models/a.safetensors", "b.pkl", "rows.csv"):
        Path(name).write_bytes(b"\x80\x04K\x01." if name.endswith("pkl") else b"a,b\n1,2\n")
    assert [(part["path"], part["severity"]) for part in listed(capsys)[1]] == [
        ("rows.csv", "medium"),
        ("b.pkl", "medium"),
        ("models/a.safetensors", "medium"),
    ]
    main(["pin", "b.pkl", "--quiet"])
    main(["pin", "models", "rows.csv", "--no-scan", "--quiet"])
    found = {part["path"]: part for part in listed(capsys)[1]}
    assert found["b.pkl"]["scan"] == "clean"
    assert found["b.pkl"]["flaws"] == []
    assert found["models/a.safetensors"]["flaws"] == ["not scanned"]
    Path("b.pkl").write_bytes(b"\x80\x04K\x02.")
    code, parts = listed(capsys)
    assert (code, parts[0]["flaws"]) == (1, ["it changed since it was pinned"])


def test_packages_prompts_and_notebooks(tree, capsys):
    Path("train.py").unlink()
    Path("requirements-dev.txt").write_text("torch==2.13.0\ntransformers>=4  # a comment\nrequests\nscikit_learn==1.*\n")
    Path("pyproject.toml").write_text(
        '[project]\ndependencies = ["openai==1.2.3", "attrs"]\noptional-dependencies = {x = ["vllm"]}\n'
    )
    Path("system.prompt").write_text("You are")
    cell = {
        "cell_type": "code",
        "source": ["!pip install x\n", "from transformers import AutoModel\n", "AutoModel.from_pretrained('a/b')"],
    }
    Path("n.ipynb").write_text(json.dumps({"cells": [cell, {"cell_type": "markdown", "source": "x"}]}))
    code, parts = listed(capsys, "--fail-on", "low")
    assert code == 1
    found = {part["name"]: (part["kind"], part["pinned"], part["severity"]) for part in parts}
    assert found == {
        "a/b": ("model", "", "medium"),
        "torch": ("package", "2.13.0", "info"),
        "transformers": ("package", "", "low"),
        "scikit_learn": ("package", "", "low"),
        "openai": ("package", "1.2.3", "info"),
        "vllm": ("package", "", "low"),
        "system.prompt": ("prompt", "", "info"),
    }


HOSTILE = ["def f(:", "(" * 100_000, "x = 1\n" * 300_000, "\x00", "lambda: " * 5000 + "1", "a" + ".b" * 20_000 + "('x')"]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_sources_give_nothing(tree, capsys, text):
    Path("train.py").write_text(text)
    Path("n.ipynb").write_text("[" * 100_000)
    Path("pyproject.toml").write_text("[project]\ndependencies = 3")
    assert listed(capsys) == (0, [])


def test_bad_words(tree, capsys):
    assert main(["inventory", "nowhere"]) == 2
    assert main(["inventory", "train.py"]) == 2
    assert "no folder" in capsys.readouterr().err
    assert main(["inventory", "--quiet"]) == 1
    assert capsys.readouterr().out == ""
