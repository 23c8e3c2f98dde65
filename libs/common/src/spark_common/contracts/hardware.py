"""Hardware: how every Spark is as a machine, how it was, what is known to make trouble, power."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints

from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import Text

HostName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
ConsumerName: TypeAlias = Literal["vllm", "speech", "embeddings", "vectors", "page_cache", "other"]
Answering: TypeAlias = Literal["well", "slow", "partly", "hung", "dead", "refused", "unknown"]
"""``slow``: everything came, late. ``partly``: a program there hangs. ``hung``: it takes
connections and runs nothing. ``dead``: nothing of it answers. ``refused``: it does not let us in.
``unknown``: nobody could look yet."""
Span: TypeAlias = Literal["hour", "day", "week"]


class GetHardware(Request):
    """Ask how every Spark is, with the history of one span where one is named."""

    hosts: list[HostName] = Field(default=[], max_length=64)
    """All of them when empty."""
    history: Span | None = None


class Memory(Reply):
    """The memory of a Spark; unified: what the GPU holds is part of it. Bytes."""

    total: int
    available: int
    used: int
    """Total without what is available: page cache that can make room is not used."""
    free: int | None = None
    page_cache: int | None = None
    swap_total: int | None = None
    swap_used: int | None = None


class Consumer(Reply):
    """Who takes how much of the memory."""

    name: ConsumerName
    bytes: int | None = None
    """Null when the driver did not say."""
    share: float | None = None
    """Of all memory, 0 to 1."""


class GpuProcess(Reply):
    """One process on the GPU."""

    pid: int
    name: str
    bytes: int | None = None
    consumer: ConsumerName = "other"
    container: str | None = None


class Gpu(Reply):
    """The GPU, as far as its driver says. Null stands for ``[N/A]``."""

    name: str | None = None
    driver: str | None = None
    percent: float | None = None
    celsius: float | None = None
    watts: float | None = None
    watt_limit: float | None = None
    sm_mhz: float | None = None
    sm_max_mhz: float | None = None
    pstate: str | None = None
    memory_used: int | None = None
    """Bytes: the driver's own number, else the sum of what its processes hold."""
    memory_total: int | None = None
    """Bytes: the driver's own number, else that of the unified memory."""
    processes: list[GpuProcess] = []


class Disk(Reply):
    """The disk of ``/``. Bytes."""

    total: int
    used: int
    available: int


class Route(Reply):
    """One default route."""

    interface: str
    kind: Literal["cable", "wifi", "other"]
    gateway: str | None = None
    source: str | None = None
    metric: int = 0


class Badge(Reply):
    """An address in a private network over the Internet."""

    kind: Literal["wireguard", "tailscale"]
    interface: str
    address: str


class WakeAddress(Reply):
    """The address to which a magic packet goes, remembered while the Spark is off."""

    mac: str
    interface: str
    wired: bool
    """False where no cable was ever seen: Wi-Fi wakes hardly anything."""
    broadcast: str | None = None
    """Of the network of that interface."""
    seen_at: datetime


class WakeAttempt(Reply):
    """The last attempt to wake a Spark, and what came of it."""

    state: Literal["waiting", "awake", "gave_up"]
    sentence: str
    via: str
    """The Spark that sent it (``spark2``), or ``direct``."""
    sent_at: datetime
    until: datetime
    """Until when it is watched."""
    requested_by: str


class HostHardware(Reply):
    """One Spark. What was not told is null; what is old says so."""

    name: str
    label: str
    address: str
    answering: Answering
    reason: str = ""
    """One sentence where it does not answer well."""
    read_at: datetime | None = None
    """When the numbers were read."""
    age_seconds: float | None = None
    stale: bool = False
    """The numbers are of the past: it does not answer now."""
    ms: float | None = None
    """How long the last answer took."""
    hostname: str | None = None
    kernel: str | None = None
    uptime_seconds: float | None = None
    load: list[float] = []
    """Over 1, 5 and 15 minutes."""
    cores: int | None = None
    memory: Memory | None = None
    gpu_unified_memory: bool = False
    """The GPU has no memory of its own."""
    consumers: list[Consumer] = []
    gpu: Gpu | None = None
    gpu_problem: str | None = None
    """Why nothing is known of the GPU."""
    driver_mismatch: bool = False
    disk: Disk | None = None
    routes: list[Route] = []
    """Default routes, the one in use first."""
    badges: list[Badge] = []
    clock_skew_seconds: float | None = None
    """How far its clock is ahead; null when it is not known to be off."""
    unread: list[str] = []
    """Parts that could not be read this time, one sentence each."""
    wake_address: WakeAddress | None = None
    wake: WakeAttempt | None = None
    can_shut_down: bool = False
    can_reboot: bool = False
    steps: list[str] = []
    """What to try while it does not answer."""


class Point(Reply):
    """One step of the history: means, and the highest where that matters. Null: not read."""

    at: datetime
    """Its beginning."""
    load: float | None = None
    memory_used: float | None = None
    """Bytes."""
    memory_most: float | None = None
    page_cache: float | None = None
    gpu_percent: float | None = None
    gpu_celsius: float | None = None
    gpu_celsius_most: float | None = None
    gpu_watts: float | None = None
    gpu_watts_most: float | None = None
    gpu_memory: float | None = None
    disk_used: float | None = None


class HostHistory(Reply):
    """How one Spark was. Steps in which nothing was read are left out."""

    host: str
    span: Span
    step_seconds: int
    points: list[Point]


class Hardware(Reply):
    """Every Spark that was asked for."""

    hosts: list[HostHardware]
    history: list[HostHistory] = []
    problems: list[str] = []
    as_of: datetime


GET_HARDWARE = Rpc("rpc.health.hardware.get", GetHardware, Hardware)


class GetAdvice(Request):
    """Ask what is known to make trouble."""


class Finding(Reply):
    """One thing that is known to make trouble, on one Spark."""

    check: str
    """The word of the check: ``page_cache_full``."""
    host: str
    label: str
    severity: Literal["hint", "warning", "trouble"]
    sentence: str
    runbook: str
    """``docs/RUNBOOK.md#...``: what to do."""
    since: datetime | None = None


class Advice(Reply):
    """The findings, the worst first. ``unread``: Sparks of which nothing fresh is known."""

    findings: list[Finding]
    checks: list[str]
    unread: list[str] = []
    as_of: datetime


GET_ADVICE = Rpc("rpc.health.advice.get", GetAdvice, Advice)


class WakeHost(Request):
    """Send a magic packet."""

    name: HostName
    requested_by: Text = "someone"


WAKE_HOST = Rpc("rpc.health.hardware.wake", WakeHost, WakeAttempt)


class TurnOff(Request):
    """Shut a Spark down or start it anew. ``confirm`` repeats its name."""

    name: HostName
    confirm: HostName
    action: Literal["shutdown", "reboot"]
    requested_by: Text = "someone"


class TurnedOff(Reply):
    """It was told to."""

    name: str
    action: Literal["shutdown", "reboot"]
    sentence: str


TURN_OFF = Rpc("rpc.health.hardware.off", TurnOff, TurnedOff)
