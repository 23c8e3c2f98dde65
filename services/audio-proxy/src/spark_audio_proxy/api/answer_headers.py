"""What the head of an answer says of the way to it."""

from spark_audio_proxy.transcribing.journey import Journey


def answer_headers(journey: Journey, seconds: float) -> dict[str, str]:
    """Return the fields for an answer about a recording of so many seconds."""
    timing = ", ".join(f"{name};dur={1000 * took:.1f}" for name, took in journey.took.items())
    headers = {
        "x-audio-duration": f"{seconds:.3f}",
        "x-queue-ms": str(journey.ms("queue")),
        "server-timing": timing,
    }
    if journey.attempts > 1:
        headers["x-audio-attempts"] = str(journey.attempts)
    return headers
