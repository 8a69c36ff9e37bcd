"""Writes the comparison as a page and as JSON."""

from __future__ import annotations

import platform
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.corpus.manifest import Manifest
from benchmarks.judges import DETECTED
from benchmarks.outcomes import LIMITS
from benchmarks.peers import Peer
from benchmarks.tally import Column, Judgement, detected, missed, quiet

ATTACKS = ("malicious",)
LISTED = 60


def page(
    date: str,
    manifests: Sequence[Manifest],
    peers: Sequence[Peer],
    table: Sequence[Column],
    absent: Sequence[str],
    sizes: Mapping[str, int] | None = None,
) -> str:
    """Return the whole page in Markdown; *sizes* tells of which tools only a sample of each corpus was run."""
    attacks = [manifest for manifest in manifests if any(entry.label in ATTACKS for entry in manifest.files)]
    sections: list[Iterable[str]] = [
        _opening(date, manifests),
        _samples(sizes or {}, table),
        _found(table),
        _false_alarms(table),
        _by_corpus(table, attacks),
        _by_family(table),
        _costs(table),
        _missed(table),
        _alarms(table),
        _method(peers, table, absent, manifests),
    ]
    return "\n".join(line for section in sections for line in section) + "\n"


def document(
    date: str,
    manifests: Sequence[Manifest],
    table: Sequence[Column],
    absent: Sequence[str],
    sizes: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Return the same facts, with every miss and false alarm named, ready for JSON."""
    return {
        "date": date,
        "sampled": dict(sizes or {}),
        "corpora": {manifest.name: dict(Counter(entry.label for entry in manifest.files)) for manifest in manifests},
        "not_run": [*absent, *(f"{item['family']}: {item['reason']}" for manifest in manifests for item in manifest.not_run)],
        "modes": {column.mode: _facts(column) for column in table},
    }


def _facts(column: Column) -> dict[str, Any]:
    groups = {
        "payload": column.chosen("malicious", payload=True),
        "payload_report_half": column.chosen("malicious", payload=True, split="report"),
        "malicious": column.chosen("malicious"),
        "harmless_arguments": column.chosen("harmless-arguments"),
        "code_carrying": column.chosen("code-carrying"),
        "benign": column.chosen("benign"),
        "benign_report_half": column.chosen("benign", split="report"),
    }
    return {
        "tool": column.tool,
        **{name: {"detected": detected(items).hits, "total": len(items)} for name, items in groups.items()},
        "words_benign": dict(Counter(item.word for item in groups["benign"])),
        "words_malicious": dict(Counter(item.word for item in groups["malicious"])),
        "missed": [_name(item) for item in missed(groups["malicious"])],
        "false_alarms": [_name(item) for item in groups["benign"] if item.word == DETECTED],
        "cpu_seconds": round(column.cpu_total, 3),
        "peak_megabytes": round(column.peak_max / 1e6, 1),
    }


def _opening(date: str, manifests: Sequence[Manifest]) -> Iterator[str]:
    yield "# Scoreboard"
    yield ""
    yield f"Measured on {date}, Python {platform.python_version()}, every tool in its own environment, from this checkout by"
    yield "`python -m benchmarks.scoreboard` (how to repeat it: [benchmarks/README.md](../benchmarks/README.md))."
    yield "A share is followed by its 95 % Wilson interval and by its counts. *Report half* is the part of the corpora that"
    yield "nobody looks at while rules are written (a stable hash of what was saved or attacked decides); *all* is both halves."
    yield "The corpora come from public advisories and from models made with the real libraries; they were made by the people who"
    yield "make toadstone, so read the peers' figures with that in mind."
    yield ""
    rows = [
        [
            manifest.name,
            *(
                str(sum(entry.label == label for entry in manifest.files))
                for label in ("malicious", "harmless-arguments", "benign", "code-carrying")
            ),
            str(len({entry.family for entry in manifest.files})),
        ]
        for manifest in manifests
    ]
    yield from _grid(["corpus", "malicious", "harmless arguments", "benign", "code-carrying", "families or libraries"], rows)


def _samples(sizes: Mapping[str, int], table: Sequence[Column]) -> Iterator[str]:
    """Say of which tools only a sample was run, and how it was drawn."""
    for name, size in sorted(sizes.items()):
        modes = [column for column in table if column.tool.startswith(f"{name}-")]
        if modes:
            yield f"**{name} was run on a sample**, because a run of it takes seconds: of each corpus the {size} subjects"
            yield "that come first in the order of SHA-256 of `corpus|path` (all of a corpus that has fewer), whatever they are:"
            yield f"{len(modes[0].judgements):,} subjects. Its counts are of these; families show how many were run."
            yield ""


def _found(table: Sequence[Column]) -> Iterator[str]:
    yield "## Found"
    yield ""
    yield "*Payload*: the arguments do harm. *Harmless arguments*: a dangerous callable called with nothing that harms;"
    yield "whether to flag these is a matter of taste. *Code-carrying*: harmless functions saved by value; they do run code."
    yield ""
    rows = [
        [
            column.mode,
            str(detected(column.chosen("malicious", payload=True, split="report"))),
            str(detected(column.chosen("malicious", payload=True))),
            str(detected(column.chosen("malicious"))),
            str(detected(column.chosen("harmless-arguments"))),
            str(detected(column.chosen("code-carrying"))),
        ]
        for column in table
    ]
    yield from _grid(
        ["mode", "payload, report half", "payload, all", "malicious, all", "harmless arguments", "code-carrying"], rows
    )


def _false_alarms(table: Sequence[Column]) -> Iterator[str]:
    yield "## False alarms"
    yield ""
    yield "*Skipped*: success status, yet the tool says that it did not read all of the subject. *Error*: a status that means"
    yield "failed or incomplete, a time-out or too much memory."
    yield ""
    rows = []
    for column in table:
        benign = column.chosen("benign")
        models = [item for item in benign if item.subject.entry.group == "model"]
        skipped, errors = quiet(benign)
        shares = (column.chosen("benign", split="report"), benign, models)
        rows.append([column.mode, *(str(detected(share)) for share in shares), str(skipped), str(errors)])
    yield from _grid(["mode", "report half", "all", "model files only", "skipped", "errors"], rows)


def _by_corpus(table: Sequence[Column], attacks: Sequence[Manifest]) -> Iterator[str]:
    yield "## Found, by corpus"
    yield ""
    yield "Malicious subjects; report half, then all."
    yield ""
    heads = ["mode", *(f"{manifest.name}, {half}" for manifest in attacks for half in ("report half", "all"))]
    rows = [
        [
            column.mode,
            *(
                str(detected(column.chosen("malicious", corpus=manifest.name, split=half)))
                for manifest in attacks
                for half in ("report", "")
            ),
        ]
        for column in table
    ]
    yield from _grid(heads, rows)


def _by_family(table: Sequence[Column]) -> Iterator[str]:
    yield "## Found, by family"
    yield ""
    families = sorted({(i.subject.corpus, _family(i)) for column in table for i in column.chosen("malicious")})
    rows = []
    for corpus, family in families:
        cells = []
        for column in table:
            share = detected(i for i in column.chosen("malicious", corpus=corpus) if _family(i) == family)
            cells.append(f"{share.hits}/{share.total}" if share.total else "-")
        rows.append([corpus, family, *cells])
    yield from _grid(["corpus", "family", *(column.mode for column in table)], rows)


def _costs(table: Sequence[Column]) -> Iterator[str]:
    yield "## Cost"
    yield ""
    yield "One process for each subject, so start-up counts every time. Two run at once; seconds are CPU seconds."
    yield ""
    seen: dict[tuple[str, tuple[float, ...]], Column] = {}
    for column in table:
        seen.setdefault((column.tool, column.cpu), column)
    rows = [
        [column.mode, str(len(column.cpu)), f"{column.cpu_total:.0f}", f"{column.cpu_median:.2f}", f"{column.peak_max / 1e6:.0f}"]
        for column in seen.values()
    ]
    yield from _grid(["command of mode", "subjects", "CPU s in all", "CPU s, median", "largest peak, MB"], rows)


def _missed(table: Sequence[Column]) -> Iterator[str]:
    yield "## What each mode misses"
    yield ""
    yield "Malicious subjects that were not detected, both halves; the word says how. All are named in `scoreboard.json`."
    yield ""
    for column in table:
        lost = missed(column.chosen("malicious"))
        yield f"<details><summary>{column.mode}: {len(lost)} of {len(column.chosen('malicious'))}</summary>"
        yield ""
        counted = Counter(f"{i.subject.corpus} / {_family(i)}: {i.word}" for i in lost)
        yield from (f"- {name} ({count})" for name, count in sorted(counted.items()))
        if len(lost) <= LISTED:
            yield from (f"- `{_name(item)}`" for item in lost)
        yield ""
        yield "</details>"
        yield ""


def _alarms(table: Sequence[Column]) -> Iterator[str]:
    yield "## Which libraries each mode falsely alarms on"
    yield ""
    for column in table:
        wrong = [item for item in column.chosen("benign") if item.word == DETECTED]
        counted = Counter(item.subject.entry.family for item in wrong)
        listed = ", ".join(f"{family} {count}" for family, count in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))
        yield f"- {column.mode}: {listed or 'none'}"
    yield ""


def _method(
    peers: Sequence[Peer], table: Sequence[Column], absent: Sequence[str], manifests: Sequence[Manifest]
) -> Iterator[str]:
    yield "## Tools and commands"
    yield ""
    yield f"Each subject: at most {LIMITS.seconds:.0f} s of CPU time and {LIMITS.address_space >> 30} GiB of address space."
    yield ""
    tools = {column.tool for column in table}
    rows = [
        [peer.name, peer.version, ", ".join(command.modes), f"`{shlex.join([peer.program, *command.arguments])}`", peer.note]
        for peer in peers
        for command in peer.commands
        if any(tool.startswith(peer.name) for tool in tools)
    ]
    yield from _grid(["tool", "version", "modes", "command", "note"], rows)
    gone = [*absent, *(f"{item['family']}: {item['reason']}" for manifest in manifests for item in manifest.not_run)]
    yield "Not run: " + ("; ".join(gone) if gone else "nothing; every tool and every recipe ran.")


def _family(item: Judgement) -> str:
    entry = item.subject.entry
    # A corpus of one family is told apart by its techniques.
    return entry.technique if entry.family == item.subject.corpus else entry.family


def _name(item: Judgement) -> str:
    return f"{item.subject.corpus}/{item.subject.entry.path}: {item.word}"


def _grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    yield from ("| " + " | ".join(row) + " |" for row in rows)
    yield ""
