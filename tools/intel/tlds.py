"""Writes the list of top-level domains with what each means when a bare ``name.tld`` stands in a text.

    npm pack tlds && tar xzf tlds-*.tgz
    python -m tools.intel.tlds package/index.json 2026-06-10

The list is that of IANA, as the npm package ``tlds`` (MIT) ships it. The classes are ours:

- ``plain``: hardly used for anything but domains: ``name.com`` in a sentence is a domain.
- ``word``: also an attribute, a word of prose, or a product: needs a reason (a scheme, ``www.``, a command ...).
- ``file``: also a suffix of file names: as ``word``, and a port behind it is a line number.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

_PLAIN = """com net org edu gov mil biz xyz icu cyou cfd sbs gdn mobi aero coop museum asia arpa club online website shop
    monster bond quest lol top site click""".split()
"""Of the longer ones; all internationalised ones are plain as well."""

_WORDLIKE = "top site click club online shop monster bond quest website".split()
"""Much abused, but words all the same."""

_COUNTRY_FILES = """au cy ac ai am as cc do gs in la md mk ml mm mn mo mp ms mt nc nr pg ph pl pm ps pt py rs sc sh so st sv tc td
    tf tm vi bz cr dm cd gz cl pn""".split()
"""Of two letters and a suffix of files that projects hold: scripts, objects, archives, catalogues, models, data."""

_COUNTRY_WORDS = """gb ir ss sz mz sj wf at be by co fm gd ge gt id im io is it lb lt ly ma me mu my ne no np nu re sd si sm to tv
    tz us ws ar bb ee er es et gg hm je ki li ls mr mv mw mx na ni om pa pe pf pk pr pw sb sg sk sl sn sr sx sy tk
    tn tt va ve vg vu ye yt zm zw ax ad ae ag al ao aq aw ba bd bf bg bh bi bj bm bn bo bs bt bv bw cf cg ci ck cm
    cu cv cw cx dj dz eg fj fk fo ga gf gh gl gm gn gp gq gu gw gy hn hr ht ie il iq jm jo ke kg kh km kn kp kw ky
    kz lc lk lr ls lu lv mc mg mh mq nf ng""".split()
"""Of two letters and names of attributes, variables or units, or too rare to outweigh that."""

_FILES = """zip mov app dev cab cat com dot pub map data properties target build style tab java docs download prof pid
    info man run srt inc sas mobi box pics link bar bin foo""".split()


def classify(name: str) -> str:
    """Give the class of a top-level domain in its lower-case Unicode form."""
    if not name.isascii():
        return "plain"
    if name in _WORDLIKE:
        return "word"
    if name in _PLAIN:
        return "plain"
    if name in _FILES or name in _COUNTRY_FILES:
        return "file"
    if len(name) == 2 and name not in _COUNTRY_WORDS:
        return "plain"
    return "word"


def main(source: str, date: str) -> None:
    names = sorted(json.loads(Path(source).read_text(encoding="utf-8")))
    lines = [f"# Top-level domains of IANA as of {date} (npm package tlds, MIT); classes by tools/intel/tlds.py"]
    lines += [f"{kind}\t" + " ".join(name for name in names if classify(name) == kind) for kind in ("plain", "word", "file")]
    path = Path("src/toadstone/intel/data/tlds.tsv")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(path, len(names))


if __name__ == "__main__":
    main(*sys.argv[1:3])
