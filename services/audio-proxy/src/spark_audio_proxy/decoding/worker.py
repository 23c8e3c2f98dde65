"""A decoding process: an order per line on standard input, answers per line on standard output.

``python -m spark_audio_proxy.decoding.worker``. It opens hostile media, so it gives up what it
does not need, and it ends when its parent does.
"""

import json
import math
import resource
import sys
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from spark_audio_proxy.decoding.clearing import clear
from spark_audio_proxy.decoding.decode import decode
from spark_audio_proxy.decoding.media import UndecodableError
from spark_audio_proxy.decoding.sound import RATE, SAMPLE_BYTES, ClearOrder, DecodeOrder
from spark_audio_proxy.disk import is_full, no_room

_Progress: TypeAlias = Callable[[float], None]

_ADDRESS_SPACE: Final = 2 * 1024**3
_OPEN_FILES: Final = 32
_FIRST_CPU_SECONDS: Final = 10
_FASTER: Final = 20
"""A recording is decoded at least this much faster than it plays."""


def main() -> None:
    """Carry out orders until standard input ends."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, _ADDRESS_SPACE)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    for line in sys.stdin:
        _say(_carried_out(json.loads(line)))


def _carried_out(fields: dict[str, Any]) -> dict[str, Any]:
    if "remote" in fields:
        clearing = ClearOrder(**fields)
        return _answer(clearing.samples / RATE, lambda told: clear(clearing, told))
    decoding = DecodeOrder(**fields)
    return _answer(decoding.max_seconds, lambda told: decode(decoding, told))


def _answer(most_seconds: float, work: Callable[[_Progress], dict[str, Any]]) -> dict[str, Any]:
    largest = math.ceil(most_seconds + 60) * RATE * SAMPLE_BYTES
    _soften(resource.RLIMIT_FSIZE, largest)
    used = _cpu_seconds()
    _soften(resource.RLIMIT_CPU, used + _FIRST_CPU_SECONDS)

    def progress(seconds: float) -> None:
        _soften(resource.RLIMIT_CPU, used + _FIRST_CPU_SECONDS + math.ceil(seconds / _FASTER))
        _say({"seconds": seconds})

    try:
        return {"done": work(progress)}
    except UndecodableError as error:
        return {"error": error.reason, "message": error.message}
    except OSError as error:
        if not is_full(error):
            raise
        refusal = no_room()
        return {"error": refusal.code, "message": refusal.message}
    except MemoryError:
        return {"error": "invalid_audio", "message": "the file asks for more memory than it may"}


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _cpu_seconds() -> int:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return math.ceil(used.ru_utime + used.ru_stime)


def _limit(kind: int, most: int) -> None:
    """For ever."""
    resource.setrlimit(kind, (most, most))


def _soften(kind: int, most: int) -> None:
    """Until the next order: a soft limit may be raised again."""
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    main()
