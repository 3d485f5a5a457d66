"""Rewrite the flow: the team's own steps, in its own words."""

from pathlib import Path

FLOW = '''"""How the claims desk answers: look it up, ask a model, show where it says so."""

from chassis.errors import DeadlineExceeded, UpstreamError
from chassis.ports import Answer, Passage
from chassis.request import Request
from chassis.service import Service

from . import access, guardrails

TOO_SHORT = 3


async def answer(request: Request, service: Service) -> Answer:
    """Answer a claims handler's question."""
    async with request.step("admit"):
        access.require_asker(request.caller)
        question = spell_out(guardrails.check_question(request.question))
    found: tuple[Passage, ...] = ()
    try:
        async with request.step("retrieve"):
            found = await service.retrieve(question, request)
        async with request.step("generate"):
            prompt = service.prompts.render("answer", question, found)
            draft = await service.gateway.generate("answer", prompt, request)
        async with request.step("finish"):
            return guardrails.check_answer(draft, found)
    except (UpstreamError, DeadlineExceeded) as failure:
        return service.degraded.answer(question, found, failure)


def spell_out(question: str) -> str:
    """Our people write T&C."""
    return question.replace("T&C", "terms and conditions")
'''


def edit(project: Path) -> None:
    """Replace the whole file."""
    (project / "src" / "app" / "flow.py").write_text(FLOW, encoding="utf-8")
