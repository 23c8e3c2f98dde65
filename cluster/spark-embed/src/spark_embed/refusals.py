"""Errors in the form that OpenAI's clients read."""

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

ADVICE = (
    "These are token ids of another model's vocabulary, which cannot be read here. Send text; "
    "with LangChain set check_embedding_ctx_length=False."
)


_KINDS = {
    400: "BadRequestError",
    404: "NotFoundError",
    405: "MethodNotAllowed",
    413: "RequestTooLarge",
    500: "InternalServerError",
}
_ELSEWHERE = {
    404: "There is nothing at this address; embeddings are at /v1/embeddings, ranks at /v1/rerank.",
    405: "This address does not answer to that method.",
}


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
        error = {
            "message": self.message,
            "type": _KINDS.get(self.status, "ServiceUnavailable"),
            "param": self.param,
            "code": self.status,
        }
        headers = {} if self.retry_seconds is None else {"retry-after": str(self.retry_seconds)}
        return JSONResponse({"error": error}, self.status, headers)


def bad(message: str, param: str | None = None) -> RefusalError:
    """The request is wrong and will be wrong again."""
    return RefusalError(400, message, param)


def refuse_alike(app: FastAPI) -> None:
    """Have an application answer every error in this form, its framework's and its bugs too."""

    @app.exception_handler(RefusalError)
    async def refused(_: Request, error: RefusalError) -> Response:
        return error.response()

    @app.exception_handler(HTTPException)
    async def elsewhere(_: Request, error: HTTPException) -> Response:
        said = _ELSEWHERE.get(error.status_code, str(error.detail))
        response = RefusalError(error.status_code, said).response()
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(Exception)
    async def failed(_: Request, error: Exception) -> Response:
        return RefusalError(500, f"Something failed here: {type(error).__name__}.").response()
