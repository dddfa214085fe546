"""What is answered to a request that isn't let in: in words, in the form that its sender reads."""

import math

from starlette.responses import JSONResponse, PlainTextResponse, Response

from rag.guarding.routes import OPENAI

_KINDS = {
    401: ("authentication_error", "invalid_api_key"),
    403: ("permission_error", None),
    413: ("invalid_request_error", "request_too_large"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
    503: ("service_unavailable_error", "unavailable"),
}
"""Status → type and code of OpenAI's errors; what isn't here is a wrong request, or from 500 on an error of ours."""


def openai_error(
    status: int, message: str, code: str | None = None, param: str | None = None, wait: float = 0.0
) -> JSONResponse:
    """An error as clients of OpenAI's API read it. `wait` is in seconds, after which to try again; 0 says nothing."""
    usual = ("server_error" if status >= 500 else "invalid_request_error", None)
    kind, usual_code = _KINDS.get(status, usual)
    error = {"message": message, "type": kind, "param": param, "code": code or usual_code}
    headers = {"Retry-After": str(math.ceil(wait))} if wait else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"error": error}, status, headers)


def refusal(status: int, message: str, path: str = "", wait: float = 0.0) -> Response:
    """In JSON where the page or a program reads it from there, else as a line of text. `wait` as in `openai_error`."""
    if path.startswith(OPENAI):
        return openai_error(status, message, wait=wait)
    headers = {"Retry-After": str(math.ceil(wait))} if wait else {}
    if path.startswith("/gradio_api/"):
        return JSONResponse({"detail": message}, status, headers)
    return PlainTextResponse(f"{message}\n", status, headers)


def too_many(wait: float, path: str = "") -> Response:
    """429, and after how many seconds to try again."""
    return refusal(429, f"That is too much at once. Wait {math.ceil(wait)} s.", path, wait)
