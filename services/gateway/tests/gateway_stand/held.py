"""Clients of a cluster in which a swap runs, through real connections."""

import asyncio
import json


async def asked(cluster, eventually, request):
    """Send a request, and wait until it is held or answered."""
    client = await cluster.plane.connect()
    held = len(cluster.holding.room)
    await client.send(request)
    reading = client.rest() if b"close" in request else client.message()
    answer = asyncio.ensure_future(asyncio.wait_for(reading, 30))
    await eventually(lambda: answer.done() or len(cluster.holding.room) > held)
    return client, answer


def error_of(body):
    return json.loads(body)["error"]
