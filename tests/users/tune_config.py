"""Tune the configuration: measured numbers, more load, a second folder of documents."""

from pathlib import Path

from editing import append, replace

PLANNED = """latency_p50_ms = 1200
latency_p95_ms = 3000
first_token_p95_ms = 700
tokens_per_s_p5 = 50

input_usd_per_mtok = 0.75
"""
MEASURED = """latency_p50_ms = 900
latency_p95_ms = 2600
first_token_p95_ms = 500
tokens_per_s_p5 = 80

input_usd_per_mtok = 0.75
"""
WIKI = """
[wiki]
adapter = "files"
path = "data/wiki"
every_minutes = 60
"""


def edit(project: Path) -> None:
    """Change a number in each file and add a table."""
    config = project / "config"
    replace(config / "objectives.toml", "peak_rps = 5.0\n", "peak_rps = 12.5\n")
    replace(config / "models.toml", PLANNED, MEASURED)
    append(config / "sources.toml", WIKI)
