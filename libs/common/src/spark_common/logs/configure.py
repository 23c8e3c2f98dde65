"""One processor chain for our own events and for what libraries say through ``logging``."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from spark_common.logs.redact import redact

_QUIET = ("asyncssh", "nats", "httpx", "httpcore", "uvicorn", "uvicorn.error", "asyncio")
"""Libraries whose own news is noise: their warnings are kept."""


class _Forward(logging.Handler):
    """Hands records of ``logging`` to structlog, so that they are redacted and rendered alike."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event = "library." + record.name.split(".")[0]
            structlog.get_logger().log(
                record.levelno,
                event,
                message=record.getMessage(),
                exc_info=record.exc_info if record.exc_info and record.exc_info[1] else None,
            )
        except Exception:  # a log line must never be the thing that fails
            self.handleError(record)


def configure(service: str, level: str = "info", stream: TextIO | None = None) -> None:
    """Set up logging of this process: JSON lines on stdout, readable ones on a terminal.

    ``level`` is debug, info, warning or error. Every line carries ``service``. Calling it again
    replaces the set-up.
    """
    out = sys.stdout if stream is None else stream
    number = logging.getLevelNamesMapping()[level.upper()]

    def add_service(
        _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        event["service"] = service
        return event

    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if out.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            add_service,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _resolve_exception,
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Forward()]
    root.setLevel(number)
    for name in _QUIET:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(max(number, logging.WARNING))
    logging.captureWarnings(True)


def _resolve_exception(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    if event.get("exc_info") is True:
        event["exc_info"] = sys.exc_info()
    return event
