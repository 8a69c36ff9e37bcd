"""Notebook outputs and attachments that run script in the viewer."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Anomaly, Fact
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place


@check(
    "notebook-active-content",
    severity=Severity.MEDIUM,
    reads=Anomaly,
    references=("CWE-79", "CWE-116", "MITRE ATLAS 2026.08 AML.T0011"),
)
class NotebookActiveContent(Check):
    """A notebook's stored output runs script when the notebook is viewed.

    ## Why it matters
    Outputs are stored inside the notebook and shown before any cell is run. In a trusted notebook, in exported HTML and in
    several viewers, script in them runs with access to the Jupyter server of the reader, which can start programs.

    ## How it decides
    Outputs of JavaScript types, and HTML, SVG or Markdown outputs with script elements, frames, event handlers or `javascript:`
    addresses, are reported; so are attachments that are no plain images. Interactive plots carry script as well, so this is
    `medium`: a person should look whether the output is the plot it seems to be.

    ## What it misses
    Script that a widget's state builds while the notebook is open, and weaknesses of a viewer in images.

    ## Remedy
    Clear the outputs (`jupyter nbconvert --clear-output`) before opening the notebook, and do not mark it as trusted.

    ## References
    - CWE-79 (cross-site scripting), CWE-116
    - Jupyter documentation, "Security in the Jupyter notebook server"; CVE-2021-32797, CVE-2021-32798
    """

    def examine(self, fact: Anomaly) -> Iterator[Finding]:
        if fact.kind == "active-content":
            yield self.finding(
                fact.place,
                "Viewing this document runs script that is stored in it.",
                key=f"active {fact.place}",
                detail=fact.detail[:400],
                score=0.3,
            )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        yield Anomaly(Place("demo.ipynb", "cell 3"), "active-content", "an output of type text/html carries script: <script>")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        yield Anomaly(Place("model.zip"), "checksum-mismatch", "content does not match")
