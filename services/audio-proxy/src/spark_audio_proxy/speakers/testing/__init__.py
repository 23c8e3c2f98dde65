"""Behaving fakes of the stores of voices."""

from spark_audio_proxy.speakers.testing.memory import MemorySessions, MemoryVoices

__all__ = ["MemorySessions", "MemoryVoices"]
