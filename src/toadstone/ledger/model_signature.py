"""OpenSSF Model Signing v1: signatures over a model's files, written and verified without a network.

A Sigstore bundle (v0.3) holds a DSSE envelope with an in-toto statement; its predicate lists every file with its digest. Signed
with an ECDSA key on P-256, P-384 or P-521. Source: the OpenSSF Model Signing specification v1.0 and its reference
implementation, https://github.com/sigstore/model-transparency.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blake3 import blake3

from toadstone.ledger.envelope import pae
from toadstone.ledger.errors import LedgerError

TYPE_CHECKING = False  # as typing.TYPE_CHECKING; cryptography takes 40 ms to import
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PREDICATE = "https://model_signing/signature/v1.0"
PAYLOAD = "application/vnd.in-toto+json"
_STEP = 1 << 20
_HASHES: dict[str, Callable[[], Any]] = {"sha256": hashlib.sha256, "blake2b": hashlib.blake2b, "blake3": blake3}


@dataclass(frozen=True)
class Deviation:
    """Something in which a model differs from what was signed.

    Attributes:
        path: Of the file.
        kind: ``added``, ``removed``, ``edited``, or ``uncovered``: it is there, but the signature says nothing about it.
    """

    path: str
    kind: str


def sign(model: str, key_pem: bytes, *, passphrase: str | None = None, ignore: Sequence[str] = ()) -> str:
    """Sign a model.

    Unlike others, this leaves out nothing that is not named: a file planted in ``.git`` is no part of a model either.

    Args:
        model: Its folder, or its only file.
        key_pem: Private ECDSA key.
        passphrase: Of the key.
        ignore: Files and folders, relative to the model, that are left out.

    Returns:
        The bundle as JSON.

    Raises:
        LedgerError: The key cannot be used, or a file cannot be read.
    """
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415  (heavy)

    key = _private(key_pem, passphrase)
    resources = [
        {"name": name, "algorithm": "sha256", "digest": _digest(path, "sha256")}
        for name, path in _files(model)
        if not _within(name, ignore)
    ]
    root = hashlib.sha256(b"".join(bytes.fromhex(one["digest"]) for one in resources)).hexdigest()
    how: dict[str, Any] = {"method": "files", "hash_type": "sha256", "allow_symlinks": False}
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": Path(model).absolute().name, "digest": {"sha256": root}}],
        "predicateType": PREDICATE,
        "predicate": {"serialization": how | ({"ignore_paths": sorted(ignore)} if ignore else {}), "resources": resources},
    }
    payload = json.dumps(statement).encode()
    signature = key.sign(pae(PAYLOAD, payload), ec.ECDSA(_hash_of(key.public_key())))
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD,
        "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}],
    }
    hint = {"publicKey": {"hint": _hint(key.public_key())}, "tlogEntries": []}
    return json.dumps({"mediaType": BUNDLE, "verificationMaterial": hint, "dsseEnvelope": envelope}) + "\n"


def verify(model: str, bundle: str, public_pem: bytes) -> list[Deviation]:
    """Compare a model with its signature.

    Args:
        model: Its folder, or its only file.
        bundle: The signature, JSON.
        public_pem: Public ECDSA key of who signed.

    Returns:
        What differs; empty when the model is what was signed, and all of it.

    Raises:
        LedgerError: The signature does not hold, is of another key or form, or a file cannot be read.
    """
    statement = _opened(bundle, public_pem)
    how, listed = _predicate(statement)
    algorithm = str(how.get("hash_type", "sha256"))
    if algorithm not in _HASHES:
        raise LedgerError(f"the signature uses the digest {algorithm!r}, which is not known.", f"Known are {', '.join(_HASHES)}.")
    ignored = [str(path) for path in how.get("ignore_paths") or ()]
    here = dict(_files(model))
    found: list[Deviation] = []
    covered: set[str] = set()
    for name, digest in listed.items():
        path, _, span = name.partition(":") if how.get("method") == "shards" else (name, "", "")
        covered.add(path)
        if path not in here:
            found.append(Deviation(path, "removed"))
        elif _digest(here[path], algorithm, _span(span)) != digest or _is_longer(here[path], listed, name):
            found.append(Deviation(path, "edited"))
    found += [Deviation(name, "uncovered" if _within(name, ignored) else "added") for name in here.keys() - covered]
    return sorted(set(found), key=lambda one: (one.path, one.kind))


def _opened(bundle: str, public_pem: bytes) -> dict[str, Any]:
    """Check the signature of a bundle and give its statement."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  (heavy)
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = _public(public_pem)
    try:
        held = json.loads(bundle)
        hint = held["verificationMaterial"].get("publicKey", {}).get("hint", "")
        envelope = held["dsseEnvelope"]
        payload = base64.b64decode(envelope["payload"], validate=True)
        kind = envelope["payloadType"]
        signatures = [base64.b64decode(one["sig"], validate=True) for one in envelope["signatures"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise LedgerError(f"the signature is no bundle of model signing: {error}.", "Get the signature again.") from None
    if hint and hint != _hint(key):
        raise LedgerError("the signature is by another key than the one given.", "Ask who signed it for the right public key.")
    for signature in signatures:
        try:
            key.verify(signature, pae(str(kind), payload), ec.ECDSA(_hash_of(key)))
            break
        except InvalidSignature:
            continue
    else:
        raise LedgerError("the signature does not hold: it is by another key, or was changed.", "Do not use the model.")
    try:
        statement = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise LedgerError(f"what was signed is no JSON: {error}.") from None
    if kind != PAYLOAD or not isinstance(statement, dict) or statement.get("predicateType") != PREDICATE:
        raise LedgerError("what was signed is no statement of model signing v1.0.", "Sign the model again.")
    return statement


def _predicate(statement: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Give how a model was hashed, and the digest of each resource; they have to give the root that was signed."""
    try:
        predicate = statement["predicate"]
        how = dict(predicate["serialization"])
        listed = {str(one["name"]): str(one["digest"]) for one in predicate["resources"]}
        root = statement["subject"][0]["digest"]["sha256"]
        found = hashlib.sha256(b"".join(bytes.fromhex(str(one["digest"])) for one in predicate["resources"])).hexdigest()
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise LedgerError(f"what was signed is incomplete: {error}.", "Sign the model again.") from None
    if root != found or len(listed) != len(predicate["resources"]):
        raise LedgerError("the digests that were signed do not give the root that was signed.", "Do not use the model.")
    if how.get("method") not in ("files", "shards"):
        raise LedgerError(f"the model was serialised by the method {how.get('method')!r}, which is not known.")
    return how, listed


def _is_longer(file: Path, listed: Iterable[str], name: str) -> bool:
    """Whether a file goes on behind its last shard."""
    path, _, span = name.partition(":")
    if not span:
        return False
    ends = [_span(one.partition(":")[2])[1] for one in listed if one.partition(":")[0] == path]
    return file.stat().st_size > max(ends)


def _span(text: str) -> tuple[int, int]:
    """Read ``start:end`` of a shard; the whole file when there is none."""
    if not text:
        return 0, -1
    start, _, end = text.partition(":")
    try:
        return int(start), int(end)
    except ValueError:
        raise LedgerError(f"{text!r} is no part of a file.", "Sign the model again.") from None


def _files(model: str) -> list[tuple[str, Path]]:
    """Give the files of a model, sorted by name; a link is refused, as who follows it reads what was never signed."""
    place = Path(model)
    if place.is_file():
        return [(".", place)]
    if not place.is_dir():
        raise LedgerError(f"{model} is neither a file nor a folder.")
    found: list[tuple[str, Path]] = []
    for folder, folders, names in os.walk(place):
        for name in (*folders, *names):
            path = Path(folder, name)
            if path.is_symlink():
                raise LedgerError(f"{path} is a symbolic link, which cannot be signed.", "Copy what it leads to.")
            if path.is_file():
                found.append((path.relative_to(place).as_posix(), path))
    return sorted(found)


def _within(name: str, paths: Iterable[str]) -> bool:
    return any(name == path or name.startswith(f"{path.rstrip('/')}/") for path in paths)


def _digest(path: Path, algorithm: str, span: tuple[int, int] = (0, -1)) -> str:
    hasher = _HASHES[algorithm]()
    start, end = span
    try:
        with path.open("rb") as stream:
            stream.seek(start)
            left = (end - start) if end >= 0 else None
            while piece := stream.read(_STEP if left is None else min(_STEP, left)):
                hasher.update(piece)
                left = None if left is None else left - len(piece)
    except OSError as error:
        raise LedgerError(f"{path} cannot be read: {error.strerror}.") from None
    return str(hasher.hexdigest())


def _private(pem: bytes, passphrase: str | None) -> EllipticCurvePrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  (heavy)
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        key = load_pem_private_key(pem, passphrase.encode() if passphrase else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise LedgerError(
            f"the private key cannot be read: {error}.", "It is an ECDSA key in PEM, with its passphrase."
        ) from None
    if not isinstance(key, EllipticCurvePrivateKey):
        raise LedgerError("the private key is no ECDSA key.", "openssl ecparam -name prime256v1 -genkey -noout makes one.")
    _hash_of(key.public_key())
    return key


def _public(pem: bytes) -> EllipticCurvePublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  (heavy)
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise LedgerError(f"the public key cannot be read: {error}.", "It is an ECDSA key in PEM.") from None
    if not isinstance(key, EllipticCurvePublicKey):
        raise LedgerError("the public key is no ECDSA key.", "Ask who signed the model.")
    _hash_of(key)
    return key


def _hash_of(key: EllipticCurvePublicKey) -> HashAlgorithm:
    """Give the digest that goes with a curve (Sigstore's algorithm registry)."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415  (heavy)

    known: dict[str, HashAlgorithm] = {"secp256r1": hashes.SHA256(), "secp384r1": hashes.SHA384(), "secp521r1": hashes.SHA512()}
    if key.curve.name not in known:
        raise LedgerError(f"keys on the curve {key.curve.name} are not used.", f"Use one of {', '.join(known)}.")
    return known[key.curve.name]


def _hint(key: EllipticCurvePublicKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415  (heavy)

    return hashlib.sha256(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
