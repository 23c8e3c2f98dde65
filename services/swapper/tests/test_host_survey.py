"""What one round trip to a Spark says about a launch: the script, its words, their meaning."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_common.settings import ClusterSettings, HostSettings
from spark_swapper.adapters.host_checks import (
    SURVEY,
    Listener,
    Survey,
    judge,
    memory_of,
    read_survey,
)
from spark_swapper.guarding.headroom import HOST_SIDE, Tenant
from spark_swapper.testing import a_candidate

MIB = 1024**2
CLUSTER = ClusterSettings(
    hosts=(HostSettings(name="spark1", label="Spark 1", address="127.0.0.11", user="alice"),),
    ssh_key_path=Path("key"),
    known_hosts_path=Path("known"),
)
WELL = Survey(
    script=True,
    files="yes",
    free_kib=90_000_000,
    image_id="sha256:1",
    container="none",
    ports_listed=True,
    total_bytes=125_442_868 * 1024,
    available_bytes=115_789_005 * 1024,
    gpu_answers=True,
)
OURS = replace(
    WELL,
    container="running",
    processes=(6329, 6330),
    runs_vllm=True,
    apps=((3150, 218, "python3"), (6330, 96_073, "VLLM::EngineCore")),
)
EVERYWHERE = "00000000"
WORDS = (
    *("script", "free", "files", "master", "listen port", "memory", "ports", "image", "noimage"),
    *("docker", "process", "container", "gpu", "app"),
)
"""With which a line of the survey begins."""


def bad(survey, candidate=None):
    """Return the names of what speaks against a launch."""
    check = judge("spark1", "Spark 1", candidate or a_candidate(), CLUSTER, survey)
    return {one.name for one in check.findings if one.verdict == "bad"}


def doubtful(survey):
    check = judge("spark1", "Spark 1", a_candidate(), CLUSTER, survey)
    return {one.name for one in check.findings if one.verdict == "unknown"}


def test_a_spark_that_has_everything_raises_neither_objection_nor_doubt():
    check = judge("spark1", "Spark 1", a_candidate(), CLUSTER, WELL)
    assert {one.name for one in check.findings} == {
        "launcher",
        "image",
        "disk",
        "files",
        "port",
    }
    assert (check.problem, check.doubt, check.image_id) == (None, None, "sha256:1")


@pytest.mark.parametrize(
    ("changes", "objections", "doubts"),
    [
        ({"script": False}, {"launcher"}, set()),
        ({"no_image": True}, {"image"}, set()),
        ({"docker": "permission denied", "image_id": None}, set(), {"image"}),
        ({"image_id": None}, set(), {"image"}),
        ({"ports_listed": False}, set(), {"port"}),
        ({"free_kib": 1_048_576}, {"disk"}, set()),
        ({"free_kib": None}, set(), {"disk"}),
        ({"files": "none"}, {"files"}, set()),
        ({"files": "dead"}, {"files"}, set()),
        ({"files": "unread"}, set(), {"files"}),
        ({"files": ""}, set(), {"files"}),
    ],
)
def test_what_a_host_lacks_is_an_objection_and_what_it_hides_a_doubt(changes, objections, doubts):
    survey = replace(WELL, **changes)
    assert (bad(survey), doubtful(survey)) == (objections, doubts)


@pytest.mark.parametrize(
    ("survey", "listeners", "verdict"),
    [
        (WELL, (), "good"),
        (WELL, (Listener(EVERYWHERE, root=True),), "bad"),
        (WELL, (Listener("0100007F", root=False),), "bad"),
        (WELL, (Listener("0" * 32, root=False),), "bad"),
        (WELL, (Listener("0000000000000000FFFF00000100007F", root=False),), "bad"),
        # Only the IPv6 loopback: vLLM listens on IPv4.
        (WELL, (Listener("00000000000000000000000001000000", root=False),), "good"),
        (OURS, (Listener(EVERYWHERE, root=True),), "good"),
        (OURS, (Listener(EVERYWHERE, root=False),), "unknown"),
        (replace(OURS, runs_vllm=False), (Listener(EVERYWHERE, root=True),), "bad"),
        (replace(WELL, container="unclear"), (Listener(EVERYWHERE, root=True),), "unknown"),
    ],
)
def test_the_port_is_told_apart_from_the_runtime_that_will_be_stopped(survey, listeners, verdict):
    survey = replace(survey, on_port=listeners)
    check = judge("spark1", "Spark 1", a_candidate(), CLUSTER, survey)
    (port,) = [one for one in check.findings if one.name == "port"]
    assert port.verdict == verdict
    assert "8888" in port.sentence


def test_a_launch_over_two_sparks_needs_the_port_of_its_ranks_on_the_head():
    wide = a_candidate(hosts=("spark1", "spark2"))
    taken = replace(WELL, on_master_port=(Listener(EVERYWHERE, root=False),))
    assert bad(taken) == set()
    assert bad(taken, wide) == {"port"}
    second = judge("spark2", "Spark 2", wide, CLUSTER, replace(taken, script=False))
    assert {one.name for one in second.findings} == {"image", "disk", "files"}


def test_what_the_runtime_holds_comes_back_and_what_others_hold_does_not():
    memory = memory_of(OURS)
    assert memory is not None
    assert (memory.freed, memory.freed_at_most) == (96_073 * MIB, 96_073 * MIB + HOST_SIDE)
    assert memory.tenants == (Tenant("python3", 218 * MIB),)


@pytest.mark.parametrize(
    ("survey", "freed"),
    [
        (WELL, 0),
        (replace(WELL, container="running"), 0),
        (replace(OURS, apps=((6330, None, "VLLM::EngineCore"),)), None),
        (replace(OURS, apps=()), None),
        (replace(OURS, apps=((6330, 999_999_999, "VLLM::EngineCore"),)), None),
        (replace(OURS, gpu_answers=False), None),
        (replace(OURS, container="unclear"), None),
    ],
)
def test_what_nobody_can_tell_is_unknown_and_not_nothing(survey, freed):
    memory = memory_of(survey)
    assert memory is not None
    assert memory.freed == freed
    assert (memory.freed_at_most is None) == (freed is None)


def test_a_host_that_does_not_say_how_much_it_has_says_nothing():
    assert memory_of(replace(WELL, available_bytes=None)) is None


FAKES = {
    "df": "printf 'Filesystem 1024-blocks Used Available Capacity Mounted on\\n'\n"
    "printf '/dev/x 900 1 90000000 1%% /\\n'",
    "cat": "printf 'MemTotal: 125442868 kB\\nMemAvailable: 30000000 kB\\n'\n"
    "printf '  sl  local_address rem_address   st tx_queue rx_queue\\n'\n"
    "printf ' 0: 00000000:22B8 00000000:0000 0A 0:0 00:0 0 0 0 1 1 0 100 0 0 10 0\\n'\n"
    "printf ' 1: 0100007F:1F90 00000000:0000 0A 0:0 00:0 0 1000 0 1 1 0 100 0 0 10 0\\n'\n"
    "printf ' 2: 0100007F:22B8 0100007F:D431 01 0:0 00:0 0 1000 0 1 1 0 100 0 0 10 0\\n'\n"
    "printf ' 3: 00000000:733D 00000000:0000 0A 0:0 00:0 0 1000 0 1 1 0 100 0 0 10 0\\n'",
    "docker": "case $1 in image) echo sha256:42 ;; top) printf 'PID COMMAND\\n"
    "1 sleep infinity\\n6330 VLLM::EngineCore\\n' ;; esac",
    "nvidia-smi": "printf '6330, 96073, VLLM::EngineCore\\n3150, [N/A], my prog, v2\\n'",
}


DAEMON_DOWN = (
    "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is "
    "correct and if the daemon is running: dial unix /var/run/docker.sock: connect: no such file "
    "or directory"
)
"""What docker says of a daemon that does not run; it is no word about any image."""


def surveyed(
    home: Path, master: str = "29501", model: str = "models--org--m", **programs: str
) -> Survey:
    """Run the script with fake programs; return what was read of it."""
    folder = home / "bin"
    folder.mkdir(exist_ok=True)
    for name, text in {**FAKES, **programs}.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    done = subprocess.run(
        [
            *("sh", "-c", SURVEY, "survey"),
            *("checkout", "vllm-node", "vllm_node", "8888", master, model),
        ],
        env={"HOME": str(home), "PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return read_survey(done.stdout)


def test_one_script_says_it_all(tmp_path):
    seen = surveyed(tmp_path)
    assert (seen.script, seen.free_kib, seen.image_id) == (False, 90_000_000, "sha256:42")
    assert (seen.container, seen.processes, seen.runs_vllm) == ("running", (1, 6330), True)
    assert (seen.total_bytes, seen.available_bytes) == (125_442_868 * 1024, 30_000_000 * 1024)
    assert seen.ports_listed
    assert seen.on_port == (Listener("00000000", root=True),)
    assert seen.on_master_port == (Listener("00000000", root=False),)
    assert seen.apps == ((6330, 96_073, "VLLM::EngineCore"), (3150, None, "my prog, v2"))
    assert seen.gpu_answers


def test_the_checkouts_own_master_port_wins(tmp_path):
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / ".env").write_text('CLUSTER_NODES=a,b\nMASTER_PORT="8080"\n')
    seen = surveyed(tmp_path)
    assert seen.master_port == 8080
    assert seen.on_master_port == (Listener("0100007F", root=False),)
    assert surveyed(tmp_path, master="0").on_master_port == ()


def test_files_are_there_when_no_link_leads_nowhere(tmp_path):
    assert surveyed(tmp_path).files == "none"
    folder = tmp_path / ".cache/huggingface/hub/models--org--m"
    (folder / "snapshots" / "abc").mkdir(parents=True)
    assert surveyed(tmp_path).files == "none"
    (folder / "blobs").mkdir()
    (folder / "blobs" / "1").write_text("x")
    for name in ("config.json", "model.safetensors"):
        (folder / "snapshots" / "abc" / name).symlink_to("../../blobs/1")
    assert surveyed(tmp_path).files == "yes"
    (folder / "blobs" / "1").unlink()
    assert surveyed(tmp_path).files == "dead"
    assert surveyed(tmp_path, model=str(tmp_path)).files == "yes"
    assert surveyed(tmp_path, model=str(tmp_path / "gone")).files == "none"


@pytest.mark.parametrize(
    ("docker", "expected"),
    [
        (
            "case $1 in image) what=image ;; *) what=container ;; esac\n"
            'echo "Error response from daemon: No such $what: x" >&2; exit 1',
            (True, None, "none"),
        ),
        ("echo 'error: no such object' >&2; exit 1", (True, None, "none")),
        ("echo 'permission denied' >&2; exit 1", (False, "permission denied", "unclear")),
        ("exit 124", (False, "no answer within 6 s", "unclear")),
        (f"echo '{DAEMON_DOWN}' >&2; exit 1", (False, DAEMON_DOWN, "unclear")),
        ("", (False, None, "running")),
    ],
)
def test_docker_in_all_its_moods(tmp_path, docker, expected):
    seen = surveyed(tmp_path, docker=docker)
    assert (seen.no_image, seen.docker, seen.container) == expected


def test_what_docker_warns_of_is_not_the_answer(tmp_path):
    warning = "echo 'WARNING: Error loading config file: /home/alice/.docker/config.json' >&2\n"
    seen = surveyed(tmp_path, docker=warning + FAKES["docker"])
    assert (seen.image_id, seen.container, seen.processes) == ("sha256:42", "running", (1, 6330))


def test_lists_of_the_kernel_that_cannot_be_read_are_not_empty_ones(tmp_path):
    only_total = surveyed(tmp_path, cat="echo 'MemTotal: 125442868 kB'")
    assert (only_total.total_bytes, only_total.available_bytes) == (None, None)
    assert not only_total.ports_listed
    assert not surveyed(tmp_path, cat="exit 1").ports_listed


def test_a_driver_that_is_missing_is_not_an_empty_list(tmp_path):
    seen = surveyed(tmp_path, **{"nvidia-smi": "exec no-such-program-anywhere 2>/dev/null"})
    assert (seen.gpu_answers, seen.apps) == (False, ())


def test_a_driver_that_fails_is_not_an_empty_list(tmp_path):
    seen = surveyed(tmp_path, **{"nvidia-smi": "echo 'Failed to initialize NVML'; exit 18"})
    assert (seen.gpu_answers, seen.apps) == (False, ())


NONSENSE = [
    "",
    "memory\n",
    "listen port\nprocess\napp 1\nfree x\n",
    "\0",
    "memory \u00b2 \u00b2\nprocess \u00b2 vllm\napp \u00b2 1 x\nfree \u0665\nmaster \u0665",
    f"memory 1 {'9' * 5000}\nprocess {'9' * 5000} vllm\napp {'9' * 5000} 1 x\n",
    "memory 5 0\n",
    "memory 5 4\n",
    "memory -1 -1\nfree -1\n",
]


@pytest.mark.parametrize("text", NONSENSE)
def test_words_that_make_no_sense_are_no_answer(text):
    seen = read_survey(text)
    assert (seen.script, seen.total_bytes, seen.on_port, seen.apps) == (None, None, (), ())
    assert (seen.free_kib, seen.processes, memory_of(seen)) == (None, (), None)


@given(lines=st.lists(st.tuples(st.sampled_from(WORDS), st.text(max_size=20)), max_size=12))
def test_no_words_at_all_make_a_verdict_that_was_not_read(lines):
    """Whatever a Spark says, it is read without an error, and good is never the answer to it."""
    seen = read_survey("\n".join(f"{word} {rest}" for word, rest in lines))
    check = judge("spark1", "Spark 1", a_candidate(), CLUSTER, seen)
    verdicts = {one.name: one.verdict for one in check.findings}
    assert seen.image_id is not None or verdicts["image"] != "good"
    assert seen.ports_listed or verdicts["port"] == "unknown"
    assert seen.free_kib is not None or verdicts["disk"] == "unknown"
