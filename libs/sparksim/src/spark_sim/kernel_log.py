"""The kernel's log of a simulated host, and who may read it."""

from collections import deque
from collections.abc import Sequence

from spark_sim.call import Call
from spark_sim.pace import epoch, now

_DENIED = (
    "Hint: You are currently not seeing messages from other users and the system.\n"
    "      Users in groups 'adm', 'systemd-journal' can see all messages.\n"
    "      Pass -q to turn off this notice.\n"
    "No journal files were opened due to insufficient permissions.\n"
)


class KernelLog:
    """Lines with the time they were noted."""

    def __init__(self, host: str, *, readable: bool) -> None:
        self._host = host
        self.readable = readable
        self._rows: deque[tuple[float, str]] = deque(maxlen=1000)

    def note(self, text: str) -> None:
        """Add one line."""
        stamp = f"{now():%Y-%m-%dT%H:%M:%S}+0000"
        self._rows.append((epoch(), f"{stamp} {self._host} kernel: {text}"))

    def clear(self) -> None:
        """Begin anew."""
        self._rows.clear()

    async def journalctl(self, call: Call) -> int:
        """Answer ``journalctl``; only the kernel has something to say."""
        if not self.readable:
            await call.err(_DENIED)
            return 1
        kernel = any(word in {"-k", "--dmesg"} for word in call.argv)
        since = epoch() - _ago(call.argv)
        rows = [row for at, row in self._rows if at >= since] if kernel else []
        await call.out("".join(f"{row}\n" for row in rows) or "-- No entries --\n")
        return 0

    async def dmesg(self, call: Call) -> int:
        """Answer ``dmesg``, which Ubuntu keeps from users."""
        await call.err("dmesg: read kernel buffer failed: Operation not permitted\n")
        return 1


def _ago(argv: Sequence[str]) -> float:
    """Return the seconds of ``--since=-Ns`` or ``--since -Nmin``, all of time without one."""
    words = list(argv)
    for at, word in enumerate(words):
        given = word.partition("=")[2] if word.startswith("--since=") else ""
        if word in {"--since", "-S"} and at + 1 < len(words):
            given = words[at + 1]
        number = given.strip("-smin ")
        if number.isdigit():
            return float(number) * (60 if "min" in given else 1)
    return 1e12
