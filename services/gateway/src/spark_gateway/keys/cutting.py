"""Cuts off what a key has under way when it opens nothing any more."""

from collections.abc import Callable

from spark_gateway.dataplane.plane import Plane
from spark_gateway.keys.doorkeeper import refusal_of
from spark_gateway.keys.holder import KeyHolder
from spark_gateway.keys.refusals import Rejection, valid


def cuts(plane: Plane) -> Callable[[KeyHolder], None]:
    """Return what ends the requests of a holder, unless the key opens ``/v1`` still."""

    def closed(holder: KeyHolder) -> None:
        why = valid(holder, "infer")
        if isinstance(why, Rejection):
            plane.cut(holder, lambda path: refusal_of(path, why))

    return closed
