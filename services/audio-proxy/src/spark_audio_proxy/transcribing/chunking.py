"""Where a recording is cut for calls that it is too long for."""

import numpy as np

from spark_audio_proxy.decoding.sound import ENERGY_SECONDS, Sound
from spark_audio_proxy.loudness import loudness_of_levels
from spark_audio_proxy.stitching.planning import Chunk, ChunkRules, plan_chunks
from spark_common.settings.speech import SpeechSettings

_LONGEST_CALL = 600.0
_SEARCH = 60.0
_SHORTEST_TARGET = 30.0


def chunks_of(sound: Sound, settings: SpeechSettings) -> tuple[Chunk, ...]:
    """Return the parts of a recording; one, where a single call may have it all."""
    levels = np.fromfile(sound.energy, dtype=np.float32)
    loudness = loudness_of_levels(levels, ENERGY_SECONDS)
    return plan_chunks(sound.seconds, loudness, chunk_rules(settings))


def chunk_rules(settings: SpeechSettings) -> ChunkRules:
    """Return rules that can be kept, as near as possible to what the owner set."""
    longest = min(_LONGEST_CALL, settings.max_diarize_seconds)
    most = max(0.0, (longest - _SHORTEST_TARGET) / 2)
    words = min(settings.chunk_overlap_s, most)
    speakers = min(settings.diar_overlap_s, most)
    margin = max(words, speakers)
    target = max(min(settings.chunk_seconds, longest - margin), margin + 2.0)
    search = min(_SEARCH, (target - margin) / 2)
    return ChunkRules(target, max(longest, target + margin), search, words, speakers)
