"""The documentation tells the truth: every example runs, every link leads somewhere, generated pages are fresh."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.remotes.large_files import safetensors
from tests.remotes.loopback import LoopbackHub, judged, serving
from toadstone.core.config import read_config, read_suppressions
from tools.pages.__main__ import differences, existing, pages

ROOT = Path(__file__).parents[1]
GENERATED = {ROOT / name for name in pages()}
PAGES = sorted({ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")})
BY_HAND = [page for page in PAGES if page not in GENERATED]
ELSEWHERE = {"effects.md", "scoreboard.md"}
"""Pages whose commands need sources, models or peers that are not part of a checkout."""

EXTRAS = {
    f"toadstone[{name}]"
    for name in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
}
LANGUAGES = {"console", "python", "toml", "json", "text", "yaml"}


@dataclass
class Fence:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    body: str

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def fences(page: Path) -> list[Fence]:
    text = page.read_text(encoding="utf-8")
    blocks = re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Fence(page, text[: block.start()].count("\n") + 1, block[1], block[2]) for block in blocks]


FENCES = [fence for page in BY_HAND if page.name not in ELSEWHERE for fence in fences(page)]


def of(language: str) -> list[Fence]:
    return [fence for fence in FENCES if fence.language == language]


def commands(fence: Fence) -> list[tuple[str, str]]:
    """The commands of a console fence, each with the output that is shown below it."""
    parts = re.split(r"^\$ (.*)\n", fence.body, flags=re.MULTILINE)
    assert parts[0] == "", f"{fence.name} does not begin with a command"
    return list(zip(parts[1::2], parts[2::2], strict=True))


def matches(shown: str, printed: str) -> bool:
    """Whether output is as shown; ``…`` stands for anything, also for lines."""
    pattern = ".*".join(re.escape(part) for part in shown.split("…"))
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


def test_every_fence_has_a_language_that_is_checked():
    assert {fence.language for fence in FENCES} <= LANGUAGES, [fence.name for fence in FENCES if fence.language not in LANGUAGES]


@pytest.fixture
def loopback_hub(monkeypatch):
    """The hub of docs/remotes.md: every page may name ``hf://owner/name``."""
    hub = LoopbackHub()
    hub.add("config.json", b'{"model_type": "bert"}')
    hub.add("model.safetensors", safetensors(2_500_000_000), lfs=True, sha256="5" * 64, status=judged("safe"))
    evil = b"\x80\x02cposix\nsystem\nX\x0a\x00\x00\x00echo inert\x85R."
    hub.add("pytorch_model.bin", evil, lfs=True, status=judged("unsafe", pickleImportScan="unsafe"))
    with serving(hub):
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield hub


def writable(folder: Path) -> Path:
    """A folder in which commands may write, with the examples in it."""
    if not (folder / "examples").exists():
        (folder / "examples").symlink_to(ROOT / "examples")
    return folder


@pytest.mark.parametrize("fence", of("console"), ids=lambda fence: fence.name)
@pytest.mark.usefixtures("loopback_hub")
def test_console_examples(fence, tmp_path):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for command, shown in commands(fence):
        program, *words = command.split()
        if program == "make":
            assert words[0] in targets
        elif program == "pip":
            assert words == ["install", "."] or words[1].strip("'") in EXTRAS
        else:
            assert program == "toadstone", command
            environment = {
                **os.environ,
                "XDG_CACHE_HOME": str(tmp_path),
                "XDG_DATA_HOME": str(tmp_path / "data"),
                "COLUMNS": "120",
            }
            environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")])
            environment["TOADSTONE_LEDGER_PASSPHRASE"] = "as in the examples"
            line = [sys.executable, "-m", "toadstone", *words]
            writes = ("clean", "pin", "verify", "run", "trace", "ledger", "bom")
            folder = writable(tmp_path) if words[0] in writes or "--record" in words else ROOT
            done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
            assert done.returncode in (0, 1), done.stderr
            assert matches(shown, done.stdout), f"{command} printed:\n{done.stdout}"


@pytest.mark.parametrize(
    "page", sorted({fence.page for fence in of("python")} - {ROOT / "CONTRIBUTING.md"}), ids=lambda page: page.name
)
@pytest.mark.usefixtures("loopback_hub")
def test_python_examples(page, monkeypatch, capsys):
    """The blocks of a page run one after the other, from the root of the checkout."""
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    for fence in fences(page):
        if fence.language == "python":
            exec(compile(fence.body, fence.name, "exec"), names)
    capsys.readouterr()


@pytest.mark.parametrize("fence", of("toml"), ids=lambda fence: fence.name)
def test_toml_examples(fence, tmp_path):
    path = tmp_path / "toadstone.toml"
    path.write_text(fence.body, encoding="utf-8")
    if set(tomllib.loads(fence.body)) <= {"suppress", "allow"}:
        assert read_suppressions(path)
    config = read_config(path)
    from toadstone.core.panel import make_checks

    make_checks(config.checks, config.plugins)


@pytest.mark.parametrize("fence", of("json"), ids=lambda fence: fence.name)
def test_json_examples(fence):
    schema = json.loads((ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(fence.body))


@pytest.mark.parametrize("fence", of("yaml"), ids=lambda fence: fence.name)
def test_yaml_examples(fence):
    """They parse, and what they take from this repository exists under the names that they use."""
    document = yaml.safe_load(fence.body)
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    steps = [step for job in document.get("jobs", {}).values() for step in job["steps"]]
    used = [step for step in steps if "/toadstone@" in step["uses"]]
    hooks = [hook["id"] for repository in document.get("repos", []) for hook in repository["hooks"]]
    files = [entry["file"] for entry in document.get("include", [])]
    assert used or hooks or files, "an example of something"
    for step in used:
        assert set(step["with"]) <= set(action["inputs"])
    known = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
    assert set(hooks) <= known
    for name in files:
        assert set(document["variables"]) <= set(yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))["variables"])


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if "://" in target:
            assert target.startswith("https://")
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{target} of {page.name}"
        if anchor:
            assert anchor in anchors(there), f"{target} of {page.name}"


def test_every_page_is_reachable_from_the_readme():
    seen: set[Path] = set()
    queue = [ROOT / "README.md"]
    while queue:
        page = queue.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        queue += [(page.parent / target).resolve() for target in targets if "://" not in target]
    missing = {page for page in PAGES if page not in seen and page.name not in {"CHANGELOG.md", "scoreboard.md"}}
    assert missing == set()


def test_generated_pages_are_fresh():
    made = pages()
    assert differences(made, existing(made)) == []


def test_the_layers_in_the_architecture_are_those_that_are_enforced():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    shown = next(fence for fence in fences(ROOT / "docs" / "architecture.md") if fence.language == "text").body
    assert [re.split(r"\s{2,}", line)[0] for line in shown.splitlines()] == layers
    packages = {f"toadstone.{path.parent.name}" for path in (ROOT / "src" / "toadstone").glob("*/__init__.py")}
    assert {name for layer in layers for name in layer.split(" | ")} == packages


def test_every_fact_and_every_source_that_the_architecture_names_exists():
    from toadstone.core import fact

    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    facts = {
        name
        for name, value in vars(fact).items()
        if isinstance(value, type) and issubclass(value, fact.Fact) and value is not fact.Fact
    }
    assert {name for name in facts if f"`{name}`" not in text} == set()
    for path in re.findall(r"`((?:core|readers|checks|symbols|verbs|faces|formats)/[\w./*]+)`", text):
        assert list((ROOT / "src" / "toadstone").glob(path)), path


def test_the_project_speaks_only_of_itself():
    """No machine paths, no hosts of registries, in any file that is written by hand."""
    for page in [*BY_HAND, ROOT / "Makefile", ROOT / "pyproject.toml"]:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"/root/|/home/\w|/work/|file://|index-url", text), page


def test_the_version_is_in_the_changelog():
    from toadstone import __version__

    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_table_of_effects_is_the_one_that_judges():
    from toadstone.symbols import Effect
    from toadstone.symbols.weighing import CALLED, IMPORTED

    page = (ROOT / "docs" / "judgement.md").read_text(encoding="utf-8")
    told: dict[str, tuple[str, str]] = {}
    for effects, called, resolved in re.findall(r"^\| (`[^|]+) \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE):
        for effect in re.findall(r"`([\w-]+)`", effects.partition("(")[0]):
            told[effect] = (re.split(r"\W", called)[0], resolved.strip())
    never = "\N{EN DASH}"
    decided = {effect: (CALLED[effect].label, IMPORTED[effect].label if effect in IMPORTED else never) for effect in Effect}
    assert told == {effect.value: severities for effect, severities in decided.items()}


def test_a_stale_a_missing_and_a_leftover_page_are_told():
    told = differences({"a.md": "new\n", "b.md": "text\n"}, {"a.md": "old\n", "c.md": "left\n"})
    assert [line for line in told if not line.startswith(("---", "+++", "@@"))] == ["-old", "+new", "+text", "-left"]
