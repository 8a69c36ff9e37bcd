"""toadstone: defends AI and ML systems against data poisoning and model manipulation.

The public face: the verbs and the nouns. Everything else may change between versions.
"""

from __future__ import annotations

import importlib

from toadstone.core.version import __version__

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, without the 10 ms that importing typing takes
if TYPE_CHECKING:
    from typing import Any

    from toadstone.adapters.activations import activations
    from toadstone.adapters.certified import CertifiedClassifier, certify
    from toadstone.adapters.guarded import guarded
    from toadstone.adapters.poison_detector import PoisonDetector
    from toadstone.core.check import Check, check
    from toadstone.core.config import find_config, read_config
    from toadstone.core.errors import ConfigError, ToadstoneError, UnsafeError, UsageError
    from toadstone.core.fact import Call, Fact, Import
    from toadstone.core.finding import Confidence, Finding, Indicator, Severity
    from toadstone.core.place import Place
    from toadstone.core.policy import Config, Policy, Waiver
    from toadstone.core.report import Gap, Report, Subject
    from toadstone.ledger.ledger import Ledger
    from toadstone.tables.roles import Roles
    from toadstone.verbs.clean import clean
    from toadstone.verbs.open_clean import open_clean
    from toadstone.verbs.pin import PinOptions, pin
    from toadstone.verbs.record import open_ledger
    from toadstone.verbs.rows import RowOptions
    from toadstone.verbs.run import RunOptions, run
    from toadstone.verbs.scan import scan
    from toadstone.verbs.trace import trace, trace_rows
    from toadstone.verbs.verify import verify

_HOMES = {
    "toadstone.adapters.activations": ("activations",),
    "toadstone.adapters.certified": ("CertifiedClassifier", "certify"),
    "toadstone.adapters.guarded": ("guarded",),
    "toadstone.adapters.poison_detector": ("PoisonDetector",),
    "toadstone.core.check": ("Check", "check"),
    "toadstone.core.config": ("find_config", "read_config"),
    "toadstone.core.errors": ("ConfigError", "ToadstoneError", "UnsafeError", "UsageError"),
    "toadstone.core.fact": ("Call", "Fact", "Import"),
    "toadstone.core.finding": ("Confidence", "Finding", "Indicator", "Severity"),
    "toadstone.core.place": ("Place",),
    "toadstone.core.policy": ("Config", "Policy", "Waiver"),
    "toadstone.core.report": ("Gap", "Report", "Subject"),
    "toadstone.ledger.ledger": ("Ledger",),
    "toadstone.tables.roles": ("Roles",),
    "toadstone.verbs.clean": ("clean",),
    "toadstone.verbs.open_clean": ("open_clean",),
    "toadstone.verbs.pin": ("PinOptions", "pin"),
    "toadstone.verbs.record": ("open_ledger",),
    "toadstone.verbs.rows": ("RowOptions",),
    "toadstone.verbs.run": ("RunOptions", "run"),
    "toadstone.verbs.scan": ("scan",),
    "toadstone.verbs.trace": ("trace", "trace_rows"),
    "toadstone.verbs.verify": ("verify",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Call",
    "CertifiedClassifier",
    "Check",
    "Confidence",
    "Config",
    "ConfigError",
    "Fact",
    "Finding",
    "Gap",
    "Import",
    "Indicator",
    "Ledger",
    "PinOptions",
    "Place",
    "PoisonDetector",
    "Policy",
    "Report",
    "Roles",
    "RowOptions",
    "RunOptions",
    "Severity",
    "Subject",
    "ToadstoneError",
    "UnsafeError",
    "UsageError",
    "Waiver",
    "__version__",
    "activations",
    "certify",
    "check",
    "clean",
    "find_config",
    "guarded",
    "open_clean",
    "open_ledger",
    "pin",
    "read_config",
    "run",
    "scan",
    "trace",
    "trace_rows",
    "verify",
]  # fmt: skip


def __getattr__(name: str) -> Any:  # noqa: ANN401  (a module's attributes are of any type)
    """Load a public name when it is first used: `import toadstone` costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module 'toadstone' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
