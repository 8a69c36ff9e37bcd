"""The text of a LightGBM model, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.blob import CHUNK
from toadstone.core.fact import Fact, Setting, Text
from toadstone.core.value import KEPT_TEXT
from toadstone.readers.carried import carried
from toadstone.readers.reader import Source

_LINE = 32 << 20
"""Bytes of the longest line that is read: the leaves of a tree of a million nodes."""

_BINARY = re.compile(rb"[\0-\x08\x0e-\x1f\x7f]")
_HEADER = frozenset(
    {
        "version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective", "feature_names",
        "monotone_constraints", "feature_infos", "tree_sizes",
    }
)  # fmt: skip
_TREE = frozenset(
    {
        "Tree", "num_leaves", "num_cat", "split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child",
        "leaf_value", "leaf_weight", "leaf_count", "internal_value", "internal_weight", "internal_count", "cat_boundaries",
        "cat_threshold", "is_linear", "shrinkage", "leaf_const", "num_features", "leaf_features", "leaf_coeff", "leaf_parent",
    }
)  # fmt: skip
_KEPT = frozenset({"num_leaves", "num_cat", "split_feature", "threshold", "left_child", "right_child", "leaf_value"})
_MARKS = frozenset(
    {"tree", "end of trees", "feature_importances:", "feature importances:", "parameters:", "end of parameters", "average_output"}
)
_ENTRY = re.compile(r"[^=\n]{1,4096}=\d+")
_PARAMETER = re.compile(r"\[(\w{1,100}):\s?(.*)\]")
_NUMBER = re.compile(r"(?:[-+]?\d{1,20}(?:\.\d{0,20})?(?:e[-+]?\d{1,4})?(?:[,: ]|$))*|nan|inf|true|false", re.IGNORECASE)
_INTEGER = re.compile(r"-?\d{1,18}")


def lines(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield the lines with their offsets, without their ends; one that is too long is given cut, as the last one."""
    held, start = b"", 0
    for chunk in source.blob.chunks(0, None, CHUNK):
        source.budget.spend_steps(len(chunk) // 16)
        held += chunk
        while (end := held.find(b"\n")) >= 0:
            yield start, held[:end]
            start += end + 1
            held = held[end + 1 :]
        if len(held) > _LINE:
            yield start, held
            return
    if held:
        yield start, held


class Model:
    """Reads one model.

    Args:
        source: The file.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._section = "header"
        self._tree: dict[str, str] = {}
        self._starts: list[int] = []
        self._sizes: list[str] = []
        self._features = -1
        self._returns = False

    def read(self) -> Iterator[Fact]:
        """Give the facts, and claim what is text of the format."""
        end = 0
        for offset, raw in lines(self._source):
            if len(raw) > _LINE:
                yield self._source.unread(f"lightgbm: a line of more than {_LINE:,} bytes", offset)
                break
            if _BINARY.search(raw):
                break
            self._returns = self._returns or raw.endswith(b"\r")
            facts = self._line(offset, raw.decode("utf-8", "replace").rstrip("\r"))
            if facts is None:
                break
            yield from facts
            end = offset + len(raw) + 1
        yield from self._end_of_tree()
        yield from self._boundaries()
        self._source.coverage.read(0, end)
        if end < self._source.blob.size:
            yield self._source.anomaly("malformed", "something follows that is no line of a model", end)
            yield self._source.member(f"@{end}", self._source.blob.window(end, self._source.blob.size - end))
            self._source.coverage.read(end, self._source.blob.size)  # accounted for as the member

    def _line(self, offset: int, line: str) -> list[Fact] | None:
        """Give what one line says, or None if it is none of a model."""
        key, mark, value = line.partition("=")
        if key == "Tree" and mark:
            facts = list(self._end_of_tree())
            self._section, self._tree = "tree", {"Tree": value[:20]}
            self._starts.append(offset)
            return facts
        if self._section == "tree" and key in _TREE and mark:
            if key in _KEPT:
                self._tree[key] = value
            return []
        if self._section == "header" and key in _HEADER and mark:
            return self._header(key, value)
        if not line.strip():
            return []
        if line in _MARKS:
            facts = list(self._end_of_tree())
            if line == "end of trees" and self._starts:
                self._starts.append(offset)
            if line not in ("tree", "average_output"):
                self._section = line
            return facts
        return self._tail(line)

    def _tail(self, line: str) -> list[Fact] | None:
        place = self._source.place
        if line.startswith("pandas_categorical:"):
            text = line.partition(":")[2]
            return [Text(place, "metadata", text[:KEPT_TEXT]), *carried(self._source, "pandas_categorical", text)]
        if self._section == "parameters:" and (found := _PARAMETER.fullmatch(line)):
            if _NUMBER.fullmatch(found[2]):
                return []
            value = found[2][:4096]
            return [Setting(place, "lightgbm", found[1], value), Text(place, "metadata", value)]
        if self._section.startswith("feature") and _ENTRY.fullmatch(line):
            return []
        return None

    def _header(self, key: str, value: str) -> list[Fact]:
        place = self._source.place
        if key == "tree_sizes":
            self._sizes = value.split()
        elif key == "max_feature_idx" and _INTEGER.fullmatch(value):
            self._features = int(value) + 1
        elif key == "objective":
            return [Setting(place, "lightgbm", "objective.name", value[:400])]
        elif key == "feature_names":
            return [Text(place, "metadata", value[:KEPT_TEXT].replace(" ", "\n"))]
        return []

    def _boundaries(self) -> Iterator[Fact]:
        """Compare the stated sizes of the trees with where the trees are."""
        if not self._sizes or not self._starts:
            return
        if any(not _INTEGER.fullmatch(size) for size in self._sizes):
            yield self._source.anomaly("index-bounds", "the sizes of the trees are no numbers")
            return
        at, index = self._starts[0], 0
        for index, size in enumerate(self._sizes):
            if index < len(self._starts) and at != self._starts[index]:
                break
            at += int(size)
        else:
            index += 1
        if index < len(self._starts) and at != self._starts[index]:
            detail = f"tree {index:,} begins or ends at {self._starts[index]:,}; the stated sizes lead to {at:,}"
            kind = "malformed" if self._returns else "index-bounds"  # line ends that were converted move the trees
            yield self._source.anomaly(kind, detail, self._starts[index])

    def _end_of_tree(self) -> Iterator[Fact]:
        if self._tree:
            problem = self._problem(self._tree)
            if problem:
                yield self._source.anomaly("index-bounds", f"tree {self._tree['Tree']} {problem}", self._starts[-1])
            self._tree = {}

    def _problem(self, tree: dict[str, str]) -> str:
        stated = tree.get("num_leaves", "")
        if not _INTEGER.fullmatch(stated):
            return f"claims {stated[:40]!r} leaves" if stated else ""
        leaves = int(stated)
        if leaves <= 1:
            return "" if leaves == 1 else f"claims {leaves:,} leaves"
        values = tree.get("leaf_value")
        if values is not None and leaves > len(values) + 1:
            return f"claims {leaves:,} leaves and has fewer values"
        if "left_child" not in tree or "right_child" not in tree:
            return ""  # cut short
        left, right = _integers(tree["left_child"]), _integers(tree["right_child"])
        features = _integers(tree.get("split_feature", ""))
        if left is None or right is None or features is None:
            return "has children or features that are no numbers"
        if not len(left) == len(right) == len(features) == leaves - 1:
            return f"claims {leaves:,} leaves and has {len(left):,} and {len(right):,} children of {len(features):,} splits"
        self._source.budget.spend_steps(leaves)
        if any(not 0 <= feature < self._features for feature in features) and self._features >= 0:
            return f"splits at a feature that is none of {self._features:,}"
        return _walk(left, right, leaves)


def _walk(left: list[int], right: list[int], leaves: int) -> str:
    """Follow the children: inner nodes count from 0, leaves from -1 downwards; every one is reached once."""
    reached = {0}
    for child in (*left, *right):
        if not -leaves <= child < leaves - 1:
            return f"leads to node {child:,}; it has {leaves - 1:,} splits and {leaves:,} leaves"
        if child in reached:
            return f"reaches node {child:,} twice"
        reached.add(child)
    return ""


def _integers(text: str) -> list[int] | None:
    words = text.split()
    return [int(word) for word in words] if all(_INTEGER.fullmatch(word) for word in words) else None
