"""Handlers of model servers that do what a client sends, and those that only look like it."""

from __future__ import annotations

import pytest

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Call
from toadstone.core.finding import Severity
from toadstone.core.place import Place
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk
from toadstone.symbols.intent import intent_of


def judged(text: str) -> set[tuple[str, Severity]]:
    data = text.encode()
    facts = walk(Source(BytesBlob(data), "handler.py", Place("handler.py"), Budget.of(len(data))))
    intents = [intent_of(fact) for fact in facts if isinstance(fact, Call)]
    return {(intent.kind, intent.severity) for intent in intents if intent is not None and intent.kind.startswith("requested")}


def handler(body: str) -> str:
    return f"import os, pickle, json, subprocess\n\n\nclass Handler:\n    def handle(self, data, context):\n        {body}\n"


TRITON = """class TritonPythonModel:
    def execute(self, requests):
        return [eval(pb.get_input_tensor_by_name(request, "X").as_numpy()[0]) for request in requests]
"""
CODE, COMMAND = ("requested-code", Severity.HIGH), ("requested-command", Severity.HIGH)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (handler("return [eval(row['body']) for row in data]"), {CODE}),
        (handler("text = data[0].get('body').decode()\n        exec(text)"), {CODE}),
        (handler("for row in data:\n            os.system(row)"), {COMMAND}),
        (handler("if (c := json.loads(data[0])['cmd']):\n            subprocess.run(c, shell=True)"), {COMMAND}),
        (handler("subprocess.Popen([data[0]['program'], '-x'])"), {COMMAND}),
        (handler("return eval(context.get_request_header(0, 'X'))"), {CODE}),
        (handler("return __import__(data[0]['m'])"), {("requested-import", Severity.HIGH)}),
        (handler("return pickle.loads(data[0]['body'])"), {("requested-object", Severity.MEDIUM)}),
        ("def init():\n    pass\n\n\ndef run(raw):\n    return eval(raw)\n", {CODE}),
        (TRITON, {CODE}),
        ("class EndpointHandler:\n    def __call__(self, data):\n        return eval(data.pop('inputs'))\n", {CODE}),
        ("import bentoml\n\n\nclass S:\n    @bentoml.api\n    def f(self, q):\n        exec(q)\n", {CODE}),
        (
            "@app.post('/x')\nasync def f(request):\n    return eval(await request.body())\n",
            {("requested-code", Severity.MEDIUM)},
        ),
        (
            "import gradio as gr\n\n\ndef f(t):\n    return eval(t)\n\n\ngr.Interface(fn=f)\n",
            {("requested-code", Severity.MEDIUM)},
        ),
    ],
)
def test_what_a_client_sends_is_run(source: str, expected: set[tuple[str, Severity]]) -> None:
    assert judged(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        handler("return [json.loads(row['body']) for row in data]"),
        handler("return eval(self.mapping)"),
        handler("os.system('nvidia-smi ' + str(len(data)))"),
        handler("subprocess.run(['ffmpeg', '-i', data[0]['path']])"),
        handler("import ast\n        return ast.literal_eval(data[0]['body'])"),
        handler("return eval(f'torch.{data[0]}')"),
        "def run(code):\n    exec(code)\n",  # somebody's interpreter, no server's entry
        "class Shell:\n    def execute(self, code):\n        exec(code)\n",
        "class Model:\n    def eval(self, data):\n        return self.net.eval()\n",
        "def handle(line, other):\n    exec(line)\n",
    ],
)
def test_what_only_looks_like_it(source: str) -> None:
    assert judged(source) == set()


def test_a_source_of_any_size_is_looked_through_in_linear_time() -> None:
    body = "\n".join(f"        x{number} = x{number - 1}" for number in range(1, 4000))
    assert judged(handler(f"x0 = data\n{body}\n        eval(x3999)")) == {CODE}
