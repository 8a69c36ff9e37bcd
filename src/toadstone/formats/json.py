"""JSON: ``toadstone.report/1`` of docs/report.md."""

from __future__ import annotations

import json

from toadstone.core.report import Report
from toadstone.formats import Envelope


def write(report: Report, envelope: Envelope) -> str:
    """Write the report as one JSON document."""
    del envelope  # the document is the report alone: same bytes, same document
    return json.dumps(report.as_dict(), indent=1, ensure_ascii=True, allow_nan=False, default=str) + "\n"
