"""Who takes how much of the unified memory."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from spark_common.contracts.hardware import Consumer, ConsumerName, GpuProcess, Memory
from spark_common.remote.figures import whole
from spark_health.hosts.gpu import App

_GROUP: Final = re.compile(
    r"/proc/([0-9]{1,10})/cgroup:.*docker[-/]([0-9a-f]{64})(\.scope)?", re.ASCII
)
_ID: Final = re.compile(r"[0-9a-f]{12,64}", re.ASCII)
_WORDS: Final[tuple[tuple[ConsumerName, re.Pattern[str]], ...]] = (
    ("embeddings", re.compile(r"embed|rerank|bge|text-embeddings", re.IGNORECASE)),
    (
        "speech",
        re.compile(r"parakeet|whisper|kokoro|magpie|riva|nemo|speech|tts|asr", re.IGNORECASE),
    ),
    ("vectors", re.compile(r"qdrant", re.IGNORECASE)),
    ("vllm", re.compile(r"vllm", re.IGNORECASE)),
)
_ALWAYS: Final[tuple[ConsumerName, ...]] = ("vllm", "speech", "embeddings")


@dataclass(frozen=True)
class Box:
    """A running container."""

    id: str
    name: str
    image: str


def read_boxes(lines: Sequence[str]) -> tuple[Box, ...]:
    """Return the containers of ``docker ps``."""
    rows = [line.split() for line in lines]
    return tuple(
        Box(row[0], row[1][:100], row[2][:200])
        for row in rows
        if len(row) == 3 and _ID.fullmatch(row[0])
    )


def read_groups(lines: Sequence[str]) -> dict[int, str]:
    """Return the container of every process, from its control group."""
    return {int(found[1]): found[2] for line in lines if (found := _GROUP.match(line))}


def read_box_memory(lines: Sequence[str]) -> dict[str, int]:
    """Return the bytes that each container allocated itself, by its id."""
    found: dict[str, int] = {}
    for line in lines:
        words = line.split()
        size = whole(words[1]) if len(words) == 2 and _ID.fullmatch(words[0]) else None
        if size is not None:
            found[words[0]] = size
    return found


def name_boxes(
    boxes: Sequence[Box], own: Mapping[str, int], known: Mapping[str, ConsumerName]
) -> dict[ConsumerName, int]:
    """Return the bytes that the containers of each consumer allocated beside the GPU."""
    found: dict[ConsumerName, int] = {}
    for box in boxes:
        name = known.get(box.name) or _named((box.name, box.image))
        found[name] = found.get(name, 0) + own.get(box.id, 0)
    return found


def name_processes(
    apps: Sequence[App],
    groups: Mapping[int, str],
    boxes: Sequence[Box],
    known: Mapping[str, ConsumerName],
) -> list[GpuProcess]:
    """Say what every process on the GPU is. ``known``: consumers by name of the container."""
    by_id = {box.id: box for box in boxes}
    rows = []
    for app in apps:
        box = by_id.get(groups.get(app.pid, ""))
        rows.append(
            GpuProcess(
                pid=app.pid,
                name=app.name,
                bytes=app.bytes,
                consumer=_consumer(app, box, known),
                container=box.name if box else None,
            )
        )
    return rows


def share_out(
    memory: Memory,
    processes: Sequence[GpuProcess] | None,
    own: Mapping[ConsumerName, int] | None = None,
) -> list[Consumer]:
    """Return the consumers with their shares; null where the driver did not say.

    ``own``: what containers allocated beside the GPU; ``other`` is what is used beyond what is
    known of the others.
    """
    sums: dict[ConsumerName, int | None] = dict.fromkeys(_ALWAYS, None if processes is None else 0)
    for one in processes or ():
        if one.consumer != "other":
            before = sums.get(one.consumer, 0)
            sums[one.consumer] = _plus(before, one.bytes)
    for name, size in (own or {}).items():
        if name != "other":
            sums[name] = _plus(sums.get(name, 0), size)
    told = list(sums.values())
    rest = None
    if all(size is not None for size in told):
        rest = max(0, memory.used - sum(size or 0 for size in told))
    sums["page_cache"] = memory.page_cache
    sums["other"] = rest
    return [
        Consumer(name=name, bytes=size, share=_share(size, memory.total))
        for name, size in sums.items()
    ]


def _consumer(app: App, box: Box | None, known: Mapping[str, ConsumerName]) -> ConsumerName:
    if box is not None and box.name in known:
        return known[box.name]
    return _named((box.name, box.image, app.name) if box else (app.name,))


def _named(texts: Sequence[str]) -> ConsumerName:
    """Return the consumer that the first telling text is the name of."""
    for text in texts:
        for name, pattern in _WORDS:
            if pattern.search(text):
                return name
    return "other"


def _plus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _share(size: int | None, total: int) -> float | None:
    return None if size is None or size > total else round(size / total, 4)
