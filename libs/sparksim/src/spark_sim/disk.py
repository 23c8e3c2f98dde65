"""The disk of a simulated Spark: one terabyte, and on it what the cache really says."""

from collections.abc import Sequence
from pathlib import Path

TOTAL_BYTES = 983_349_346_304
_SYSTEM_BYTES = 61_000_000_000
_RESERVED_BYTES = 50_272_284_160


def used_bytes(hub: Path) -> int:
    """Return what system and models take; links and partial files count once."""
    files = (
        path for path in hub.glob("models--*/blobs/*") if path.is_file() and not path.is_symlink()
    )
    return _SYSTEM_BYTES + sum(path.stat().st_size for path in files)


def free_bytes(hub: Path, *, full: bool = False) -> int:
    """Return what users may still write."""
    return 0 if full else max(0, TOTAL_BYTES - _RESERVED_BYTES - used_bytes(hub))


def df_rows(argv: Sequence[str], hub: Path, *, full: bool) -> str | None:
    """Return what ``df`` prints for these arguments; None for a form nobody here uses."""
    words = list(argv)
    output = next((w.removeprefix("--output=") for w in words if w.startswith("--output=")), None)
    unit = 1 if "-B1" in words or "--block-size=1" in words else 1024
    used = used_bytes(hub)
    available = free_bytes(hub, full=full)
    if full:
        used = TOTAL_BYTES - _RESERVED_BYTES
    percent = f"{round(100 * used / max(1, used + available))}%"
    if output is not None:
        cells = {
            "source": "/dev/nvme0n1p2", "size": str(TOTAL_BYTES // unit),
            "used": str(used // unit), "avail": str(available // unit), "pcent": percent,
            "target": "/",
        }  # fmt: skip
        heads = {"source": "Filesystem", "size": "1B-blocks", "used": "Used", "avail": "Avail",
                 "pcent": "Use%", "target": "Mounted on"}  # fmt: skip
        names = output.split(",")
        if any(name not in cells for name in names):
            return None
        return " ".join(heads[n] for n in names) + "\n" + " ".join(cells[n] for n in names) + "\n"
    if any(word.startswith("-") and word not in {"-B1", "-P", "-k", "-h"} for word in words):
        return None
    if "-h" in words:
        gib = 1024**3
        return (
            "Filesystem      Size  Used Avail Use% Mounted on\n"
            f"/dev/nvme0n1p2  {TOTAL_BYTES // gib}G  {used // gib}G  {available // gib}G  "
            f"{percent} /\n"
        )
    blocks = "1-blocks" if unit == 1 else "1024-blocks"
    return (
        f"Filesystem         {blocks}         Used    Available Capacity Mounted on\n"
        f"/dev/nvme0n1p2 {TOTAL_BYTES // unit} {used // unit} {available // unit}      "
        f"{percent} /\n"
    )
