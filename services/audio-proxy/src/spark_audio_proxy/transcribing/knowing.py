"""Names for voices: of people whom the caller sent along, and of those who are enrolled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speakers.matching import EnrolledVoice, Match, MatchRules, match_voices
from spark_audio_proxy.speech import Diarization
from spark_audio_proxy.stitching.speakers import StitchedSpeakers

UNNAMED_MODEL = "unknown"


def model_of(found: Diarization) -> str:
    """Return the id of the model that made the voice prints."""
    return found.models.get("embedding", UNNAMED_MODEL)


def main_voice(found: Diarization, param: str) -> tuple[float, ...]:
    """Return the print of whoever speaks most in a clip; raises SpeechError without one."""
    spoken: dict[str, float] = {}
    for turn in found.segments:
        spoken[turn.speaker] = spoken.get(turn.speaker, 0.0) + turn.end - turn.start
    for speaker in sorted(spoken, key=lambda label: -spoken[label]):
        if found.fingerprints.get(speaker):
            return tuple(found.fingerprints[speaker])
    raise SpeechError("invalid_value", "no voice can be heard in a reference", param=param)


@dataclass
class KnownVoices:
    """Calls a recording's speakers by name where their voices are known; remembers how close."""

    voices: Sequence[EnrolledVoice]
    rules: MatchRules
    matches: dict[str, Match] = field(default_factory=dict)
    """By the diarizer's label; filled by ``naming``."""

    def naming(self, found: StitchedSpeakers) -> Mapping[str, str | None]:
        """Return the names, as the merge takes them; raises EmbeddingModelMismatchError."""
        diarization = found.diarization
        matches: dict[str, Match] = {}
        if self.voices and diarization.fingerprints:
            matches = match_voices(
                diarization.fingerprints, self.voices, model_of(diarization), self.rules
            )
        self.matches |= matches
        known = {label: match.name for label, match in matches.items() if match.name}
        return {**found.names, **known}
