"""SRT and WebVTT: what anybody says can neither end a cue nor start another one."""

from spark_audio_proxy.rendering.cues import cues_of
from spark_audio_proxy.speech import Transcript


def srt(transcript: Transcript) -> str:
    """Return SubRip text; it knows no escapes, so an arrow in a word becomes a real arrow."""
    return "".join(
        f"{number}\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\n"
        f"{_one_line(cue.text).replace('-->', '→')}\n\n"
        for number, cue in enumerate(cues_of(transcript.words), start=1)
    )


def vtt(transcript: Transcript) -> str:
    """Return WebVTT text, with its three special characters escaped."""
    cues = "".join(
        f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}\n{_escaped(cue.text)}\n\n"
        for cue in cues_of(transcript.words)
    )
    return f"WEBVTT\n\n{cues}"


def _clock(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{rest:03}"


def _escaped(text: str) -> str:
    line = _one_line(text)
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _one_line(text: str) -> str:
    return " ".join(text.split())
