"""What services ask each other: typed requests and replies, one module per owner."""

from spark_common.contracts.rpc import Rpc

__all__ = ["Rpc"]
