"""Pairwise covering arrays with constraints: few rows in which any two answers meet.

The pairs that are possible are found by exact search, not by trying, so that none is dropped
because it is rare; `missing` is what tests hold the result to.
"""

import itertools
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
Domain = Mapping[str, Sequence[Any]]
Pair = tuple[tuple[str, int], tuple[str, int]]
"""Two parameters, each with the position of its value in the domain."""


@dataclass(frozen=True)
class Constraint:
    """What must hold between some parameters; `holds` gets their values in the order of `names`."""

    names: tuple[str, ...]
    holds: Callable[..., bool]

    def allows(self, row: Row) -> bool:
        """False only when all its parameters have values, and these do not fit."""
        known = all(name in row for name in self.names)
        return not known or self.holds(*(row[name] for name in self.names))


def covering(domain: Domain, constraints: Sequence[Constraint] = (), seed: int = 0) -> list[Row]:
    """Rows in which every possible pair of values occurs; the same rows for the same seed."""
    chance = random.Random(seed)
    left = set(possible_pairs(domain, constraints))
    rows: list[Row] = []
    while left:
        start = values(domain, min(left))
        tries = (complete(domain, constraints, start, chance) for _ in range(30))
        best = max((row for row in tries if row), key=lambda row: len(left & pairs(domain, row)))
        left -= pairs(domain, best)
        rows.append(best)
    return rows


def missing(rows: Iterable[Row], domain: Domain, constraints: Sequence[Constraint]) -> set[Pair]:
    """Possible pairs that occur in none of the rows."""
    seen = {pair for row in rows for pair in pairs(domain, row)}
    return set(possible_pairs(domain, constraints)) - seen


def possible_pairs(domain: Domain, constraints: Sequence[Constraint]) -> Iterable[Pair]:
    """Every pair that some complete row with all constraints contains."""
    for one, two in itertools.combinations(domain, 2):
        for i, j in itertools.product(range(len(domain[one])), range(len(domain[two]))):
            pair = ((one, i), (two, j))
            if complete(domain, constraints, values(domain, pair)):
                yield pair


def pairs(domain: Domain, row: Row) -> set[Pair]:
    """The pairs that a row contains."""
    places = [(name, list(domain[name]).index(row[name])) for name in domain]
    return set(itertools.combinations(places, 2))


def values(domain: Domain, pair: Pair) -> dict[str, Any]:
    """The part of a row that a pair fixes."""
    return {name: domain[name][place] for name, place in pair}


def complete(
    domain: Domain,
    constraints: Sequence[Constraint],
    row: Row,
    chance: random.Random | None = None,
) -> Row | None:
    """Extend `row` to all parameters; None when that is impossible. Exact, by backtracking."""
    if not all(constraint.allows(row) for constraint in constraints):
        return None
    open_names = [name for name in domain if name not in row]
    if not open_names:
        return row
    options = list(domain[open_names[0]])
    if chance:
        chance.shuffle(options)
    for option in options:
        found = complete(domain, constraints, {**row, open_names[0]: option}, chance)
        if found:
            return found
    return None
