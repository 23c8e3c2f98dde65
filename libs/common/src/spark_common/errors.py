"""The one small error tree. Services know codes; only the gateway knows HTTP statuses."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, JsonValue


class ErrorBody(BaseModel):
    """An error as it travels in a reply: stable code, a sentence with what to do, facts."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    code: str
    message: str
    details: dict[str, JsonValue] = {}
    retryable: bool = False


class SparkError(Exception):
    """Something a caller did, or the cluster did, that has a name.

    * SparkError                 internal
      + InvalidRequestError      invalid_request      the request itself is wrong
      + NotFoundError            not_found            no such job, host, route
        - UnknownModelError      unknown_model        with near matches
      + GoneError                gone                 it was there; it expired or was erased
      + TooLargeError            too_large            more than is taken at once
      + ConflictError            conflict             legal request, wrong moment
        - SwapInProgressError    swap_in_progress
        - ModelNotReadyError     model_not_ready      not complete on disk, or no recipe yet
        - AlreadyLoadedError     already_loaded
        - IdempotencyConflictError idempotency_conflict
        - JobInProgressError     job_in_progress      the same work runs already
        - ModelInUseError        model_in_use         loaded, swapped to, or being downloaded
        - QuarantinedError       quarantined          it took a Spark down; a person must clear it
      + LeaseHeldError           lease_held           somebody reserved the cluster
      + StaleEpochError          stale_epoch          a newer worker or holder acts on the cluster
      + UnavailableError         unavailable          a part is away; retry may help
        - BusyError              busy                 all are working, and the queue is full
        - HostUnreachableError   host_unreachable
        - HostKeyChangedError    host_key_changed     never retried by itself
        - ServiceUnavailableError service_unavailable nobody answers on the bus
        - DeadlineExceededError  deadline_exceeded
        - OutcomeUnknownError    outcome_unknown      ask again with the same key
      + RemoteCommandError       remote_command_failed
      + UpstreamFailedError      upstream_failed      a server on a Spark answered nonsense or no
    """

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, **details: JsonValue) -> None:
        super().__init__(message)
        self.message = message
        self.details: Mapping[str, JsonValue] = details

    def body(self) -> ErrorBody:
        """Return the error in its wire form."""
        return ErrorBody(
            code=self.code,
            message=self.message,
            details=dict(self.details),
            retryable=self.retryable,
        )


class InvalidRequestError(SparkError):
    """The request is wrong and will be wrong again."""

    code = "invalid_request"


class NotFoundError(SparkError):
    """There is no such thing."""

    code = "not_found"


class UnknownModelError(NotFoundError):
    """The name is not on the menu; ``details['near']`` lists what comes close."""

    code = "unknown_model"


class ConflictError(SparkError):
    """A legal request at the wrong moment."""

    code = "conflict"


class SwapInProgressError(ConflictError):
    """Another swap is running; ``details['swap_id']`` names it."""

    code = "swap_in_progress"


class ModelNotReadyError(ConflictError):
    """The model is on the menu but cannot be started yet."""

    code = "model_not_ready"


class AlreadyLoadedError(ConflictError):
    """The model is the one that is serving."""

    code = "already_loaded"


class IdempotencyConflictError(ConflictError):
    """The same idempotency key came with another request."""

    code = "idempotency_conflict"


class JobInProgressError(ConflictError):
    """The same work runs already; ``details['job_id']`` names it."""

    code = "job_in_progress"


class ModelInUseError(ConflictError):
    """The model is loaded, being swapped to, or being downloaded."""

    code = "model_in_use"


class QuarantinedError(ConflictError):
    """A load of the model took a Spark down; a person has to clear it first."""

    code = "quarantined"


class LeaseHeldError(SparkError):
    """Somebody reserved the cluster; details name the holder's label and the remaining seconds."""

    code = "lease_held"


class StaleEpochError(SparkError):
    """A newer worker or lease holder already acts on the cluster."""

    code = "stale_epoch"


class UnavailableError(SparkError):
    """A part is away; trying again may help."""

    code = "unavailable"
    retryable = True


class HostUnreachableError(UnavailableError):
    """A Spark does not answer over SSH."""

    code = "host_unreachable"


class HostKeyChangedError(UnavailableError):
    """A Spark shows another host key than the one remembered."""

    code = "host_key_changed"
    retryable = False


class ServiceUnavailableError(UnavailableError):
    """Nobody answers for a service on the bus."""

    code = "service_unavailable"


class DeadlineExceededError(UnavailableError):
    """No answer in time."""

    code = "deadline_exceeded"


class OutcomeUnknownError(UnavailableError):
    """It may or may not have happened; asking again with the same key settles it."""

    code = "outcome_unknown"


class GoneError(SparkError):
    """It was there; it has expired or was erased."""

    code = "gone"


class TooLargeError(SparkError):
    """More than is taken at once."""

    code = "too_large"


class BusyError(UnavailableError):
    """Everybody is working and the queue is full."""

    code = "busy"
    retryable = True


class RemoteCommandError(SparkError):
    """A command on a Spark ended badly."""

    code = "remote_command_failed"


class UpstreamFailedError(SparkError):
    """A server on a Spark answered, but not what was asked; ``details['stage']`` says which."""

    code = "upstream_failed"


def _tree(root: type[SparkError]) -> dict[str, type[SparkError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        found |= _tree(child)
    return found


ERRORS: Mapping[str, type[SparkError]] = _tree(SparkError)
"""Every code of the tree and its class; the gateway's status table is checked against it."""


def error_from(body: ErrorBody) -> SparkError:
    """Rebuild the error a service answered with; an unknown code becomes a plain SparkError."""
    return ERRORS.get(body.code, SparkError)(body.message, **body.details)
