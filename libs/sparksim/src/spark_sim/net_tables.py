"""``/proc/net/tcp`` of a simulated Spark: who listens on what, with the uid and nothing more."""

from collections.abc import Iterable

_HEAD = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
    "timeout inode\n"
)
_ROW = (
    "{at:4d}: {address}:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000 {uid:5d}"
    "        0 {inode} 1 0000000000000000 100 0 0 10 0\n"
)
SSH_PORT = 22


def tcp_table(listening: Iterable[tuple[int, int]]) -> str:
    """Return the table of these (port, uid) pairs, all on every address."""
    rows = [
        _ROW.format(at=at, address="00000000", port=port, uid=uid, inode=20_000 + at)
        for at, (port, uid) in enumerate(sorted(listening))
    ]
    return _HEAD + "".join(rows)


def tcp6_table() -> str:
    """Return the same for IPv6: only the SSH server listens there."""
    row = _ROW.format(at=0, address="0" * 32, port=SSH_PORT, uid=0, inode=19_999)
    return _HEAD + row.replace("00000000:0000 0A", f"{'0' * 32}:0000 0A", 1)
