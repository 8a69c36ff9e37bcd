"""skops: what a node says and what its loader builds."""

import json
from typing import Any

import pytest
from format_files import PICKLE, assert_total, look, skops_file, skops_node

from toadstone.checks.model.skops_node_confusion import SkopsNodeConfusion
from toadstone.core.fact import Anomaly, Call, Fact, Import, Setting
from toadstone.core.value import render


def text(value: object) -> dict[str, Any]:
    return skops_node("JsonNode", "builtins", "str", content=json.dumps(value), is_json=True)


def items(loader: str, name: str, *content: Any) -> dict[str, Any]:
    return skops_node(loader, "builtins", name, content=list(content))


def mapping(**content: Any) -> dict[str, Any]:
    keys = items("ListNode", "list", *[skops_node("TypeNode", "builtins", "str")] * len(content))
    return skops_node("DictNode", "builtins", "dict", content=content, key_types=keys)


def facts(root: dict[str, Any]) -> list[Fact]:
    return look(skops_file(root), "m.skops").facts


def args(*values: object) -> dict[str, Any]:
    return items("TupleNode", "tuple", *[text(value) for value in values])


def generator(**state: Any) -> dict[str, Any]:
    return skops_node("RandomGeneratorNode", "numpy.random._generator", "Generator", content=state)


def calls(root: dict[str, Any]) -> list[str]:
    return [f"{render(fact.callee)}{tuple(render(arg) for arg in fact.args)}" for fact in facts(root) if isinstance(fact, Call)]


def confusions(root: dict[str, Any]) -> list[str]:
    found = [fact for fact in facts(root) if isinstance(fact, Anomaly)]
    assert all(list(SkopsNodeConfusion().examine(fact)) for fact in found)
    return [fact.detail for fact in found]


def test_an_estimator_is_imported_and_nothing_is_confused() -> None:
    estimator = skops_node("ObjectNode", "sklearn.linear_model._logistic", "LogisticRegression", content=mapping(C=text(1.0)))
    seen = look(skops_file(estimator), "m.skops")
    assert not seen.unread
    assert not seen.anomalies
    assert {str(fact.symbol) for fact in seen.of(Import)} == {"sklearn.linear_model._logistic.LogisticRegression"}
    assert {fact.key for fact in seen.of(Setting)} == {"protocol", "_skops_version"}


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        (skops_node("ConstructorFromReduceNode", "os", "system", content=args("echo")), "os.system(\"'echo'\",)"),
        (skops_node("ListNode", "os", "system", content=[text("echo")]), "os.system(\"['echo']\",)"),
        (skops_node("SetNode", "builtins", "exec", content=[]), "builtins.exec('set()',)"),
        (skops_node("LossNode", "os", "system", content=mapping(), __reduce__={"args": args("echo")}), "os.system(\"'echo'\",)"),
        (skops_node("NdArrayNode", "os", "system", type="numpy", file="1.npy"), "os.system()"),
        (
            skops_node("OperatorFuncNode", "operator", "methodcaller", attrs=args("system")),
            "operator.methodcaller(\"'system'\",)",
        ),
    ],
)
def test_everything_that_a_loader_calls_is_a_call(root: dict[str, Any], expected: str) -> None:
    assert expected in calls(root)


@pytest.mark.parametrize("loader", ["TypeNode", "FunctionNode"])
def test_names_are_imports(loader: str) -> None:
    root = items("ListNode", "list", skops_node(loader, "os", "system"))
    assert [str(fact.symbol) for fact in facts(root) if isinstance(fact, Import)] == ["os.system"]


def test_partial_shows_its_function() -> None:
    content = {
        "func": skops_node("FunctionNode", "os", "system"),
        "args": args("echo"),
        "kwds": mapping(),
        "namespace": text(None),
    }
    assert calls(skops_node("PartialNode", "functools", "partial", content=content)) == [
        "functools.partial('os.system', \"'echo'\")"
    ]


def test_function_of_protocol_0_is_found_in_its_content() -> None:
    root = skops_node("FunctionNode", "builtins", "function", content={"module_path": "os", "function": "system"})
    assert "os.system" in {str(fact.symbol) for fact in facts(root) if isinstance(fact, Import)}


@pytest.mark.parametrize(
    "root",
    [
        skops_node("OperatorFuncNode", "builtins", "int", attrs=args("system")),
        skops_node("OperatorFuncNode", "operator", "call", attrs=args("system")),
        skops_node("MethodNode", "builtins", "int", content={"func": "system", "obj": skops_node("ObjectNode", "os", "Thing")}),
        skops_node("MethodNode", "builtins", "int", content={}),
        skops_node("PartialNode", "builtins", "int", content={"func": text(1)}),
        skops_node("TreeNode", "builtins", "int", content=mapping(), __reduce__={"args": args()}),
        skops_node("JsonNode", "os", "system", content="1"),
        skops_node("CachedNode", "builtins", "int", __id__=7),
        items("ListNode", "list", {**text(1), "__id__": 5}, skops_node("TypeNode", "builtins", "int", __id__=5)),
        generator(bit_generator=mapping(bit_generator=text("seed"))),
        generator(),
        skops_node("FunctionNode", "numpy", "add", content={"module_path": "os", "function": "system"}),
    ],
)
def test_differences_between_label_and_product_are_found(root: dict[str, Any]) -> None:
    assert confusions(root)


def test_honest_special_nodes_are_not_confused() -> None:
    root = items(
        "ListNode",
        "list",
        skops_node("OperatorFuncNode", "operator", "itemgetter", attrs=args(1)),
        generator(bit_generator=mapping(bit_generator=text("PCG64")), seed_seq=mapping()),
        skops_node(
            "MethodNode",
            "numpy",
            "ndarray",
            content={"func": "sum", "obj": skops_node("NdArrayNode", "numpy", "ndarray", file="1.npy")},
        ),
        {**text(1), "__id__": 5},
        {**text(2), "__id__": 5},
        skops_node("CachedNode", "builtins", "str", __id__=5),
        skops_node("DictNode", "sklearn.utils._bunch", "Bunch", content={}, key_types=items("ListNode", "list")),
    )
    assert not confusions(root)


def test_unknown_loader_is_unread() -> None:
    assert any("NewNode" in reason for reason in look(skops_file(skops_node("NewNode", "a", "b")), "m.skops").unread)


def test_a_pickle_named_skops_is_said_and_still_read() -> None:
    seen = look(PICKLE, "m.skops")
    assert "loader-mismatch" in seen.anomalies
    assert [str(fact.callee) for fact in seen.of(Call)] == ["posix.system"]


def test_keys_cannot_be_hidden_by_escapes_or_encodings() -> None:
    schema = json.dumps(skops_node("TypeNode", "os", "system"))
    for raw in (
        schema.replace("__loader__", "\\u005f_loader__").encode(),
        (" " * 9000 + schema).encode(),
        schema.encode("utf-16"),
    ):
        assert [str(fact.symbol) for fact in look(raw, "schema.json").of(Import)] == ["os.system"]


def test_schemas_of_others_are_not_ours() -> None:
    assert look(b'{"type": "object", "properties": {}}', "schema.json").kind != "skops"


def test_deep_and_wide_schemas_stop() -> None:
    assert look(b'{"__loader__":' + b"[" * 200_000, "schema.json").unread
    assert look(b'{"__loader__":[' + b"{}," * 1_500_000 + b"{}]}", "schema.json").unread


def test_any_bytes_are_survived() -> None:
    root = skops_node("ObjectNode", "a", "B", content=mapping(x=text([1, 2]), y=args("z")), __id__=3)
    assert_total(json.dumps(root).encode(), "schema.json", flips=400)
    assert_total(skops_file(root), "m.skops", flips=50)
