"""XML: PMML and OpenVINO graphs that make their parser read, expand or load, and honest twins."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from html import escape

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.hosts import EVIL, WEIGHTS
from benchmarks.corpus.malicious.payloads import CODES, COMMANDS, LIBRARY, URL

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def pmml(header: str = "", body: str = "", doctype: str = "", instructions: str = "") -> str:
    """A regression model."""
    return f"""{_HEAD}{instructions}{doctype}<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4">
  <Header copyright="example">{header}<Application name="example" version="1.0"/></Header>
  <DataDictionary numberOfFields="1"><DataField name="x" optype="continuous" dataType="double"/></DataDictionary>
  {body}<RegressionModel functionName="regression"><RegressionTable intercept="1.5"><NumericPredictor name="x" coefficient="2"/>
  </RegressionTable></RegressionModel>
</PMML>
"""


def _bomb(width: int, depth: int) -> str:
    lines = ['<!ENTITY e0 "lolololololololol">']
    lines += [f'<!ENTITY e{level} "{f"&e{level - 1};" * width}">' for level in range(1, depth)]
    return f"<!DOCTYPE PMML [{''.join(lines)}]>\n"


def _pmml() -> Iterator[Case]:
    entity = "<!DOCTYPE PMML [<!ENTITY x {}>]>\n"
    function = '<DerivedField name="y" optype="continuous" dataType="double"><Apply function="{}"/></DerivedField>'
    function = f"<TransformationDictionary>{function}</TransformationDictionary>"
    bad = {
        "entity-file": pmml("&x;", doctype=entity.format('SYSTEM "file:///etc/passwd"')),
        "entity-address": pmml("&x;", doctype=entity.format(f'SYSTEM "{URL}"')),
        "entity-public": pmml("&x;", doctype=entity.format('PUBLIC "-//x//y" "../../secret"')),
        "parameter-entity": pmml(doctype=f'<!DOCTYPE PMML [<!ENTITY % p SYSTEM "{URL}"> %p;]>\n'),
        "external-subset": pmml(doctype=f'<!DOCTYPE PMML SYSTEM "{URL}">\n'),
        "include": pmml('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/>'),
        "bomb": pmml("&e8;", doctype=_bomb(10, 9)),
        "bomb-wide": pmml("&e3;", doctype=_bomb(200, 4)),
        "extension-command": pmml(f'<Extension name="run" value="{escape(COMMANDS[1])}"/>'),
        "extension-java": pmml('<Extension><![CDATA[Runtime.getRuntime().exec("echo toadstone-inert")]]></Extension>'),
        "annotation-code": pmml(f"<Annotation>{escape(CODES[0])}</Annotation>"),
        "trailing-pickle": pmml() + EVIL.decode("latin-1"),
    }
    for name, text in bad.items():
        encoding = "latin-1" if name == "trailing-pickle" else "utf-8"
        yield Case(f"pmml/{name}.pmml", text.encode(encoding), f"pmml-{name}")
    wide = pmml("&x;", doctype=entity.format('SYSTEM "file:///etc/passwd"')).replace("UTF-8", "UTF-16")
    yield Case("pmml/entity-utf16.pmml", wide.encode("utf-16"), "pmml-entity-utf16")
    yield Case("pmml/entity-utf7.pmml", wide.replace("UTF-16", "UTF-7").encode("utf-7"), "pmml-entity-utf7")
    benign = {
        "plain": pmml("<Annotation>Made by hand; call evaluate() to score.</Annotation>"),
        "functions": pmml(body=function.format("log10")),
        "old": pmml(doctype='<!DOCTYPE PMML PUBLIC "PMML 2.0" "http://www.dmg.org/v2-0/pmml_v2_0.dtd">\n'),
        "extension": pmml('<Extension name="algorithm" value="ols" extender="example"/>'),
    }
    for name, text in benign.items():
        yield Case(f"pmml/benign-{name}.pmml", text.encode(), f"pmml-benign-{name}", "benign", payload=False)


def openvino(
    kind: str = "ReLU",
    version: str = "opset1",
    data: str = "",
    shape: str = "8",
    offset: str = "0",
    size: str = "32",
    head: str = "",
) -> bytes:
    """A graph of a constant and one layer."""
    return f"""{_HEAD.replace(' encoding="UTF-8"', "")}{head}<net name="tiny" version="11"><layers>
<layer id="0" name="w" type="Const" version="opset1">
<data element_type="f32" shape="{shape}" offset="{offset}" size="{size}"/></layer>
<layer id="1" name="y" type="{kind}" version="{version}">{data}</layer>
<layer id="2" name="out" type="Result" version="opset1"/>
</layers><edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/></edges></net>
""".encode()


def _openvino() -> Iterator[Case]:
    bad = {
        "library": openvino("Exec", "extension", f'<data library="{LIBRARY}"/>'),
        "command": openvino("Exec", "extension", f'<data command="{escape(COMMANDS[1])}"/>'),
        "size-lies": openvino(size="3200"),
        "offset-overflow": openvino(offset=str((1 << 63) - 8)),
        "entity": openvino(head='<!DOCTYPE net [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
    }
    for name, graph in bad.items():
        yield Case(f"openvino/{name}", {"model.xml": graph, "model.bin": WEIGHTS}, f"openvino-{name}")
    hidden = {"model.xml": openvino(), "model.bin": WEIGHTS + EVIL}
    yield Case("openvino/pickle-behind-weights", hidden, "openvino-pickle-behind-weights")
    good = {"model.xml": openvino(), "model.bin": struct.pack("<8f", *range(8))}
    yield Case("openvino/benign-plain", good, "openvino-benign", "benign", payload=False)


def cases() -> Iterator[Case]:
    """PMML and OpenVINO."""
    yield from _pmml()
    yield from _openvino()
