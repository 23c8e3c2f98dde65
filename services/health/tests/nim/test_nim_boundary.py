"""What may be asked for, the catalogue's files, and hostile words on their way through a shell."""

import json
import subprocess
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from spark_common.contracts.nim import NimEntry
from spark_common.logs.redact import mask_secrets
from spark_common.remote.command import RemoteCommand, quote
from spark_health.nim.catalogue import OWN_FILE, read_catalogue, read_entries
from spark_health.nim.record import NimRecord
from spark_health.nim.work import install_command

IMAGE = "nvcr.io/nim/meta/llama-3.1-8b-instruct-dgx-spark:latest"
VALUES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=60)


def entry(**fields) -> NimEntry:
    return NimEntry.model_validate({"name": "x", "label": "X", "image": IMAGE} | fields)


def test_what_ships_is_whole_and_each_on_a_port_of_its_own(tmp_path):
    found = read_catalogue(tmp_path)
    assert found.problems == ()
    assert len({one.port for one in found.entries.values()}) == len(found.entries) >= 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "no YAML"),
        ("- a\n", "must be entries by name"),
        ("a: 1\n", "must be fields with values"),
        ("a: {image: docker.io/x/y}\n", "image"),
        (f"a: {{image: '{IMAGE}', prot: 1}}\n", "no field 'prot'"),
        (f"a: {{image: '{IMAGE}', env: {{NGC_API_KEY: x}}}}\n", "is a secret"),
        (f"A b: {{image: '{IMAGE}'}}\n", "name"),
    ],
)
def test_a_bad_entry_is_left_out_and_said(text, said, tmp_path):
    (tmp_path / OWN_FILE).write_text(text)
    found = read_catalogue(tmp_path)
    assert found.own == frozenset()
    assert len(found.problems) == 1
    assert said in found.problems[0]
    assert found.entries


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_no_text_breaks_the_reading_of_a_catalogue(text):
    found, problems = read_entries(text, "x.yaml")
    assert found == {}
    assert all(problem.endswith(".") for problem in problems)


@pytest.mark.parametrize("bad", ["-x", "a b", "a;b", "$(id)", "a\n", "../a", "A", "", "a" * 41])
def test_a_name_is_a_name(bad):
    with pytest.raises(ValidationError):
        entry(name=bad)


@given(VALUES)
@settings(max_examples=25, deadline=None)
def test_whatever_a_variable_holds_it_arrives_as_it_is(value):
    made = entry(env={"NIM_TAGS_SELECTOR": value})
    record = NimRecord(
        id="one", requested_by="Alice", exclusive="x", step="checking", entry=made, host="spark2",
        label="Spark 2", volume="v", address="127.0.0.12", created_at=datetime.now(UTC),
    )  # fmt: skip
    command = install_command(record, "nvapi-secret")
    assert all("nvapi-secret" not in word for word in command.argv)
    shown = RemoteCommand(("python3", "-IS", "-c", "import sys;print(sys.argv[1])",
                           command.argv[-1]))  # fmt: skip
    line = quote(shown)
    ran = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True)
    arrived = json.loads(ran.stdout)
    assert arrived["env"] == {"NIM_TAGS_SELECTOR": value}


@pytest.mark.parametrize("key", ["nvapi-Abc_123-456789", "a1B2" * 21 + "xy=="])
def test_a_key_that_a_program_prints_is_masked(key):
    assert key not in mask_secrets(f"login with {key} failed")
