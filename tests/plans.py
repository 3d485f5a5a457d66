"""What the feasibility rules read, and the chassis' verdict on it."""

from datetime import date
from typing import Any

from chassis.feasibility import findings
from chassis.settings import Settings

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
