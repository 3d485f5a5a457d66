"""The numbers that follow from the objectives: stage budgets, caps and limits.

Times are whole milliseconds. L is the latency objective; p50, p95, first token and speed are
the planning numbers of the route's first candidate. Constants without a source are engineering
choices that held in simulation; they are here, in one place, to be argued with.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from .settings import Candidate, Settings

MIN_USEFUL_MS = 300
"""With less time than this left, a model call is not worth starting."""


def derived(formula: str) -> Any:
    """A field that `explain` prints with its formula."""
    return field(metadata={"formula": formula})


@dataclass(frozen=True, slots=True)
class Policy:
    """What the service does because of what it promised; built by `derive`."""

    deadline_ms: int = derived("L = [latency] p95_ms")
    admit_ms: int = derived("max(20, 2 % of L): identity, parsing, input guard")
    retrieve_ms: int = derived("10 % of L, at least 120, at most 600")
    finish_ms: int = derived("max(30, 2 % of L): output guard, saving the answer")
    reserve_ms: int = derived("max(50, 5 % of L): the degraded answer and the network")
    model_ms: int = derived("M = L - admit - retrieve - finish - reserve, all attempts together")
    first_token_ms: int = derived(
        "streamed: [latency] first_token_ms - admit - retrieve, else 1.5 x planned first token; "
        "a model that shows nothing for this long loses its turn while another candidate is left"
    )
    max_output_tokens: int = derived(
        "min((M - planned first token) x planned speed, 2 x [answer] typical_tokens)"
    )
    concurrency: int = derived("max(8, 1.25 x [load] peak_rps x planned p95): Little's law")
    queue: int = derived("a quarter of concurrency; more callers get 503 at once")
    queue_wait_ms: int = derived("min(100, 2 % of L): longest wait for a free place")
    database_connections: int = derived("1.25 x [load] peak_rps x retrieve, from 4 to 30")
    error_budget_min: float = derived("(1 - [availability] target) x 43,200 minutes in 30 days")

    def before(self, step: str) -> int:
        """Milliseconds that the steps after `step` still need.

        A step may take what the steps before it left over, and may cut into the models' time
        down to what makes a call worth starting; the end of the flow always keeps its share.
        """
        after = {
            "retrieve": MIN_USEFUL_MS + self.finish_ms + self.reserve_ms,
            "generate": self.finish_ms + self.reserve_ms,
        }
        return after.get(step, 0)

    def explain(self) -> Iterator[tuple[str, float, str]]:
        """Yield `(name, value, formula)` for every number."""
        for number in fields(self):
            yield number.name, getattr(self, number.name), number.metadata["formula"]


PLAN_WITHOUT_MODEL = {
    "latency_p95_ms": 100,
    "first_token_p95_ms": 50,
    "tokens_per_s_p5": 1000.0,
}
"""The offline provider's own figures, on the slow side."""


def derive(settings: Settings, route: str = "answer") -> Policy:
    """Derive the policy of one route from the objectives."""
    objectives = settings.objectives
    first = next(iter(settings.models.routes[route].candidates), None)
    limit = objectives.latency.p95_ms
    admit = round(max(20, 0.02 * limit))
    retrieve = round(min(600, max(120, 0.10 * limit)))
    finish = round(max(30, 0.02 * limit))
    reserve = round(max(50, 0.05 * limit))
    model = limit - admit - retrieve - finish - reserve
    peak = objectives.load.peak_rps
    concurrency = max(8, math.ceil(1.25 * peak * plan(first, "latency_p95_ms") / 1000))
    return Policy(
        deadline_ms=limit,
        admit_ms=admit,
        retrieve_ms=retrieve,
        finish_ms=finish,
        reserve_ms=reserve,
        model_ms=model,
        first_token_ms=(
            max(MIN_USEFUL_MS, objectives.latency.first_token_ms - admit - retrieve)
            if objectives.latency.streamed
            else round(1.5 * plan(first, "first_token_p95_ms"))
        ),
        max_output_tokens=max(
            1, min(token_cap(model, first), 2 * objectives.answer.typical_tokens)
        ),
        concurrency=concurrency,
        queue=math.ceil(0.25 * concurrency),
        queue_wait_ms=round(min(100, 0.02 * limit)),
        database_connections=min(30, max(4, math.ceil(1.25 * peak * retrieve / 1000))),
        error_budget_min=round((1 - objectives.availability.target) * 43_200, 1),
    )


def token_cap(model_ms: float, candidate: Candidate | None) -> int:
    """Most tokens that the slow 5 % of calls still finish within `model_ms`."""
    left_ms = model_ms - plan(candidate, "first_token_p95_ms")
    return max(0, math.floor(left_ms * plan(candidate, "tokens_per_s_p5") / 1000))


def plan(candidate: Candidate | None, number: str) -> float:
    """One planning number, the offline provider's when the route has no model."""
    return float(PLAN_WITHOUT_MODEL[number] if candidate is None else getattr(candidate, number))
