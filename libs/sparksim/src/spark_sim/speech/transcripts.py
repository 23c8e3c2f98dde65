"""How the speech server writes down what it heard, with the peculiarities of its images."""

from collections.abc import Iterator, Sequence
from typing import Any

from spark_sim.speech.hearing import Word
from spark_sim.speech.switches import WordTimes

_PAUSE_SECONDS = 1.5
_MOST_WORDS = 50


def rendered(
    words: Sequence[Word], seconds: float, form: str, language: str, times: WordTimes,
    *, leading_spaces: bool = False,
) -> object:  # fmt: skip
    """Return the answer: a dictionary, or the text of a format that is text."""
    text = " ".join(word.text for word in words)
    if form == "text":
        return text
    if form in ("srt", "vtt"):
        return captions(words, form)
    if form != "verbose_json":
        return {"text": text}
    said: dict[str, Any] = {"text": text, "language": language, "duration": round(seconds, 3)}
    space = " " if leading_spaces else ""
    said["segments"] = list(_segments(words, times, space))
    if times == WordTimes.WORDS:
        said["words"] = [
            {"word": space + word.text, "start": word.start, "end": word.end} for word in words
        ]
    return said


def captions(words: Sequence[Word], form: str) -> str:
    """Return subtitles: ``srt`` or ``vtt``."""
    rows = []
    for number, group in enumerate(sentences(words), start=1):
        head = f"{number}\n" if form == "srt" else ""
        mark = "," if form == "srt" else "."
        times = f"{_clock(group[0].start, mark)} --> {_clock(group[-1].end, mark)}"
        rows.append(f"{head}{times}\n{' '.join(word.text for word in group)}\n")
    return ("" if form == "srt" else "WEBVTT\n\n") + "\n".join(rows)


def sentences(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Yield words up to the end of a sentence, a pause or fifty of them."""
    group: list[Word] = []
    for word in words:
        ended = group and (
            group[-1].text.endswith((".", "?", "!"))
            or word.start - group[-1].end > _PAUSE_SECONDS
            or len(group) >= _MOST_WORDS
        )
        if ended:
            yield group
            group = []
        group.append(word)
    if group:
        yield group


def _segments(words: Sequence[Word], times: WordTimes, space: str) -> Iterator[dict[str, Any]]:
    if times == WordTimes.WORD_SEGMENTS:
        for word in words:
            yield {"start": word.start, "end": word.end, "text": space + word.text}
    elif times != WordTimes.NONE:
        for group in sentences(words):
            text = space + " ".join(word.text for word in group)
            yield {"start": group[0].start, "end": group[-1].end, "text": text}


def _clock(seconds: float, mark: str) -> str:
    whole = round(seconds * 1000)
    minutes, rest = divmod(whole, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{mark}{rest % 1000:03}"
