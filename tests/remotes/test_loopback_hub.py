"""The hub of these tests speaks like the real one: the hub's own client library understands it."""

from __future__ import annotations

import subprocess
import sys

from tests.remotes.large_files import safetensors
from tests.remotes.loopback import COMMIT, judged

CLIENT = """
import sys
from huggingface_hub import HfApi, HfFileSystem, hf_hub_download
api = HfApi()
info = api.model_info("owner/name", revision="v1", securityStatus=True)
print(info.sha, info.security_repo_status["filesWithIssues"][0]["path"])
for file in api.list_repo_tree("owner/name", revision=info.sha, recursive=True, expand=True):
    print(file.path, file.size, file.lfs.sha256[:8] if file.lfs else file.blob_id[:8], file.security and file.security.status)
path = hf_hub_download("owner/name", "model.safetensors", revision="v1")
print(len(open(path, "rb").read()))
"""


def test_the_hubs_own_client_reads_it(hub, tmp_path):
    hub.page = 2
    hub.add("config.json", b"{}")
    hub.add("bad.pkl", b"\x80\x04N.", lfs=True, status=judged("unsafe"))
    hub.add("model.safetensors", safetensors(1 << 20), lfs=True, status=judged("safe"))
    environment = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CLIENT], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    digests = [hub.files[path].digest()[:8] for path in ("bad.pkl", "model.safetensors")]
    assert done.stdout.splitlines() == [
        f"{COMMIT} bad.pkl",
        f"bad.pkl 4 {digests[0]} unsafe",
        "config.json 2 9e26dfee None",
        f"model.safetensors {hub.files['model.safetensors'].content.size} {digests[1]} safe",
        str(hub.files["model.safetensors"].content.size),
    ], done.stderr
