"""``toadstone sign``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from toadstone.core.errors import UsageError
from toadstone.faces.cli.parser import Parser
from toadstone.faces.cli.reporting import write_text
from toadstone.formats.terminal import printable

_PASSPHRASE = "TOADSTONE_SIGNING_PASSPHRASE"  # noqa: S105  (a name)


def parser() -> Parser:
    """Make the parser of this command."""
    made = Parser(
        prog="toadstone sign",
        description="Sign a model after OpenSSF Model Signing v1, or verify such a signature: offline, with an ECDSA key. Every "
        "file counts, also those that other signers leave out unless told.",
        epilog="exit codes: 0 signed, or the model is what was signed · 1 --verify: it is not, or not all of it was signed · "
        "2 usage error",
    )
    made.add_argument("model", metavar="MODEL", help="its folder, or its only file")
    made.add_argument(
        "--key", metavar="PEM", required=True, help=f"private key, with --verify the public one (passphrase: {_PASSPHRASE})"
    )
    made.add_argument("--signature", metavar="FILE", default="model.sig", help="the signature (default: model.sig)")
    made.add_argument(
        "--ignore", metavar="PATH", action="append", default=[], help="leave out a file or folder of the model (repeatable)"
    )
    made.add_argument("--verify", action="store_true", help="verify instead of signing")
    made.add_argument("--quiet", action="store_true", help="print nothing; the exit code is the same")
    return made


def run(words: list[str]) -> int:
    """Run the command; give its exit code."""
    options = parser().parse_intermixed_args(words)
    if not os.path.lexists(options.model):
        raise UsageError(f"{options.model} does not exist.")
    from toadstone.ledger import model_signature  # noqa: PLC0415  (a typo need not wait for it)

    key = _read(options.key)
    if not options.verify:
        text = model_signature.sign(options.model, key, passphrase=os.environ.get(_PASSPHRASE), ignore=options.ignore)
        write_text(text, options.signature)
        if not options.quiet:
            sys.stdout.write(f"signed {printable(options.model)} -> {printable(options.signature)}\n")
        return 0
    found = model_signature.verify(options.model, _read(options.signature).decode(errors="replace"), key)
    inside = Path(os.path.relpath(options.signature, options.model)).as_posix()
    found = [one for one in found if one.path != inside]
    if not options.quiet:
        for one in found:
            sys.stdout.write(f"  {one.kind:<10}{printable(one.path)}\n")
        told = "is not what was signed, or not all of it" if found else "is what was signed, and all of it"
        sys.stdout.write(f"{printable(options.model)} {told}\n")
    return int(bool(found))


def _read(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.") from None
