"""The covering array covers, and the check notices when it does not."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from copier._main import Worker

from covering import Constraint, Domain, covering, missing, possible_pairs
from harness import asked, questions
from space import CONSTRAINTS, DOMAIN

SMALL: Domain = {"store": ["none", "postgres"], "rag": [True, False], "ci": ["github", "gitlab"]}
NO_RAG_WITHOUT_STORE = Constraint(("store", "rag"), lambda store, rag: store != "none" or not rag)


def test_every_possible_pair_of_answers_meets_in_some_row() -> None:
    rows = covering(DOMAIN, CONSTRAINTS)

    assert missing(rows, DOMAIN, CONSTRAINTS) == set()
    assert all(constraint.allows(row) for row in rows for constraint in CONSTRAINTS)
    assert len(rows) <= 80  # the two largest domains alone need 40


def test_a_missing_pair_is_noticed() -> None:
    rows = covering(DOMAIN, CONSTRAINTS)

    # Each row was added for a pair that no earlier row had; the last one's nobody else has.
    assert missing(rows[:-1], DOMAIN, CONSTRAINTS)


def test_without_constraints_every_combination_of_two_is_a_pair() -> None:
    assert len(list(possible_pairs(SMALL, []))) == 12


def test_impossible_pairs_are_not_asked_for() -> None:
    pairs = set(possible_pairs(SMALL, [NO_RAG_WITHOUT_STORE]))

    assert len(pairs) == 11
    assert (("store", 0), ("rag", 0)) not in pairs


def test_the_space_has_every_question_and_every_choice(template: Path) -> None:
    tables = Worker(src_path=str(template), quiet=True).jinja_env.get_template(
        "hooks/catalog.jinja"
    )
    offered = {
        "availability": tables.module.TARGETS,  # type: ignore[attr-defined]
        "providers": tables.module.PROVIDERS,  # type: ignore[attr-defined]
        "primary_provider": tables.module.PROVIDERS,  # type: ignore[attr-defined]
        "data_sources": tables.module.SOURCES,  # type: ignore[attr-defined]
        "hard_sources": tables.module.SOURCES,  # type: ignore[attr-defined]
        "degraded_mode": questions()["degraded_mode"]["choices"].values(),
        "ci": questions()["ci"]["choices"].values(),
    }

    assert set(DOMAIN) == asked() - {"accept_infeasible"}
    assert {name for name in DOMAIN if "choices" in questions()[name]} == set(offered)
    for name, choices in offered.items():
        assert set(choices) <= set(flat(DOMAIN[name])), name


def flat(values: Iterable[Any]) -> Iterator[Any]:
    """The choices in single and in multiple answers."""
    for value in values:
        yield from value if isinstance(value, list) else [value]


@pytest.mark.parametrize("seed", range(5))
def test_small_arrays_cover_by_brute_force(seed: int) -> None:
    rows = covering(SMALL, [NO_RAG_WITHOUT_STORE], seed)

    for one, two in itertools.combinations(SMALL, 2):
        met = {(row[one], row[two]) for row in rows}
        wanted = set(itertools.product(SMALL[one], SMALL[two]))
        if (one, two) == ("store", "rag"):
            wanted.remove(("none", True))
        assert met == wanted


def test_a_pair_that_is_possible_in_one_row_only_is_found() -> None:
    numbers = {name: list(range(10)) for name in "abcd"}
    only = Constraint(("a", "b", "c", "d"), lambda *row: row == (9, 9, 9, 9))

    assert covering(numbers, [only]) == [{"a": 9, "b": 9, "c": 9, "d": 9}]
