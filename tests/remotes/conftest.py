"""A loopback hub, and an environment in which nothing of the developer's own logins is found."""

from __future__ import annotations

import pytest

from tests.remotes.loopback import LoopbackHub, serving


@pytest.fixture(autouse=True)
def _no_logins(monkeypatch, tmp_path):
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_ENDPOINT", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))


@pytest.fixture
def hub(monkeypatch):
    with serving(LoopbackHub()) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        yield served
