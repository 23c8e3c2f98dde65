"""How errors show in the OpenAPI document."""

from typing import Any

from spark_gateway.errors import Problem

_REASONS = {
    400: "the body is not JSON",
    403: "sent by a page of another site",
    404: "no such thing",
    409: "a legal request at the wrong moment",
    413: "the body is too large",
    415: "the body is not declared as JSON",
    422: "the request is wrong; details name the fields",
    423: "somebody reserved the cluster",
    503: "a part is away; try again after Retry-After seconds",
    504: "no answer in time",
}
READ = (422, 503, 504)
CHANGE = (400, 403, 409, 413, 415, 422, 423, 503, 504)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses`` of a route that may answer these statuses."""
    return {
        status: {
            "model": Problem,
            "description": _REASONS[status],
            "content": {"application/problem+json": {}},
        }
        for status in statuses
    }
