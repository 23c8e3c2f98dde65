"""API keys: who may use ``/v1`` and ``/api``, kept as hashes."""
