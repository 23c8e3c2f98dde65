"""Behaving doubles of the swapper's ports: a runtime that takes its time, records in memory."""

from spark_swapper.testing.client_path import FakeClientPath
from spark_swapper.testing.cluster import TWO_SPARKS
from spark_swapper.testing.gate import FakeGate
from spark_swapper.testing.logs import MemoryLogs
from spark_swapper.testing.marks import FakeLoaded, MemoryMarks
from spark_swapper.testing.records import MemoryRecords
from spark_swapper.testing.runtime import FakeRuntime
from spark_swapper.testing.shelf import FakePreflight, FakeShelf, PlainReader, a_candidate
from spark_swapper.testing.store import MemoryJobs
from spark_swapper.testing.suggesting import FakeSuggesting

__all__ = [
    "TWO_SPARKS",
    "FakeClientPath",
    "FakeGate",
    "FakeLoaded",
    "FakePreflight",
    "FakeRuntime",
    "FakeShelf",
    "FakeSuggesting",
    "MemoryJobs",
    "MemoryLogs",
    "MemoryMarks",
    "MemoryRecords",
    "PlainReader",
    "a_candidate",
]
