"""``.pth`` files in a site directory: each line that begins with ``import`` is executed when the interpreter starts.

Rule of the standard library's ``site.addpackage``: lines are stripped at the end only; ``#`` begins a comment; a line beginning
with ``import`` and a space or tab is executed; any other line is a path that is added to ``sys.path``. The suffix is also used by
PyTorch, so the content decides.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Code, Fact, Link, Moment
from toadstone.readers.code.claims import LARGEST_STARTUP
from toadstone.readers.reader import Source

_LINES = 2_000


def read(source: Source) -> Iterator[Fact]:
    """Read a start-up file."""
    from toadstone.readers.code.reading import Context, Reading  # noqa: PLC0415

    text = source.blob.read(0, LARGEST_STARTUP).decode("utf-8-sig", "replace")
    source.coverage.read(0, source.blob.size)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines[:_LINES]):
        place = source.place.line(number)
        if line.startswith(("import ", "import\t")):
            yield Code(place, "python", source.name, f"runs at interpreter start: {line.rstrip()[:2000]}")
            reading = Reading(Context(place, "python", Moment.LOAD, "startup:"))
            reading.shift = number + 1
            reading.read(line.rstrip())
            yield from reading.facts()
            for _, reason in reading.problems:
                yield source.unread(f"line {number + 1}: {reason}")
        elif line.strip() and not line.startswith("#"):
            path = line.rstrip()
            yield Link(place, path, "search-path", path.startswith(("/", "~", "..")) or ":" in path[:3])
    if source.blob.size > LARGEST_STARTUP:
        yield source.unread(f"start-up file longer than {LARGEST_STARTUP >> 20} MiB; the rest was not read")
    if len(lines) > _LINES:
        yield source.unread(f"start-up file with more than {_LINES:,} lines; the rest was not read")
