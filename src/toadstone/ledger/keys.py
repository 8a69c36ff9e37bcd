"""Ed25519 keys: made, kept under a passphrase, and written as the verifier keys of C2SP signed notes.

A key file is encrypted PKCS #8 (RFC 5958) in PEM: AES-256-CBC under scrypt (RFC 7914), which OpenSSL and `cryptography` read.
It is encoded here because `cryptography` itself writes PBKDF2 with 2,048 rounds, which is too little against guessing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from functools import cached_property
from pathlib import Path

from toadstone.ledger.errors import LedgerError

TYPE_CHECKING = False  # as typing.TYPE_CHECKING; cryptography takes 40 ms to import
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_VARIABLE = "TOADSTONE_LEDGER_KEY"
PASSPHRASE_VARIABLE = "TOADSTONE_LEDGER_PASSPHRASE"  # noqa: S105  (a name)
_ED25519 = b"\x01"
_COST, _BLOCK, _LANES = 1 << 14, 8, 5
"""Parameters of scrypt: 16 MiB, which OpenSSL accepts without being asked, five times over."""
_OIDS = {"pbes2": "2a864886f70d01050d", "scrypt": "2b06010401da47040b", "aes-256-cbc": "60864801650304012a"}


class Verifier:
    """A public key under the name of a ledger.

    Args:
        name: Name of the key, which is the ledger's origin.
        public: 32 bytes (RFC 8032).
    """

    def __init__(self, name: str, public: bytes) -> None:
        if not name or "+" in name or any(sign.isspace() or sign < " " for sign in name):
            raise LedgerError(f"{name!r} cannot name a key.", "A name has no spaces and no plus signs.")
        self.name = name
        self.public = public
        self.id = hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]

    def __str__(self) -> str:
        """Give the verifier key as C2SP signed-note writes it: ``name+id+base64``."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """Read a verifier key.

        Raises:
            LedgerError: If it is none, or of another algorithm.
        """
        advice = "A verifier key looks like name+1a2b3c4d+AQ…; `toadstone ledger key` shows yours."
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            raise LedgerError(f"{text!r} is no verifier key.", advice)
        try:
            raw = base64.b64decode(parts[2], validate=True)
        except ValueError:
            raw = b""
        if len(raw) != 33 or raw[:1] != _ED25519:
            raise LedgerError(f"{text!r} is no Ed25519 verifier key.", advice)
        made = cls(parts[0], raw[1:])
        if made.id.hex() != parts[1]:
            raise LedgerError(f"{text!r} is no verifier key: its id should be {made.id.hex()}.", advice)
        return made

    @cached_property
    def _key(self) -> Ed25519PublicKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415  (heavy)

        return Ed25519PublicKey.from_public_bytes(self.public)

    def holds(self, signature: bytes, message: bytes) -> bool:
        """Tell whether the signature is this key's over the message."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  (heavy)

        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    @cached_property
    def keyid(self) -> str:
        """The key's id in DSSE envelopes: that of securesystemslib and TUF, a hash of the key's canonical JSON."""
        form = {"keytype": "ed25519", "keyval": {"public": self.public.hex()}, "scheme": "ed25519"}
        return hashlib.sha256(json.dumps(form, separators=(",", ":"), sort_keys=True).encode()).hexdigest()

    def pem(self) -> str:
        """Give the public key as other tools read it (SubjectPublicKeyInfo, RFC 8410)."""
        return _pem("PUBLIC KEY", bytes.fromhex("302a300506032b6570032100") + self.public)


class Key:
    """A private key. Its bytes are in no `repr` and in no error.

    Args:
        private: What signs.
    """

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public: bytes = private.public_key().public_bytes_raw()

    @classmethod
    def make(cls) -> Key:
        """Make a new key from the system's randomness."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415  (heavy)

        return cls(Ed25519PrivateKey.generate())

    def sign(self, message: bytes) -> bytes:
        """Sign (RFC 8032): 64 bytes."""
        return self._private.sign(message)

    def verifier(self, name: str) -> Verifier:
        """Give the public half under a name."""
        return Verifier(name, self.public)

    def pem(self, passphrase: str) -> str:
        """Give the key as PEM: encrypted, or in the open when the passphrase is empty."""
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  (heavy)

        form = serialization.PrivateFormat.PKCS8
        der = self._private.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())
        return _pem("ENCRYPTED PRIVATE KEY", _encrypted(der, passphrase)) if passphrase else _pem("PRIVATE KEY", der)

    def save(self, path: Path, passphrase: str) -> None:
        """Write the key file, readable by its owner only; an existing file is never replaced.

        Raises:
            LedgerError: If there is one, or none can be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="ascii") as stream:
                stream.write(self.pem(passphrase))
                stream.flush()
                os.fsync(stream.fileno())
        except FileExistsError:
            raise LedgerError(f"{path} is there already; a key is never replaced.", "Use it, or name another file.") from None
        except OSError as error:
            raise LedgerError(f"{path} cannot be written: {error.strerror}.") from None

    @classmethod
    def load(cls, source: str, passphrase: str | None = None) -> Key:
        """Read a key.

        Args:
            source: Path of a PEM file, or its text.
            passphrase: What it was encrypted with; None when none was given.

        Raises:
            LedgerError: If there is no such file, the passphrase is missing or wrong, or it is no Ed25519 key.
        """
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  (heavy)
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

        name, raw = _source(source)
        given = passphrase.encode() if passphrase and b"ENCRYPTED" in raw else None
        try:
            key = load_pem_private_key(raw, given)
        except TypeError:
            advice = f"Set {PASSPHRASE_VARIABLE}, or run this in a terminal to be asked."
            raise LedgerError(f"{name} is encrypted, and no passphrase was given.", advice) from None
        except (ValueError, UnsupportedAlgorithm):
            if given is None:
                raise LedgerError(f"{name} is no private key in PEM.", "`toadstone ledger key` makes one.") from None
            raise LedgerError(
                f"the passphrase does not open {name}, or the file is damaged.", "Try again, or restore it."
            ) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise LedgerError(f"{name} is no Ed25519 key.", "`toadstone ledger key` makes one.")
        return cls(key)


def is_encrypted(source: str) -> bool:
    """Tell whether a key needs a passphrase.

    Raises:
        LedgerError: If there is no such file.
    """
    return b"ENCRYPTED" in _source(source)[1]


def default_key_file() -> Path:
    """Say where the user's key is kept: not beside the ledger, so that who takes the one does not have the other."""
    home = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")  # noqa: PTH111, PTH118
    return Path(home) / "toadstone" / "ledger-key.pem"


def key_source(named: str | None = None) -> str:
    """Say which key is meant: the one named, that of the environment, or the user's own file."""
    return named or os.environ.get(KEY_VARIABLE) or str(default_key_file())


def _source(source: str) -> tuple[str, bytes]:
    if "-----BEGIN" in source:
        return f"the key in {KEY_VARIABLE}", source.encode()
    try:
        return source, Path(source).read_bytes()
    except FileNotFoundError:
        advice = "`toadstone ledger key` makes one. A lost key cannot be replaced: restore it, or begin a new ledger."
        raise LedgerError(f"the key {source} is not there.", advice) from None
    except OSError as error:
        raise LedgerError(f"the key {source} cannot be read: {error.strerror}.") from None


def _pem(label: str, der: bytes) -> str:
    text = base64.b64encode(der).decode()
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def _encrypted(der: bytes, passphrase: str) -> bytes:
    """Encrypt a private key: EncryptedPrivateKeyInfo with PBES2 (RFC 8018) and scrypt (RFC 7914, 7)."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415  (heavy)

    salt, start = os.urandom(16), os.urandom(16)
    secret = hashlib.scrypt(passphrase.encode(), salt=salt, n=_COST, r=_BLOCK, p=_LANES, dklen=32, maxmem=64 << 20)
    padding = 16 - len(der) % 16
    cipher = Cipher(algorithms.AES(secret), modes.CBC(start)).encryptor()
    hidden = cipher.update(der + bytes([padding]) * padding) + cipher.finalize()
    numbers = b"".join(_der(2, value.to_bytes(value.bit_length() // 8 + 1, "big")) for value in (_COST, _BLOCK, _LANES))
    derivation = _der(0x30, _oid("scrypt") + _der(0x30, _der(4, salt) + numbers))
    encryption = _der(0x30, _oid("aes-256-cbc") + _der(4, start))
    return _der(0x30, _der(0x30, _oid("pbes2") + _der(0x30, derivation + encryption)) + _der(4, hidden))


def _oid(name: str) -> bytes:
    return _der(6, bytes.fromhex(_OIDS[name]))


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    return bytes([tag, 0x81, size]) + content  # nothing here reaches 256 bytes
