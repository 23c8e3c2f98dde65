"""Some of a long recording could not be heard, and the caller wants the rest."""

from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speech import Transcript


class PartialError(SpeechError):
    """Parts failed for good; ``transcript`` is what is known all the same."""

    def __init__(self, cause: SpeechError, transcript: Transcript) -> None:
        super().__init__("upstream_bad_response", cause.message)
        self.transcript = transcript
