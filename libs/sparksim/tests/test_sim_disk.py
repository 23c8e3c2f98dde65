"""The caches of the simulated Sparks: every shape, true sizes, and what a container may."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from spark_sim.catalogue import DEFAULT_CATALOGUE
from spark_sim.cluster import SimulatedCluster
from spark_sim.config import SimConfig
from spark_sim.hf_disk import lay_out
from spark_sim.sim_model import Shape
from spark_sim.testing import Connect, Login

ROOTS = "models--HuggingFaceTB--SmolLM3-3B"


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    lay_out(tmp_path / "hub", DEFAULT_CATALOGUE, "spark2")
    return tmp_path / "hub"


def folder(hub: Path, shape: Shape) -> Path:
    for model in DEFAULT_CATALOGUE:
        if model.shapes.get("spark2", model.shape) is shape:
            return hub / model.folder
    raise AssertionError(shape)


def weights(root: Path) -> list[Path]:
    return sorted((root / "snapshots").glob("*/*.safetensors"))


def test_the_catalogue_looks_real_and_costs_nothing(hub: Path) -> None:
    assert len({model.repo for model in DEFAULT_CATALOGUE}) == len(DEFAULT_CATALOGUE) > 25
    assert len({model.model_type for model in DEFAULT_CATALOGUE}) > 12
    used = {model.shapes.get("spark2", model.shape) for model in DEFAULT_CATALOGUE}
    assert used == set(Shape)
    blocks = sum(path.lstat().st_blocks for path in hub.rglob("*"))
    assert blocks * 512 < 10_000_000


@pytest.mark.parametrize("name", ["spark1", "spark2"])
def test_the_models_leave_room_on_the_disk(name: str) -> None:
    held = [model for model in DEFAULT_CATALOGUE if name in model.hosts]
    assert len(held) > 10
    assert sum(model.size_bytes for model in held) < 550e9


def test_the_store_is_shared_and_linked(hub: Path) -> None:
    root = folder(hub, Shape.SHARED)
    for link in weights(root):
        blob = link.parent / link.readlink()
        assert blob.is_symlink()
        stored = blob.resolve()
        assert stored.parent.parent == hub / "blobs"
        assert stored.stat().st_mode & 0o777 == 0o444
        assert Path(f"{stored}.refs").exists()
    assert (
        not (next(iter((root / "snapshots").iterdir())) / "config.json")
        .resolve()
        .is_relative_to(hub / "blobs")
    )
    assert (hub / "blobs" / ".huggingface-shared-blobs").read_text() == "1\n"


def test_what_rsync_leaves_on_the_peer_leads_nowhere(hub: Path) -> None:
    assert all(not link.exists() for link in weights(folder(hub, Shape.DANGLING)))


def test_the_other_shapes_are_what_their_names_say(hub: Path) -> None:
    linked = weights(folder(hub, Shape.HARD_LINKED))[0]
    assert not linked.is_symlink()
    assert linked.stat().st_nlink == 2
    (old,) = (folder(hub, Shape.OLD_PARTIAL) / "blobs").glob("*.incomplete")
    assert old.name.count(".") == 1
    (new,) = (hub / "models--nvidia--Llama-4-Scout-17B-16E-NVFP4" / "blobs").glob("*.incomplete")
    assert new.name.count(".") == 2
    short = weights(folder(hub, Shape.MISSING_SHARD))
    assert len(short) == int(short[0].name[-17:-12]) - 1
    assert list((folder(hub, Shape.NO_SNAPSHOT) / "snapshots").iterdir()) == []


@pytest.fixture
async def plain(faster: Callable[..., SimConfig]) -> AsyncIterator[SimulatedCluster]:
    """A cluster whose SSH user is nobody special, wherever the tests run as root."""
    directory = Path(tempfile.mkdtemp(prefix="sparks-"))
    directory.chmod(0o755)
    try:
        async with SimulatedCluster(faster(directory=directory, plain_user=True)) as cluster:
            yield cluster
    finally:
        shutil.rmtree(directory)


@pytest.mark.connected
async def test_what_the_container_downloaded_only_a_container_removes(
    plain: SimulatedCluster, connect: Connect
) -> None:
    spark1: Login = await connect(plain)
    hub = plain.hosts["spark1"].sandbox.hub
    theirs = await spark1.run(f"rm -rf {hub}/{ROOTS}")
    assert theirs.code == 1
    assert "Permission denied" in theirs.err
    ours = "models--microsoft--Phi-4-mini-instruct"
    assert (await spark1.run(f"rm -rf {hub}/{ours}")).code == 0
    assert not (hub / ours).exists()
    run = f"docker run --rm -v {hub}:/hub --entrypoint= vllm-node rm -rf -- /hub/{ROOTS}"
    done = await spark1.run(run)
    assert (done.code, done.err) == (0, "")
    assert not (hub / ROOTS).exists()


@pytest.mark.connected
async def test_a_running_container_removes_it_too(
    plain: SimulatedCluster, connect: Connect
) -> None:
    spark1: Login = await connect(plain)
    hub = plain.hosts["spark1"].sandbox.hub
    cache = hub.parent
    await spark1.run(
        f"docker run -d --name one -v {cache}:/root/.cache/huggingface vllm-node sleep infinity"
    )
    path = f"/root/.cache/huggingface/hub/{ROOTS}"
    done = await spark1.run(f"docker exec one rm -rf -- {path}")
    assert (done.code, done.err) == (0, "")
    assert not (hub / ROOTS).exists()
    said = await spark1.run("docker exec -i one sh -c 'read word; echo $word'", b"through\n")
    assert said.out == "through\n"


@pytest.mark.connected
async def test_a_disk_counts_the_store_and_every_file_once(
    cluster: SimulatedCluster, spark1: Login
) -> None:
    used = "df -B1 -P / | tail -n 1 | tr -s ' ' | cut -d ' ' -f 3"
    before = int((await spark1.run(used)).out)
    hub = cluster.hosts["spark1"].sandbox.hub
    held = [m for m in DEFAULT_CATALOGUE if "spark1" in m.hosts]
    scout = next(m for m in held if m.downloaded == 0.5)
    assert before > 61e9 + sum(m.size_bytes for m in held if m.downloaded == 1.0)
    await spark1.run(f"rm -rf {hub}/{scout.folder}")
    after = int((await spark1.run(used)).out)
    assert before - after > 0.4 * scout.size_bytes
