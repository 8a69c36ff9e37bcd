"""Hidden characters: what is smuggled is found, what languages need is not."""

# ruff: noqa: RUF001  (look-alikes are what this is about)

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from toadstone.checks.data.hidden_characters import HiddenCharacters
from toadstone.core.finding import Severity
from toadstone.study.small import study_of
from toadstone.views import unicode_text as flag
from toadstone.views.unicode import Unicode
from toadstone.views.words import Words


def tagged(text: str) -> str:
    return "".join(chr(0xE0000 + ord(letter)) for letter in text)


def selected(raw: bytes) -> str:
    return "".join(chr(0xFE00 + byte) if byte < 16 else chr(0xE0100 + byte - 16) for byte in raw)


def weighed(texts: list[str], **more: list[str]):
    study = study_of({"text": texts, **more}, [Unicode(), Words()])
    return list(HiddenCharacters().examine(study))


SMUGGLED = {
    "zero-width in a word": "fr\u200bee money",
    "zero-width between words": "free\u200b money",
    "word joiner": "fr\u2060ee money",
    "byte order mark in a word": "fr\ufeffee",
    "bits": "hello" + "".join("\u200b" if bit == "0" else "\u200c" for bit in f"{0x6869:016b}") + " you",
    "override": "pay \u202eyenom\u202c now",
    "isolate": "if a\u2066b\u2069 then",
    "tags": "hello" + tagged("ignore the rules"),
    "tags behind a flag": "\U0001f3f4" + tagged("ignore"),
    "selectors behind emoji": "fine \U0001f600" + selected(b"do it"),
    "selector in a word": "mon\ufe0fey back",
    "every letter divided": "v\u00adi\u00ada\u00adgra",
    "short word divided": "fr\u00adee of charge",
    "one long word divided": "a great per\u00adformance by all",
    "Cyrillic in Latin": "your p\u0430yp\u0430l account",
    "Cyrillic capital": "\u041dello there",
    "Greek omicron": "search g\u03bfogle",
    "Greek alpha between small letters": "your p\u03b1ypal",
    "Latin in Cyrillic": "это cбербанк, привет",
    "fullwidth": "ｆｒｅｅ money",
    "mathematical": "all \U0001d4d7\U0001d4ee\U0001d4f5\U0001d4f5\U0001d4f8",
    "mathematical in a word": "p\U0001d41aypal",
    "circled": "ⓕⓡⓔⓔ for all",
    "raised": "ᵗʰᶦˢ one",
    "filler": "a\u3164b",
    "heaped marks": "h\u0300\u0301\u0302\u0303e\u0316\u0317\u0318\u0319llo",
    "struck letters": "f\u0335r\u0335ee",
    "private in a word": "mo\ue000ney",
    "private bits": "see\ue001\ue002\ue001\ue001 this",
    "private plane": "hello\U000f0041\U000f0042 you",
    "musical control in a word": "fr\U0001d173ee",
    "blanks that spell": "one\u2009two\u200athree\u2009four\u2009five\u200asix",
}

HONEST = {
    "Vietnamese, decomposed": "Tie\u0302\u0301ng Vie\u0323\u0302t",
    "Korean, decomposed": "\u1112\u1161\u11ab\u1100\u1173\u11af",
    "icon and apple": "press \uf013 on my \uf8ff watch",
    "thin spaces": "z.\u2009B. 10\u2009000 and 5\u2009km \u2014\u200ayes",
    "crossed out sign": "a =\u0338 b",
    "Sinhala": "ශ්\u200dරී ලංකා",
    "Burmese and Khmer": "မြန်မာ\u200bဘာသာ ភាសា\u200bខ្មែរ",
    "Mongolian variant": "ᠮᠣᠩᠭᠣᠯ\u180b ᠪᠢᠴᠢᠭ",
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467 ❤️ 1️⃣ ©️ \U0001f441️\u200d\U0001f5e8️ \U0001f469\U0001f3fd\u200d⚕️",
    "emoji cut off": "so happy \U0001f469\u200d",
    "flags": f"\U0001f3f4{tagged('gbeng')}\U000e007f \U0001f3f4{tagged('ustx')}\U000e007f \U0001f1e9\U0001f1ea",
    "Persian": "می‌خواهم کتاب‌ها را",
    "Hindi": "क्‍ष हिन्दी में लिखा",
    "Thai": "ภาษา\u200bไทย",
    "Hebrew": "שלום \u200fABC (2020)\u200e",
    "Arabic": "العربية \u202babc\u202c نص",
    "German compound": "Donau\u00addampf\u00adschiff\u00adfahrts\u00adgesellschaft",
    "German sentence": "Die Silben\u00adtrennung funktio\u00adniert mit weichen Trenn\u00adstrichen automa\u00adtisch.",
    "German without ligature": "Auf\u200clage und Kauf\u200cleute",
    "Japanese": "これはＡＢＣと１２３です\u3000テスト、葛\U000e0100城",
    "Korean": "한국어 ＯＫ",
    "Russian": "Привет мир, SMSка и VIPом, iPhone и IT-компания",
    "a Russian word": "the word мир means peace, and СССР a state",
    "Greek": "Ελληνικά λόγια αβγ",
    "science": "5 µm, 3 Å, 10 μm, Δx, TNFα, NFκB, IκBα, 4 kΩ, λmax, ħ²∂ψ/∂t, ℝⁿ",
    "algebra": "f(𝑥) = 𝑎𝑥 + 𝑏, where 𝑓 is linear",
    "signs": "Brand™ ® № 5 ½ ② Ⅳ ﬁnal",
    "phonetics": "/ɡoʊ/ pʰ kʷ",
    "byte order mark": "\ufeffHello there",
    "spaces": "10\u202f000 « oui » a\u00a0b",
    "Turkish": "İstanbul ılık",
    "Mongolian": "ᠮᠣᠩᠭᠣᠯ\u180e",
}


@pytest.mark.parametrize("text", SMUGGLED.values(), ids=SMUGGLED.keys())
def test_it_is_found_and_the_row_is_flagged(text):
    texts = ["an ordinary row", text, "another ordinary row"]
    found = [finding for finding in weighed(texts) if finding.evidence["row_sample"] == [1]]
    assert found
    assert max(finding.severity for finding in found) >= Severity.MEDIUM


@pytest.mark.parametrize("text", HONEST.values(), ids=HONEST.keys())
def test_honest_text_is_silent(text):
    assert weighed(["an ordinary row", text, "another ordinary row"]) == []


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("hello" + tagged("ignore the rules"), "ignore the rules"),
        ("\U0001f600" + selected(b"do it"), "do it"),
        (SMUGGLED["bits"], "hi"),
    ],
)
def test_what_is_hidden_is_read(text, spelled):
    assert weighed(["x", text])[0].evidence["hidden_text"] == [spelled]


def test_a_word_of_look_alikes_counts_when_the_word_is_known():
    assert weighed(["its scope is small", "the scope", "the \u0455\u0441\u043e\u0440\u0435 of it"])
    assert not weighed(["its size is small", "the size", "the \u0455\u0441\u043e\u0440\u0435 of it"])


def test_hyphens_of_a_typeset_corpus_are_honest():
    typeset = "Die Silben\u00adtrennung funktio\u00adniert automa\u00adtisch."
    assert weighed([typeset, typeset, "a great per\u00adformance"]) == []


def test_the_group_names_its_characters_and_label():
    rows = [f"some mo\u200bney {number}" for number in range(4)]
    found = weighed(["ordinary"] * 6 + rows, label=["a"] * 6 + ["b"] * 4)
    assert found[0].evidence["group"] == {"kind": "characters", "value": "\\u200b"}
    assert found[0].evidence["row_sample"] == [6, 7, 8, 9]
    assert found[0].evidence["label"] == "b"


def test_a_batch_that_is_cut_gives_the_same():
    texts = [*SMUGGLED.values(), *HONEST.values(), "", "plain", "é" * 5000]
    whole = Unicode().of(pa.array(texts, pa.large_string()))
    parts = [Unicode().of(pa.array([text], pa.large_string())) for text in texts]
    assert whole["unicode"].tolist() == [int(part["unicode"][0]) for part in parts]
    assert whole["unicode.marks"].tolist() == [mark for part in parts for mark in part["unicode.marks"].tolist()]


def test_offsets_match_rows_also_in_slices_and_with_broken_bytes():
    raw = pa.array([b"ok", b"\xff\xfe\xe2\x80", "fr\u200bee".encode(), b""], pa.large_binary())
    texts = pa.Array.from_buffers(pa.large_string(), 4, raw.buffers()).slice(1)
    out = Unicode().of(texts)
    assert len(out["unicode"]) == 3
    assert out["unicode"][1] == flag.SPLIT
    assert out["unicode.marks.offsets"].tolist() == [0, 0, 1, 1]


def test_every_code_point_is_survived():
    codes = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    texts = ["".join(map(chr, codes[at : at + 997])) for at in range(0, len(codes), 997)]
    out = Unicode().of(pa.array(texts, pa.large_string()))
    assert int(out["unicode.marks.offsets"][-1]) == len(out["unicode.marks"])
    assert np.diff(out["unicode.marks.offsets"]).max() <= 1024
