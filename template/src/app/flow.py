"""One request, top to bottom. Each step is a span in the trace and an entry of `timings_ms`."""

from chassis.errors import DeadlineExceeded, UpstreamError
from chassis.ports import Answer, Passage
from chassis.request import Request
from chassis.service import Service

from . import access, guardrails


async def answer(request: Request, service: Service) -> Answer:
    """Answer one question.

    Raises:
        ServiceError: See `chassis.errors`; models and sources that fail give a degraded answer.
    """
    passages: tuple[Passage, ...] = ()
    async with request.step("admit"):
        access.require_asker(request.caller)
        question = guardrails.check_question(request.question)
    try:
        async with request.step("retrieve"):
            passages = await service.retrieve(question, request)
        async with request.step("generate"):
            prompt = service.prompt("answer", question, passages)
            draft = await service.gateway.generate("answer", prompt, request)
        async with request.step("finish"):
            checked = guardrails.check_answer(draft, passages)
            return await service.sources.qualify(checked)
    except (UpstreamError, DeadlineExceeded) as failure:
        return service.degraded.answer(question, passages, failure)
