"""Commands on a Spark: data until the last line, quoted once, run by one adapter."""

from spark_common.remote.command import RemoteCommand, RemoteResult, quote
from spark_common.remote.port import RemoteShell

__all__ = ["RemoteCommand", "RemoteResult", "RemoteShell", "quote"]
