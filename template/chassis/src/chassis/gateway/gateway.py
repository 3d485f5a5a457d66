"""Send a prompt along its route: the candidates in order, under the request's one deadline."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from ..errors import NoModelLeft, ProviderError
from ..policy import MIN_USEFUL_MS, Policy
from ..ports import Completion, Draft, Prompt, Provider
from ..request import Request, Restart
from ..telemetry import Telemetry

log = structlog.get_logger()

STEP = "generate"

HANDOVER_S = 0.02
"""Kept from the step's time, so that a late model is a failed model and not a cut step."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A candidate with its connection. Prices are dollars per million tokens."""

    name: str
    provider_name: str
    model: str
    provider: Provider
    input_usd_per_mtok: float = 0.0
    output_usd_per_mtok: float = 0.0

    def cost_usd(self, completion: Completion) -> float:
        """What a completion cost."""
        spent = (
            completion.input_tokens * self.input_usd_per_mtok
            + completion.output_tokens * self.output_usd_per_mtok
        )
        return round(spent / 1_000_000, 8)


class Gateway:
    """Asks models so that the caller need not know which.

    Args:
        routes: The candidates of each route, first choice first.
    """

    def __init__(
        self, routes: Mapping[str, Sequence[Choice]], policy: Policy, telemetry: Telemetry
    ) -> None:
        self.routes = routes
        self._policy = policy
        self._telemetry = telemetry

    async def generate(self, route: str, prompt: Prompt, request: Request) -> Draft:
        """Ask the route's candidates in order until one answers within the request's time.

        Text reaches the request's listener as it is written; a `Restart` goes before the text
        of every further attempt when some was shown.

        Raises:
            NoModelLeft: Every candidate failed, or there was no time to ask another.
        """
        failures: dict[str, str] = {}
        choices = self.routes[route]
        for position, choice in enumerate(choices):
            if request.remaining_s(STEP) * 1000 < MIN_USEFUL_MS:
                failures[choice.name] = "no time left"
                break
            is_last = position == len(choices) - 1
            attempt = Attempt(choice, prompt, request, self._policy, is_last=is_last)
            begun = time.monotonic()
            try:
                completion = await attempt.run()
            except ProviderError as error:
                failures[choice.name] = str(error)
                self._telemetry.model_call(choice.name, "failed", time.monotonic() - begun)
                log.warning("model_failed", candidate=choice.name, error=str(error))
                if attempt.shown:
                    await request.listener(Restart())
                continue
            self._telemetry.model_call(choice.name, "ok", time.monotonic() - begun)
            return Draft(
                text=completion.text,
                provider=choice.provider_name,
                model=completion.model,
                variant=choice.name,
                prompt_version=prompt.version,
                finish_reason=completion.finish_reason,
                input_tokens=completion.input_tokens,
                output_tokens=completion.output_tokens,
                cost_usd=choice.cost_usd(completion),
            )
        raise NoModelLeft(route, failures)


class Attempt:
    """One call of one candidate."""

    def __init__(
        self, choice: Choice, prompt: Prompt, request: Request, policy: Policy, *, is_last: bool
    ) -> None:
        self._choice = choice
        self._prompt = prompt
        self._request = request
        self._policy = policy
        self._is_last = is_last
        self.shown = False

    async def run(self) -> Completion:
        """Stream the answer to the listener; return the whole of it.

        Raises:
            ProviderError: The candidate failed, was too slow, or ended without a proper end.
        """
        remaining_s = self._request.remaining_s(STEP) - HANDOVER_S
        try:
            async with asyncio.timeout(remaining_s):
                completion = await self._listen(remaining_s)
        except TimeoutError as error:
            missing = "complete answer" if self.shown else "first token"
            raise ProviderError(f"{self._choice.name}: no {missing} in time") from error
        if completion is None or completion.finish_reason is None:
            raise ProviderError(f"{self._choice.name}: the stream ended without a finish reason")
        if not completion.text.strip():
            raise ProviderError(f"{self._choice.name}: an empty answer")
        return completion

    async def _listen(self, timeout_s: float) -> Completion | None:
        """Pass text on; leave early when nothing comes and another candidate could answer."""
        patience_s = None if self._is_last else self._policy.first_token_ms / 1000
        completion = None
        stream = self._choice.provider.stream(
            self._choice.model,
            self._prompt,
            max_tokens=self._policy.max_output_tokens,
            timeout_s=timeout_s,
        )
        async with asyncio.timeout(patience_s) as first_token, aclosing(stream):
            async for event in stream:
                first_token.reschedule(None)
                if isinstance(event, Completion):
                    completion = event
                elif event.text:
                    self.shown = True
                    await self._request.listener(event)
        return completion
