"""``nvidia-smi`` on a GB10: real numbers for load, ``[N/A]`` for everything about memory."""

from collections.abc import Sequence
from dataclasses import dataclass

_NA = "[N/A]"
DRIVER, DEADLOCKS = "580.142", "590.44.01"
MISMATCH = """\
Failed to initialize NVML: Driver/library version mismatch
NVML library version: 580.142
"""
_RULE = "+" + "-" * 41 + "+" + "-" * 24 + "+" + "-" * 22 + "+"
_TABLE = f"""\
+{"-" * 89}+
| NVIDIA-SMI 580.142                Driver Version: 580.142        CUDA Version: 13.0     |
|{_RULE[1:-1]}|
|   0  NVIDIA GB10                    On  |   0000000F:01:00.0 Off |                  N/A |
| {{:<39}} | Not Supported          | {{}}      Default |
{_RULE}
"""


@dataclass(frozen=True)
class GpuUsage:
    """What the GPU of a host is doing."""

    percent: int
    load: float
    """What it adds to the load average."""
    apps: tuple[tuple[int, str, int], ...]
    """(process id, name, MiB)."""

    @property
    def watts(self) -> float:
        """Power drawn."""
        return 9.87 + 0.62 * self.percent

    @property
    def celsius(self) -> int:
        """Temperature."""
        return 42 + self.percent // 4


_UNITS = {
    "utilization.gpu": " %", "power.draw": " W", "clocks.current.sm": " MHz",
    "clocks.max.sm": " MHz", "used_gpu_memory": " MiB", "used_memory": " MiB",
}  # fmt: skip


def answer(
    argv: Sequence[str], usage: GpuUsage, *, driver: str = DRIVER, capped: bool = False
) -> tuple[str, int]:
    """Return what it prints and its exit code. ``capped``: by its power supply, and busy."""
    options = {name: value for name, _, value in (word.partition("=") for word in argv)}
    fields = options.get("--query-gpu")
    if fields is not None:
        return _csv(
            fields.split(","), [_gpu(usage, driver, capped)], options.get("--format", "csv")
        )
    fields = options.get("--query-compute-apps")
    if fields is not None:
        rows = [
            {"pid": str(pid), "process_name": name, "name": name, "used_gpu_memory": str(mib),
             "used_memory": str(mib), "gpu_uuid": "GPU-6b1f5a0e"}
            for pid, name, mib in usage.apps
        ]  # fmt: skip
        return _csv(fields.split(","), rows, options.get("--format", "csv"))
    if "-L" in options:
        return "GPU 0: NVIDIA GB10 (UUID: GPU-6b1f5a0e-0000-0000-0000-000000000000)\n", 0
    if options:
        return "Invalid combination of input arguments. Please run 'nvidia-smi -h' for help.\n", 6
    return _human(usage), 0


def _gpu(usage: GpuUsage, driver: str, capped: bool) -> dict[str, str]:
    busy = {
        "utilization.gpu": "96", "power.draw": "29.61", "clocks.current.sm": "611",
        "temperature.gpu": "55", "pstate": "P0",
    }  # fmt: skip
    return {
        "name": "NVIDIA GB10", "driver_version": driver, "count": "1", "index": "0",
        "uuid": "GPU-6b1f5a0e-0000-0000-0000-000000000000",
        "utilization.gpu": str(usage.percent), "temperature.gpu": str(usage.celsius),
        "power.draw": f"{usage.watts:.2f}", "clocks.current.sm": "2405" if usage.percent else "208",
        "clocks.max.sm": "3003", "pstate": "P0" if usage.percent else "P8",
        **(busy if capped else {}),
    }  # fmt: skip


def _csv(names: Sequence[str], rows: list[dict[str, str]], form: str) -> tuple[str, int]:
    names = [name.strip() for name in names]
    units = "nounits" not in form
    lines = [] if "noheader" in form else [", ".join(names)]
    for row in rows:
        cells = []
        for name in names:
            value = row.get(name, _NA)
            cells.append(value + _UNITS.get(name, "") if units and value != _NA else value)
        lines.append(", ".join(cells))
    return "".join(line + "\n" for line in lines), 0


def _human(usage: GpuUsage) -> str:
    state = "P0" if usage.percent else "P8"
    temperature = f"N/A   {usage.celsius}C    {state}"
    return _TABLE.format(f"{temperature:<23}{usage.watts:3.0f}W /  N/A", f"{usage.percent:7d}%")
