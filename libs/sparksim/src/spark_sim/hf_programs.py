"""``uvx hf ...`` and ``hf ...``: what is in the cache, and downloads that take their time."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from spark_sim.call import Call
from spark_sim.catalogue import SimModel
from spark_sim.daemon import Program
from spark_sim.faults import Behaviour
from spark_sim.hf_disk import place_shard, start_model

if TYPE_CHECKING:
    from spark_sim.host import SimulatedHost

_BYTES_PER_SECOND = 110e6
_NO_SPACE = (
    "OSError: Not enough free disk space to download the file. The expected file size is: "
    "{:.2f} MB. The target location only has 0.00 MB free disk space.\n"
)


class HfPrograms:
    """The Hugging Face programs of one host. They live in ``~/.local/bin``, off the bare path."""

    def __init__(self, host: "SimulatedHost", catalogue: tuple[SimModel, ...]) -> None:
        self._host = host
        self._catalogue = {model.repo: model for model in catalogue}

    def table(self) -> dict[str, Program]:
        """Return the programs by name."""
        return {"hf": self._hf, "uvx": self._uvx}

    async def _uvx(self, call: Call) -> int:
        if call.argv[:1] != ("hf",):
            await call.err("error: only hf can be run here\n")
            return 1
        return await self._run(call, call.argv[1:])

    async def _hf(self, call: Call) -> int:
        return await self._run(call, call.argv)

    async def _run(self, call: Call, words: tuple[str, ...]) -> int:
        if words[:2] == ("cache", "ls"):
            return await self._list(call)
        if words[:1] == ("download",) and len(words) > 1:
            return await self._download(call, words[1])
        await call.err("Usage: hf [OPTIONS] COMMAND [ARGS]...\n")
        return 2

    async def _list(self, call: Call) -> int:
        rows = []
        for folder in sorted(self._host.sandbox.hub.glob("models--*")):
            repo = folder.name.removeprefix("models--").replace("--", "/", 1)
            size = sum(blob.stat().st_size for blob in (folder / "blobs").iterdir())
            rows.append({"id": f"model/{repo}", "repo_id": repo, "repo_type": "model",
                         "size": _human(size)})  # fmt: skip
        await call.out(json.dumps(rows) + "\n")
        return 0

    async def _download(self, call: Call, repo: str) -> int:
        model = self._catalogue.get(repo)
        if model is None:
            await call.err(
                "huggingface_hub.errors.RepositoryNotFoundError: 404 Client Error.\n\nRepository "
                f"Not Found for url: https://huggingface.co/api/models/{repo}/revision/main.\n"
            )
            return 1
        if self._host.faults.behaviour is Behaviour.DISK_FULL:
            await call.err(_NO_SPACE.format(model.size_bytes / model.shards / 1e6))
            return 1
        snapshot = start_model(self._host.sandbox.hub, model)
        await call.err(f"Fetching {model.shards} files:   0%|          | 0/{model.shards}\r")
        for number in range(1, model.shards + 1):
            await self._fetch(model, number)
            percent = 100 * number // model.shards
            await call.err(
                f"Fetching {model.shards} files: {percent:3d}%|{'█' * (percent // 10):<10}| "
                f"{number}/{model.shards}\r"
            )
        await call.err("\n")
        await call.out(f"✓ Downloaded\n  path: {snapshot}\n")
        return 0

    async def _fetch(self, model: SimModel, number: int) -> None:
        hub: Path = self._host.sandbox.hub
        if place_shard(hub, model, number, share=0.0):
            return
        for step in range(1, 5):
            await self._host.pace.sleep(model.size_bytes / model.shards / _BYTES_PER_SECOND / 4)
            place_shard(hub, model, number, share=step / 4)
        self._host.memory.read_files(model.size_bytes / model.shards / 1024**3)


def _human(size: float) -> str:
    for unit in ("B", "K", "M", "G"):
        if size < 1000:
            return f"{size:.1f}{unit}"
        size /= 1000
    return f"{size:.1f}T"
