"""The root and the time of a proof by pymerkle; run by a Python that has it, with entries in hexadecimal on standard input."""

import json
import sys
import time

from pymerkle import InmemoryTree  # type: ignore[import-not-found]

entries = [bytes.fromhex(line) for line in sys.stdin.read().split()]
tree = InmemoryTree(algorithm="sha256")
began = time.perf_counter()
for entry in entries:
    tree.append_entry(entry)
appended = time.perf_counter() - began
root = tree.get_root().hex()
step = len(entries) // 20
began = time.perf_counter()
for index in range(0, len(entries), step):
    tree.prove_inclusion(index + 1)
proof = (time.perf_counter() - began) / len(range(0, len(entries), step))
print(json.dumps({"root": root, "append": len(entries) / appended, "proof_ms": proof * 1000}))
