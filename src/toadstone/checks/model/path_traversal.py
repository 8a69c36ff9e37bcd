"""Archives whose members would be written elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Anomaly, Fact
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place


@check(
    "path-traversal",
    severity=Severity.HIGH,
    reads=Anomaly,
    references=(
        "CVE-2007-4559",
        "CVE-2024-12718",
        "CVE-2025-4517",
        "CWE-22",
        "CWE-36",
        "CWE-59",
        "MITRE ATLAS 2026.08 AML.T0011.000",
        "OWASP ML 2023 ML06",
    ),
)
class PathTraversal(Check):
    """Unpacking the archive writes outside the folder that was chosen for it.

    ## Why it matters
    Loaders of archives such as NeMo files, model archives and checkpoints unpack to a temporary folder and then load what is
    there. A member called ``../../.bashrc`` or ``/etc/cron.d/x`` lands where its name says if the unpacker does not look:
    Python's ``tarfile`` did not until it got filters (CVE-2007-4559), and those filters had holes (CVE-2025-4517). Writing a
    file of one's choice is running code at the next login, import or cron minute.

    ## How it decides
    A name that is absolute, has a drive letter, or goes up with ``..`` (with either slash), in either header of a member, is
    `high`; so is a member that is written through a symbolic link of the same archive, and one that becomes a device or a
    pipe (reading a pipe waits for ever, a device is the machine's own memory or disk). Ordinary packers write relative names
    and files.

    ## What it misses
    Names that become dangerous only through rules of one file system (short names, alternate streams), and links that leave
    the folder without any member being written through them: those are reported as ``escaping-link``.

    ## Remedy
    Do not unpack it with a tool that honours such names. Use ``tarfile``'s ``filter="data"`` on a current Python, or delete it.

    ## References
    CWE-22; CVE-2007-4559, CVE-2024-12718, CVE-2025-4517 (``tarfile``); PEP 706.
    """

    def examine(self, fact: Anomaly) -> Iterator[Finding]:
        """Judge one name or kind of member."""
        if fact.kind == "path-traversal":
            yield self.finding(fact.place, f"Unpacking writes elsewhere: {fact.detail}.")
        elif fact.kind == "special-file":
            yield self.finding(fact.place, f"Unpacking makes no ordinary file: {fact.detail}.")

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give a name that climbs and one that goes through a link."""
        place = Place("model.nemo", offset=512)
        yield Anomaly(place, "path-traversal", "'../../.bashrc' leads out of the folder it is unpacked into")
        yield Anomaly(place, "path-traversal", "'out/x' is written through the link 'out'")
        yield Anomaly(place, "special-file", "'model.pkl' would be made a device or pipe")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give another anomaly."""
        yield Anomaly(Place("model.nemo"), "name-trick", "'a.txt ' ends in dots or spaces, which Windows drops")
