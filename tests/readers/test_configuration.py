"""JSON, TOML and requirement files: read completely, and what their keys make a loader do."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Anomaly, Call, Fact, Import, Link, Lookup, Moment, Operator, Setting, Unread
from toadstone.core.place import Place
from toadstone.core.value import Symbol, render_call
from toadstone.readers.configuration.bulk import thinned
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk


def look(document: object, name: str = "config.json") -> list[Fact]:
    data = (
        document
        if isinstance(document, bytes)
        else document.encode()
        if isinstance(document, str)
        else json.dumps(document).encode()
    )
    return list(walk(Source(BytesBlob(data), name, Place(name), Budget.of(len(data)))))


def calls(facts: list[Fact]) -> list[str]:
    return [render_call(fact.callee, fact.args, fact.kwargs) for fact in facts if isinstance(fact, Call)]


SYSTEM = "os.system"


@pytest.mark.parametrize(
    ("document", "call"),
    [
        ({"_target_": SYSTEM, "_args_": ["echo x"]}, "os.system('echo x')"),
        ({"model": {"_target_": SYSTEM, "command": "echo x"}}, "os.system(command='echo x')"),
        ([{"a": [{"_target_": SYSTEM, "_partial_": False, "command": "x"}]}], "os.system(command='x')"),
        ({"target": SYSTEM, "params": {"command": "x"}}, "os.system(command='x')"),
        ({"target": SYSTEM}, "os.system()"),
        ({"class_path": SYSTEM, "init_args": {"command": "x"}}, "os.system(command='x')"),
        ({"_component_": SYSTEM, "command": "x"}, "os.system(command='x')"),
        ({"handlers": {"h": {"()": SYSTEM, "command": "x"}}}, "os.system(command='x')"),
        ({"type": SYSTEM, "init_parameters": {"command": "x"}}, "os.system(command='x')"),
        ({"lc": 1, "type": "constructor", "id": ["os", "system"], "kwargs": {"command": "x"}}, "os.system(command='x')"),
        ({"py/object": "os.system", "py/initargs": ["x"]}, "os.system('x')"),
        ({"py/reduce": [{"py/type": "os.system"}, {"py/tuple": ["x"]}]}, "os.system('x')"),
        ([{"idx": 0, "name": "0", "path": "x", "type": SYSTEM}], "os.system('x')"),
        ({"flavors": {"python_function": {"loader_module": "evil.loader"}}}, "evil.loader._load_pyfunc()"),
        ({"mcpServers": {"a": {"command": "bash", "args": ["-c", "echo x"]}}}, "subprocess.run(['bash', '-c', 'echo x'])"),
        ({"hooks": {"Start": [{"hooks": [{"type": "command", "command": "echo x"}]}]}}, "subprocess.run(['echo x'])"),
    ],
)
def test_keys_that_call(document: object, call: str) -> None:
    assert calls(look(document)) == [call]


def test_partial_target_is_called_later() -> None:
    (call,) = [fact for fact in look({"_target_": SYSTEM, "_partial_": True}) if isinstance(fact, Call)]
    assert call.when is Moment.USE


def test_computed_target_has_no_module() -> None:
    (found,) = [fact for fact in look({"_target_": "${oc.env:WHAT}"}) if isinstance(fact, Import)]
    assert found.symbol == Symbol("", "${oc.env:WHAT}")


@pytest.mark.parametrize(
    "document",
    [
        {"target": "es2022", "module": "esnext"},
        {"target": "data.label"},
        {"type": "object", "properties": {"command": {"type": "string"}}},
        {"command": "value", "args": ["x"]},
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "bfloat16", "auto_map": None},
        [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}],
        {
            "_class_name": "StableDiffusionPipeline",
            "_diffusers_version": "0.30",
            "unet": ["diffusers", "UNet2DConditionModel"],
            "x": [None, None],
        },
        {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "sub/model.safetensors"}},
        {"flavors": {"python_function": {"loader_module": "mlflow.sklearn"}}},
        {"attn_implementation": "flash_attention_2", "trust_remote_code": False},
    ],
)
def test_ordinary_documents_call_nothing(document: object) -> None:
    assert not [fact for fact in look(document) if isinstance(fact, (Call, Import, Link, Anomaly, Unread))]


def test_remote_code() -> None:
    facts = look(
        {"auto_map": {"AutoModel": "owner/name--modeling.Model", "AutoTokenizer": ["tok.Slow", None]}, "trust_remote_code": True}
    )
    assert [(fact.key, fact.value) for fact in facts if isinstance(fact, Setting)] == [
        ("auto_map.AutoModel", "owner/name--modeling.Model"),
        ("auto_map.AutoTokenizer", "tok.Slow"),
        ("trust_remote_code", True),
    ]
    assert [(fact.target, fact.relation, fact.escapes) for fact in facts if isinstance(fact, Link)] == [
        ("owner/name", "remote-code", True)
    ]


def test_paths_that_leave_the_model() -> None:
    facts = look({"weight_map": {"a": "../../secret.bin", "b": "/etc/x", "c": "ok.bin"}})
    assert [fact.target for fact in facts if isinstance(fact, Link)] == ["../../secret.bin", "/etc/x"]


def test_unknown_library_in_a_pipeline() -> None:
    facts = look({"_diffusers_version": "0.30", "unet": ["subprocess", "Popen"]}, "model_index.json")
    assert [fact.symbol for fact in facts if isinstance(fact, Import)] == [Symbol("subprocess", "Popen")]


@pytest.mark.parametrize(
    "value",
    ["{{ ''.__class__ }}", [{"name": "default", "template": "{{ ''.__class__ }}"}], {"tool_use": "{{ ''.__class__ }}"}],
)
def test_chat_templates_are_read(value: object) -> None:
    (found,) = [fact for fact in look({"tokenizer_class": "X", "chat_template": value}) if isinstance(fact, Lookup)]
    assert found.name == "__class__"
    assert found.place.member.startswith("chat_template")


def test_repeated_keys() -> None:
    facts = look('{"auto_map": {"a": "b.C"}, "x": 1, "x": 1, "auto_map": {}}')
    assert [fact.kind for fact in facts if isinstance(fact, Anomaly)] == ["ambiguous-record"]


@pytest.mark.parametrize("pattern", ["(a+)+$", "(?:\\s*x*)*", "([a-z]+){2,}"])
def test_exponential_expressions(pattern: str) -> None:
    facts = look({"model": {}, "pre_tokenizer": {"type": "Split", "pattern": {"Regex": pattern}}})
    assert [fact.kind for fact in facts if isinstance(fact, Anomaly)] == ["resource-claim"]


def test_ordinary_expressions() -> None:
    pattern = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
    pattern += "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
    assert not look({"model": {}, "pre_tokenizer": {"type": "Split", "pattern": {"Regex": pattern}}})


@pytest.mark.parametrize(
    "text",
    ['\ufeff{"a": 1}', '{"a": 1, // why\n "b": [1, 2,], /* x */ }', '{"a": 1}\n{"a": 2}\n', "[]", "3", '{"a": NaN, "b": 1e999}'],
)
def test_spellings_of_json_are_read(text: str) -> None:
    assert look(text) == []


@pytest.mark.parametrize("text", ['{"a": ', "[" * 100_000, '{"a":1} trailing', '{"a" 1}', "{" + '"a":{' * 50_000])
def test_broken_json_is_unread(text: str) -> None:
    assert [fact for fact in look(text) if isinstance(fact, Unread)]


def test_large_vocabulary_is_complete_and_fast() -> None:
    vocabulary = {f'tok{index} é"\\{{[': index for index in range(200_000)}
    merges = [[f"a{index}", f"中 {index}"] for index in range(200_000)]
    document = {
        "model": {"vocab": vocabulary, "merges": merges, "scores": [["x", -1.5]] * 50_000},
        "chat_template": "{{ ''.__class__ }}",
    }
    for indent in (None, 1):
        data = json.dumps(document, indent=indent, ensure_ascii=False).encode()
        assert len(data) > 4 << 20
        start = time.process_time()
        facts = look(data, "tokenizer.json")
        assert time.process_time() - start < 2
        assert [type(fact).__name__ for fact in facts] == ["Lookup", "Code"]


def test_nothing_is_hidden_in_a_vocabulary() -> None:
    entries = ", ".join(f'"w{index}": {index}' for index in range(400_000))
    text = f'{{"model": {{"vocab": {{{entries}, "auto_map": {{"AutoModel": "a.B"}}, {entries} }}}}}}'
    assert [fact.key for fact in look(text, "tokenizer.json") if isinstance(fact, Setting)] == ["model.vocab.auto_map.AutoModel"]


def test_large_data_set_in_one_document() -> None:
    rows = [
        {"id": index, "question": f"what is {index}?", "answers": {"text": [f"it is {index}"], "start": [index]}}
        for index in range(250_000)
    ]
    rows[1000]["extra"] = {"model": {"_target_": SYSTEM, "_args_": ["x"]}}
    facts = look({"version": "1", "data": rows}, "train.json")
    assert calls(facts) == ["os.system('x')"]
    assert not [fact for fact in facts if isinstance(fact, Unread)]


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(_PLAIN, st.sampled_from([None, 0, 2]), st.booleans())
def test_thinning_keeps_json_json(value: object, indent: int | None, padded: bool) -> None:
    document = {"a": [["x", "y"]] * 100, "b": value, "c": dict.fromkeys(map(str, range(100)), 1)} if padded else value
    left = json.loads(
        thinned(
            json.dumps(document, indent=indent, ensure_ascii=False)
            .encode("utf-8", "surrogatepass")
            .decode("utf-8", "replace")
            .encode()
        )
    )
    if padded:
        assert list(left) == ["a", "b", "c"]
    else:
        assert left == json.loads(json.dumps(document).encode("utf-8", "replace")) or "\\ud" in json.dumps(document)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.sampled_from(["config.json", "x.toml", "requirements.txt", "x.cfg", "tokenizer.json"]),
    st.binary(max_size=120) | st.text(max_size=120) | _PLAIN,
)
def test_total(name: str, content: object) -> None:
    reasons = [fact.reason for fact in look(content, name) if isinstance(fact, Unread)]
    assert not [reason for reason in reasons if "internal error" in reason]


_KEYS = [
    "_target_",
    "target",
    "class_path",
    "init_args",
    "auto_map",
    "chat_template",
    "py/reduce",
    "py/object",
    "lc",
    "id",
    "type",
    "mcpServers",
    "command",
    "weight_map",
    "model",
    "normalizer",
    "_diffusers_version",
    "custom_pipelines",
    "auto_mapping",
    "loader_module",
    "init_parameters",
    "()",
    "scripts",
    "build-system",
]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.recursive(
        _PLAIN,
        lambda inner: st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4) | st.lists(inner, max_size=3),
        max_leaves=10,
    ),
    st.sampled_from(["config.json", "package.json", "model_index.json"]),
)
def test_any_value_under_any_key(document: object, name: str) -> None:
    reasons = [fact.reason for fact in look(document, name) if isinstance(fact, Unread)]
    assert not [reason for reason in reasons if "internal error" in reason]


def test_truncation() -> None:
    text = json.dumps(
        {
            "auto_map": {"A": "b.C"},
            "m": {"_target_": SYSTEM, "_args_": ["x", {"y": [1, 2]}]},
            "chat_template": "{% if x %}{{ y }}{% endif %}",
        }
    )
    for size in range(len(text)):
        reasons = [fact.reason for fact in look(text[:size]) if isinstance(fact, Unread)]
        assert size == 0 or reasons
        assert not [reason for reason in reasons if "internal error" in reason]


def test_requirements() -> None:
    lines = ["numpy==2.0  # why", "--index-url https://192.0.2.1/simple", "-r more.txt", "x @ https://a.invalid/x.whl"]
    lines += ["git+https://a.invalid/y", "# c", "z; python_version > '3'"]
    text = "\n".join(lines)
    found = [(fact.key, fact.value, fact.place.row) for fact in look(text, "requirements.txt") if isinstance(fact, Setting)]
    assert found == [
        ("--index-url", "https://192.0.2.1/simple", 1),
        ("-r", "more.txt", 2),
        ("requirement", "x @ https://a.invalid/x.whl", 3),
        ("requirement", "git+https://a.invalid/y", 4),
    ]


def test_toml() -> None:
    assert calls(look('[model]\n_target_ = "os.system"\n_args_ = ["x"]\n', "conf.toml")) == ["os.system('x')"]
    assert [fact for fact in look("a = ", "conf.toml") if isinstance(fact, Unread)]
    assert [fact for fact in look("a = " + "[" * 5000, "conf.toml") if isinstance(fact, Unread)]


def test_graphs_of_mxnet_name_their_python_operators() -> None:
    def found(node: dict[str, object]) -> list[str]:
        document = {"nodes": [{"op": "null", "name": "data"}, node], "arg_nodes": [0], "heads": [[1, 0, 0]]}
        return [fact.name for fact in look(document, "model-symbol.json") if isinstance(fact, Operator)]

    assert found({"op": "Custom", "name": "c", "attrs": {"op_type": "loss", "command": "x"}}) == ["loss"]
    assert found({"op": "_Native", "name": "c", "attrs": {"info": "0x7f"}}) == ["_Native"]
    assert found({"op": "Convolution", "name": "c", "attrs": {"kernel": "(3, 3)"}}) == []
