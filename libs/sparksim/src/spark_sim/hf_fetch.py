"""Fetching a repository into the cache: shards one after the other, partial files as they are.

A partial file of huggingface_hub before 1.20 (``<etag>.incomplete``) is gone on with. A newer one
has a random part in its name: it is deleted when the program fails by itself, stays behind when
the program is killed, and nobody ever goes on with it.
"""

import asyncio
import fcntl
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from spark_sim.catalogue import SimModel
from spark_sim.hf_disk import place_shard
from spark_sim.hf_layout import blob_of, shard_bytes
from spark_sim.hub import BYTES_PER_SECOND
from spark_sim.pace import Pace

_TICK_BYTES = 256_000_000


class DiskFullError(Exception):
    """There is no room for the next bytes."""


class HubAwayError(Exception):
    """The hub does not answer any more."""


def is_whole(hub: Path, model: SimModel, number: int) -> bool:
    """Say whether a shard lies in the cache."""
    return blob_of(hub, model, number).exists()


async def fetch_shard(
    hub: Path,
    model: SimModel,
    number: int,
    pace: Pace,
    room: Callable[[], int],
    online: Callable[[], bool],
) -> None:
    """Fetch one shard. Raises DiskFullError, HubAwayError; cancelled, it leaves its partial file.

    ``room`` tells the free bytes of the disk, ``online`` whether the hub answers.
    """
    blob = blob_of(hub, model, number)
    partial = blob.with_name(f"{blob.name}.{secrets.token_hex(4)}.incomplete")
    old = blob.with_name(f"{blob.name}.incomplete")
    if old.exists():
        old.rename(partial)
    with _locked(hub, model, blob.name):
        try:
            await _grow(partial, shard_bytes(model, number), pace, room, online)
        except asyncio.CancelledError:
            raise
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        partial.unlink()
        place_shard(hub, model, number, share=1.0)


async def _grow(
    partial: Path, size: int, pace: Pace, room: Callable[[], int], online: Callable[[], bool]
) -> None:
    done = _begun(partial)
    while done < size:
        if not online():
            raise HubAwayError
        step = min(_TICK_BYTES, size - done)
        if room() < step:
            raise DiskFullError
        await pace.sleep(step / BYTES_PER_SECOND)
        done += step
        with partial.open("r+b") as stream:
            stream.truncate(done)


def _begun(partial: Path) -> int:
    partial.touch()
    return partial.stat().st_size


@contextmanager
def _locked(hub: Path, model: SimModel, etag: str) -> Iterator[None]:
    """Hold the lock file that huggingface_hub holds while it writes a blob."""
    folder = hub / ".locks" / model.folder
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{etag}.lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Somebody fetches the same file; the real program would wait for it.
            pass
        yield
