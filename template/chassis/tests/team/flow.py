"""The smallest flow that uses every part."""

from chassis.citations import resolve
from chassis.errors import DeadlineExceeded, OutputRejected, UpstreamError
from chassis.ports import Answer, Passage
from chassis.request import Request
from chassis.service import Service


async def answer(request: Request, service: Service) -> Answer:
    """Retrieve, generate, check."""
    passages: tuple[Passage, ...] = ()
    try:
        async with request.step("retrieve"):
            passages = await service.retrieve(request.question, request)
        async with request.step("generate"):
            prompt = service.prompt("answer", request.question, passages)
            draft = await service.gateway.generate("answer", prompt, request)
        async with request.step("finish"):
            citations, unknown = resolve(draft.text, passages)
            if unknown:
                raise OutputRejected("cites what it was not given")
            return await service.sources.qualify(Answer("full", draft.text, citations, draft=draft))
    except (UpstreamError, DeadlineExceeded) as failure:
        return service.degraded.answer(request.question, passages, failure)
