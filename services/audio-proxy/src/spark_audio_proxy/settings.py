"""What audio-proxy reads from its environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from spark_common.settings import (
    BusSettings,
    HostsSettings,
    HttpSettings,
    RedisSettings,
    Settings,
)
from spark_common.settings.speech import SpeechPlaces, SpeechSettings
from spark_common.settings.support import (
    KokoroSettings,
    MagpieSettings,
    PageSettings,
    ParakeetSettings,
)
from spark_common.settings.voice import VoiceSettings


class DecodingSettings(Settings):
    """The processes that open foreign media."""

    decode_workers: Annotated[int, Field(ge=1, le=16)] = 2
    """Recordings that are decoded at once."""
    spool_dir: Path | None = None
    """Folder of recordings while their request lasts; ``spool`` below DATA_DIR unless given."""
    data_dir: Path = Path("data")

    @property
    def spool(self) -> Path:
        """Where recordings are while their request lasts."""
        return self.spool_dir or self.data_dir / "spool"


class AudioProxySettings(Settings):
    """Settings of audio-proxy. Addresses and limits are the owner's: what is set there wins."""

    defaults: ClassVar[Mapping[str, str]] = {"BIND_PORT": "9103"}

    bus: BusSettings
    redis: RedisSettings
    http: HttpSettings
    cluster: HostsSettings
    page: PageSettings = PageSettings()
    parakeet: ParakeetSettings = ParakeetSettings()
    kokoro: KokoroSettings = KokoroSettings()
    magpie: MagpieSettings = MagpieSettings()
    places: SpeechPlaces = SpeechPlaces()
    speech: SpeechSettings = SpeechSettings()
    voice: VoiceSettings = VoiceSettings()
    decoding: DecodingSettings = DecodingSettings()
