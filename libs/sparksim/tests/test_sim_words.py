"""Docker's version, who may read the kernel's log, and how far a journal grows."""

import json

import pytest

from spark_sim.cluster import SimulatedCluster
from spark_sim.faults import Behaviour
from spark_sim.journal import Journal
from spark_sim.load_failures import LOAD_FAILURES

pytestmark = pytest.mark.connected


@pytest.mark.parametrize(
    ("docker", "said"),
    [("28", "Error: No such object: nobody"), ("29", "error: no such object: nobody")],
)
async def test_docker_29_begins_some_errors_in_lower_case(faster, connect, docker, said):
    async with SimulatedCluster(faster(docker=docker)) as cluster:
        spark1 = await connect(cluster)
        missing = await spark1.run("docker inspect --format '{{.Id}}' nobody")
        assert (missing.code, missing.err.strip()) == (1, said)
        assert (await spark1.run("docker --version")).out.startswith(f"Docker version {docker}.")


@pytest.mark.parametrize("readable", [True, False])
async def test_the_kernel_log_has_its_lines_for_those_who_may_read_it(faster, connect, readable):
    async with SimulatedCluster(faster(kernel_log=readable)) as cluster:
        spark1 = await connect(cluster)
        cluster.hosts["spark1"].kernel.note("Out of memory: Killed process 7 (VLLM::EngineCor)")
        answer = await spark1.run("journalctl -k --no-pager -o short-iso --since -60s")
        assert ("Killed process 7" in answer.out) is readable
        assert answer.code == (0 if readable else 1)
        assert ("insufficient permissions" in answer.err) is not readable
        old = await spark1.run("sleep 1.1; journalctl -k --since -1s")
        assert "Killed" not in old.out
        assert (await spark1.run("dmesg")).code == 1


def test_the_file_of_a_journal_does_not_grow_for_ever(tmp_path):
    journal = Journal(tmp_path, kept=10)
    for number in range(105):
        journal.add("spark1", "effect", number=number)
    rows = [json.loads(row) for row in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert 10 <= len(rows) < 20
    assert [row["details"]["number"] for row in rows] == list(range(105))[-len(rows) :]
    journal.close()
    again = Journal(tmp_path)
    assert again.after(0)[-1].details["number"] == 104
    assert again.add("spark1", "effect").seq == 106


def test_every_failure_of_a_load_says_something_or_leaves_a_trace():
    for behaviour, failure in LOAD_FAILURES.items():
        told = failure.error or failure.kernel or failure.cores is not None
        assert told or behaviour is Behaviour.SILENT_DEATH


async def test_the_launcher_of_another_time_is_put_into_the_checkout(cluster, spark1, http):
    url = f"{cluster.control_url}/_sim/launcher"
    script = "cat spark-vllm-docker/launch-cluster.sh"
    assert 'NO_RAY_MODE="true"' in (await spark1.run(script)).out
    answer = await http.put(url, json={"host": "spark1", "launcher": "2026-01"})
    assert answer.status_code == 200
    assert "ray start --block" in (await spark1.run(script)).out
    git = "git -C spark-vllm-docker"
    # Nobody's changes, and nothing that an update would trip over.
    assert (await spark1.run(f"{git} status --short --branch")).out == "## main...origin/main\n"
    for wrong in ({"host": "spark1", "launcher": "2025-01"}, {"host": "spark1"}):
        assert (await http.put(url, json=wrong)).status_code == 422
    assert (await http.put(url, json={"host": "x", "launcher": "2026-01"})).status_code == 404
