"""How text is spoken. Read at each request."""

from typing import Annotated

from pydantic import Field, StringConstraints

from spark_common.settings.load import Settings, Shown
from spark_common.settings.values import Aliases

_VoiceName = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]


class VoiceSettings(Settings):
    """Voices, and what is kept of what was spoken."""

    tts_voice: Annotated[_VoiceName, Shown(label="Ordinary voice")] = "af_heart"
    """Speaks where a request names none."""
    tts_voices: Annotated[Aliases, Shown(label="Other names of voices")] = ()
    """Pairs such as alloy=bf_emma or anna=af_bella(2)+af_sky(1): a request that names the first
    is spoken by the second. OpenAI's names have voices anyway."""
    tts_cache: Annotated[bool, Shown(label="Keep what was spoken")] = False
    """Keep answers on disk, so that the same sentence is not spoken twice. Off: text may be
    private, and so is its sound."""
    tts_cache_mb: Annotated[
        float, Field(ge=1, le=65_536, allow_inf_nan=False), Shown(label="Room for what was spoken")
    ] = 256.0
    """The answers that nobody asked for the longest make room."""
