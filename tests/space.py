"""The space of answers that the matrix samples."""

import random
from typing import Any

from covering import Constraint, Domain, Row, complete

ALL = ["openai", "anthropic", "google", "openai_compatible"]

DOMAIN: Domain = {
    "project_name": ["AI service", "Kundenservice 2", "a" * 60],
    "purpose": ["Answers questions.", "Quotes \" \\ ' {{ x }} {% if %} # % for 🎉"],
    "latency_p95_ms": [500, 2_000, 8_000, 120_000],
    "streamed": [True, False],
    "first_token_ms": [None, 400, 2_500],
    "answer_tokens": [10, 250, 8_000],
    "availability": ["99", "99.5", "99.9", "99.95", "99.99"],
    "degraded_mode": ["sources_only", "template", "refuse"],
    "degraded_counts": [True, False],
    "peak_rps": [0.1, 5, 200.5],
    "providers": [
        [],
        ["openai"],
        ["anthropic"],
        ["google"],
        ["openai_compatible"],
        ["openai", "anthropic"],
        ["google", "openai_compatible"],
        ALL,
    ],
    "primary_provider": [None, *ALL],
    "compatible_base_url": ["http://127.0.0.1:11434/v1", "https://models.example.com"],
    "compatible_model": ["llama3.2", "openai/gpt-5-mini"],
    "data_sources": [[], ["files"]],
    "hard_sources": [[], ["files"]],
    "ci": ["github", "gitlab", "none"],
}

CONSTRAINTS = [
    Constraint(("latency_p95_ms", "first_token_ms"), lambda p95, first: (first or 0) < p95),
    Constraint(
        ("providers", "primary_provider"),
        lambda chosen, first: first is None or (len(chosen) > 1 and first in chosen),
    ),
    Constraint(("data_sources", "hard_sources"), lambda all_, hard: set(hard) <= set(all_)),
]


def answers(row: Row) -> dict[str, Any]:
    """A row as answers: None is a question left at its default, and infeasible is accepted."""
    given = {name: value for name, value in row.items() if value is not None}
    return {**given, "accept_infeasible": True}


def sample(count: int, seed: int = 0) -> list[Row]:
    """Random rows of the space, the same for the same seed."""
    chance = random.Random(seed)
    rows = (complete(DOMAIN, CONSTRAINTS, {}, chance) for _ in range(count))
    return [row for row in rows if row]
