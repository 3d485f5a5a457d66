import time

import pytest

from chassis.errors import NoModelLeft, ProviderError
from chassis.gateway.gateway import Choice, Gateway
from chassis.policy import derive
from chassis.ports import ANONYMOUS, Delta, Prompt
from chassis.request import Restart, start
from chassis.telemetry import Telemetry
from chassis.testing import Script, make_settings

PROMPT = Prompt("Be brief.", "[1] Alpha", "v1", "When?")


class Asked:
    """A gateway over scripted providers, and what its caller saw."""

    def __init__(self, *providers: Script, latency: dict[str, object] | None = None) -> None:
        self.settings = make_settings(
            candidates=[(f"p{n}", "m") for n, _ in enumerate(providers, start=1)],
            latency=latency or {},
        )
        self.policy = derive(self.settings)
        self.telemetry = Telemetry(self.settings, self.policy)
        choices = [
            Choice(f"p{n}/m", f"p{n}", "m", provider, 1.0, 5.0)
            for n, provider in enumerate(providers, start=1)
        ]
        self.gateway = Gateway({"answer": choices}, self.policy, self.telemetry)
        self.seen: list[str] = []

    async def generate(self, timeout_ms: int | None = None):
        async def listen(item: Delta | Restart) -> None:
            self.seen.append("RESTART" if isinstance(item, Restart) else item.text)

        request = start("When?", self.policy, ANONYMOUS, timeout_ms=timeout_ms, listener=listen)
        return await self.gateway.generate("answer", PROMPT, request)


async def test_the_first_candidate_answers_and_the_second_is_not_asked():
    first, second = Script("At nine [1]."), Script("unused")

    draft = await Asked(first, second).generate()

    assert (draft.text, draft.provider, draft.variant) == ("At nine [1].", "p1", "p1/m")
    assert second.prompts == []


async def test_a_failing_model_falls_back():
    draft = await Asked(Script(ProviderError("down")), Script("At nine [1].")).generate()

    assert (draft.text, draft.provider) == ("At nine [1].", "p2")


async def test_text_is_shown_as_it_is_written():
    asked = Asked(Script("At nine [1]."))

    await asked.generate()

    assert asked.seen == ["At ", "nine ", "[1]. "]


async def test_a_second_attempt_after_shown_text_begins_with_a_restart():
    half = Script("At nine", finish_reason=None)
    asked = Asked(half, Script("At ten [1]."))

    draft = await asked.generate()

    assert draft.text == "At ten [1]."
    assert asked.seen == ["At ", "nine ", "RESTART", "At ", "ten ", "[1]. "]


async def test_a_second_attempt_before_any_text_needs_no_restart():
    asked = Asked(Script(ProviderError("down")), Script("Yes [1]."))

    await asked.generate()

    assert asked.seen == ["Yes ", "[1]. "]


@pytest.mark.parametrize(
    ("bad", "failure"),
    [
        (Script("half of", finish_reason=None), "ended without a finish reason"),
        (Script("  "), "an empty answer"),
        (Script(ProviderError("p1/m: ModelHTTPError (status 500)")), "status 500"),
    ],
)
async def test_what_is_not_an_answer_is_a_failure(bad, failure):
    with pytest.raises(NoModelLeft, match=failure) as caught:
        await Asked(bad).generate()

    assert list(caught.value.failures) == ["p1/m"]


async def test_a_candidate_without_a_first_token_loses_its_turn_to_the_next():
    hanging = Script(60.0)
    asked = Asked(hanging, Script("Yes [1]."), latency={"p95_ms": 4000, "first_token_ms": 700})
    assert asked.policy.first_token_ms == 300

    draft = await asked.generate()

    assert (draft.provider, hanging.cancelled) == ("p2", 1)


async def test_the_last_candidate_has_all_the_time_that_is_left():
    asked = Asked(Script(0.6), latency={"p95_ms": 4000, "first_token_ms": 700})

    assert (await asked.generate()).text == "late [1]"


async def test_no_model_outlives_the_deadline():
    hanging = Script(60.0)
    begun = time.monotonic()

    with pytest.raises(NoModelLeft, match="no first token in time"):
        await Asked(hanging).generate(timeout_ms=1200)

    assert time.monotonic() - begun < 1.2  # the steps after it keep their share
    assert hanging.cancelled == 1


async def test_without_useful_time_no_model_is_asked():
    model = Script("Yes [1].")

    with pytest.raises(NoModelLeft, match="no time left"):
        await Asked(model).generate(timeout_ms=500)

    assert model.prompts == []


async def test_the_token_cap_of_the_policy_is_sent():
    model = Script("Yes [1].")
    asked = Asked(model)

    await asked.generate()

    assert model.max_tokens == [asked.policy.max_output_tokens] == [259]


async def test_tokens_cost_what_the_candidate_says():
    draft = await Asked(Script("Yes [1].")).generate()

    assert (draft.input_tokens, draft.output_tokens) == (100, 20)
    assert draft.cost_usd == pytest.approx(100 * 1e-6 + 20 * 5e-6)


async def test_calls_are_counted_by_candidate_and_outcome():
    asked = Asked(Script(ProviderError("down")), Script("Yes [1]."))

    await asked.generate()

    lines = asked.telemetry.exposition().decode().splitlines()
    assert 'model_calls_total{candidate="p1/m",outcome="failed"} 1.0' in lines
    assert 'model_calls_total{candidate="p2/m",outcome="ok"} 1.0' in lines
    assert 'model_calls_total{candidate="p2/m",outcome="failed"} 0.0' in lines
