"""``python -m benchmarks.redaction``: speed of the core, beside presidio-analyzer where it is."""

import argparse
import json
import resource
import subprocess
import time
from pathlib import Path

from benchmarks.redaction.served import durable_write, over_http
from benchmarks.redaction.texts import HOSTILE, names, prose

from spark_redaction.scrub import (
    Book,
    Detector,
    Dictionary,
    Entity,
    Kind,
    LeakError,
    Rehydrator,
    Scrubber,
)

_SIZES = {300: 40, 1_000: 20, 10_000: 5, 100_000: 3}
_PEER_PYTHON = Path(".run/presidio/bin/python")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.redaction", description=__doc__)
    parser.add_argument("--peer", type=Path, default=_PEER_PYTHON, help="Python with presidio")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    options = parser.parse_args()
    facts = {
        "scrub": speeds(options.peer),
        "names": dictionary(),
        "hostile": hostile(),
        "rehydrate": rehydrate(),
        "http_ms": over_http(),
        "durable_write_ms": durable_write(),
        "resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(f"\nresident at most: {facts['resident_mb']:.0f} MB")
    if options.json is not None:
        options.json.write_text(json.dumps(facts, indent=2) + "\n")


def seconds_of(detector: Detector, text: str, rounds: int) -> float:
    """Least processor time of a whole scrub, self-check and way back included."""
    taken = []
    for _ in range(rounds):
        began = time.process_time()
        Scrubber(detector, Book()).text(text)
        taken.append(time.process_time() - began)
    return min(taken)


def speeds(python: Path) -> list[dict[str, float]]:
    detector = Detector()
    seconds_of(detector, prose(500), 3)
    peer = None
    if python.exists():
        peer = subprocess.Popen(
            [python, "-m", "benchmarks.redaction.peer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    else:
        print(f"no {python}: presidio-analyzer is not measured")
    rows = []
    print("\n| characters | ms | MB/s | presidio, ms | times |\n|--:|--:|--:|--:|--:|")
    for size, rounds in _SIZES.items():
        text = prose(size)
        ours = seconds_of(detector, text, rounds)
        theirs = 0.0
        if peer is not None and peer.stdin and peer.stdout:
            peer.stdin.write(json.dumps([text, min(rounds, 5)]) + "\n")
            peer.stdin.flush()
            theirs = float(peer.stdout.readline())
        rows.append({"size": size, "seconds": ours, "presidio": theirs})
        print(
            f"| {size} | {ours * 1e3:.2f} | {size / ours / 1e6:.2f} "
            f"| {theirs * 1e3:.1f} | {theirs / ours:.0f} |"
        )
    if peer is not None and peer.stdin:
        peer.stdin.close()
        peer.wait()
    growth = rows[-1]["seconds"] / rows[-2]["seconds"]
    print(f"\nten times the text takes {growth:.1f} times as long")
    return rows


def dictionary() -> dict[str, float]:
    began = time.process_time()
    known = Dictionary(Entity(Kind.PERSON, name) for name in names(10_000))
    load = time.process_time() - began
    text = prose(100_000)
    bare = seconds_of(Detector(), text, 3)
    with_names = seconds_of(Detector((known,)), text, 3)
    print(f"\n10,000 names: loaded in {load:.2f} s, a scrub takes {with_names / bare:.2f} times")
    return {"load": load, "ratio": with_names / bare}


def hostile() -> dict[str, float]:
    found = {}
    print("\n| hostile | characters | s |\n|---|--:|--:|")
    for name, text in HOSTILE.items():
        began = time.process_time()
        try:
            Scrubber(Detector(), Book()).text(text)
        except LeakError:
            name += " (refused)"
        found[name] = time.process_time() - began
        print(f"| {name} | {len(text)} | {found[name]:.2f} |")
    return found


def rehydrate() -> float:
    book = Book()
    tokens = [book.token_for(Kind.PERSON, str(n), f"Person Number{n}") for n in range(400)]
    text = " ".join(f"and then {token} said so;" for token in tokens * 60)
    began = time.process_time()
    Rehydrator(book).text(text)
    speed = len(text) / (time.process_time() - began) / 1e6
    print(f"\nrehydrate, 400 placeholders: {speed:.1f} MB/s")
    return speed


if __name__ == "__main__":
    main()
