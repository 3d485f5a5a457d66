"""The feasibility rules at the prompt and in the service: two implementations, one verdict."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from chassis.policy import derive, token_cap
from copier._main import Worker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plans import OF_PROVIDER, TODAY, as_settings, in_service, model, plan


@pytest.fixture(scope="module")
def at_prompt(template: Path) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
    """The template's verdicts, from the sandbox that Copier renders with."""
    worker = Worker(src_path=str(template), quiet=True)
    rules = worker.jinja_env.get_template("hooks/feasibility.jinja").module

    def ask(plan: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(rules.findings(plan))  # type: ignore[attr-defined]
        return found

    return ask


# People choose round numbers, and those are where one float more or less decides.


def milliseconds(least: int, most: int) -> st.SearchStrategy[int]:
    round_numbers = st.integers(-(-least // 100), most // 100).map(lambda n: n * 100)
    return round_numbers | st.integers(least, most)


def one_table_a_provider(rows: Any) -> list[dict[str, Any]]:
    """Candidates of one provider share what its table says."""
    tables: dict[str, dict[str, Any]] = {}
    for row in rows:
        tables.setdefault(row["provider"], {key: row[key] for key in OF_PROVIDER})
    return [{**row, **tables[row["provider"]]} for row in rows]


def name_of(row: Any) -> str:
    return str(row["name"])


names = st.sampled_from(["a", "b", "c", "d"])
uptimes = st.sampled_from([0.98, 0.99, 0.995, 0.999, 0.9995, 0.9999, 1.0]) | st.floats(0.95, 1)
dates = st.none() | st.dates(date(2026, 11, 1), date(2027, 6, 1)).map(date.isoformat)
candidates = st.fixed_dictionaries(
    {
        "provider": names,
        "model": st.sampled_from(["small", "gpt-4o"]),
        "latency_p50_ms": milliseconds(50, 3_000),
        "latency_p95_ms": milliseconds(3_000, 15_000),
        "first_token_p95_ms": milliseconds(10, 3_000),
        "tokens_per_s_p5": st.sampled_from([30.0, 50.0, 100.0]) | st.floats(1, 300),
        "uptime": uptimes,
        "published_uptime": st.none() | uptimes,
        "shared_fate": st.lists(st.sampled_from(["x", "y", "z"]), max_size=2, unique=True),
        "shutdown_on": dates,
    }
)
objectives = st.fixed_dictionaries(
    {
        "target": st.sampled_from([0.99, 0.995, 0.999, 0.9995, 0.9999]) | st.floats(0.9, 0.99999),
        "degraded_mode": st.sampled_from(["sources_only", "template", "refuse"]),
        "degraded_counts": st.booleans(),
        "p95_ms": milliseconds(500, 20_000) | milliseconds(500, 120_000),
        "streamed": st.booleans(),
        "first_token_ms": milliseconds(100, 5_000),
        "answer_tokens": st.integers(10, 8_000) | st.integers(10, 400),
        "peak_rps": st.sampled_from([0.01, 0.1, 5.0, 200.5]),
        "replicas": st.integers(1, 5),
        "zones": st.integers(1, 5),
        "database_uptime": uptimes,
    }
)
source = st.fixed_dictionaries(
    {"name": st.sampled_from(["files", "wiki"]), "hard": st.booleans(), "uptime": uptimes}
)
sources = st.lists(source, max_size=2, unique_by=name_of)
plans = st.fixed_dictionaries(
    {
        "objective": objectives,
        "candidates": st.lists(candidates, max_size=4).map(one_table_a_provider),
        "sources": sources,
        "today": st.just(TODAY.isoformat()),
    }
)
many = settings(
    max_examples=2_000,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@many
@given(plans)
def test_prompt_and_service_say_the_same_word_for_word(
    at_prompt: Callable[[dict[str, Any]], list[dict[str, Any]]], plan: dict[str, Any]
) -> None:
    assert at_prompt(plan) == in_service(plan)


@pytest.mark.parametrize("tokens_per_s", [30.0, 50.0, 66.7, 100.0])
def test_prompt_and_service_draw_the_line_at_the_same_token(
    at_prompt: Callable[[dict[str, Any]], list[dict[str, Any]]], tokens_per_s: float
) -> None:
    candidate = model("a", tokens_per_s_p5=tokens_per_s)
    for p95_ms in range(1_000, 20_001, 500):
        settings = as_settings(plan(candidate, p95_ms=p95_ms))
        most = token_cap(derive(settings).model_ms, settings.models.routes["answer"].candidates[0])
        for tokens in (most, most + 1):
            border = plan(candidate, p95_ms=p95_ms, answer_tokens=max(10, tokens))

            assert at_prompt(border) == in_service(border)


@settings(many, max_examples=500)
@given(plans)
def test_every_finding_has_three_ways_out(plan: dict[str, Any]) -> None:
    for found in in_service(plan):
        assert len(set(found["ways_out"])) == 3, found


@settings(many, max_examples=500)
@given(plans)
def test_raising_the_latency_promise_as_advised_settles_it(plan: dict[str, Any]) -> None:
    for found in in_service(plan):
        advice = found["ways_out"][0]
        if advice.startswith("raise [latency] p95_ms"):
            raised = int(advice.rpartition(" ")[2].replace(",", ""))

            assert kind(found) not in kinds({**plan, "objective": with_p95(plan, raised)})
            if found["rule"] != "L3" and raised > 500:  # and nothing less would
                assert kind(found) in kinds({**plan, "objective": with_p95(plan, raised - 100)})


def with_p95(plan: dict[str, Any], p95_ms: int) -> dict[str, Any]:
    return {**plan["objective"], "p95_ms": p95_ms}


def kind(found: dict[str, Any]) -> str:
    """The rule, and for L2 which of its two promises."""
    promise = found["message"].split()[1] if found["rule"] == "L2" else ""
    return f"{found['rule']} {promise}"


def kinds(plan: dict[str, Any]) -> set[str]:
    return {kind(found) for found in in_service(plan)}
