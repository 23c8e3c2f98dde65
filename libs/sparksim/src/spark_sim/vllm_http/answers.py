"""What the simulated model says: the same for the same question, and recognisably not clever."""

import zlib

_SENTENCES = (
    "This answer comes from a simulated Spark, so it is fluent rather than true.",
    "Tokens arrive one by one at the pace of a real runtime.",
    "The numbers of memory and power on the host move while you read this.",
    "If you stop reading now, generation stops too.",
    "A real model would weigh its words; this one only counts them.",
    "Swapping to another model takes a few minutes on real hardware.",
    "The same question always gets the same answer here.",
    "Everything you see went through the same path as on two real machines.",
)


def thought(question: str) -> str:
    """Return what the model thinks before it answers."""
    return f"\nThe user says: {_short(question)} I will answer.\n"


def answer(question: str, variant: int = 0) -> str:
    """Return the answer; ``variant`` tells several choices of one request apart."""
    seed = zlib.crc32(f"{question}/{variant}".encode("utf-8", "surrogatepass"))
    count = 2 + seed % 3
    start = (seed >> 4) % len(_SENTENCES)
    chosen = (_SENTENCES[(start + step) % len(_SENTENCES)] for step in range(count))
    return f"You asked: {_short(question)} " + " ".join(chosen)


def _short(question: str) -> str:
    words = " ".join(question.split())
    return words if len(words) <= 80 else words[:77] + "..."
