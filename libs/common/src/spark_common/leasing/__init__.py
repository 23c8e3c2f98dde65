"""The lease as it stands in Redis: the scripts that change it, and the one read that decides."""

from spark_common.leasing.gate import Gate, LeaseGate, held_error
from spark_common.leasing.scripts import LeaseScripts
from spark_common.leasing.tokens import fresh_token, hash_of, token_for

__all__ = ["Gate", "LeaseGate", "LeaseScripts", "fresh_token", "hash_of", "held_error", "token_for"]
