"""Logging: named events with fields, JSON to stdout, nothing secret and nothing anybody said."""

from spark_common.logs.configure import configure
from spark_common.logs.quiet import quiet
from spark_common.logs.redact import redact

__all__ = ["configure", "quiet", "redact"]
