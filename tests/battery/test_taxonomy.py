from __future__ import annotations

import pytest

from toadstone.core.taxonomy import TaxonomyError, editions, resolve


def test_an_id_moves_between_editions():
    assert resolve("OWASP LLM 2025 LLM04").name == "Data and Model Poisoning"
    assert resolve("OWASP LLM 2026 LLM04").name == "Supply Chain"
    assert resolve("LLM05:2026") == resolve("OWASP LLM 2026 LLM05")
    assert resolve("OWASP LLM 2023 LLM03").name == "Training Data Poisoning"


def test_retired_ids_lead_to_their_successors():
    entry = resolve("MITRE ATLAS 2026.08 AML.T0058")
    assert (entry.id, entry.url) == ("AML.T0115.001", "https://atlas.mitre.org/techniques/AML.T0115.001")


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("CVE-2024-3660", "https://www.cve.org/CVERecord?id=CVE-2024-3660"),
        ("GHSA-vvpj-8cmc-gx39", "https://github.com/advisories/GHSA-vvpj-8cmc-gx39"),
        ("arXiv:2602.04653", "https://arxiv.org/abs/2602.04653"),
        ("CWE-502", "https://cwe.mitre.org/data/definitions/502.html"),
    ],
)
def test_addresses(reference, url):
    assert resolve(reference).url == url


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("AML.T0011.000", "names no known taxonomy with its edition"),
        ("OWASP LLM 2027 LLM01", "names no known taxonomy with its edition"),
        ("OWASP ML 2023 ML11", "Did you mean 'ML10'?"),
        ("MITRE ATLAS 2026.08 AML.T0011.0", "has no entry"),
        ("CWE-99999", "has no entry"),
        ("CVE-24-1", "names no known taxonomy"),
        ("", "names no known taxonomy"),
    ],
)
def test_what_does_not_exist_says_so(reference, said):
    with pytest.raises(TaxonomyError, match=r".") as caught:
        resolve(reference)
    assert said in str(caught.value)


def test_every_edition_is_dated():
    assert all(any(character.isdigit() for character in edition) for edition in editions())
