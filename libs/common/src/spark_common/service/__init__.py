"""A service as a process: health and metrics over HTTP, loops that must live, a graceful end."""

from spark_common.service.about import answer_about
from spark_common.service.checks import (
    ReadyCheck,
    bus_check,
    refusals_check,
    streams_check,
    unready_reasons,
)
from spark_common.service.metrics import REGISTRY
from spark_common.service.parts import Service
from spark_common.service.run import run

__all__ = [
    "REGISTRY",
    "ReadyCheck",
    "Service",
    "answer_about",
    "bus_check",
    "refusals_check",
    "run",
    "streams_check",
    "unready_reasons",
]
