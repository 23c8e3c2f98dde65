"""The simulated checkout is real git, and its images are got, carried and named as on a Spark."""

from pathlib import Path

import httpx
import pytest

from spark_sim.checkout import CheckoutState
from spark_sim.cluster import SimulatedCluster
from spark_sim.testing import Connect, Login

pytestmark = pytest.mark.connected

GIT = "git -C spark-vllm-docker "
BUILD = "cd spark-vllm-docker && ./build-and-copy.sh "
IMAGE_ID = "docker image inspect --format '{{.Id}}' "


async def counted(spark: Login) -> list[str]:
    """Return commits (behind, ahead) after a fetch."""
    ran = await spark.run(
        GIT + "fetch -q && " + GIT + "rev-list --left-right --count '@{u}...HEAD'"
    )
    assert ran.code == 0, ran.err
    return ran.out.split()


async def test_a_checkout_begins_clean_with_commits_to_pull(spark1: Login) -> None:
    assert (await spark1.run(GIT + "status --porcelain")).out == ""
    before = await spark1.run(GIT + "rev-list --count HEAD..@{u}")
    assert before.out == "0\n"
    assert await counted(spark1) == ["4", "0"]
    log = (await spark1.run(GIT + "log --format=%s")).out.splitlines()
    assert (len(log), log[0]) == (12, "Detach the head in no-Ray mode")
    assert (await spark1.run(GIT + "config remote.origin.url")).out.startswith("https://")
    assert (await spark1.run(GIT + "pull -q --ff-only")).code == 0
    assert await counted(spark1) == ["0", "0"]


@pytest.mark.parametrize(
    ("state", "command", "expected"),
    [
        ("current", "rev-list --count HEAD", "16\n"),
        ("dirty", "status --porcelain", ' M README.md\n?? "my notes.txt"\n'),
        ("diverged", "rev-list --count refs/remotes/origin/main..HEAD", "1\n"),
        ("detached", "symbolic-ref -q HEAD", ""),
        ("no_upstream", "rev-parse --abbrev-ref '@{u}'", ""),
        ("no_repository", "rev-parse HEAD", ""),
        ("missing", "status", ""),
    ],
)
async def test_a_checkout_can_be_put_into_a_state(
    cluster: SimulatedCluster, spark1: Login, state: str, command: str, expected: str
) -> None:
    await cluster.check_out("spark1", state)
    assert (await spark1.run(GIT + command)).out == expected
    await cluster.check_out("spark1", CheckoutState.BEHIND)
    assert await counted(spark1) == ["4", "0"]


async def test_without_a_network_a_fetch_fails_as_git_says_it(
    cluster: SimulatedCluster, http: httpx.AsyncClient, spark1: Login
) -> None:
    url = f"{cluster.control_url}/_sim/checkout"
    assert (await http.put(url, json={"host": "spark1", "state": "odd"})).status_code == 422
    assert (await http.put(url, json={"host": "sparky", "state": "dirty"})).status_code == 404
    assert (await http.put(url, json={"host": "all", "state": "offline"})).status_code == 200
    ran = await spark1.run(GIT + "fetch")
    assert ran.code != 0
    assert "unable to access" in ran.err


async def test_a_checkout_stays_as_it_is_when_the_simulator_starts_again(
    cluster: SimulatedCluster,
) -> None:
    checkout = cluster.hosts["spark1"].checkout
    checkout.become(CheckoutState.DIRTY)
    checkout.install()
    assert (checkout.folder / "my notes.txt").exists()
    mark: Path = checkout.folder / ".git" / "sim-mark"
    mark.write_text("of an older simulator")
    checkout.install()
    assert not (checkout.folder / "my notes.txt").exists()


async def test_a_build_pulls_tags_and_copies(
    cluster: SimulatedCluster, spark1: Login, connect: Connect
) -> None:
    spark2 = await connect(cluster, "spark2")
    before = (await spark1.run(IMAGE_ID + "vllm-node")).out
    assert (await spark2.run(IMAGE_ID + "vllm-node")).out == before
    keep = "docker tag vllm-node vllm-node:before"
    assert (await spark1.run(keep)).code == 0
    ran = await spark1.run(BUILD + "-c")
    assert ran.code == 0, ran.out + ran.err
    peer = cluster.config.spark2
    for line in (
        "Status: Downloaded newer image for eugr/spark-vllm:latest",
        f"Checking image 'vllm-node' on 1 host(s): {peer}",
        f"Image 'vllm-node' differs on spark@{peer}; will copy.",
        f"Loading image into spark@{peer}...",
        "Loaded image: vllm-node:latest",
        "Copy complete.",
    ):
        assert line in ran.out.splitlines()
    assert "Saving image locally to /tmp/vllm_image." in ran.out
    assert f"Copy to {peer} completed in " in ran.out
    assert "Prebuilt Pull:" in ran.out
    after = (await spark1.run(IMAGE_ID + "vllm-node")).out
    assert after != before
    assert (await spark2.run(IMAGE_ID + "vllm-node")).out == after
    assert (await spark1.run(IMAGE_ID + "vllm-node:before")).out == before
    again = await spark1.run(BUILD + "-c")
    assert "Status: Image is up to date for eugr/spark-vllm:latest" in again.out
    assert f"Image 'vllm-node' is already up to date on spark@{peer}; skipping." in again.out


async def test_a_build_fails_where_registry_disk_or_peer_are_away(
    cluster: SimulatedCluster, spark1: Login
) -> None:
    await cluster.behave("spark1", "no_registry")
    ran = await spark1.run(BUILD)
    assert (ran.code, "Failed to pull prebuilt image" in ran.out) == (1, True)
    assert "net/http: request canceled" in ran.err
    await cluster.behave("spark1", "disk_full")
    ran = await spark1.run(BUILD)
    assert (ran.code, "no space left on device" in ran.err) == (1, True)
    await cluster.behave("spark1", "ok")
    await cluster.behave("spark2", "unreachable")
    ran = await spark1.run(BUILD + "-c")
    assert (ran.code, f"Copy to {cluster.config.spark2} failed." in ran.out) == (1, True)


async def test_an_image_in_use_is_not_dropped(spark1: Login) -> None:
    await spark1.run("docker run -d --name x vllm-node sleep infinity")
    refused = await spark1.run("docker rmi vllm-node")
    assert (refused.code, "is using its referenced image" in refused.err) == (1, True)
    await spark1.run("docker tag vllm-node vllm-node:kept")
    assert (await spark1.run("docker image rm vllm-node")).out == "Untagged: vllm-node:latest\n"
    assert (await spark1.run("docker rmi vllm-node")).code == 1
    shown = await spark1.run("docker images --format '{{.Repository}}:{{.Tag}}' vllm-node")
    assert shown.out == "vllm-node:kept\n"


async def test_images_survive_the_simulator_and_a_reset_brings_them_back(
    cluster: SimulatedCluster, spark1: Login
) -> None:
    first = (await spark1.run(IMAGE_ID + "vllm-node")).out
    assert (await spark1.run("docker pull eugr/spark-vllm:latest")).code == 0
    await spark1.run("docker tag eugr/spark-vllm:latest vllm-node")
    assert (await spark1.run(IMAGE_ID + "vllm-node")).out != first
    assert (cluster.hosts["spark1"].sandbox.root / "images.json").exists()
    await cluster.reset()
    assert (await spark1.run(IMAGE_ID + "vllm-node")).out == first
    denied = await spark1.run("docker pull somebody/else")
    assert (denied.code, "pull access denied" in denied.err) == (1, True)
