"""What the owner decides about the data plane."""

from spark_common.settings import Settings


class DataPathSettings(Settings):
    """Whether the lease also binds requests."""

    lease_binds_requests: bool = False
    """While somebody holds the lease, requests that name another model than the loaded one are
    refused, with who holds it and until when."""
