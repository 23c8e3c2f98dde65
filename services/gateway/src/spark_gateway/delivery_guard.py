"""Deliveries of our own webhooks change nothing here, whatever name or proxy led them to us."""

from collections.abc import Mapping

from spark_gateway.errors import HttpFaultError

_MARKS = ("webhook-id", "webhook-signature", "x-spark-signature")
"""Every delivery carries the first one."""


def refuse_delivery(headers: Mapping[str, str]) -> None:
    """Return for everything that is no delivery; raise HttpFaultError ``forbidden`` (403) else.

    ``headers`` has lower-case names. The coordinator refuses our address when a target is saved
    and at each try; an alias or a proxy it cannot know ends here.
    """
    if any(mark in headers for mark in _MARKS):
        raise HttpFaultError(
            403, "forbidden", "a webhook delivery may not change spark-control itself"
        )
