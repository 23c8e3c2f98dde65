"""How much and how long a client or an upstream may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the data plane. Times in seconds, sizes in bytes."""

    head_bytes: int = 64 * 1024
    """Request line and header fields; more is 431."""
    body_bytes: int = 512 * 1024 * 1024
    """Request body; more is 413, from Content-Length or while counting."""
    head_seconds: float = 15.0
    """From the first byte of a request to the end of its head; more is 408."""
    stall_seconds: float = 60.0
    """A client that owes body bytes and sends none for so long gets 408; one that takes nothing of
    its answer for so long is cut."""
    keep_alive_seconds: float = 75.0
    """An idle client connection is closed after so long."""
    connect_seconds: float = 5.0
    first_byte_seconds: float = 1800.0
    """From the end of the request body to the first byte of the answer. Not short: an answer that
    is not streamed starts when the model has finished."""
    silence_seconds: float = 600.0
    """An answer that has begun and of which nothing more comes ends between once and twice so much
    later. As long as clients wait themselves. Before the first event of a stream only the total
    counts: a server sends the head first, and may have a line of its own."""
    total_seconds: float = 1800.0
    """From the head of the request to the end of the answer."""
    linger_seconds: float = 5.0
    """How long to listen on after an early answer, so that the client gets to read it; longer while
    it still takes what it was sent."""
    drain_seconds: float = 30.0
    """At shutdown, how long answers under way may go on."""
    kept_bytes: int = 256 * 1024 * 1024
    """Bodies of all requests about which nothing is decided yet; while it is more, no more than
    64 KiB of one are kept."""
    company_seconds: float = 15.0
    """How often a client that waits for an event stream hears that it still waits."""
    idle_upstream_seconds: float = 4.0
    """Oldest idle upstream connection to use again: vLLM closes them after five seconds."""
    repeat_seconds: float = 1.0
    """For so long after it was sent over a connection used before, a request that dies with it may
    never have arrived, and is sent once more."""
    idle_upstreams: int = 256
    """Idle connections kept per upstream."""
    sweep_seconds: float = 1.0
    """How often deadlines are looked at; their resolution."""
