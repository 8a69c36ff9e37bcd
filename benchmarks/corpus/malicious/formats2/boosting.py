"""Gradient boosting: XGBoost (UBJSON, JSON), LightGBM and CatBoost with payloads and with numbers that lie."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from typing import Any

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.hosts import EVIL
from benchmarks.corpus.malicious.payloads import CODES, COMMANDS

Tree = tuple[list[int], list[int], list[int]]
GOOD: Tree = ([1, -1, -1], [2, -1, -1], [0, 0, 0])


def ubjson(value: Any) -> bytes:  # noqa: ANN401  (any document)
    """Write a document as XGBoost does: 64-bit lengths, integers of 32 bits."""
    if isinstance(value, dict):
        return b"{" + b"".join(ubjson(str(key))[1:] + ubjson(item) for key, item in value.items()) + b"}"
    if isinstance(value, list) and value and all(isinstance(item, int) for item in value):
        return b"[$l#L" + struct.pack(f">q{len(value)}i", len(value), *value)
    if isinstance(value, list):
        return b"[#L" + struct.pack(">q", len(value)) + b"".join(map(ubjson, value))
    if isinstance(value, int):
        return b"l" + struct.pack(">i", value)
    raw = str(value).encode()
    return b"SL" + struct.pack(">q", len(raw)) + raw


def xgboost(
    tree: Tree = GOOD, objective: str = "reg:squarederror", names: tuple[str, ...] = (), **attributes: str
) -> dict[str, Any]:
    """A document of one tree."""
    left, right, splits = tree
    size = len(left)
    body = {
        "base_weights": [0] * size, "default_left": [0] * size, "id": 0, "left_children": left, "loss_changes": [0] * size,
        "parents": [2147483647, *[0] * (size - 1)], "right_children": right, "split_conditions": [0] * size,
        "split_indices": splits, "sum_hessian": [1] * size,
        "tree_param": {"num_deleted": "0", "num_feature": "2", "num_nodes": str(size), "size_leaf_vector": "1"},
    }  # fmt: skip
    return {
        "learner": {
            "attributes": attributes,
            "feature_names": list(names),
            "feature_types": [],
            "gradient_booster": {
                "model": {"gbtree_model_param": {"num_trees": "1"}, "tree_info": [0], "trees": [body]},
                "name": "gbtree",
            },
            "learner_model_param": {"base_score": "5E-1", "num_class": "0", "num_feature": "2", "num_target": "1"},
            "objective": {"name": objective, "reg_loss_param": {"scale_pos_weight": "1"}},
        },
        "version": [2, 1, 0],
    }


def _xgboost() -> Iterator[Case]:
    documents = {
        "child-outside": xgboost(([1, -1, -1], [900, -1, -1], [0, 0, 0])),
        "child-negative": xgboost(([1, -1, -1], [-7, -1, -1], [0, 0, 0])),
        "cycle": xgboost(([1, 0, -1], [2, 2, -1], [0, 0, 0])),
        "feature-outside": xgboost(([1, -1, -1], [2, -1, -1], [1 << 20, 0, 0])),
        "short-array": xgboost(([1, -1, -1], [2, -1, -1], [0])),
        "attribute-command": xgboost(scikit_learn=COMMANDS[1]),
        "attribute-code": xgboost(note=CODES[0]),
        "attribute-pickle": xgboost(state=base64.b64encode(EVIL).decode()),
        "objective-code": xgboost(objective=CODES[0]),
        "objective-command": xgboost(objective=COMMANDS[3]),
    }
    for name, document in documents.items():
        yield Case(f"xgboost/{name}.ubj", ubjson(document), f"xgboost-{name}")
        yield Case(f"xgboost/{name}.json", json.dumps(document).encode(), f"xgboost-{name}")
    good = ubjson(xgboost())
    inner = ubjson("learner")[1:] + ubjson(xgboost()["learner"])
    raws = {
        "length-huge": b"{L" + struct.pack(">q", 1 << 60) + b"learner",
        "length-negative": b"{L\0\0\0\0\0\0\0\x07learner{L\0\0\0\0\0\0\0\x01a[$d#L" + struct.pack(">q", -1),
        "items-without-bytes": b"{L\0\0\0\0\0\0\0\x07learner[$Z#L" + struct.pack(">q", 1 << 40),
        "nesting": b"{L\0\0\0\0\0\0\0\x07learner" + b"[" * 5000,
        "duplicate-key": b"{" + inner + inner + b"}",
        "trailing-pickle": good + EVIL,
    }
    for name, data in raws.items():
        yield Case(f"xgboost/{name}.ubj", data, f"ubjson-{name}")
    benign = {
        "plain": xgboost(),
        "note": xgboost(note="best run, see https://example.com/run/7", url="https://example.com"),
        "names": xgboost(names=("age (years)", "größe")),
        "custom-objective": xgboost(objective="reg:pseudohubererror"),
    }
    for name, document in benign.items():
        yield Case(f"xgboost/benign-{name}.ubj", ubjson(document), f"xgboost-benign-{name}", "benign", payload=False)
        yield Case(
            f"xgboost/benign-{name}.json", json.dumps(document).encode(), f"xgboost-benign-{name}", "benign", payload=False
        )


TREE = """Tree=0
num_leaves=3
num_cat=0
split_feature=0 1
split_gain=1 1
threshold=0.5 0.5
decision_type=2 2
left_child=1 -1
right_child=-2 -3
leaf_value=0.1 0.2 0.3
leaf_weight=1 1 1
leaf_count=1 1 1
internal_value=0 0
internal_weight=0 0
internal_count=3 2
is_linear=0
shrinkage=1


"""


def lightgbm(
    tree: str = TREE, *, size: int = 0, objective: str = "binary sigmoid:1", parameters: str = "[machines: ]", end: str = ""
) -> bytes:
    """A text model of one tree."""
    head = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\n"
    head += f"objective={objective}\nfeature_names=a b\nfeature_infos=[0:1] [0:1]\ntree_sizes={size or len(tree)}\n\n"
    tail = f"end of trees\n\nfeature_importances:\na=1\nb=1\n\nparameters:\n[boosting: gbdt]\n{parameters}\n\nend of parameters\n"
    return f"{head}{tree}{tail}\npandas_categorical:null\n{end}".encode()


def _lightgbm() -> Iterator[Case]:
    files = {
        "child-outside": lightgbm(TREE.replace("left_child=1 -1", "left_child=1 -9")),
        "cycle": lightgbm(TREE.replace("left_child=1 -1", "left_child=0 -1")),
        "feature-outside": lightgbm(TREE.replace("split_feature=0 1", "split_feature=0 7")),
        "leaves-huge": lightgbm(TREE.replace("num_leaves=3", "num_leaves=1000000000")),
        "tree-sizes": lightgbm(size=1 << 40),
        "objective-code": lightgbm(objective=CODES[0]),
        "parameter-command": lightgbm(parameters=f"[data: {COMMANDS[1]}]"),
        "trailing-pickle": lightgbm() + EVIL,
        "trailing-text-pickle": lightgbm(end="cos\nsystem\n(S'echo toadstone-inert'\ntR."),
    }
    for name, data in files.items():
        yield Case(f"lightgbm/{name}.txt", data, f"lightgbm-{name}")
    yield Case("lightgbm/benign-plain.txt", lightgbm(), "lightgbm-benign-plain", "benign", payload=False)
    listed = lightgbm(parameters="[data: train.csv]\n[machines: 127.0.0.1:12400]")
    yield Case("lightgbm/benign-parameters.txt", listed, "lightgbm-benign-parameters", "benign", payload=False)


Flat = Any
"""None, a text, a list of integers or of tables, or a table."""


class Table(list[Any]):
    """A table of a flatbuffer: its fields by number, None for one that is not there."""


def flat(out: bytearray, value: Flat) -> int:
    """Write a value front to back; give where it stands."""
    out.extend(bytes(-len(out) % 4))
    at = len(out)
    if isinstance(value, Table):
        out.extend(struct.pack(f"<HH{len(value)}H", 4 + 2 * len(value), 4 + 4 * len(value), *range(4, 4 + 4 * len(value), 4)))
        for index, item in enumerate(value):
            if item is None:
                struct.pack_into("<H", out, at + 4 + 2 * index, 0)
        out.extend(bytes(-len(out) % 4))
        start = len(out)
        out.extend(struct.pack("<i", start - at) + bytes(4 * len(value)))
        for index, item in enumerate(value):
            if item is not None:
                slot = start + 4 + 4 * index
                struct.pack_into("<I", out, slot, flat(out, item) - slot)
        return start
    if isinstance(value, str):
        out.extend(struct.pack("<I", len(value.encode())) + value.encode() + b"\0")
    elif value and isinstance(value[0], Table):
        out.extend(struct.pack("<I", len(value)) + bytes(4 * len(value)))
        for index, item in enumerate(value):
            slot = at + 4 + 4 * index
            struct.pack_into("<I", out, slot, flat(out, item) - slot)
    elif value is not None:
        out.extend(struct.pack(f"<I{len(value)}i", len(value), *value))
    return at


def catboost(entries: dict[str, str], sizes: list[int] | None = None, splits: list[int] | None = None) -> bytes:
    """A model of one tree of one split."""
    trees = Table([None, splits or [0], sizes or [1], [0]])
    out = bytearray(4)
    root = Table(["FlabuffersModel_v1", trees, [Table([key, value]) for key, value in entries.items()]])
    struct.pack_into("<I", out, 0, flat(out, root))
    out.extend(bytes(-len(out) % 4))
    return b"CBM1" + struct.pack("<I", len(out)) + bytes(out)


PARAMETERS = {"params": '{"loss_function":{"type":"RMSE"}}', "train_finish_time": "2026-11-23T12:00:00Z"}


def _catboost() -> Iterator[Case]:
    good = catboost(PARAMETERS)
    files = {
        "note-command": catboost({**PARAMETERS, "note": COMMANDS[1]}),
        "note-code": catboost({**PARAMETERS, "note": CODES[0]}),
        "note-pickle": catboost({**PARAMETERS, "state": base64.b64encode(EVIL).decode()}),
        "parameters-target": catboost({"params": json.dumps({"_target_": "os.system", "command": COMMANDS[0]})}),
        "tree-outside": catboost(PARAMETERS, sizes=[1 << 30]),
        "tree-negative": catboost(PARAMETERS, sizes=[-1]),
        "reference-outside": good[:8] + struct.pack("<I", 1 << 30) + good[12:],
        "trailing-pickle": good + EVIL,
    }
    for name, data in files.items():
        yield Case(f"catboost/{name}.cbm", data, f"catboost-{name}")
    yield Case("catboost/benign-plain.cbm", good, "catboost-benign-plain", "benign", payload=False)
    noted = catboost({**PARAMETERS, "note": "trained by hand; call model.predict(x)"})
    yield Case("catboost/benign-note.cbm", noted, "catboost-benign-note", "benign", payload=False)


def cases() -> Iterator[Case]:
    """XGBoost, LightGBM and CatBoost."""
    yield from _xgboost()
    yield from _lightgbm()
    yield from _catboost()
