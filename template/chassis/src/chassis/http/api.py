"""The routes."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

from fastapi import FastAPI, Header, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp

from ..errors import DeadlineExceeded, NotAcceptable, StoreError
from ..ports import ANONYMOUS
from ..request import start, within
from ..service import Flow, Service
from . import problems
from .answering import answer_in_time
from .disconnect import ClientGone, run_until_disconnect
from .schema import AnswerBody, FeedbackBody, QuestionBody, answer_body
from .stream import open_stream

MAX_BODY_BYTES = 64 * 1024
DATABASE_S = 3
"""Longest wait for the database outside of a question."""

EVENT_STREAM = "text/event-stream"
PROBLEM = {"description": "Problem details, RFC 9457", "content": {problems.MEDIA_TYPE: {}}}
CLIENT_GONE = 499
"""nginx's number; nobody reads it, logs and metrics do."""

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class Api(FastAPI):
    """FastAPI whose outermost layer refuses bodies that are too large."""

    def build_middleware_stack(self) -> ASGIApp:
        """See Starlette; user middleware would sit inside the framework's own limit."""
        return problems.TooLarge(super().build_middleware_stack(), MAX_BODY_BYTES)


def make_api(service: Service, flow: Flow, lifespan: Lifespan | None = None) -> FastAPI:
    """The service's HTTP application."""
    named = service.settings.objectives.service
    api = Api(
        title=named.name,
        description=named.purpose,
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        max_body_size=MAX_BODY_BYTES,
        telemetry={
            "tracer_provider": service.telemetry.tracer_provider,
            "meter_provider": service.telemetry.meter_provider,
            "logs": False,  # they would carry questions
            "operation_spans": False,
        },
    )
    problems.install(api)
    add_answers(api, service, flow)
    add_feedback(api, service)
    add_health(api, service)
    return api


def add_answers(api: FastAPI, service: Service, flow: Flow) -> None:
    """`POST /v1/answers`, as JSON or as server-sent events."""

    @api.post(
        "/v1/answers",
        response_model=AnswerBody,
        responses={200: {"content": {EVENT_STREAM: {}}}, 406: PROBLEM, 422: PROBLEM, 503: PROBLEM},
    )
    async def post_answer(
        body: QuestionBody,
        http: Request,
        accept: Annotated[str, Header()] = "application/json",
        x_request_timeout_ms: Annotated[int | None, Header(ge=1)] = None,
    ) -> Response:
        """Answer a question."""
        request = start(
            body.question,
            service.policy,
            ANONYMOUS,
            conversation_id=body.conversation_id,
            timeout_ms=x_request_timeout_ms,
            tracer=service.telemetry.tracer,
        )
        # So that callers who keep their connection find another replica.
        headers = {"Connection": "close"} if service.admission.draining else None
        if wants_stream(accept, service):
            stream = await open_stream(request, flow, service)
            return StreamingResponse(stream, headers=headers, media_type=EVENT_STREAM)
        try:
            answer = await run_until_disconnect(http, answer_in_time(request, flow, service))
        except ClientGone:
            return Response(status_code=CLIENT_GONE)
        counts = answer.kind == "full" or service.settings.objectives.availability.degraded_counts
        return JSONResponse(
            answer_body(request, answer).model_dump(mode="json"),
            200 if counts else 503,
            headers=headers,
        )


def wants_stream(accept: str, service: Service) -> bool:
    """Whether the caller asked for server-sent events.

    Raises:
        NotAcceptable: It did, and this service does not stream.
    """
    if EVENT_STREAM not in accept.lower():
        return False
    if not service.settings.objectives.latency.streamed:
        raise NotAcceptable("this service does not stream; send Accept: application/json")
    return True


def add_feedback(api: FastAPI, service: Service) -> None:
    """`POST /v1/answers/{id}/feedback`."""

    @api.post(
        "/v1/answers/{answer_id}/feedback",
        status_code=204,
        responses={404: PROBLEM, 422: PROBLEM},
    )
    async def post_feedback(answer_id: str, body: FeedbackBody) -> None:
        """Say whether an answer was good."""
        given = service.answers.add_feedback(answer_id, body.rating, body.reason, body.comment)
        await within(DATABASE_S, given, "feedback")


def add_health(api: FastAPI, service: Service) -> None:
    """Liveness, readiness, status and metrics."""

    @api.get("/livez", response_class=PlainTextResponse)
    async def livez() -> str:
        """The event loop turns; nothing else is asked."""
        return "ok"

    @api.get("/readyz", response_class=PlainTextResponse)
    async def readyz() -> Response:
        """Ready for traffic. Never asks a provider or the database: a shared dependency that
        failed would take every replica out at once, and degraded would become down."""
        draining = service.admission.draining
        return PlainTextResponse("draining" if draining else "ok", 503 if draining else 200)

    @api.get("/status")
    async def status() -> dict[str, Any]:
        """What this replica runs on, for people."""
        return await describe(service)

    @api.get("/metrics", response_class=PlainTextResponse, include_in_schema=False)
    async def metrics() -> Response:
        """Prometheus' text format."""
        return Response(service.telemetry.exposition(), media_type=CONTENT_TYPE_LATEST)


async def describe(service: Service) -> dict[str, Any]:
    """The body of `/status`."""
    try:
        states = await within(DATABASE_S, service.sources.states(), "status")
        database = "ok"
    except (StoreError, DeadlineExceeded) as error:
        states, database = {}, str(error)
    return {
        "service": service.settings.objectives.service.slug,
        "env": service.settings.env,
        "database": database,
        "objectives": service.settings.objectives.model_dump(
            include={"latency", "answer", "availability", "load"}
        ),
        "policy": {name: value for name, value, _ in service.policy.explain()},
        "routes": {
            route: [choice.name for choice in choices]
            for route, choices in service.gateway.routes.items()
        },
        "sources": {
            name: {
                "hard": settings.hard,
                "documents": states[name].documents if name in states else 0,
                "unreadable": states[name].unreadable if name in states else 0,
                "read_at": states[name].read_at if name in states else None,
                "failed": name in states and states[name].error is not None,
            }
            for name, settings in service.settings.sources.items()
        },
        "accepted_rules": service.settings.objectives.accepted.rules,
    }
