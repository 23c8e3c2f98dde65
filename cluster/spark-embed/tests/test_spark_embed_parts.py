"""Settings, the guard over the base image's torch, and what the image is built from."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from spark_embed.settings import Settings, SettingsError, read_settings
from spark_embed.token_ids import decoder, refuse

HOME = Path(__file__).parents[1]


def test_the_defaults_are_enough():
    assert read_settings({"EMBED_MODEL": " "}) == Settings()


def test_variables_win_and_an_empty_reranker_is_none():
    found = read_settings({"RERANK_MODEL": "", "EMBED_MEMORY_GB": "4.5", "EMBED_PORT": "9"})
    assert (found.rerank_model, found.embed_memory_gb, found.embed_port) == ("", 4.5, 9)


@pytest.mark.parametrize(
    ("name", "value"),
    [("EMBED_PORT", "x"), ("EMBED_MEMORY_GB", "0"), ("EMBED_MEMORY_GB", "nan"),
     ("EMBED_BATCH_TOKENS", "10")],
)  # fmt: skip
def test_what_makes_no_sense_is_named(name, value):
    with pytest.raises(SettingsError, match=name):
        read_settings({name: value})


def held(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(HOME / "held.py"), *argv], capture_output=True, text=True, check=False
    )


def test_a_torch_that_was_replaced_ends_the_build(tmp_path):
    note = tmp_path / "held.txt"
    assert held("write", str(note)).returncode == 0
    assert held("check", str(note)).returncode == 0
    note.write_text(note.read_text().replace("torch", "torch==2.9.0a0+nv25", 1))
    changed = held("check", str(note))
    assert changed.returncode == 1
    assert "was replaced" in changed.stderr
    assert held("look").returncode == 2


def test_both_images_ask_with_the_same_program():
    """Each is built from its own folder alone, so each has a copy."""
    other = HOME.with_name("spark-gliner") / "held.py"
    assert other.read_bytes() == (HOME / "held.py").read_bytes()


def test_the_lock_has_hashes_and_leaves_the_gpu_s_packages_to_the_base_image():
    text = (HOME / "requirements.lock").read_text()
    assert "://" not in text
    entries = [row for row in text.replace("\\\n", " ").splitlines() if row[:1].isalpha()]
    names = {re.split(r"[=<> ;]", entry)[0] for entry in entries}
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
    assert {"fastapi", "transformers", "tokenizers", "uvicorn", "tiktoken"} <= names
    assert not names & {"torch", "numpy", "triton"}
    assert not [name for name in names if name.startswith("nvidia-")]


def test_the_image_is_built_without_what_the_classic_builder_lacks():
    text = (HOME / "Dockerfile").read_text()
    assert "# syntax" not in text
    assert "<<" not in text
    assert "--mount" not in text
    install = next(row for row in text.replace("\\\n", " ").splitlines() if "pip install" in row)
    assert "--target /app/site" in install
    assert "--no-deps" in install
    assert "--require-hashes" in install
    assert text.index("held.py write") < text.index("pip install") < text.index("held.py check")
    copied = re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE)
    for name in " ".join(copied).split():
        assert (HOME / name).exists(), name


def test_it_starts_as_a_program_and_refuses_what_makes_no_sense():
    env = {**os.environ, "PYTHONPATH": str(HOME / "src"), "EMBED_PORT": "no"}
    done = subprocess.run(
        [sys.executable, "-m", "spark_embed"], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (2, "EMBED_PORT must be a number, not 'no'\n")


def test_without_the_vocabulary_token_ids_are_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    assert decoder() is refuse
