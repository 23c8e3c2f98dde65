"""Who speaks when on either side of a talk in two channels."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from spark_audio_proxy.decoding.sound import Sound
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speech import Diarization
from spark_audio_proxy.stitching.speakers import StitchedSpeakers
from spark_audio_proxy.transcribing.diarizer import Diarizer
from spark_audio_proxy.transcribing.journey import Journey
from spark_audio_proxy.transcribing.with_speakers import UNAVAILABLE, SpeakerWishes

ValueT = TypeVar("ValueT")


@dataclass(frozen=True, eq=False)
class Turns:
    """What the diarizer found, where it was asked; labels of both sides differ."""

    remote: StitchedSpeakers | None = None
    local: StitchedSpeakers | None = None
    warnings: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[StitchedSpeakers, ...]:
        """The sides of which there are turns."""
        return tuple(side for side in (self.remote, self.local) if side is not None)


class TurnsOfSides:
    """Asks for them, one side after the other."""

    def __init__(self, diarizer: Diarizer) -> None:
        self._diarizer = diarizer

    async def of(
        self, local: Sound | None, remote: Sound | None, journey: Journey, wishes: SpeakerWishes
    ) -> Turns:
        """Return the turns of the sides that are given; raises SpeechError.

        How many speakers there are is what is known of the remote side.
        """
        try:
            far = None if remote is None else await self._diarizer.diarize(
                remote, journey, max_speakers=wishes.max_speakers
            )  # fmt: skip
            near = None if local is None else await self._diarizer.diarize(local, journey)
        except SpeechError as error:
            if wishes.require_speakers or error.code != UNAVAILABLE:
                raise
            return Turns(warnings=(UNAVAILABLE,))
        return Turns(far, None if near is None else _named_apart(near))


def _named_apart(found: StitchedSpeakers) -> StitchedSpeakers:
    """Give the local labels names of their own: both sides begin at ``Speaker_0``."""
    said, frames = found.diarization, found.diarization.frames
    if frames is not None:
        frames = replace(frames, speakers=tuple(map(_local, frames.speakers)))
    diarization = Diarization(
        tuple(replace(turn, speaker=_local(turn.speaker)) for turn in said.segments),
        said.duration,
        frames,
        _renamed(said.fingerprints),
        said.models,
    )
    return StitchedSpeakers(diarization, _renamed(found.names))


def _local(label: str) -> str:
    return f"local {label}"


def _renamed(by_label: Mapping[str, ValueT]) -> dict[str, ValueT]:
    return {_local(label): each for label, each in by_label.items()}
