"""``sparkctl hardware``: the Sparks as machines, and what is known to make trouble on them."""

from typing import Any

import click

from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.words import duration, table

_GIB = 1024**3
_GB = 1_000_000_000
_NAMES = {"page_cache": "page cache", "vllm": "vLLM"}


@click.command()
@click.argument("spark", required=False)
@click.option(
    "--history",
    type=click.Choice(["hour", "day", "week"]),
    help="Show how it was as well.",
)
@AS_JSON
def hardware(spark: str | None, history: str | None, as_json: bool) -> None:
    """Show how every Spark is as a machine, or only SPARK."""
    query: dict[str, str | int | bool | list[str]] = {}
    if spark is not None:
        query["host"] = [spark]
    if history is not None:
        query["history"] = history
    tell(GatewayClient(gateway_url()).get("/api/hardware", **query), as_json, render)


@click.command()
@AS_JSON
def advice(as_json: bool) -> None:
    """Show what is known to make trouble on the Sparks."""
    tell(GatewayClient(gateway_url()).get("/api/advice"), as_json, render_advice)


def render(found: dict[str, Any]) -> str:
    """Return one block per Spark, and the history as a table."""
    blocks = [_host(host) for host in found["hosts"]]
    blocks += [_history(one) for one in found.get("history") or ()]
    blocks += list(found.get("problems") or ())
    return "\n\n".join(blocks)


def render_advice(found: dict[str, Any]) -> str:
    """Return one line per finding."""
    lines = [
        f"{one['severity']}: {one['sentence']} ({one['runbook']})" for one in found["findings"]
    ]
    if found.get("unread"):
        lines.append(f"nothing fresh is known of {', '.join(found['unread'])}")
    return "\n".join(lines) or "nothing is known to make trouble"


def _host(host: dict[str, Any]) -> str:
    named = f" ({host['hostname']})" if host.get("hostname") else ""
    lines = [f"{host['label']}{named}: {host['answering']}"]
    if host.get("reason"):
        lines.append(f"  {host['reason']}")
    if host.get("stale"):
        lines.append(f"  numbers of {duration(host['age_seconds'])} ago:")
    if host.get("uptime_seconds") is not None:
        load = " ".join(f"{value:.2f}" for value in host["load"])
        cores = f" on {host['cores']} cores" if host.get("cores") else ""
        lines.append(f"  up       {duration(host['uptime_seconds'])}, load {load}{cores}")
    if memory := host.get("memory"):
        used, total = memory["used"] / _GIB, memory["total"] / _GIB
        unified = ", shared with the GPU" if host["gpu_unified_memory"] else ""
        lines.append(f"  memory   {used:.1f} of {total:.1f} GiB used{unified}")
    shares = [_share(one) for one in host["consumers"] if one.get("bytes")]
    if shares:
        lines.append(f"           {', '.join(shares)}")
    lines += [_gpu(host)]
    if disk := host.get("disk"):
        left = disk["available"] / _GB
        lines.append(f"  disk     {left:.0f} of {disk['total'] / _GB:.0f} GB free")
    lines += [
        f"  {route['kind']:<8} {route['interface']} {route.get('source') or ''}".rstrip()
        for route in host["routes"]
    ]
    lines += [f"  {one['kind']} {one['address']} ({one['interface']})" for one in host["badges"]]
    if wake := host.get("wake"):
        lines.append(f"  woken    {wake['sentence']}")
    if host.get("steps") and host.get("wake_address"):
        lines.append(f"  MAC      {host['wake_address']['mac']}")
    lines += [f"  try: {step}" for step in host["steps"]]
    return "\n".join(line for line in lines if line)


def _share(one: dict[str, Any]) -> str:
    name = _NAMES.get(one["name"], one["name"])
    percent = f" ({one['share']:.0%})" if one.get("share") is not None else ""
    return f"{name} {one['bytes'] / _GIB:.1f} GiB{percent}"


def _gpu(host: dict[str, Any]) -> str:
    gpu = host.get("gpu")
    if gpu is None:
        return f"  GPU      {host['gpu_problem']}" if host.get("gpu_problem") else ""
    said = (("percent", "%"), ("celsius", "°C"), ("watts", "W"), ("sm_mhz", "MHz"))
    numbers = [f"{gpu[key]:g} {unit}" for key, unit in said if gpu.get(key) is not None]
    return f"  GPU      {gpu.get('name') or '-'}: {', '.join(numbers)}"


def _history(one: dict[str, Any]) -> str:
    rows = [("SINCE", "LOAD", "MEMORY", "GPU", "WATTS", "DEGREES")]
    for point in one["points"]:
        memory = point.get("memory_used")
        rows.append(
            (
                point["at"][:16].replace("T", " "),
                _number(point.get("load"), 2),
                "-" if memory is None else f"{memory / _GIB:.1f} GiB",
                _number(point.get("gpu_percent"), 0),
                _number(point.get("gpu_watts"), 1),
                _number(point.get("gpu_celsius"), 0),
            )
        )
    return f"{one['host']}, last {one['span']}\n{table(rows)}"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
