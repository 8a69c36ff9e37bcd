"""What an XGBoost model means, whether it came as JSON or as UBJSON: its texts, and whether its trees are trees.

Source: ``doc/model.schema`` of XGBoost 1.0 to 3.2, ``src/tree/tree_model.cc``. The loader compares some lengths and follows the
indices of children and features without looking: one that points outside is a read beyond the buffer, one that points back is a
prediction that never ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from toadstone.core.fact import Fact, Setting, Text
from toadstone.core.value import KEPT_TEXT
from toadstone.readers.carried import carried
from toadstone.readers.outline import Span
from toadstone.readers.reader import Source

_NODES = 1 << 22
"""Nodes of one tree that are followed."""

_ARRAYS = ("right_children", "split_indices", "split_conditions", "default_left", "parents")
_DECEIVES = re.compile("[\0\x1b\u202a-\u202e\u2066-\u2069]")
"""Characters that cut, colour or reverse what a person sees; line ends and tabs do stand in headers of real tables."""

_NAMES = 1 << 16
_VALUES = 100_000
_TELLING = re.compile(r"[(\s/\\]")
_TREE_PATHS = frozenset({("gradient_booster", "model", "trees"), ("gradient_booster", "gbtree", "model", "trees")})


def is_tree(path: list[Any]) -> bool:
    """Whether a path from the document's root leads to one tree."""
    return len(path) >= 5 and path[0] == "learner" and type(path[-1]) is int and tuple(path[1:-1]) in _TREE_PATHS


class Model:
    """Collects what the parts of one model say.

    Args:
        source: The file.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._features = -1
        self._told = 0

    def tree(self, index: Any, tree: Any, offset: int) -> Iterator[Fact]:  # noqa: ANN401  (a parsed document)
        """Check one tree."""
        problem = self._tree(tree) if isinstance(tree, dict) else "is no object"
        if problem:
            yield self._source.anomaly("index-bounds", f"tree {index} {problem}", offset)

    def _tree(self, tree: dict[str, Any]) -> str:
        left = _numbers(tree.get("left_children"))
        arrays = {name: _numbers(tree.get(name)) for name in _ARRAYS}
        if not left or any(array is None for array in arrays.values()):
            return ""  # a form that is not known: nothing can be said
        size = len(left)
        self._source.budget.spend_steps(size)
        if self._source.budget.steps < size:
            return ""
        for name, array in arrays.items():
            if array is not None and len(array) != size:
                return f"has {size:,} entries of left_children and {len(array):,} of {name}"
        parameters = tree.get("tree_param")
        stated = _natural(parameters.get("num_nodes")) if isinstance(parameters, dict) else None
        if stated is not None and stated != size:
            return f"claims {stated:,} nodes and has {size:,}"
        return self._walk(left, arrays["right_children"] or [], arrays["split_indices"] or [])

    def _walk(self, left: list[Any], right: list[Any], splits: list[Any]) -> str:
        """Follow a tree from its root: every node once, and none that is not there."""
        size = len(left)
        seen = bytearray(size)
        stack = [0]
        while stack:
            node = stack.pop()
            if type(node) is not int or not 0 <= node < size:
                return f"leads to node {node!s:.40} of {size:,}"
            if seen[node]:
                return f"reaches node {node:,} twice"
            seen[node] = 1
            if left[node] == -1:
                continue
            stack += (left[node], right[node])
            if type(splits[node]) is not int or splits[node] < 0:
                return f"splits at feature {splits[node]!s:.40}"
            self._features = max(self._features, splits[node])
        return ""

    def whole(self, root: dict[str, Any]) -> Iterator[Fact]:
        """Give the texts of a model, and compare its trees with the number of its features."""
        learner = root.get("learner")
        if not isinstance(learner, dict):
            return
        parameters = learner.get("learner_model_param")
        features = _natural(parameters.get("num_feature")) if isinstance(parameters, dict) else None
        if features and self._features >= features:
            detail = f"a tree splits at feature {self._features:,}; the model has {features:,}"
            yield self._source.anomaly("index-bounds", detail)
        attributes = learner.get("attributes")
        for key, value in attributes.items() if isinstance(attributes, dict) else ():
            yield from self._text(f"attributes.{key}", value)
        for key in ("objective", "gradient_booster"):
            part = learner.get(key)
            name = part.get("name") if isinstance(part, dict) else None
            if isinstance(name, str):
                yield Setting(self._source.place, "xgboost", f"{key}.name", name[:400])
        for key in ("feature_names", "feature_types"):
            yield from self._names(key, learner.get(key))
        yield from self.texts(root)

    def texts(self, root: Any) -> Iterator[Fact]:  # noqa: ANN401  (a parsed document)
        """Give the other texts of a document that are more than a word: nothing else in a model is."""
        stack = [root]
        for _ in range(_VALUES):
            if not stack:
                return
            node = stack.pop()
            if isinstance(node, dict):
                stack.extend(item for key, item in node.items() if key not in ("attributes", "feature_names"))
            elif isinstance(node, list) and node and not isinstance(node[0], (int, float)):
                stack.extend(node[:_VALUES])
            elif isinstance(node, str) and len(node) > 7 and _TELLING.search(node):
                yield Text(self._source.place, "metadata", node[:KEPT_TEXT])

    def _text(self, key: str, value: Any) -> Iterator[Fact]:  # noqa: ANN401
        text = value if isinstance(value, str) else ""
        if isinstance(value, Span):
            text = value.blob.read(value.offset, min(value.size, KEPT_TEXT)).decode("utf-8", "replace")
        if text:
            yield Setting(self._source.place, "xgboost", key[:400], text[:KEPT_TEXT])
            yield Text(self._source.place, "metadata", text[:KEPT_TEXT])
            yield from carried(self._source, key, text)

    def _names(self, key: str, names: Any) -> Iterator[Fact]:  # noqa: ANN401
        listed = [name for name in names[:_NAMES] if isinstance(name, str)] if isinstance(names, list) else []
        joined = "\n".join(listed)[:KEPT_TEXT]
        if joined:
            yield Text(self._source.place, "metadata", joined)
        deceiving = next((name for name in listed if _DECEIVES.search(name)), None)
        if deceiving is not None:
            detail = f"{deceiving[:200]!r} in {key} contains characters that change what a person sees"
            yield self._source.anomaly("name-trick", detail)


def document_facts(source: Source, root: Any) -> Iterator[Fact]:  # noqa: ANN401  (a parsed document)
    """Give the facts of a model that was parsed as JSON, whole; nothing for any other document."""
    learner = root.get("learner") if isinstance(root, dict) else None
    if not isinstance(learner, dict) or "version" not in root:
        return
    source.notes.setdefault("kind", "xgboost")
    model = Model(source)
    for path in sorted(_TREE_PATHS):
        node: Any = learner
        for key in path:
            node = node.get(key) if isinstance(node, dict) else None
        for index, tree in enumerate(node if isinstance(node, list) else ()):
            yield from model.tree(index, tree, -1)
    yield from model.whole(root)


def _numbers(value: Any) -> list[Any] | None:  # noqa: ANN401
    if isinstance(value, Span):
        return value.numbers(_NODES) if value.count <= _NODES else None
    return value if isinstance(value, list) and not getattr(value, "more", 0) else None


def _natural(value: Any) -> int | None:  # noqa: ANN401
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20 else None
