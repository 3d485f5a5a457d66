"""One answer on the terminal."""

from rich.console import Console
from rich.text import Text

from ..ports import ANONYMOUS, Answer
from ..request import Request, start
from ..service import Flow, Service

console = Console(highlight=False)


async def print_answer(question: str, flow: Flow, service: Service) -> None:
    """Answer a question; print the text, its citations, and what it took.

    Raises:
        ServiceError: It was refused.
    """
    request = start(question, service.policy, ANONYMOUS, tracer=service.telemetry.tracer)
    answer = await flow(request, service)
    await service.remember(request, answer)
    console.print(Text(answer.text))
    if answer.citations:
        console.print()
    for citation in answer.citations:
        console.print(Text.assemble((citation.title, "bold"), f" ({citation.uri})"))
        console.print(Text(f"  “{citation.quote}”", style="dim"))
    console.print()
    console.print(Text(summary(request, answer), style="dim"))


def summary(request: Request, answer: Answer) -> str:
    """What kind of answer it is, what wrote it, and how long each step took."""
    wrote = answer.draft.variant if answer.draft else "no model"
    kind = f"{answer.kind} ({answer.reason})" if answer.reason else answer.kind
    steps = ", ".join(f"{step} {round(taken)}" for step, taken in request.timings_ms.items())
    total = round(sum(request.timings_ms.values()))
    note = "; no provider key is set: quoted, not written" if wrote == "offline" else ""
    return f"{kind}; {wrote}{note}; {total} ms: {steps}"
