"""Logging: named events with fields, JSON to stdout, nothing secret and nothing anybody said."""

from spark_common.logs.configure import configure
from spark_common.logs.redact import redact

__all__ = ["configure", "redact"]
