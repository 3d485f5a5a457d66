import pytest

from chassis.policy import Policy, derive
from chassis.testing import make_settings

# Candidate: p50 1,200 ms, p95 3,000 ms, first token 1,500 ms, 50 tokens a second; peak 5 a second;
# typical answer 250 tokens; target 99 %. Every number is worked out by hand from the formulas.
EXPECTED = {
    2_000: {
        "deadline_ms": 2_000,
        "admit_ms": 40,
        "retrieve_ms": 200,
        "finish_ms": 40,
        "reserve_ms": 100,
        "model_ms": 1_620,
        "first_token_ms": 2_260,  # 2,500 - 40 - 200
        "max_output_tokens": 6,  # (1,620 - 1,500) x 50 / 1,000
        "concurrency": 19,  # 1.25 x 5 x 3.0 = 18.75
        "queue": 5,
        "queue_wait_ms": 40,
        "database_connections": 4,
        "error_budget_min": 432.0,
    },
    8_000: {
        "deadline_ms": 8_000,
        "admit_ms": 160,
        "retrieve_ms": 600,  # 10 % would be 800
        "finish_ms": 160,
        "reserve_ms": 400,
        "model_ms": 6_680,
        "first_token_ms": 1_740,
        "max_output_tokens": 259,
        "concurrency": 19,
        "queue": 5,
        "queue_wait_ms": 100,  # 2 % would be 160
        "database_connections": 4,
        "error_budget_min": 432.0,
    },
    20_000: {
        "deadline_ms": 20_000,
        "admit_ms": 400,
        "retrieve_ms": 600,
        "finish_ms": 400,
        "reserve_ms": 1_000,
        "model_ms": 17_600,
        "first_token_ms": 1_500,
        "max_output_tokens": 500,  # twice 250; 805 would fit
        "concurrency": 19,
        "queue": 5,
        "queue_wait_ms": 100,
        "database_connections": 4,
        "error_budget_min": 432.0,
    },
}


def policy(candidates=(("openai", "m"),), **changed) -> Policy:
    return derive(make_settings(candidates=candidates, **changed))


@pytest.mark.parametrize("limit_ms", EXPECTED)
def test_every_number_follows_from_the_objectives(limit_ms):
    explained = policy(latency={"p95_ms": limit_ms}).explain()

    assert {name: value for name, value, _ in explained} == EXPECTED[limit_ms]


def test_every_number_has_a_formula():
    assert all(len(formula) > 10 for _, _, formula in policy().explain())


def test_the_smallest_objective_still_has_its_minimum_stages():
    made = policy(latency={"p95_ms": 500})

    assert (made.admit_ms, made.retrieve_ms, made.finish_ms, made.reserve_ms) == (20, 120, 30, 50)
    assert made.model_ms == 280
    assert made.max_output_tokens == 1


@pytest.mark.parametrize(("first_token_ms", "expected"), [(2_500, 1_740), (900, 300)])
def test_a_streamed_answer_waits_for_its_first_token_as_long_as_was_promised(
    first_token_ms, expected
):
    assert policy(latency={"first_token_ms": first_token_ms}).first_token_ms == expected


def test_an_answer_that_is_not_streamed_waits_by_what_the_model_usually_takes():
    assert policy(latency={"streamed": False}).first_token_ms == 2_250  # 1.5 x 1,500


def test_a_token_that_just_fits_is_not_lost_to_rounding():
    # M is 2,567 - 51 - 257 - 51 - 128 = 2,080; 0.58 s x 50 is 28.999999 in binary floating point.
    made = policy(latency={"p95_ms": 2_567})

    assert (made.model_ms, made.max_output_tokens) == (2_080, 29)


def test_a_short_answer_needs_no_more_than_twice_its_usual_length():
    assert policy(answer={"typical_tokens": 20}).max_output_tokens == 40


def test_a_route_without_a_model_is_planned_with_the_offline_providers_figures():
    made = policy(candidates=(), load={"peak_rps": 200})

    assert made.concurrency == 25  # 1.25 x 200 x 0.1 s
    assert made.max_output_tokens == 500


@pytest.mark.parametrize(("peak_rps", "connections"), [(1, 4), (10, 8), (1_000, 30)])
def test_the_pool_follows_the_peak_between_4_and_30(peak_rps, connections):
    assert policy(load={"peak_rps": peak_rps}).database_connections == connections


def test_a_step_leaves_what_the_steps_after_it_need():
    made = policy()  # 8,000 ms: finish 160, reserve 400; a model call is worth 300 or nothing

    assert made.before("retrieve") == 860
    assert made.before("generate") == 560
    assert made.before("finish") == 0
