"""Asks for passphrases, on a terminal only."""

from __future__ import annotations

import os
import sys

from toadstone.core.errors import UsageError
from toadstone.ledger.keys import PASSPHRASE_VARIABLE, Key, is_encrypted, key_source


def load_key(named: str | None = None) -> Key:
    """Read the key that is meant; ask for its passphrase if the environment has none.

    Raises:
        LedgerError: If it is not there, or the passphrase does not open it.
    """
    source = key_source(named)
    passphrase = os.environ.get(PASSPHRASE_VARIABLE)
    if passphrase is None and is_encrypted(source) and sys.stdin.isatty():
        passphrase = _ask("Passphrase of the ledger's key: ")
    return Key.load(source, passphrase)


def new_passphrase(source: str) -> str:
    """Give the passphrase for a new key: that of the environment, or one that is typed twice.

    Raises:
        UsageError: If there is none, or the two differ.
    """
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given is None and sys.stdin.isatty():
        given = _ask(f"New passphrase for {source}: ")
        if given != _ask("Once more: "):
            raise UsageError("the two passphrases differ; no key was made.")
    if not given:
        advice = f"Set {PASSPHRASE_VARIABLE}, or leave the key unencrypted with --no-passphrase."
        raise UsageError("a key needs a passphrase; no key was made.", advice)
    return given


def _ask(question: str) -> str:
    import getpass  # noqa: PLC0415  (only where somebody is asked)

    return getpass.getpass(question)
