"""The feasibility rules, rule by rule, with verdicts written out by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chassis.feasibility import findings
from chassis.settings import load

from harness import PRESETS, preset
from plans import TODAY, in_service, model, plan


def rules(plan: dict[str, Any]) -> list[tuple[str, str]]:
    return [(f["rule"], f["severity"]) for f in in_service(plan)]


def first(plan: dict[str, Any], rule: str) -> dict[str, Any]:
    return next(f for f in in_service(plan) if f["rule"] == rule)


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


@pytest.mark.parametrize("name", PRESETS)
def test_presets_keep_what_they_promise(name: str, project: Callable[..., Path]) -> None:
    made = project(**preset(name))

    assert [f for f in findings(load(made / "config"), today=TODAY) if f.severity == "error"] == []
