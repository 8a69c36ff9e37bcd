"""Write ``src/toadstone/readers/code/opcodes.json`` from the ``opcode`` modules of installed interpreters.

Run ``python -m tools.opcodes.derive PYTHON...`` with one interpreter of each CPython from 3.6 to 3.13; 3.14 comes from
`python314`.

The data, for each version: ``ops`` maps the decimal opcode to ``[name, caches, effect, slope]``. Specialised and instrumented
opcodes carry the name of the opcode they stand for (they mean the same). ``effect + slope * argument`` is the change of the
stack's depth when the jump is not taken; both are null where it is not linear. ``binary`` lists the operators of ``BINARY_OP``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tools.opcodes import python314

TARGET = Path(__file__).parents[2] / "src/toadstone/readers/code/opcodes.json"

PROBE = """
import json, opcode, sys
options = {"jump": False} if sys.version_info >= (3, 8) else {}
def effect(op, arg):
    try:
        return opcode.stack_effect(op, arg, **options)
    except (ValueError, TypeError):
        return None
def linear(op):
    if op < opcode.HAVE_ARGUMENT:
        return [effect(op, None), 0]
    seen = [effect(op, arg) for arg in (0, 2, 4, 6, 8)]
    if None in seen:
        return [None, None]
    step = seen[1] - seen[0]
    if step % 2 or any(seen[i] - seen[0] != i * step for i in range(5)):
        return [None, None]
    return [seen[0], step // 2]
real = {name: op for name, op in opcode.opmap.items() if op < 256}
special = dict(getattr(opcode, "_specialized_opmap", {}))
families = {}
for base, forms in getattr(opcode, "_specializations", {}).items():
    for form in forms:
        families[form] = base
if not special and families:
    free = [op for op in range(1, 256) if opcode.opname[op] == "<%d>" % op]
    special = dict(zip(getattr(opcode, "_specialized_instructions", []), free))
caches = getattr(opcode, "_inline_cache_entries", {})
if isinstance(caches, list):
    caches = {opcode.opname[op]: caches[op] for op in range(256) if caches[op]}
print(json.dumps({
    "version": "%d.%d" % sys.version_info[:2], "opmap": real, "special": special, "families": families, "caches": caches,
    "effects": {name: linear(op) for name, op in real.items() if not name.startswith("INSTRUMENTED")},
    "binary": [sign for _, sign in getattr(opcode, "_nb_ops", [])],
}))
"""


def base_name(name: str, known: set[str], families: dict[str, str]) -> str:
    """The opcode that a specialised or instrumented one stands for."""
    plain = families.get(name, name.removeprefix("INSTRUMENTED_"))
    while plain not in known and "_" in plain:
        plain = plain.rpartition("_")[0]
    return plain if plain in known else name


def compact(probe: dict[str, object]) -> dict[str, object]:
    """Reduce what an interpreter says of itself to what the disassembler needs."""
    opmap: dict[str, int] = dict(probe["opmap"])  # type: ignore[call-overload]
    special: dict[str, int] = dict(probe["special"])  # type: ignore[call-overload]
    families: dict[str, str] = dict(probe.get("families", {}))  # type: ignore[call-overload]
    effects: dict[str, tuple[object, object]] = dict(probe["effects"])  # type: ignore[call-overload]
    caches: dict[str, int] = dict(probe["caches"])  # type: ignore[call-overload]
    known = {name for name in opmap if not name.startswith("INSTRUMENTED")}
    ops: dict[str, list[object]] = {}
    for name, number in sorted((opmap | special).items(), key=lambda item: item[1]):
        base = base_name(name, known, families)
        ops[str(number)] = [base, caches.get(base, 0), *effects.get(base, (None, None))]
    return {"ops": ops, "binary": probe["binary"]}


def main(interpreters: list[str]) -> None:
    """Probe each interpreter and write the table."""
    versions: dict[str, dict[str, object]] = {}
    probes: dict[str, dict[str, object]] = {}
    for interpreter in interpreters:
        probe = json.loads(subprocess.run([interpreter, "-c", PROBE], check=True, capture_output=True, text=True).stdout)
        probes[probe["version"]] = probe
        versions[probe["version"]] = compact(probe)
    newest = probes["3.13"]
    latest = python314.table()
    names = set(dict(latest["opmap"]))  # type: ignore[call-overload]
    inherited = {name: pair for name, pair in dict(newest["effects"]).items() if name in names}  # type: ignore[call-overload]
    latest["effects"] = inherited | dict(latest["effects"])  # type: ignore[call-overload]
    latest["binary"] = [*newest["binary"], "[]"]  # type: ignore[misc]
    versions["3.14"] = compact(latest)
    ordered = dict(sorted(versions.items(), key=lambda item: int(item[0].split(".")[1])))
    TARGET.write_text(json.dumps(ordered, separators=(",", ":")) + "\n", encoding="utf-8")
    print({version: len(table["ops"]) for version, table in ordered.items()}, TARGET.stat().st_size)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(sys.argv[1:])
