"""Run the team's flow for one request: admission, metrics, log line and record."""

import time
from collections.abc import Awaitable, Callable

import structlog

from ..errors import CallerError, ServiceError
from ..ports import Answer
from ..request import Request
from ..service import Flow, Service

log = structlog.get_logger()


async def nothing() -> None:
    """What a caller without a stream does when let in."""


async def answer_in_time(
    request: Request,
    flow: Flow,
    service: Service,
    *,
    admitted: Callable[[], Awaitable[None]] = nothing,
) -> Answer:
    """Answer, and count what was given.

    Args:
        admitted: Awaited when the request has been let in.

    Raises:
        ServiceError: See `chassis.errors`; a refusal is counted as one.
    """
    begun = time.monotonic()
    try:
        async with service.admission.admit():
            await admitted()
            answer = await flow(request, service)
            await service.remember(request, answer)
    except CallerError:
        raise
    except ServiceError as error:
        service.telemetry.answered("refused", type(error).__name__, time.monotonic() - begun)
        raise
    except Exception:
        # Answered by the edge as a 500; an alert must see it as one answer less.
        service.telemetry.answered("refused", "crash", time.monotonic() - begun)
        raise
    seconds = time.monotonic() - begun
    service.telemetry.answered(answer.kind, answer.reason, seconds)
    log.info(
        "answered",
        answer=request.id,
        kind=answer.kind,
        reason=answer.reason,
        variant=answer.draft.variant if answer.draft else None,
        ms=round(seconds * 1000),
        **{f"{step}_ms": taken for step, taken in request.timings_ms.items()},
    )
    return answer
