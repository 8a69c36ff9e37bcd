"""``--record`` of the commands that end in a report. Nothing here is imported unless it is asked for."""

from __future__ import annotations

import argparse
import sys

from toadstone.faces.cli.passphrase import load_key
from toadstone.ledger.ledger import Ledger, Receipt
from toadstone.verbs.record import ledger_place


def opened(options: argparse.Namespace) -> Ledger:
    """Open the ledger before the work begins: a missing key should not be found out after hours.

    Until something is recorded the database is let go of, so that its log of writes is nothing that a scan would meet.

    Raises:
        LedgerError: If the key or the ledger cannot be used.
    """
    ledger = Ledger.create(ledger_place(options.ledger), load_key(), existing=True)
    ledger.close()
    return ledger


def tell(ledger: Ledger, receipts: list[Receipt], options: argparse.Namespace) -> None:
    """Say where the record is, where that does not get into anybody's way."""
    if not options.quiet:
        numbers = f"{receipts[0].index}" if len(receipts) == 1 else f"{receipts[0].index} to {receipts[-1].index}"
        stream = sys.stdout if options.format == "terminal" and options.output is None else sys.stderr
        stream.write(f"recorded -> {ledger.place}, {'entry' if len(receipts) == 1 else 'entries'} {numbers}\n")
