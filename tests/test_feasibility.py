"""The feasibility rules: verdicts written out by hand, and two implementations that agree."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from chassis.feasibility import findings
from chassis.policy import derive, token_cap
from chassis.settings import Settings, load
from copier._main import Worker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import PRESETS, preset

TODAY = date(2026, 11, 24)
OF_PROVIDER = ("uptime", "published_uptime", "shared_fate")

MODEL = {
    "latency_p50_ms": 1200,
    "latency_p95_ms": 3000,
    "first_token_p95_ms": 700,
    "tokens_per_s_p5": 50.0,
    "uptime": 0.999,
    "published_uptime": 0.999,
    "shared_fate": ["a"],
    "shutdown_on": None,
}


def model(name: str, **numbers: Any) -> dict[str, Any]:
    return {**MODEL, "provider": name, "model": "model", **numbers}


def plan(*candidates: dict[str, Any], **wanted: Any) -> dict[str, Any]:
    """What the rules read; 99.5 % on a platform that hardly fails, unless `wanted` says else."""
    objective = {
        "target": 0.995,
        "degraded_mode": "refuse",
        "degraded_counts": False,
        "p95_ms": 8000,
        "streamed": False,
        "first_token_ms": 2500,
        "answer_tokens": 150,
        "peak_rps": 20.0,
        "replicas": 3,
        "zones": 3,
        "database_uptime": 0.99999,
    }
    sources = wanted.pop("sources", [])
    return {
        "objective": {**objective, **wanted},
        "candidates": list(candidates),
        "sources": sources,
        "today": TODAY.isoformat(),
    }


def as_settings(plan: dict[str, Any]) -> Settings:
    """The same numbers as a service's configuration."""
    want = plan["objective"]
    prices = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 1, "checked_on": TODAY}
    return Settings.model_validate(
        {
            "objectives": {
                "service": {"name": "n", "slug": "n", "purpose": "p"},
                "latency": {k: want[k] for k in ("p95_ms", "streamed", "first_token_ms")},
                "answer": {"typical_tokens": want["answer_tokens"]},
                "availability": {
                    k: want[k] for k in ("target", "degraded_mode", "degraded_counts")
                },
                "load": {"peak_rps": want["peak_rps"]},
                "platform": {k: want[k] for k in ("replicas", "zones", "database_uptime")},
            },
            "models": {
                "providers": {
                    row["provider"]: {key: row[key] for key in OF_PROVIDER}
                    for row in plan["candidates"]
                },
                "routes": {
                    "answer": {
                        "prompt": "answer",
                        "candidates": [
                            {k: v for k, v in row.items() if k not in OF_PROVIDER} | prices
                            for row in plan["candidates"]
                        ],
                    }
                },
            },
            "sources": {
                row["name"]: {"hard": row["hard"], "uptime": row["uptime"]}
                for row in plan["sources"]
            },
        }
    )


def in_service(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """The chassis' verdicts."""
    return [
        {"rule": f.rule, "severity": f.severity, "message": f.message, "ways_out": [*f.ways_out]}
        for f in findings(as_settings(plan), today=TODAY)
    ]


@pytest.fixture(scope="module")
def at_prompt(template: Path) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
    """The template's verdicts, from the sandbox that Copier renders with."""
    worker = Worker(src_path=str(template), quiet=True)
    rules = worker.jinja_env.get_template("hooks/feasibility.jinja").module

    def ask(plan: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(rules.findings(plan))  # type: ignore[attr-defined]
        return found

    return ask


def rules(plan: dict[str, Any]) -> list[tuple[str, str]]:
    return [(f["rule"], f["severity"]) for f in in_service(plan)]


def first(plan: dict[str, Any], rule: str) -> dict[str, Any]:
    return next(f for f in in_service(plan) if f["rule"] == rule)


# Rule by rule, with the numbers of the tables that the rules come from.

CASES = {
    "a promise that one provider can keep": (plan(model("a"), target=0.99), []),
    "two seconds, not streamed, 150 tokens": (
        plan(model("a", latency_p95_ms=1500), p95_ms=2000, target=0.99),
        [("L1", "error")],
    ),
    "the same, streamed": (
        plan(
            model("a", latency_p95_ms=1500),
            p95_ms=2000,
            target=0.99,
            streamed=True,
            first_token_ms=1500,
        ),
        [("L1", "warn")],
    ),
    "a model slower than its stage": (
        plan(model("a", latency_p95_ms=6700), target=0.99),
        [("L2", "error")],
    ),
    "first words sooner than the model's": (
        plan(model("a"), target=0.99, streamed=True, first_token_ms=1400),
        [("L2", "error")],
    ),
    "no room for a second attempt": (
        plan(
            model("a"), model("b", shared_fate=["b"]), p95_ms=4500, answer_tokens=100, target=0.99
        ),
        [("L3", "warn")],
    ),
    "a vendor without a commitment": (
        plan(model("a", published_uptime=None), target=0.99),
        [("A1", "warn")],
    ),
    "99.95 % on one provider": (plan(model("a", uptime=0.999), target=0.9995), [("A2", "error")]),
    "99.95 % on one provider and a degraded answer counts": (
        plan(
            model("a", uptime=0.999),
            target=0.9995,
            degraded_mode="sources_only",
            degraded_counts=True,
        ),
        [("A4", "warn")],
    ),
    "a refusal never counts": (
        plan(model("a", uptime=0.999), target=0.9995, degraded_counts=True),
        [("A2", "error")],
    ),
    "99.9 % on two that fail together": (
        plan(model("a", uptime=0.995), model("b", uptime=0.995), target=0.999),
        [("A3", "error")],
    ),
    "a hard source eats the budget": (
        plan(model("a"), target=0.99, sources=[{"name": "wiki", "hard": True, "uptime": 0.9985}]),
        [("A5", "warn")],
    ),
    "a soft one does not": (
        plan(model("a"), target=0.99, sources=[{"name": "wiki", "hard": False, "uptime": 0.9985}]),
        [],
    ),
    "a database that is down an hour a month": (
        plan(model("a"), target=0.99, database_uptime=0.9985),
        [("A5", "warn")],
    ),
    "ten requests an hour": (plan(model("a"), target=0.99, peak_rps=0.01), [("S2", "warn")]),
    "a model that ends in 17 days": (
        plan(model("a", shutdown_on="2026-12-11"), target=0.99),
        [("U1", "error")],
    ),
    "a model that ends in 51 days": (
        plan(model("a", shutdown_on="2027-01-14"), target=0.99),
        [("U1", "warn")],
    ),
    "a model that ends in a year": (plan(model("a", shutdown_on="2027-11-24"), target=0.99), []),
    "no model at all": (plan(p95_ms=500, target=0.999), []),
}


@pytest.mark.parametrize("case", CASES)
def test_a_rule_finds_what_it_is_for(case: str) -> None:
    given_plan, expected = CASES[case]

    assert rules(given_plan) == expected


# Milliseconds of the promise: most tokens at 50 tokens/s, for a first token after 0.7 s and 1.5 s.
CAPS = [(4000, 127, 87), (6000, 208, 168), (8000, 299, 259), (12000, 481, 441), (20000, 845, 805)]


@pytest.mark.parametrize(("p95_ms", "quick", "slow"), CAPS)
def test_l1_knows_how_many_tokens_fit(p95_ms: int, quick: int, slow: int) -> None:
    for first_token, cap in ((700, quick), (1500, slow)):
        candidate = model("a", first_token_p95_ms=first_token)
        fits = plan(candidate, p95_ms=p95_ms, answer_tokens=cap)
        too_long = plan(candidate, p95_ms=p95_ms, answer_tokens=cap + 1)

        assert "L1" not in dict(rules(fits))
        assert f"cut at {cap:,} tokens" in first(too_long, "L1")["message"]


# Minutes without a model in 30 days: uptimes in order, same cloud or not.
MODEL_MINUTES = [
    ([0.995], False, "216.0"),
    ([0.999], False, "43.2"),
    ([0.995, 0.995], False, "29.2"),
    ([0.995, 0.999], False, "11.0"),
    ([0.999, 0.995], False, "5.8"),
    ([0.999, 0.999], False, "5.7"),
    ([0.995, 0.995], True, "72.4"),
    ([0.995, 0.999], True, "19.7"),
    ([0.999, 0.995], True, "14.5"),
    ([0.999, 0.999], True, "14.3"),
]


@pytest.mark.parametrize(("uptimes", "together", "minutes"), MODEL_MINUTES)
def test_models_are_down_as_long_as_the_table_says(
    uptimes: list[float], together: bool, minutes: str
) -> None:
    candidates = [
        model(name, uptime=uptime, shared_fate=["x" if together else name])
        for name, uptime in zip("ab", uptimes, strict=False)
    ]

    impossible = plan(*candidates, target=0.999999, degraded_mode="template")

    found = first(impossible, "A2" if len(uptimes) == 1 else "A3")
    if len(uptimes) > 1:
        assert f"models {minutes}" in found["message"]
    assert len(found["ways_out"]) == 3


def test_a3_names_the_largest_terms_in_minutes() -> None:
    pair = [model("a", uptime=0.995), model("b", uptime=0.995)]

    found = first(plan(*pair, target=0.9995, database_uptime=0.9999), "A3")

    assert found["message"] == (
        "99.95 % allows 21.6 minutes without answers in 30 days, 87.5 are planned:"
        " models 72.4, platform 10.8, database 4.3"
    )


def test_l1_says_by_how_much_to_raise_the_promise() -> None:
    found = first(plan(model("a"), p95_ms=4000, answer_tokens=250), "L1")

    # 700 ms + 250 tokens at 50 tokens/s are 5,700 ms; 7,000 ms leave 5,770 and 6,900 leave 5,679.
    assert found["ways_out"] == [
        "raise [latency] p95_ms to at least 7,000",
        "stream the answers: [latency] streamed = true",
        "shorten [answer] typical_tokens to at most 127",
    ]


# Two implementations, one verdict.

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


@pytest.mark.parametrize("name", PRESETS)
def test_presets_keep_what_they_promise(name: str, project: Callable[..., Path]) -> None:
    made = project(**preset(name))

    assert [f for f in findings(load(made / "config"), today=TODAY) if f.severity == "error"] == []
