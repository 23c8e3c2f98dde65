"""``python -m spark_sim.speakclock talk.webm``: make a recording and, beside it, its truth."""

import argparse
from pathlib import Path

from spark_sim.speakclock.conversation import Plan, Speaker, converse, words_of
from spark_sim.speakclock.mixing import blocks, in_a_row, side_by_side
from spark_sim.speakclock.seglst import write_seglst
from spark_sim.speakclock.sound_files import Kind, write
from spark_sim.speakclock.tones import BANDS

_KINDS = {
    ".wav": Kind.WAV, ".flac": Kind.FLAC, ".mp3": Kind.MP3, ".m4a": Kind.M4A, ".aac": Kind.AAC,
    ".webm": Kind.LIVE_WEBM, ".ogg": Kind.OPUS, ".opus": Kind.OPUS,
}  # fmt: skip


def main() -> None:
    """Write what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m spark_sim.speakclock", description=__doc__)
    parser.add_argument("file", type=Path, help=f"recording to write: {' '.join(_KINDS)}")
    parser.add_argument("--say", help="only this text, by one speaker")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--speakers", type=int, default=2, choices=range(1, BANDS + 1))
    parser.add_argument("--late", type=int, default=0, help="so many of them join later")
    parser.add_argument("--overlap", type=float, default=0.1, help="share of turns, 0 to 1")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--dual", action="store_true",
        help="two channels: the first speaker with an echo of the others, and the others",
    )  # fmt: skip
    given = parser.parse_args()
    kind = _KINDS.get(given.file.suffix.lower())
    if kind is None:
        parser.error(f"the name of the file has to end in one of {' '.join(_KINDS)}")
    if given.say is not None:
        write(given.file, kind, blocks(in_a_row(given.say)))
        return
    turns = converse(_plan(given))
    words = words_of(turns)
    if given.dual:
        own = [word for word in words if word.band == 0]
        others = [word for word in words if word.band != 0]
        echo = [word.copied(0.12, -18) for word in others]
        both = side_by_side(blocks([*own, *echo], given.seconds), blocks(others, given.seconds))
        write(given.file, kind, both, channels=2)
    else:
        write(given.file, kind, blocks(words, given.seconds))
    truth = given.file.with_suffix(".seglst.json")
    write_seglst(truth, turns, given.file.stem)
    print(f"{given.file}: {len(words)} words; what was said is in {truth}")  # noqa: T201


def _plan(given: argparse.Namespace) -> Plan:
    there = given.speakers - given.late
    speakers = tuple(
        Speaker(
            f"Speaker {chr(65 + number)}",
            number,
            joins_at=max(0, number - there + 1) * given.seconds / (given.late + 1),
        )
        for number in range(given.speakers)
    )
    return Plan(given.seconds, speakers, overlap=given.overlap, seed=given.seed)


if __name__ == "__main__":
    main()
