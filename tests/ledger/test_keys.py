"""Keys: encrypted files that other tools read, and errors that say what is wrong."""

from __future__ import annotations

import shutil
import stat
import subprocess

import pytest

from tests.ledger.writer import KEY, needed
from toadstone.ledger.errors import LedgerError
from toadstone.ledger.keys import KEY_VARIABLE, Key, default_key_file, is_encrypted, key_source
from toadstone.ledger.ledger import Ledger


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("key") / "deep" / "key.pem"
    KEY.save(path, "pässword")
    return path


def test_a_key_comes_back(file):
    assert Key.load(str(file), "pässword").public == KEY.public
    assert Key.load(file.read_text(), "pässword").public == KEY.public
    assert Key.load(KEY.pem("")).public == Key.load(KEY.pem(""), "not needed").public == KEY.public
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (is_encrypted(str(file)), is_encrypted(KEY.pem(""))) == (True, False)
    assert KEY.sign(b"x") == Key.load(str(file), "pässword").sign(b"x")


def test_two_files_of_one_key_have_nothing_in_common():
    one, two = KEY.pem("same"), KEY.pem("same")
    assert one.splitlines()[3] != two.splitlines()[3]


def test_openssl_reads_it(file):
    program = shutil.which("openssl")
    if program is None:
        needed("openssl")
    line = [program, "pkey", "-in", file, "-passin", "pass:pässword", "-pubout"]
    shown = subprocess.run(line, capture_output=True, text=True, check=True, timeout=60).stdout
    assert shown == KEY.verifier("x").pem()
    asked = subprocess.run([program, "asn1parse", "-in", file], capture_output=True, text=True, check=True, timeout=60).stdout
    assert "scrypt" in asked
    assert "aes-256-cbc" in asked


@pytest.mark.parametrize(
    ("source", "passphrase", "said"),
    [
        ("{file}", None, "is encrypted, and no passphrase was given"),
        ("{file}", "", "is encrypted, and no passphrase was given"),
        ("{file}", "wrong", "the passphrase does not open"),
        ("{file}.gone", None, "is not there"),
        ("{file}/below", None, "cannot be read"),
        ("-----BEGIN PRIVATE KEY-----\n!!!\n-----END PRIVATE KEY-----", None, f"the key in {KEY_VARIABLE} is no private key"),
        ("-----BEGIN NOTHING-----", None, "is no private key in PEM"),
        ("{rsa}", None, "is no Ed25519 key"),
    ],
)
def test_what_is_wrong_with_a_key_is_said(file, source, passphrase, said, rsa):
    with pytest.raises(LedgerError, match=said) as caught:
        Key.load(source.format(file=file, rsa=rsa) if "{" in source else source, passphrase)
    assert caught.value.advice or "cannot be read" in said
    assert "pässword" not in str(caught.value)


@pytest.fixture(scope="module")
def rsa() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return generate_private_key(SECP256R1()).private_bytes(*form).decode()


def test_a_damaged_file_opens_no_ledger(file, tmp_path, sqlite):
    sqlite.create().close()
    raw = file.read_bytes()
    for at in range(40, len(raw) - 40, 61):
        (tmp_path / "damaged.pem").write_bytes(raw[:at] + (b"A" if raw[at : at + 1] != b"A" else b"B") + raw[at + 1 :])
        try:
            found = Key.load(str(tmp_path / "damaged.pem"), "pässword")
        except LedgerError:
            continue
        with pytest.raises(LedgerError, match="belongs to another key"):  # the cipher has no checksum; the ledger has
            Ledger.open(sqlite.address, found)


def test_a_key_is_never_replaced(file):
    before = file.read_bytes()
    with pytest.raises(LedgerError, match="is there already"):
        Key.make().save(file, "x")
    assert file.read_bytes() == before
    with pytest.raises(LedgerError, match="cannot be written"):
        KEY.save(file / "below" / "deep", "x")


def test_which_key_is_meant(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    assert key_source() == str(default_key_file()) == str(tmp_path / "toadstone" / "ledger-key.pem")
    monkeypatch.setenv(KEY_VARIABLE, "elsewhere.pem")
    assert (key_source(), key_source("named.pem")) == ("elsewhere.pem", "named.pem")


def test_a_key_is_in_no_repr():
    assert KEY.pem("").splitlines()[1][-20:] not in repr(KEY) + str(vars(KEY))
