"""Scans of repositories on a hub that speaks the Hugging Face hub's API."""

from __future__ import annotations

import json
import pickle
import sys

import jsonschema
import pytest

from tests.remotes.large_files import gguf, npy, onnx, safetensors, torch_zip
from tests.remotes.loopback import COMMIT, Content, judged
from toadstone import Severity, UsageError, scan
from toadstone.faces.cli import main
from toadstone.remotes.access import Access, Limits
from toadstone.remotes.hub_address import HubAddress, parse

EVIL = b"\x80\x02cposix\nsystem\nX\x0b\x00\x00\x00echo inert!\x85R."
GOOD = pickle.dumps({"a": 1})
QUICK = Access(limits=Limits(patience=2.0, attempts=2, pause=0.01))


def reasons(report):
    return [gap.reason for subject in report.subjects for gap in subject.unread]


def test_a_repository(hub, root):
    hub.add("config.json", b'{"model_type": "bert"}')
    hub.add("weights/model.pkl", EVIL, lfs=True, status=judged("unsafe", pickleImportScan="unsafe"))
    hub.add("model.safetensors", safetensors(1 << 20), lfs=True, status=judged("safe"))
    report = scan("hf://owner/name")
    assert [subject.path for subject in report.subjects] == [
        "hf://owner/name/config.json", "hf://owner/name/model.safetensors", "hf://owner/name/weights/model.pkl",
    ]  # fmt: skip
    assert report.complete
    assert {finding.check for finding in report.findings} == {"unsafe-import", "hub-warning"}
    assert report.exit_code(Severity.HIGH) == 1
    evil = report.subjects[2]
    assert evil.origin["commit"] == COMMIT
    assert evil.origin["claimed"]["sha256"] == evil.digests["sha256"]
    assert evil.origin["hub"] == {
        "status": "unsafe", "avScan": "safe", "pickleImportScan": "unsafe",
        "jFrogScan": "unscanned", "protectAiScan": "unscanned",
    }  # fmt: skip
    schema = json.loads((root / "docs" / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(report.as_dict())


def test_the_same_repository_gives_the_same_report(hub):
    hub.add("a.pkl", EVIL, lfs=True)
    hub.add("b.safetensors", safetensors(3 << 20), lfs=True)
    first, second = scan("hf://owner/name"), scan("hf://owner/name")
    assert first.as_dict() == second.as_dict()


def test_the_hub_s_word_alone_does_not_pass_the_gate(hub):
    hub.add("model.pkl", GOOD, lfs=True, status=judged("unsafe", avScan="unsafe"))
    hub.add("other.pkl", GOOD, lfs=True, status=judged("caution"))
    report = scan("hf://owner/name")
    assert [(finding.check, finding.severity) for finding in report.findings] == [
        ("hub-warning", Severity.MEDIUM), ("hub-warning", Severity.LOW),
    ]  # fmt: skip
    assert report.exit_code(Severity.HIGH) == 0


@pytest.mark.parametrize("make", [safetensors, gguf, onnx, torch_zip, npy], ids=lambda make: make.__name__)
def test_tensors_are_not_fetched(hub, make):
    content = make(400 << 20)
    name = {safetensors: "m.safetensors", gguf: "m.gguf", onnx: "m.onnx", torch_zip: "pytorch_model.bin", npy: "m.npy"}[make]
    hub.add(name, content, lfs=True, sha256="a" * 64)
    report = scan("hf://owner/name")
    assert report.verdict == "clean", report.as_dict()
    assert report.subjects[0].size == content.size
    assert report.subjects[0].digests == {}, "not every byte was read"
    assert hub.served < content.size / 100
    assert report.received == hub.served


def test_a_payload_between_tensors_is_found_all_the_same(hub):
    shard = safetensors(8 << 20, tensors=4)
    hub.add("model.safetensors", Content(*shard.parts, EVIL), lfs=True)
    report = scan("hf://owner/name")
    assert "unsafe-import" in {finding.check for finding in report.findings}


def test_digests_are_compared_where_every_byte_was_read(hub):
    hub.add("small.pkl", GOOD, lfs=True, sha256="b" * 64)
    hub.add("large.npy", npy(3 << 20), lfs=True, sha256="c" * 64)
    hub.add("plain.txt", b"words\n")
    lazy = scan("hf://owner/name")
    assert {finding.place.path for finding in lazy.findings} == {"hf://owner/name/small.pkl"}
    assert {finding.check for finding in lazy.findings} == {"digest-mismatch"}
    assert lazy.exit_code(Severity.HIGH) == 1
    whole = scan("hf://owner/name", access=Access(digests=True))
    assert {finding.place.path for finding in whole.findings} == {"hf://owner/name/small.pkl", "hf://owner/name/large.npy"}
    assert all(subject.digests for subject in whole.subjects)
    assert whole.findings[0].evidence["measured"] == npy(3 << 20).sha256()


def test_a_small_file_that_is_not_the_listed_one(hub):
    hub.add("config.json", b"{}")
    entry = hub.files["config.json"]
    entry.entry = lambda path: {"type": "file", "oid": "0" * 40, "size": 2, "path": path}
    report = scan("hf://owner/name")
    assert [finding.evidence["algorithm"] for finding in report.findings] == ["git-sha1"]


def test_one_file_one_folder_and_a_data_set(hub):
    hub.add("a.pkl", EVIL)
    hub.add("inner/b.pkl", GOOD)
    hub.add("inner/deep/c.pkl", GOOD)
    paths = {
        "hf://owner/name/a.pkl": ["hf://owner/name/a.pkl"],
        "hf://owner/name/a.pkl@v1": ["hf://owner/name/a.pkl@v1"],
        "hf://owner/name/inner@v1": ["hf://owner/name/inner@v1/b.pkl", "hf://owner/name/inner@v1/deep/c.pkl"],
        "hf://owner/name@v1/inner/deep": ["hf://owner/name@v1/inner/deep/c.pkl"],
        "hf://datasets/owner/name@refs/pr/1/a.pkl": ["hf://datasets/owner/name@refs/pr/1/a.pkl"],
    }
    for target, shown in paths.items():
        report = scan(target)
        assert [subject.path for subject in report.subjects] == shown
        assert {subject.kind for subject in report.subjects} == {"pickle"}, "the revision is no part of the name"


def test_exclusions_count_below_the_target(hub):
    from toadstone import Config

    hub.add("a.pkl", EVIL)
    hub.add("onnx/b.pkl", EVIL)
    report = scan("hf://owner/name", config=Config(exclude=("onnx/*",)))
    assert [subject.path for subject in report.subjects] == ["hf://owner/name/a.pkl"]


def test_a_long_listing_comes_in_pages(hub):
    for number in range(120):
        hub.add(f"file{number}.txt", b"words\n")
    assert len(scan("hf://owner/name").subjects) == 120
    assert sum("/tree/" in path for path, _ in hub.requests) == 3


def test_files_refer_to_each_other(hub):
    """Custom code that a configuration names is judged with the file next to it."""
    hub.add("config.json", b'{"auto_map": {"AutoModel": "modeling.Net"}}')
    hub.add("modeling.py", b"import os\nos.system('echo inert')\nclass Net: pass\n")
    report = scan("hf://owner/name")
    assert "remote-code" in {finding.check for finding in report.findings}


def test_the_token_is_sent_to_the_hub_only(hub, monkeypatch):
    hub.token = "hf_inert"
    hub.add("model.pkl", GOOD, lfs=True)
    assert "set HF_TOKEN" in reasons(scan("hf://owner/name"))[0]
    monkeypatch.setenv("HF_TOKEN", "hf_inert")
    hub.requests.clear()
    report = scan("hf://owner/name")
    assert report.verdict == "clean"
    assert all(headers["authorization"] == "Bearer hf_inert" for path, headers in hub.requests if not path.startswith("/cdn/"))
    assert not any("authorization" in headers for path, headers in hub.requests if path.startswith("/cdn/"))
    assert "hf_inert" not in json.dumps(report.as_dict())


def test_the_stored_token_is_used(hub, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    hub.token = "hf_stored"
    hub.add("model.pkl", GOOD)
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "token").write_text("hf_stored\n", encoding="utf-8")
    assert scan("hf://owner/name").verdict == "clean"


@pytest.mark.parametrize(
    ("target", "word"),
    [
        ("hf://owner/name@v9", "no such branch"),
        ("hf://owner/other", "no such repository"),
        ("hf://owner/name/nothing.pkl", "has no 'nothing.pkl'"),
    ],
)
def test_what_is_not_there(hub, target, word, capsys):
    hub.add("a.pkl", GOOD)
    assert main(["scan", target]) == 3
    assert word in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        ("hf://owner/name", HubAddress("models", "owner/name")),
        ("hf://owner/name@v1.0", HubAddress("models", "owner/name", "v1.0")),
        ("hf://models/owner/name/a/b.pkl@v1", HubAddress("models", "owner/name", "v1", "a/b.pkl")),
        ("hf://owner/name@v1/a/b.pkl", HubAddress("models", "owner/name", "v1", "a/b.pkl")),
        ("hf://owner/name@refs/pr/12/a.pkl", HubAddress("models", "owner/name", "refs/pr/12", "a.pkl")),
        ("hf://owner/name/a.pkl@feature/x", HubAddress("models", "owner/name", "feature/x", "a.pkl")),
        ("hf://owner/name@feature%2Fx/a.pkl", HubAddress("models", "owner/name", "feature/x", "a.pkl")),
        ("hf://datasets/owner/name/", HubAddress("datasets", "owner/name")),
        ("hf://spaces/owner/name", HubAddress("spaces", "owner/name")),
    ],
)
def test_addresses(target, wanted):
    assert parse(target) == wanted


@pytest.mark.parametrize(
    "target", ["hf://", "hf://bert", "hf://owner/name@", "hf://../name", "hf://owner/name@../x", "hf://a b/c"]
)
def test_addresses_that_are_none(target):
    with pytest.raises(UsageError):
        parse(target)


def test_an_endpoint_that_is_no_address_is_a_usage_error(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "hub.example")
    with pytest.raises(UsageError, match="HF_ENDPOINT"):
        scan("hf://owner/name")


def test_the_terminal_shows_what_the_hub_says(hub, capsys):
    hub.add("model.safetensors", safetensors(3 << 20), lfs=True, sha256="a" * 64, status=judged("safe"))
    assert main(["scan", "hf://owner/name", "--verbose", "--no-color"]) == 0
    out = capsys.readouterr().out
    assert f"claimed   sha256 {'a' * 64} (not compared: not every byte was read)" in out
    assert "hub says  safe, avScan safe" in out
    assert f"commit {COMMIT}" in out
    assert "the hub's own scan: 1 safe" in out
    assert "fetched" in out


def test_no_network_code_is_loaded_for_local_files(tmp_path):
    import subprocess

    (tmp_path / "a.pkl").write_bytes(GOOD)
    code = (
        "import sys; from toadstone.faces.cli import main; main(['scan', sys.argv[1], '--quiet']);"
        "print([name for name in sys.modules if name.startswith(('toadstone.remotes', 'http', 'ssl', 'urllib.request'))])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_mirror_without_a_listing(hub, monkeypatch):
    """Some mirrors serve what a download needs, and nothing more: then sizes come with the content."""
    from tests.remotes import loopback

    hub.add("a.pkl", EVIL, lfs=True)
    hub.add("inner/large.safetensors", safetensors(3 << 20), lfs=True)
    monkeypatch.setattr(loopback._Handler, "tree", lambda self, *_rest: self.start(404, {"Content-Length": "0"}))
    report = scan("hf://owner/name")
    assert [(subject.path, subject.kind) for subject in report.subjects] == [
        ("hf://owner/name/a.pkl", "pickle"), ("hf://owner/name/inner/large.safetensors", "safetensors"),
    ]  # fmt: skip
    assert report.complete
    assert report.exit_code(Severity.HIGH) == 1
    assert [subject.path for subject in scan("hf://owner/name/inner").subjects] == ["hf://owner/name/inner/large.safetensors"]


def test_offline_means_offline(hub, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UsageError, match="HF_HUB_OFFLINE"):
        scan("hf://owner/name")
    assert hub.requests == []
