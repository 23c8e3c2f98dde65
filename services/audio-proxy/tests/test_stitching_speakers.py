"""The diarizations of chunks become one in which everybody has one label."""

import numpy as np

from spark_audio_proxy.merging.attribution import attribute
from spark_audio_proxy.speech import Diarization, FrameProbabilities, SpeakerSegment, Word
from spark_audio_proxy.stitching.planning import Chunk
from spark_audio_proxy.stitching.speakers import DiarizedChunk, stitch_speakers

CHUNKS = (
    Chunk(0, 0.0, 100.0, 0.0, 104.0, 0.0, 115.0),
    Chunk(1, 100.0, 200.0, 96.0, 204.0, 85.0, 215.0),
    Chunk(2, 200.0, 280.0, 196.0, 280.0, 185.0, 280.0),
)
FRAME = 0.5


class Meeting:
    """Who speaks when; each chunk's diarizer numbers people in its own way."""

    def __init__(self, *turns: tuple[str, float, float]) -> None:
        self.turns = turns
        self.voices = {
            who: np.random.default_rng(index).standard_normal(192)
            for index, who in enumerate(sorted({who for who, _, _ in turns}))
        }

    def heard(self, chunk: Chunk, order: int, *, prints: bool = True) -> DiarizedChunk:
        begin, until = chunk.speakers_start, chunk.speakers_end
        inside = [
            (who, max(start, begin) - begin, min(end, until) - begin)
            for who, start, end in self.turns
            if start < until and end > begin
        ]
        present = sorted({who for who, _, _ in inside}, reverse=order % 2 == 1)
        slot = {who: f"Speaker_{number}" for number, who in enumerate(present)}
        values = np.zeros((round((until - begin) / FRAME), len(present)), dtype=np.float32)
        for who, start, end in inside:
            values[round(start / FRAME) : round(end / FRAME), present.index(who)] = 0.9
        segments = tuple(SpeakerSegment(start, end, slot[who], 0.9) for who, start, end in inside)
        return DiarizedChunk(
            chunk,
            Diarization(
                segments[::-1],
                until - begin,
                FrameProbabilities(tuple(slot.values()), values, FRAME),
                {slot[who]: tuple(self.voices[who]) for who in present} if prints else {},
                {"diarization": "d", "embedding": "e"},
            ),
        )


TALK = Meeting(
    ("Alice", 0, 60), ("Bob", 60, 95), ("Alice", 95, 110), ("Carol", 110, 170), ("Bob", 170, 188),
    ("Carol", 188, 210), ("Dave", 210, 240), ("Eve", 240, 260), ("Alice", 260, 280),
)  # fmt: skip
SPOKEN = [Word(f"w{at}.", at + 0.1, at + 0.6) for at in range(280)]


def truth(at: float) -> str:
    return next(who for who, start, end in TALK.turns if start <= at < end)


def test_everybody_keeps_one_label_through_all_chunks() -> None:
    whole = stitch_speakers([TALK.heard(chunk, index) for index, chunk in enumerate(CHUNKS)])
    merged = attribute(SPOKEN, whole.diarization, names=whole.names)
    pairs = {(truth(word.start), word.speaker) for word in merged.words}
    assert len(pairs) == 5
    assert len({speaker for _, speaker in pairs}) == 5
    assert whole.names == {}
    assert set(whole.diarization.fingerprints) == {"S1", "S2", "S3", "S4", "S5"}
    assert whole.diarization.models == {"diarization": "d", "embedding": "e"}


def test_no_second_is_counted_twice() -> None:
    whole = stitch_speakers([TALK.heard(chunk, index) for index, chunk in enumerate(CHUNKS)])
    assert sum(turn.end - turn.start for turn in whole.diarization.segments) == 280
    assert whole.diarization.duration == 280


def test_frames_of_all_chunks_lie_on_one_grid() -> None:
    whole = stitch_speakers([TALK.heard(chunk, index) for index, chunk in enumerate(CHUNKS)])
    frames = whole.diarization.frames
    assert frames is not None
    assert frames.values.shape == (560, 5)
    # Exactly one speaks in every frame, and the frames say the same as the turns.
    assert np.allclose(frames.values.sum(axis=1), 0.9)
    for turn in whole.diarization.segments:
        column = frames.speakers.index(turn.speaker)
        assert np.all(frames.values[round(turn.start / FRAME) : round(turn.end / FRAME), column])


def test_without_prints_overlaps_alone_align_who_is_heard_on_both_sides() -> None:
    chunks = [TALK.heard(chunk, index, prints=False) for index, chunk in enumerate(CHUNKS)]
    whole = stitch_speakers(chunks)
    merged = attribute(SPOKEN, whole.diarization, names=whole.names)
    speaker = {at: merged.words[at].speaker for at in range(280)}
    assert speaker[10] == speaker[100]
    assert speaker[150] == speaker[205]


def test_who_says_too_little_to_be_known_is_nobody() -> None:
    talk = Meeting(("Alice", 0, 150), ("Eve", 150, 152), ("Alice", 152, 280))
    whole = stitch_speakers([talk.heard(chunk, 0) for chunk in CHUNKS])
    merged = attribute(SPOKEN, whole.diarization, names=whole.names)
    assert {word.speaker for word in merged.words} == {"Speaker_0", None}
    assert merged.words[151].speaker is None
    assert merged.unattributed == 2


def test_a_missing_chunk_leaves_a_gap() -> None:
    whole = stitch_speakers([TALK.heard(CHUNKS[0], 0), TALK.heard(CHUNKS[2], 0)])
    assert not any(100 < turn.start < 200 for turn in whole.diarization.segments)
    merged = attribute(SPOKEN, whole.diarization, names=whole.names)
    assert merged.words[150].speaker is None
    assert merged.words[10].speaker == merged.words[270].speaker


def test_a_single_chunk_stays_as_the_diarizer_gave_it() -> None:
    only = TALK.heard(Chunk(0, 0.0, 280.0, 0.0, 280.0, 0.0, 280.0), 0)
    assert stitch_speakers([only]).diarization is only.diarization


def test_nothing_at_all() -> None:
    assert stitch_speakers([]).diarization.segments == ()
