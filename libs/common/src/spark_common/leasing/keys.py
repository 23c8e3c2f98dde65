"""Every Redis key of the lease."""

LOCK = "sc:lock"
"""Hash, the lease in whatever state: token_sha256, holder, reason, priority, fence, since_ms,
expires_ms, ttl_ms, ...; absent while it is free. It has no time to live: what is over is over by
comparison with Redis' clock, and its end is told."""

FENCE = "sc:fence:lock"
"""Counter of leases; never deleted, never lowered."""

LINE = "sc:lock:line"
"""Hash of those who wait: ticket to place (JSON)."""

YIELDS = "sc:lock:yields"
"""List of the standing requests to the holder (JSON); gone with the lease."""

OUTBOX = "sc:lock:outbox"
"""List of what happened and is not told yet (JSON)."""

NOTES = "sc:lock:notes"
"""Hash: whether the counter was set above what is remembered elsewhere (numbered; absent: Redis is
new or lost its disk), count of arrivals and of what was told, order of the line as told last, when
it was last looked at (alive_ms)."""

BOOK = (LOCK, FENCE, LINE, YIELDS, OUTBOX, NOTES)
GATE = (LOCK, FENCE, LINE)
THROUGH = (LOCK, OUTBOX, NOTES)
NUMBER = (FENCE, NOTES)
