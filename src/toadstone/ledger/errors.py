"""What can go wrong with a ledger."""

from __future__ import annotations

from toadstone.core.errors import ToadstoneError


class LedgerError(ToadstoneError):
    """A ledger or its key cannot be used: missing, locked, of another version, out of space. What was recorded stands."""


class BrokenError(LedgerError):
    """What is stored contradicts itself, a signature or what somebody kept elsewhere."""
