"""Errors as problem details, RFC 9457."""

from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import Overloaded, ServiceError
from ..telemetry import trace_id

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1

log = structlog.get_logger()


def problem(
    status: int, detail: str | None = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    """A problem; the detail of a 5xx stays in the log, its caller gets the trace id."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "trace_id": trace_id(),
    }
    if detail and status < 500:
        body["detail"] = detail
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


async def on_service_error(_: Request, error: Exception) -> Response:
    """An error of our own tree."""
    assert isinstance(error, ServiceError)
    if error.status >= 500:
        log.warning("request_failed", error=str(error), kind=type(error).__name__)
    retry = {"Retry-After": str(RETRY_AFTER_S)} if isinstance(error, Overloaded) else None
    return problem(error.status, str(error), retry)


async def on_invalid_request(_: Request, error: Exception) -> Response:
    """A body or header that does not fit; says where and why, without repeating the value."""
    assert isinstance(error, RequestValidationError)
    detail = "; ".join(
        f"{'.'.join(str(part) for part in found['loc'])}: {found['msg']}"
        for found in error.errors()
    )
    return problem(422, detail)


async def on_http_exception(_: Request, error: Exception) -> Response:
    """What the framework itself refuses: no such route, wrong method, body too large."""
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail), dict(error.headers or {}))


async def on_bug(_: Request, error: Exception) -> Response:
    """Anything else; the outermost edge, so that no stack trace reaches a caller."""
    log.error("request_crashed", exc_info=error)
    return problem(500)


class TooLarge:
    """Refuse a body by its announced length, as a problem: the framework sends plain text.

    A body that announces no length is counted by the framework's own limit.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer in the application's place, or let it answer."""
        length = Headers(scope=scope).get("content-length", "") if scope["type"] == "http" else ""
        if length.isdecimal() and int(length) > self._limit:
            refusal = problem(413, f"the body has {length} bytes; at most {self._limit} are read")
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def install(app: FastAPI) -> None:
    """Answer every error of `app` with problem details."""
    app.add_exception_handler(ServiceError, on_service_error)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(Exception, on_bug)
