"""How the speech service takes recordings in, queues them and cuts them. Read at each request."""

from typing import Annotated

from pydantic import Field

from spark_common.settings.load import Settings, Shown
from spark_common.settings.values import HttpUrl, Seconds

_Megabytes = Annotated[float, Field(ge=0.01, le=16_384, allow_inf_nan=False)]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_Distance = Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]
_Few = Annotated[int, Field(ge=1, le=64)]
_Chunk = Annotated[float, Field(ge=30, le=600, allow_inf_nan=False)]


class SpeechPlaces(Settings):
    """Addresses of the speech servers, where host and port do not say it well enough."""

    parakeet_url: Annotated[HttpUrl | None, Shown(label="Whole address of Parakeet")] = None
    """Wins over its host and port, for example http://127.0.0.1:8000."""
    kokoro_url: Annotated[HttpUrl | None, Shown(label="Whole address of Kokoro")] = None
    """Wins over its host and port."""
    magpie_url: Annotated[HttpUrl | None, Shown(label="Whole address of Magpie")] = None
    """Wins over its host and port."""


class SpeechSettings(Settings):
    """Limits, the line for the GPU, and how long recordings are cut."""

    audio_inflight: Annotated[_Few, Shown(label="Speech calls at once")] = 2
    """Calls to the speech container at once, by all replicas together."""
    audio_ceiling: Annotated[_Few, Shown(label="Speech and voice at once")] = 3
    """The same, with text to speech counted as well."""
    audio_queue_depth: Annotated[int, Field(ge=0, le=1000), Shown(label="Longest line")] = 32
    """Calls that may wait; the next one is told when to come back."""
    audio_queue_wait_s: Annotated[Seconds, Shown(label="Longest wait in line")] = 120.0
    """A call waits for this long at most."""
    max_upload_mb: Annotated[_Megabytes, Shown(label="Largest recording")] = 500.0
    """A larger upload is refused before it is read."""
    max_audio_seconds: Annotated[Seconds, Shown(label="Longest recording")] = 14_400.0
    """Counted while it is decoded: what a file says of itself does not matter."""
    max_diarize_seconds: Annotated[Seconds, Shown(label="Longest part for speakers")] = 600.0
    """Of one call that tells speakers apart; longer recordings go there in parts."""
    chunk_seconds: Annotated[_Chunk, Shown(label="Parts of long recordings")] = 480.0
    """Longer recordings are transcribed in parts of about this length, cut where it is quiet."""
    chunk_overlap_s: Annotated[
        float, Field(ge=0, le=60, allow_inf_nan=False), Shown(label="Parts overlap by")
    ] = 8.0
    """So much of a part is heard again in the next one, so that no word is cut."""
    diar_overlap_s: Annotated[
        float,
        Field(ge=0, le=120, allow_inf_nan=False),
        Shown(label="Speaker parts overlap by"),
    ] = 30.0
    """The same where speakers are told apart."""
    parallel_asr_diar: Annotated[bool, Shown(label="Words and speakers at once")] = False
    """Ask for words and for speakers at the same time; each takes a place at the GPU."""
    merge_gap_s: Annotated[Seconds, Shown(label="Silence ends a block")] = 1.5
    """A longer silence begins a new block of the same speaker."""
    merge_ev_flip: Annotated[_Share, Shown(label="Sentence outvotes a word below")] = 0.72
    """Words whose speaker is less certain than this follow the rest of their sentence."""
    cluster_dist: Annotated[_Distance, Shown(label="Same voice within")] = 0.7
    """Cosine distance up to which voices of different parts are one speaker."""
    speaker_match_cos: Annotated[_Share, Shown(label="Known voice from")] = 0.55
    """Cosine similarity from which a voice is an enrolled person's."""
    speaker_match_margin: Annotated[_Share, Shown(label="Known voice ahead by")] = 0.08
    """So much more than the second best."""
    voiceprints_enabled: Annotated[bool, Shown(label="Keep voice prints")] = False
    """Let people be enrolled by voice: biometric data, kept until it is deleted."""
    translate_as_transcribe: Annotated[bool, Shown(label="Transcribe for translations")] = False
    """Answer requests for a translation with a transcript, instead of refusing them."""
