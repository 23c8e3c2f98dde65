"""``uvx hf ...`` and ``hf ...``: what is in the cache, and downloads that take their time."""

import json
from typing import TYPE_CHECKING

from spark_sim.call import Call
from spark_sim.catalogue import SimModel
from spark_sim.daemon import Program
from spark_sim.disk import free_bytes
from spark_sim.faults import Behaviour
from spark_sim.hf_disk import start_model
from spark_sim.hf_fetch import DiskFullError, HubAwayError, fetch_shard, is_whole
from spark_sim.hf_layout import blob_of, put_into_store, shard_bytes, shard_name
from spark_sim.hub import Hub, HubError, no_network

if TYPE_CHECKING:
    from spark_sim.host import SimulatedHost

_SMALL_FILES = ("chat_template.jinja", "config.json", "tokenizer_config.json")
_NO_SPACE = (
    "OSError: Not enough free disk space to download the file. The expected file size is: "
    "{:.2f} MB. The target location only has {:.2f} MB free disk space.\n"
)
_NO_MORE_SPACE = (
    "RuntimeError: Data processing error: CAS service error : IO Error: "
    "No space left on device (os error 28)\n"
)


class HfPrograms:
    """The Hugging Face programs of one host. They live in ``~/.local/bin``, off the bare path."""

    def __init__(self, host: "SimulatedHost", catalogue: tuple[SimModel, ...]) -> None:
        self._host = host
        self._hub = Hub(catalogue)

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
            options = [word for word in words[1:] if word.startswith("-")]
            (repo,) = [word for word in words[1:] if not word.startswith("-")][:1] or [""]
            return await self._asked(call, repo, dry="--dry-run" in options)
        await call.err("Usage: hf [OPTIONS] COMMAND [ARGS]...\n")
        return 2

    async def _list(self, call: Call) -> int:
        rows = []
        for folder in sorted(self._host.sandbox.hub.glob("models--*")):
            repo = folder.name.removeprefix("models--").replace("--", "/", 1)
            size = sum(blob.stat().st_size for blob in (folder / "blobs").iterdir())
            rows.append({"id": f"model/{repo}", "repo_id": repo, "repo_type": "model",
                         "size": human(size)})  # fmt: skip
        await call.out(json.dumps(rows) + "\n")
        return 0

    async def _asked(self, call: Call, repo: str, *, dry: bool) -> int:
        if not self._online():
            await self._host.pace.sleep(2)
            await call.err(no_network(repo))
            return 1
        try:
            model = self._hub.open(repo, self._token(call))
        except HubError as error:
            await call.err(error.text)
            return 1
        return await (self._dry_run(call, model) if dry else self._download(call, model))

    async def _dry_run(self, call: Call, model: SimModel) -> int:
        await self._host.pace.sleep(3)
        root = self._host.sandbox.hub / model.folder / "snapshots"
        here = {path.name for path in root.glob("*/*") if path.exists()}
        rows = {shard_name(model, n): shard_bytes(model, n) for n in range(1, model.shards + 1)}
        rows |= dict.fromkeys((*_SMALL_FILES, "model.safetensors.index.json"), 2_000)
        lacking = {name: size for name, size in rows.items() if name not in here}
        await call.err(f"[dry-run] Fetching {len(rows)} files: 100%|██████████| "
                       f"{len(rows)}/{len(rows)} [00:00<00:00, 61.27it/s]\n")  # fmt: skip
        await call.out(f"[dry-run] Will download {len(lacking)} files (out of {len(rows)}) "
                       f"totalling {human(sum(lacking.values()))}.\n")  # fmt: skip
        width = max(map(len, rows))
        await call.out(f"{'FILE':<{width}} SIZE\n{'-' * width} ----\n")
        for name in sorted(rows):
            size = human(rows[name]) if name in lacking else "-"
            await call.out(f"{name:<{width}} {size}\n")
        return 0

    async def _download(self, call: Call, model: SimModel) -> int:
        missing = [n for n in range(1, model.shards + 1)
                   if not is_whole(self._host.sandbox.hub, model, n)]  # fmt: skip
        if missing and self._room() < shard_bytes(model, missing[0]):
            size, room = shard_bytes(model, missing[0]), self._room()
            await call.err(_NO_SPACE.format(size / 1e6, room / 1e6))
            return 1
        hub = self._host.sandbox.hub
        snapshot = start_model(hub, model)
        shared = call.env.get("HF_HUB_DISABLE_SHARED_BLOBS", "") not in {"1", "true", "TRUE"}
        await call.err(_bar(model.shards, 0))
        for number in range(1, model.shards + 1):
            if number in missing:
                try:
                    await self._fetch(model, number)
                except DiskFullError:
                    await call.err("\n" + _NO_MORE_SPACE)
                    return 1
                except HubAwayError:
                    await call.err("\n" + no_network(model.repo))
                    return 1
                if shared:
                    put_into_store(hub, blob_of(hub, model, number))
            await call.err(_bar(model.shards, number))
        await call.err("\n")
        await call.out(f"✓ Downloaded\n  path: {snapshot}\n")
        return 0

    async def _fetch(self, model: SimModel, number: int) -> None:
        await fetch_shard(
            self._host.sandbox.hub, model, number, self._host.pace, self._room, self._online
        )
        self._host.memory.read_files(shard_bytes(model, number) / 1024**3)

    def _online(self) -> bool:
        return self._host.faults.behaviour is not Behaviour.OFFLINE

    def _room(self) -> int:
        full = self._host.faults.behaviour is Behaviour.DISK_FULL
        return free_bytes(self._host.sandbox.hub, full=full)

    def _token(self, call: Call) -> str | None:
        if token := call.env.get("HF_TOKEN", "").strip():
            return token
        kept = self._host.sandbox.hub.parent / "token"
        return kept.read_text().strip() or None if kept.exists() else None


def _bar(files: int, done: int) -> str:
    percent = 100 * done // files
    return f"Fetching {files} files: {percent:3d}%|{'█' * (percent // 10):<10}| {done}/{files}\r"


def human(size: float) -> str:
    """Return a size the way ``hf`` prints it: powers of a thousand, one digit."""
    for unit in ("", "K", "M", "G"):
        if size < 1000:
            return f"{size:.1f}{unit}"
        size /= 1000
    return f"{size:.1f}T"
