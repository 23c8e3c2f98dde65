"""``hf download``, ``rsync`` and ``hf-download.sh`` of the simulated Sparks, by what they leave."""

import asyncio
import os
from pathlib import Path

import pytest

from spark_sim.cluster import SimulatedCluster
from spark_sim.hub import READER, STRANGER
from spark_sim.testing import Connect, Login

pytestmark = pytest.mark.connected

REPO = "Qwen/Qwen3-4B-Instruct-2507"
HF = "~/.local/bin/hf"
CLASSIC = f"HF_HUB_DISABLE_SHARED_BLOBS=1 {HF}"


def folder(cluster: SimulatedCluster, host: str = "spark1", repo: str = REPO) -> Path:
    return cluster.hosts[host].sandbox.hub / f"models--{repo.replace('/', '--')}"


def whole(path: Path) -> list[int]:
    """Sizes of the weights that really lie behind the snapshot's names."""
    return sorted(
        link.stat().st_size for link in path.glob("snapshots/*/*.safetensors") if link.exists()
    )


@pytest.mark.parametrize(
    ("token", "repo", "code", "words"),
    [
        ("", "meta-llama/Llama-3.3-70B-Instruct", 1, "GatedRepoError: 401"),
        (STRANGER, "meta-llama/Llama-3.3-70B-Instruct", 1, "not in the authorized list"),
        ("nonsense", REPO, 1, "Invalid credentials"),
        ("", "no/such", 1, "RepositoryNotFoundError: 401"),
        (READER, "no/such", 1, "RepositoryNotFoundError: 404"),
        (READER, "meta-llama/Llama-3.3-70B-Instruct", 0, ""),
    ],
)
async def test_the_hub_lets_in_whom_it_knows(spark1: Login, token, repo, code, words) -> None:
    ran = await spark1.run(f"HF_TOKEN={token} {HF} download {repo} --dry-run")
    assert ran.code == code
    assert words in ran.err


async def test_a_token_in_its_usual_place_counts(cluster: SimulatedCluster, spark1: Login) -> None:
    gated = f"{HF} download google/gemma-3-1b-it --dry-run"
    assert (await spark1.run(gated)).code == 1
    (cluster.hosts["spark1"].sandbox.hub.parent / "token").write_text(READER + "\n")
    assert (await spark1.run(gated)).code == 0


async def test_a_dry_run_says_what_is_missing_and_fetches_nothing(
    cluster: SimulatedCluster, spark1: Login
) -> None:
    ran = await spark1.run(f"{HF} download {REPO} --dry-run")
    assert "[dry-run] Will download 7 files (out of 7) totalling 8.1G.\n" in ran.out
    assert not folder(cluster).exists()
    await spark1.run(f"{CLASSIC} download {REPO}")
    again = await spark1.run(f"{HF} download {REPO} --dry-run")
    assert "Will download 0 files (out of 7) totalling 0.0." in again.out


async def test_both_layouts(cluster: SimulatedCluster, spark1: Login) -> None:
    await spark1.run(f"{CLASSIC} download {REPO}")
    blobs = list((folder(cluster) / "blobs").iterdir())
    assert not any(path.is_symlink() for path in blobs)
    other = "Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8"
    await spark1.run(f"{HF} download {other}")
    links = list((folder(cluster, repo=other) / "blobs").iterdir())
    assert sum(path.is_symlink() for path in links) == 4
    assert sum(whole(folder(cluster, repo=other))) == 31_200_000_000


async def until_partial(path: Path) -> Path:
    async with asyncio.timeout(60):
        while True:
            found = [p for p in path.glob("blobs/*.incomplete") if p.stat().st_size]
            if found:
                return found[0]
            await asyncio.sleep(0.01)


async def test_a_killed_download_leaves_a_partial_file_that_nobody_goes_on_with(
    cluster: SimulatedCluster, connect: Connect, spark1: Login
) -> None:
    cluster.hosts["spark1"].pace.drag = 20
    running = asyncio.create_task(spark1.run(f"echo $$ >pid; exec env {CLASSIC} download {REPO}"))
    left = await until_partial(folder(cluster))
    other = await connect(cluster)
    await other.run("kill -KILL $(/bin/cat pid)")
    await running
    cluster.hosts["spark1"].pace.drag = 1
    await spark1.run(f"{CLASSIC} download {REPO}")
    assert len(whole(folder(cluster))) == 3
    assert left.exists()


async def test_an_old_partial_file_is_gone_on_with(
    cluster: SimulatedCluster, spark1: Login
) -> None:
    """Only where the next run begins can tell; so the file is made as large as the whole one."""
    await spark1.run(f"{CLASSIC} download {REPO}")
    blob = max((folder(cluster) / "blobs").iterdir(), key=lambda path: path.stat().st_size)
    (link,) = [path for path in folder(cluster).glob("snapshots/*/*") if path.resolve() == blob]
    link.unlink()
    blob.rename(blob.with_name(f"{blob.name}.incomplete"))
    cluster.hosts["spark1"].pace.drag = 100_000
    async with asyncio.timeout(60):
        await spark1.run(f"{CLASSIC} download {REPO}")
    assert len(whole(folder(cluster))) == 3


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [("disk_full", "No space left on device"), ("offline", "Temporary failure in name")],
)
async def test_what_breaks_in_the_middle_ends_it_and_leaves_no_partial_file(
    cluster: SimulatedCluster, spark1: Login, behaviour: str, words: str
) -> None:
    cluster.hosts["spark1"].pace.drag = 20
    running = asyncio.create_task(spark1.run(f"{CLASSIC} download {REPO}"))
    await until_partial(folder(cluster))
    await cluster.behave("spark1", behaviour)
    cluster.hosts["spark1"].pace.drag = 1
    ran = await running
    assert (ran.code, words in ran.err) == (1, True)
    assert list(folder(cluster).rglob("*.incomplete")) == []


class TestRsync:
    """Flags as they were measured on a real pair, with weights in the shared store."""

    @pytest.fixture(autouse=True)
    async def _downloaded(self, spark1: Login) -> None:
        await spark1.run(f"{HF} download {REPO}")

    async def copy(self, cluster: SimulatedCluster, spark1: Login, flags: str, slash: str) -> Path:
        there = cluster.hosts["spark2"].address
        source = f".cache/huggingface/hub/models--{REPO.replace('/', '--')}"
        target = source if slash else ".cache/huggingface/hub"
        ran = await spark1.run(f"rsync {flags} {source}{slash} spark@{there}:{target}/")
        assert ran.code == 0, ran.err
        return folder(cluster, "spark2")

    async def test_archive_alone_ships_dangling_links(self, cluster, spark1) -> None:
        assert whole(await self.copy(cluster, spark1, "-a", "")) == []

    async def test_unsafe_links_are_copied_with_trailing_slashes(self, cluster, spark1) -> None:
        copied = await self.copy(cluster, spark1, "-a --copy-unsafe-links --mkpath", "/")
        assert sum(whole(copied)) == 8_060_000_000
        assert all(link.is_symlink() for link in copied.glob("snapshots/*/*"))
        assert not any(path.is_symlink() for path in copied.glob("blobs/*"))

    async def test_without_the_slashes_the_flag_does_nothing(self, cluster, spark1) -> None:
        assert whole(await self.copy(cluster, spark1, "-a --copy-unsafe-links", "")) == []

    async def test_following_all_links_doubles_the_bytes(self, cluster, spark1) -> None:
        copied = await self.copy(cluster, spark1, "-aL --mkpath", "/")
        assert not any(link.is_symlink() for link in copied.rglob("*"))
        files = [path.stat().st_size for path in copied.rglob("*") if path.is_file()]
        assert sum(files) > 16_000_000_000

    async def test_a_peer_that_is_away(self, cluster, spark1) -> None:
        await cluster.behave("spark2", "unreachable")
        ran = await spark1.run(f"rsync -a .cache/ x@{cluster.hosts['spark2'].address}:y/")
        assert (ran.code, "timed out" in ran.err) == (255, True)


async def test_the_script_of_the_checkout_downloads_and_ships_dangling_links(
    cluster: SimulatedCluster, spark1: Login
) -> None:
    script = "cd spark-vllm-docker && ./hf-download.sh -c"
    missing = await spark1.run(f"{script} {REPO}")
    assert (missing.code, "Error: 'uvx' command not found." in missing.out) == (1, True)
    ran = await spark1.run(f'PATH="$HOME/.local/bin:$PATH"; {script} {REPO}')
    assert ran.code == 0, ran.err
    for line in (
        f"Downloading model '{REPO}' using uvx...",
        "Download completed in 00:00:",
        "Model directory: ",
        "Copying model to 1 host(s): ",
        "TIMING STATISTICS",
        f"Done downloading {REPO}.",
    ):
        assert line in ran.out
    assert len(whole(folder(cluster))) == 3
    assert whole(folder(cluster, "spark2")) == []
    assert os.path.lexists(next(folder(cluster, "spark2").glob("snapshots/*/*.safetensors")))
