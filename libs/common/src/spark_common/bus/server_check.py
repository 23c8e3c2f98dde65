"""Whether a nats-server keeps what it confirms: its version, and a sync on every write."""

import httpx

from spark_common.plain_http import plain_client

OLDEST_SERVER = (2, 12)


async def server_problem(monitor_url: str) -> str | None:
    """Ask ``/varz``; return None when all is well, else what is wrong in one line."""
    try:
        async with plain_client(timeout=2.0) as client:
            reply = await client.get(f"{monitor_url}/varz")
            facts = reply.raise_for_status().json()
        version = str(facts["version"])
        major, minor = (int(part) for part in version.split(".")[:2])
        always = bool(facts.get("jetstream", {}).get("config", {}).get("sync_always", False))
    except (httpx.HTTPError, ValueError, KeyError) as error:
        return f"nats-server does not say how it works ({type(error).__name__})"
    if (major, minor) < OLDEST_SERVER:
        return f"nats-server 2.12 or newer is needed, this one is {version}"
    if not always:
        return "nats-server confirms messages before they are on disk: set sync_interval: always"
    return None
