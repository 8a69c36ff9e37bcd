"""OpenSSF Model Signing: what is signed, what is seen of tampering, and that other implementations agree."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from toadstone.faces.cli import main

PEER = os.environ.get("TOADSTONE_MODEL_SIGNING") or shutil.which("model_signing")
"""Program of the ``model-signing`` package, in an environment of its own."""


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOADSTONE_SIGNING_PASSPHRASE", raising=False)
    Path("m/sub").mkdir(parents=True)
    Path("m/a.bin").write_bytes(bytes(5000))
    Path("m/sub/b.txt").write_text("b")
    write_keys(ec.generate_private_key(ec.SECP256R1()))
    return tmp_path / "m"


def write_keys(key, passphrase=None):
    how = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    Path("key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how))
    Path("public.pem").write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def signed(*words):
    return main(["sign", "m", "--key", "key.pem", "--quiet", *words])


def verified(capsys, *words):
    capsys.readouterr()
    code = main(["sign", "m", "--verify", "--key", "public.pem", *words])
    return code, [tuple(line.split()) for line in capsys.readouterr().out.splitlines()[:-1]]


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_what_was_signed_is_verified(model, capsys, curve):
    write_keys(ec.generate_private_key(curve))
    assert signed() == 0
    assert verified(capsys) == (0, [])


TAMPERED = {
    "edited": (lambda model: (model / "a.bin").write_bytes(bytes(4999) + b"\1"), [("edited", "a.bin")]),
    "longer": (lambda model: (model / "a.bin").write_bytes(bytes(5001)), [("edited", "a.bin")]),
    "removed": (lambda model: (model / "a.bin").unlink(), [("removed", "a.bin")]),
    "renamed": (lambda model: (model / "a.bin").rename(model / "c.bin"), [("removed", "a.bin"), ("added", "c.bin")]),
    "planted": (lambda model: ((model / ".git").mkdir(), (model / ".git" / "hook").write_text("x")), [("added", ".git/hook")]),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_tampering_is_named(model, capsys, what):
    tamper, expected = TAMPERED[what]
    signed()
    tamper(model)
    assert verified(capsys) == (1, expected)


def test_what_a_signature_leaves_out_is_told(model, capsys):
    signed("--ignore", "sub")
    assert verified(capsys) == (1, [("uncovered", "sub/b.txt")])


def test_a_signature_inside_the_model_is_no_part_of_it(model, capsys):
    signed("--signature", "m/model.sig")
    assert verified(capsys, "--signature", "m/model.sig") == (0, [])


def forged(change):
    bundle = json.loads(Path("model.sig").read_text())
    change(bundle)
    Path("model.sig").write_text(json.dumps(bundle))


def payload(bundle, change):
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    change(statement)
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()


FORGED = {
    "another digest": lambda bundle: payload(
        bundle, lambda statement: statement["predicate"]["resources"][0].update(digest="0" * 64)
    ),
    "another type": lambda bundle: bundle["dsseEnvelope"].update(payloadType="text/plain"),
    "no signature": lambda bundle: bundle["dsseEnvelope"].update(signatures=[]),
    "no envelope": lambda bundle: bundle.pop("dsseEnvelope"),
    "another key": lambda bundle: bundle["verificationMaterial"]["publicKey"].update(hint="0" * 64),
    "no base64": lambda bundle: bundle["dsseEnvelope"].update(payload="%"),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_signature_is_refused(model, capsys, what):
    signed()
    forged(FORGED[what])
    assert verified(capsys)[0] == 2


def test_keys_that_cannot_be_used(model, capsys, monkeypatch):
    signed()
    write_keys(ec.generate_private_key(ec.SECP256R1()))
    assert verified(capsys)[0] == 2
    write_keys(ec.generate_private_key(ec.SECP256K1()))
    assert signed() == 2
    write_keys(ed25519.Ed25519PrivateKey.generate())
    assert signed() == 2
    assert "no ECDSA key" in capsys.readouterr().err
    write_keys(ec.generate_private_key(ec.SECP256R1()), b"secret")
    assert signed() == 2
    monkeypatch.setenv("TOADSTONE_SIGNING_PASSPHRASE", "secret")
    assert signed() == 0
    assert verified(capsys) == (0, [])
    Path("key.pem").write_text("no key")
    assert signed() == 2
    assert main(["sign", "m", "--key", "nowhere"]) == 2
    assert main(["sign", "nowhere", "--key", "key.pem"]) == 2


def test_links_are_refused(model, capsys):
    (model / "link").symlink_to("a.bin")
    assert signed() == 2
    assert "symbolic link" in capsys.readouterr().err


@pytest.mark.skipif(
    PEER is None, reason="the program model_signing is not there (pip install model-signing pyopenssl in its own environment)"
)
@pytest.mark.parametrize("words", [[], ["--ignore-paths", "m/sub"]], ids=["all", "ignoring"])
def test_the_reference_implementation_agrees_both_ways(model, capsys, words):
    assert PEER is not None
    signed()
    subprocess.run(
        [PEER, "verify", "key", "--public_key", "public.pem", "--signature", "model.sig", "m"], check=True, capture_output=True
    )
    (model / "a.bin").write_bytes(b"other")
    assert subprocess.run(
        [PEER, "verify", "key", "--public_key", "public.pem", "--signature", "model.sig", "m"], capture_output=True, check=False
    ).returncode
    subprocess.run(
        [PEER, "sign", "key", "--private_key", "key.pem", "--signature", "theirs.sig", *words, "m"],
        check=True,
        capture_output=True,
    )
    assert verified(capsys, "--signature", "theirs.sig") == ((1, [("uncovered", "sub/b.txt")]) if words else (0, []))
    (model / ".git").mkdir()
    (model / ".git" / "hook").write_text("planted")
    subprocess.run(
        [PEER, "verify", "key", "--public_key", "public.pem", "--signature", "theirs.sig", "m"], check=True, capture_output=True
    )
    assert ("uncovered", ".git/hook") in verified(capsys, "--signature", "theirs.sig")[1]
