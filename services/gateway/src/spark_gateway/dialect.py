"""Which API an address belongs to: it decides how errors read and who may ask."""


def is_v1(path: str) -> bool:
    """Whether this address is for clients of models, not for the control plane."""
    return path == "/v1" or path.startswith("/v1/")


def speaks_anthropic(path: str) -> bool:
    """Whether callers of this address expect errors in the form of the Messages API."""
    return path == "/v1/messages" or path.startswith("/v1/messages/")
