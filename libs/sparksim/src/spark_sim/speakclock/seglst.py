"""What was really said, as SegLST: the format in which transcripts with speakers are scored."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

from spark_sim.speakclock.conversation import Turn


class Segment(TypedDict):
    """What one speaker said in one go; times are seconds."""

    session_id: str
    speaker: str
    start_time: float
    end_time: float
    words: str


def seglst(turns: Iterable[Turn], session: str) -> list[Segment]:
    """Return the truth about a conversation."""
    return [
        Segment(
            session_id=session,
            speaker=turn.speaker,
            start_time=round(turn.start, 3),
            end_time=round(turn.end, 3),
            words=" ".join(word.text for word in turn.words),
        )
        for turn in turns
    ]


def write_seglst(path: Path, turns: Iterable[Turn], session: str) -> None:
    """Write the truth about a conversation to a file."""
    path.write_text(json.dumps(seglst(turns, session), ensure_ascii=False, indent=1) + "\n")
