"""The merge by itself: ``python -m spark_audio_proxy.merging FILE`` prints who said what.

FILE is JSON with ``words`` (``word``, ``start``, ``end``), ``segments`` (``start_s``, ``end_s``,
``speaker``, ``confidence``) and ``duration_s``: what the speech container says of a recording.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spark_audio_proxy.merging.attribution import attribute
from spark_audio_proxy.speech import Block
from spark_audio_proxy.upstreams.diarizer_answer import read_diarization
from spark_audio_proxy.words.reading import read_answer


def merged(case: Mapping[str, Any]) -> tuple[Block, ...]:
    """Return the blocks of a case."""
    duration = float(case.get("duration_s") or 0.0)
    heard = read_answer({"words": case["words"]}, duration)
    return attribute(heard.words, read_diarization(case, duration)).blocks


def shown(blocks: Iterable[Block]) -> dict[str, Any]:
    """Return blocks as ``transcribe-with-speakers`` answers them."""
    return {
        "segments": [
            {
                "start_ms": round(block.start * 1000),
                "end_ms": round(block.end * 1000),
                "speaker": block.speaker,
                "text": block.text,
                "confidence": block.confidence,
            }
            for block in blocks
        ]
    }


def main() -> None:
    """Read the file that is named, print the blocks."""
    parser = argparse.ArgumentParser(
        prog="python -m spark_audio_proxy.merging", description=__doc__
    )
    parser.add_argument("file", type=Path)
    case = json.loads(parser.parse_args().file.read_text(encoding="utf-8"))
    json.dump(shown(merged(case)), sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
