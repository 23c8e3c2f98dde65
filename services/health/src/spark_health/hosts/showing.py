"""What is true to show of a Spark now."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from spark_common.contracts.hardware import (
    ConsumerName,
    Gpu,
    GpuProcess,
    HostHardware,
    WakeAddress,
    WakeAttempt,
)
from spark_health.hosts.consumers import name_boxes, name_processes, share_out
from spark_health.hosts.network import read_badges
from spark_health.hosts.power_rules import PowerRules
from spark_health.hosts.remembering import Sent
from spark_health.hosts.sight import Sight

WATCHED = timedelta(minutes=3)
"""How long a Spark that was woken may take to answer."""
_GONE = frozenset({"dead", "hung", "refused", "unknown"})


def show(
    sight: Sight,
    now: datetime,
    mono: float,
    known: Mapping[str, ConsumerName],
    address: WakeAddress | None,
    sent: Sent | None,
) -> HostHardware:
    """Return one Spark. Old numbers are shown with their age, and as stale when it is silent.

    ``known``: what containers are, by their names.
    """
    host, moving, rest = sight.host, sight.moving, sight.rest
    processes = _processes(sight, known)
    own = name_boxes(rest.boxes or (), rest.box_memory or {}, known)
    gpu = _gpu(sight, processes)
    rules = rest.rules or PowerRules()
    away = sight.answering in _GONE
    unified = moving.gpu is not None and moving.gpu.memory_total is None
    return HostHardware(
        name=host.name,
        label=host.label,
        address=host.address,
        answering=sight.answering,
        reason=sight.reason if sight.answering != "well" else "",
        read_at=sight.read_at,
        age_seconds=None if sight.read_mono is None else round(max(0.0, mono - sight.read_mono), 1),
        stale=sight.read_at is not None and not sight.fresh(mono),
        ms=sight.ms,
        hostname=rest.hostname,
        kernel=rest.kernel,
        uptime_seconds=moving.uptime,
        load=list(moving.load or ()),
        cores=rest.cores,
        memory=moving.memory,
        gpu_unified_memory=unified,
        consumers=share_out(moving.memory, processes, own) if moving.memory else [],
        gpu=gpu,
        gpu_problem=moving.gpu_problem,
        driver_mismatch=moving.driver_mismatch,
        disk=rest.disk,
        routes=list(rest.routes or ()),
        badges=list(read_badges(rest.addresses or (), rest.wireguard)),
        clock_skew_seconds=sight.skew,
        unread=list(sight.unread),
        wake_address=address,
        wake=attempt_of(sight, sent, now),
        can_shut_down=not away and rules.shutdown is not None,
        can_reboot=not away and rules.reboot is not None,
        steps=steps_for(sight, address) if away else [],
    )


def attempt_of(sight: Sight, sent: Sent | None, now: datetime) -> WakeAttempt | None:
    """Return what came of the last magic packet; looking at the Spark is what decides."""
    if sent is None:
        return None
    label, until = sight.host.label, sent.sent_at + WATCHED
    via = "directly" if sent.via == "direct" else f"through {sent.via}"
    if sight.read_at is not None and sight.read_at >= sent.sent_at:
        state, sentence = "awake", f"{label} answers."
    elif now < until:
        left = max(0, round((until - now).total_seconds()))
        sentence = (
            f"The packet was sent {via}; {label} has {left} s left to answer. "
            "This is best effort: many Sparks do not wake."
        )
        state = "waiting"
    else:
        state = "gave_up"
        sentence = (
            f"{label} did not answer within three minutes of the packet. Many Sparks do not wake "
            "this way: press its button, or let a smart plug switch it."
        )
    return WakeAttempt.model_validate(
        {
            "state": state,
            "sentence": sentence,
            "via": sent.via,
            "sent_at": sent.sent_at,
            "until": until,
            "requested_by": sent.requested_by,
        }
    )


def steps_for(sight: Sight, address: WakeAddress | None) -> list[str]:
    """Return what to try with a Spark that does not answer, the easiest first."""
    host = sight.host
    match sight.answering:
        case "unknown":
            return []
        case "refused":
            return [sight.reason]
        case "hung":
            return [
                "Wait five minutes: out of memory, a Spark may free itself.",
                "Hold its button until it is off, then press it again.",
                "Load with less memory next time: see the page cache and the memory of the model.",
            ]
        case _:
            number = host.name.upper()
            wake = (
                "Send it a magic packet (best effort)."
                if address is not None
                else "It cannot be woken from here: its hardware address was never seen."
            )
            return [
                wake,
                "Press its button, and see that its cable and power supply are plugged in.",
                f"See that {number}_HOST ({host.address}) is still its address.",
            ]


def metrics_of(sight: Sight) -> dict[str, float]:
    """Return what the history keeps of one answer; what was not said is not in it."""
    moving = sight.moving
    found: dict[str, float | None] = {"load": moving.load[0] if moving.load else None}
    if moving.memory is not None:
        found["memory_used"] = moving.memory.used
        found["page_cache"] = moving.memory.page_cache
    gpu = _gpu(sight, _processes(sight, {}))
    if gpu is not None:
        found["gpu_percent"] = gpu.percent
        found["gpu_celsius"] = gpu.celsius
        found["gpu_watts"] = gpu.watts
        found["gpu_memory"] = gpu.memory_used
    if sight.rest.disk is not None:
        found["disk_used"] = sight.rest.disk.used
    return {name: float(value) for name, value in found.items() if value is not None}


def _processes(sight: Sight, known: Mapping[str, ConsumerName]) -> list[GpuProcess] | None:
    moving = sight.moving
    if moving.apps is None:
        return None
    return name_processes(moving.apps, moving.groups or {}, sight.rest.boxes or (), known)


def _gpu(sight: Sight, processes: list[GpuProcess] | None) -> Gpu | None:
    row, memory = sight.moving.gpu, sight.moving.memory
    if row is None:
        return None
    used, total = row.memory_used, row.memory_total
    if total is None and memory is not None:
        total = memory.total
    if used is None and processes is not None:
        told = [one.bytes for one in processes if one.bytes is not None]
        used = sum(told) if len(told) == len(processes) else None
    if used is not None and total is not None and used > total:
        # More than there is: a driver's nonsense, no number.
        used = None
    return Gpu(
        name=row.name,
        driver=row.driver,
        percent=row.percent,
        celsius=row.celsius,
        watts=row.watts,
        watt_limit=row.watt_limit,
        sm_mhz=row.sm_mhz,
        sm_max_mhz=row.sm_max_mhz,
        pstate=row.pstate,
        memory_used=used,
        memory_total=total,
        processes=processes or [],
    )
