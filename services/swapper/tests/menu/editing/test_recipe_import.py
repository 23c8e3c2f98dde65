"""Recipes of the launcher's checkout: listed in one round trip, imported when asked."""

import os
from pathlib import Path

import pytest

from spark_common.contracts.recipes import (
    ImportTemplate,
)
from spark_common.errors import (
    ConflictError,
    HostUnreachableError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
)
from spark_swapper.recipes import load_recipes

QWEN, QWEN_REPO = "qwen3.6-35b-a3b", "nvidia/Qwen3.6-35B-A3B-NVFP4"


def checkout(desk, host: str = "spark1") -> Path:
    folder = desk.shell.homes[host] / "spark-vllm-docker" / "recipes"
    folder.mkdir(parents=True)
    return folder


TEMPLATE = """\
recipe_version: "1"
name: Tuned
description: A tuned one
model: alice/tuned
container: vllm-node-b12x
mods: [mods/fix-it]
defaults: {port: 8000, host: 0.0.0.0, tensor_parallel: 2, max_model_len: 32768}
env: {A: 1}
command: |
  vllm serve alice/tuned --port {port} --host {host} -tp {tensor_parallel} \\
    --distributed-executor-backend ray --max-model-len {max_model_len} \\
    --speculative-config '{{"method":"mtp"}}' --served-model-name tuned-one
"""


async def test_a_template_is_read_in_one_round_trip_and_imported(desk, folder_shell) -> None:
    folder = checkout(desk)
    (folder / "tuned.yaml").write_text(TEMPLATE)
    (folder / "broken.yaml").write_text("name: [")
    (folder / "large.yaml").write_text("#" * 70_000)
    (folder / "notes.txt").write_text("no recipe")
    (folder / "link.yaml").symlink_to("/etc/passwd")
    (folder / "folder.yaml").mkdir()

    os.mkfifo(folder / "pipe.yaml")
    asked = folder_shell.commands
    templates = await desk.templating.list()
    assert folder_shell.commands == asked + 1
    found = {template.name: template for template in templates.templates}
    assert set(found) == {"tuned", "broken", "large", "link", "folder", "pipe"}
    assert "not valid YAML" in found["broken"].problem
    assert found["link"].problem == "it is a link"
    assert found["large"].problem == "it is larger than 64 KiB"
    assert found["tuned"].form is not None
    assert (templates.host, found["tuned"].mode) == ("spark1", "either")
    detail = await desk.editing.import_template(ImportTemplate(name="tuned"))
    assert folder_shell.commands == asked + 1
    assert desk.written()["tuned"] == {
        "name": "Tuned",
        "repo": "alice/tuned",
        "mode": "cluster",
        "tensor_parallel": 2,
        "served_name": "tuned-one",
        "image": "vllm-node-b12x",
        "mods": ["mods/fix-it"],
        "env": {"A": "1"},
        "args": ["--max-model-len=32768", '--speculative-config={"method":"mtp"}'],
        "context_length": 32768,
    }
    assert detail.preview.ok
    listed = (await desk.templating.list()).templates
    assert next(one for one in listed if one.name == "tuned").known_as == "tuned"
    with pytest.raises(ConflictError):
        await desk.editing.import_template(ImportTemplate(name="tuned"))
    await desk.editing.import_template(ImportTemplate(name="tuned", replace=True))
    with pytest.raises(InvalidRequestError, match="not valid YAML"):
        await desk.editing.import_template(ImportTemplate(name="broken"))
    with pytest.raises(NotFoundError):
        await desk.editing.import_template(ImportTemplate(name="nobody"))


async def test_the_second_spark_is_asked_when_the_first_has_none_or_is_away(
    desk, folder_shell
) -> None:
    (checkout(desk, "spark2") / "tuned.yaml").write_text(TEMPLATE)
    assert (await desk.templating.list()).host == "spark2"
    folder_shell.trouble["spark1"] = HostUnreachableError("gone")
    assert (await desk.templating.list(refresh=True)).host == "spark2"
    folder_shell.trouble["spark2"] = UnavailableError("gone")
    with pytest.raises(UnavailableError):
        await desk.templating.list(refresh=True)


async def test_no_checkout_is_said(desk) -> None:
    templates = await desk.templating.list()
    assert templates.templates == []
    assert templates.problem == "Spark 1: the checkout is not there"


async def test_a_template_of_a_bundled_model_replaces_it_only_when_asked(desk) -> None:
    text = TEMPLATE.replace("alice/tuned", QWEN_REPO)
    (checkout(desk) / "qwen.yaml").write_text(text)
    with pytest.raises(ConflictError, match=f"'{QWEN}' is the recipe for"):
        await desk.editing.import_template(ImportTemplate(name="qwen"))
    detail = await desk.editing.import_template(ImportTemplate(name="qwen", replace=True))
    assert (detail.source, detail.form.key, detail.form.mode) == ("override", QWEN, "cluster")
    bundled = load_recipes().with_key(QWEN)
    assert detail.form.size_bytes == bundled.size_bytes
    assert detail.form.capabilities == ["chat", "vision"]
    assert (await desk.knobs(reset=True)).source == "bundled"
