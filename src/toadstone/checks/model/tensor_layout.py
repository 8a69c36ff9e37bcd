"""`tensor-layout`: tensors that overlap, or that lie where there is no data."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Anomaly, Fact
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place

_MEANING = {
    "tensor-bounds": "A tensor's place, size, shape and type contradict each other or the data",
    "tensor-overlap": "Two tensors share bytes",
    "index-bounds": "The model leads its loader to something that is not there",
    "forged-header": "The header has a form that no writer produces",
}


@check(
    "tensor-layout",
    severity=Severity.HIGH,
    reads=Anomaly,
    references=(
        "CWE-125",
        "CWE-190",
        "CWE-787",
        "CVE-2024-21802",
        "CVE-2024-23496",
        "CVE-2025-53630",
        "MITRE ATLAS 2026.08 AML.T0018",
        "OWASP ML 2023 ML06",
    ),
)
class TensorLayout(Check):
    """The directory of a tensor file contradicts itself or its data.

    ## Why it matters
    Loaders in C and C++ turn the stored shapes, sizes and offsets into pointers. A shape whose product overflows, a size that
    does not match its shape, or an offset outside the data has given attackers reads and writes beyond the buffer (GGUF:
    CVE-2024-21802, CVE-2024-23496, CVE-2025-53630). An ONNX tensor whose external location is ONNX Runtime's own in-memory
    mark makes an unpatched runtime take the offset for an address. Overlapping tensors let one tool see other weights than
    another, and hide data in what looks like a weight.

    ## How it decides
    Contradictions of bounds are `high`: no writer of safetensors, GGUF or ONNX produces them, because sizes are computed from
    the same shape and type that are stored. So are headers of a form that the reference loader refuses and a broken download
    cannot explain: entries that are no entries, offsets that are no offsets, structures where the format has strings.
    Overlaps are `medium`: the reference loaders refuse them, but hand-made files that share weights by pointing twice at the
    same bytes do exist. A file that is merely shorter than its directory says is a broken download; it is reported as
    incomplete, not as a finding.

    ## What it misses
    Values inside tensors (a weight that is an index and points outside a table), and tensors of types that this version does
    not know; those are reported as unread.

    ## Remedy
    Do not load the file; fetch it again from its source, compare its digest, and load it with a current version of its
    loader.

    ## References
    CVE-2024-21802, CVE-2024-23496, CVE-2025-53630; the format section of the safetensors README; ggml `docs/gguf.md`.
    """

    overlap: str = "medium"
    """Severity of overlapping tensors: info, low, medium, high or critical."""

    def examine(self, fact: Anomaly) -> Iterator[Finding]:
        """Judge one contradiction."""
        if fact.kind in _MEANING:
            severity = Severity.parse(self.overlap) if fact.kind == "tensor-overlap" else None
            yield self.finding(fact.place, f"{_MEANING[fact.kind]}: {fact.detail}.", severity=severity, kind=fact.kind)

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """A size that contradicts its shape; two tensors over the same bytes."""
        place = Place("model.safetensors", "", 8)
        yield Anomaly(place, "tensor-bounds", "tensor 'w': F32 of shape [2, 2] needs 16 bytes; the offsets give 64")
        yield Anomaly(place, "tensor-overlap", "tensor 'b' begins inside the one before")
        yield Anomaly(place, "forged-header", "tensor 'w': the entry is no object")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Contradictions that are other checks' business."""
        yield Anomaly(Place("model.zip"), "overlap", "two members share bytes")
