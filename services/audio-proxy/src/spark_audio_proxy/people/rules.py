"""What the owner allows and demands of voices."""

from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speakers.matching import MatchRules
from spark_common.settings.speech import SpeechSettings


def match_rules(settings: SpeechSettings) -> MatchRules:
    """Return how close a voice must come to be somebody's."""
    return MatchRules(settings.speaker_match_cos, settings.speaker_match_margin)


def require_voiceprints(settings: SpeechSettings) -> None:
    """Raise SpeechError where the owner wants no voice prints to be kept or compared."""
    if not settings.voiceprints_enabled:
        raise SpeechError(
            "enrolment_disabled",
            "voice prints are not kept here; the owner may turn VOICEPRINTS_ENABLED on",
        )
