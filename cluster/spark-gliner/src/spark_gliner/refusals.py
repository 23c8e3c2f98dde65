"""Errors that say what is wrong and never repeat what was sent."""

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response


class RefusalError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str, *, retry_seconds: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_seconds = retry_seconds

    def response(self) -> JSONResponse:
        """Return it as it travels."""
        headers = {} if self.retry_seconds is None else {"retry-after": str(self.retry_seconds)}
        error = {"message": self.message, "code": self.status}
        return JSONResponse({"error": error}, self.status, headers)


def refuse_alike(app: FastAPI) -> None:
    """Have an application answer every error in this form, its framework's and its bugs too."""

    @app.exception_handler(RefusalError)
    async def refused(_: Request, error: RefusalError) -> Response:
        return error.response()

    @app.exception_handler(HTTPException)
    async def elsewhere(_: Request, error: HTTPException) -> Response:
        response = RefusalError(error.status_code, str(error.detail)).response()
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(Exception)
    async def failed(_: Request, error: Exception) -> Response:
        return RefusalError(500, f"Something failed here: {type(error).__name__}.").response()
