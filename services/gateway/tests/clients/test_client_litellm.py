"""``litellm`` as a client, in an environment of its own: it pins libraries of ours to others."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from gateway_stand.town import LOADED

PYTHON = Path(__file__).parents[4] / ".venv-litellm" / "bin" / "python"

pytestmark = [
    pytest.mark.connected,
    pytest.mark.skipif(not PYTHON.exists(), reason="litellm is missing: make litellm"),
]


@pytest.fixture(scope="module")
def said(town):
    """Everything it was told, from one process: its import takes seconds."""
    calls = Path(__file__).with_name("litellm_calls.py")
    done = subprocess.run(
        [PYTHON, calls, town.url, LOADED, "BAAI/bge-m3"],
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_completions_whole_and_streamed_and_in_both_dialects(said):
    assert "control plane" in said["whole"]
    assert said["tokens"] > 0
    assert said["streamed"] == said["vllm"] == said["whole"]
    assert said["anthropic"].strip() == said["whole"].strip()


def test_embeddings_and_ranks(said):
    assert said["vectors"] == [1024, 1024]
    assert said["ranked"] == [1, 0]


def test_errors_have_their_classes(said):
    assert said["unknown"] == {"class": "NotFoundError", "status": 404}
    assert said["not_loaded"]["status"] == 503
