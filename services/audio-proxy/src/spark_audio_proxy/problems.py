"""What can go wrong with a request about sound: a stable code, a sentence, whose field it was."""

from typing import Literal, TypeAlias, get_args

ProblemCode: TypeAlias = Literal[
    "invalid_audio",
    "no_audio_stream",
    "empty_file",
    "empty_input",
    "unknown_voice",
    "unsupported_format",
    "unsupported_operation",
    "missing_file",
    "invalid_form",
    "invalid_value",
    "enrolment_disabled",
    "not_found",
    "method_not_allowed",
    "embedding_model_mismatch",
    "conflict",
    "file_too_large",
    "audio_too_long",
    "upload_timeout",
    "unsupported_media_type",
    "audio_rejected",
    "queue_full",
    "internal",
    "upstream_bad_response",
    "empty_timestamps",
    "upstream_recovering",
    "upstream_loading",
    "upstream_down",
    "diarization_unavailable",
    "unavailable",
    "no_room",
    "upstream_timeout",
]
"""Codes of errors; ``api/envelope.py`` says which status each one is."""
CODES: frozenset[str] = frozenset(get_args(ProblemCode))


class SpeechError(Exception):
    """A request that cannot be answered, with what its caller should know.

    ``param`` names the field that is wrong. ``retry_after``: seconds, for what time may heal.
    """

    def __init__(
        self,
        code: ProblemCode,
        message: str,
        *,
        param: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code: ProblemCode = code
        # It may quote a server or a caller: halves of surrogate pairs cannot be written.
        self.message = message.encode("utf-8", "replace").decode("utf-8")
        self.param = param
        self.retry_after = retry_after
