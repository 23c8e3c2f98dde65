"""vLLM's error bodies."""

from typing import Any


class RequestError(Exception):
    """A request that is answered with an error of vLLM's own shape."""

    def __init__(self, message: str, kind: str, param: str | None, status: int) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.param = param
        self.status = status

    def body(self) -> dict[str, Any]:
        """Return the OpenAI-like body."""
        return {
            "error": {
                "message": self.message, "type": self.kind, "param": self.param,
                "code": self.status,
            }
        }  # fmt: skip

    def anthropic_body(self) -> dict[str, Any]:
        """Return the body that ``/v1/messages`` uses for the engine's own errors."""
        return {"type": "error", "error": {"type": self.kind, "message": self.message}}


class InvalidBodyError(RequestError):
    """What pydantic found in a body; the same on every route."""


def unknown_model(name: str, aliases: tuple[str, ...]) -> RequestError:
    """Return the error for a model that is not served."""
    valid = ", ".join(aliases)
    return RequestError(
        f"The model `{name}` does not exist. Valid aliases: {valid}.", "NotFoundError", "model", 404
    )


def refused(message: str, param: str | None = None, value: object = None) -> RequestError:
    """Return a 400 of the engine; ``value`` is quoted behind the message with its parameter."""
    if param is not None:
        shown = "" if value is None else f", value={value}"
        message = f"{message} (parameter={param}{shown})"
    return RequestError(message, "BadRequestError", param, 400)


def invalid(kind: str, where: str, text: str, given: object, extra: str = "") -> InvalidBodyError:
    """Return the error for one finding of pydantic."""
    return findings([(kind, where, text, given, extra)])


def findings(rows: list[tuple[str, str, str, object, str]]) -> InvalidBodyError:
    """Return the error for several findings: (type, place, text, input, context)."""
    count = len(rows)
    lines = [f"{count} validation error{'s' if count > 1 else ''}:"]
    for kind, where, text, given, extra in rows:
        lines.append(
            f"  {{'type': {kind!r}, 'loc': {where!r}, 'msg': {text!r}, "
            f"'input': {_input(given)!r}{extra}}}"
        )
    return InvalidBodyError("\n".join(lines), "Bad Request", rows[0][1], 400)


def unsupported_media_type() -> InvalidBodyError:
    """Return the error for a body that is not announced as JSON."""
    return InvalidBodyError(
        "1 validation error:\n  Unsupported Media Type: Only 'application/json' is allowed",
        "Bad Request", None, 400,
    )  # fmt: skip


def engine_dead() -> RequestError:
    """Return the error of a server whose engine died."""
    return RequestError(
        "EngineCore encountered an issue. See stack trace (above) for the root cause.",
        "InternalServerError", None, 500,
    )  # fmt: skip


def _input(given: object) -> str:
    if isinstance(given, dict):
        return f"<dict of {len(given)} items>"
    if isinstance(given, list):
        return f"<list of {len(given)} items>"
    return str(given)
