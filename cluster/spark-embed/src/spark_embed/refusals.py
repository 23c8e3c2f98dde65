"""Errors in the form that OpenAI's clients read."""

from starlette.responses import JSONResponse

ADVICE = (
    "These are token ids of another model's vocabulary, which cannot be read here. Send text; "
    "with LangChain set check_embedding_ctx_length=False."
)


class RefusalError(Exception):
    """An answer that is no success."""

    def __init__(
        self,
        status: int,
        message: str,
        param: str | None = None,
        *,
        retry_seconds: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.retry_seconds = retry_seconds

    def response(self) -> JSONResponse:
        """Return it as it travels."""
        kind = {400: "BadRequestError", 404: "NotFoundError", 413: "RequestTooLarge"}
        error = {
            "message": self.message,
            "type": kind.get(self.status, "ServiceUnavailable"),
            "param": self.param,
            "code": self.status,
        }
        headers = {} if self.retry_seconds is None else {"retry-after": str(self.retry_seconds)}
        return JSONResponse({"error": error}, self.status, headers)


def bad(message: str, param: str | None = None) -> RefusalError:
    """The request is wrong and will be wrong again."""
    return RefusalError(400, message, param)
