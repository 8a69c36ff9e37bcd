"""Tricks in the formats, written to get past the product: each must be found at the default gate."""

from __future__ import annotations

import pytest

from tests.adversarial.hostile_objects import KERAS, NUMPY, SKOPS, TORCHSCRIPT
from tests.adversarial.hostile_settings import CONFIGURATION
from tests.adversarial.hostile_templates import TEMPLATES
from tests.adversarial.hostile_tensors import GGUF, ONNX, SAFETENSORS
from tests.adversarial.pieces import Files, zipped
from toadstone.core.finding import Severity
from toadstone.verbs.scan import scan

FAMILIES = {
    "template": TEMPLATES, "gguf": GGUF, "safetensors": SAFETENSORS, "onnx": ONNX, "keras": KERAS, "numpy": NUMPY, "skops": SKOPS,
    "configuration": CONFIGURATION, "torchscript": TORCHSCRIPT,
}  # fmt: skip
CASES: dict[str, Files] = {f"{family}: {name}": files for family, cases in FAMILIES.items() for name, files in cases.items()}
for _name, _files in list(CASES.items())[::9]:  # every ninth once more, three archives deep
    CASES[f"{_name}, three archives deep"] = {"a.zip": zipped(("b.zip", zipped(("c.zip", zipped(*_files.items())))))}


@pytest.mark.parametrize("name", sorted(CASES))
def test_it_is_found(name, tmp_path):
    for path, data in CASES[name].items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    report = scan(tmp_path)
    shown = [(finding.check, finding.severity.label, finding.message) for finding in report.findings]
    assert report.worst is not None, shown
    assert report.worst >= Severity.HIGH, shown
