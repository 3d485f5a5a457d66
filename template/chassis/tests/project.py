"""A project of the small team in a folder, and its `app` command as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

START = "from chassis.cli.main import main; from team import flow; main('team', flow.answer)"

OBJECTIVES = """
[service]
name = "Alpha doors"
slug = "alpha-doors"
purpose = "Answers questions about doors."
[latency]
p95_ms = 4000
streamed = true
first_token_ms = 2000
[answer]
typical_tokens = 100
[availability]
target = 0.99
degraded_mode = "sources_only"
degraded_counts = true
[load]
peak_rps = 5
[platform]
replicas = 2
zones = 1
database_uptime = 0.9995
"""
MODELS = """
[providers.openai]
[routes.answer]
prompt = "answer"
[[routes.answer.candidates]]
provider = "openai"
model = "model-1"
latency_p50_ms = 700
latency_p95_ms = 1500
first_token_p95_ms = 500
tokens_per_s_p5 = 80
input_usd_per_mtok = 1.0
output_usd_per_mtok = 5.0
checked_on = 2026-11-24
"""
SOURCES = """
[notes]
[notes.texts]
a = "# Alpha\\n\\nThe alpha door opens at nine o'clock."
"""


def make_project(folder: Path) -> Path:
    """Write the configuration of a project into `folder`."""
    (folder / "config").mkdir(parents=True)
    for name, text in (("objectives", OBJECTIVES), ("models", MODELS), ("sources", SOURCES)):
        (folder / "config" / f"{name}.toml").write_text(text)
    return folder


def environment(database_url: str | None, **variables: str) -> dict[str, str]:
    """The environment of a command: no key and no setting of the machine it runs on."""
    # Without compiled modules a command takes three times as long to start.
    dropped = {"DATABASE_URL", "PYTHONDONTWRITEBYTECODE"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and not name.startswith("APP_") and not name.endswith("_API_KEY")
    }
    paths = [str(Path(__file__).parent), *sys.path]
    kept |= {"PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200", "NO_COLOR": "1"}
    return kept | ({"DATABASE_URL": database_url} if database_url else {}) | variables


def app(
    project: Path, database_url: str | None, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-c", START, *arguments],
        cwd=project,
        env=environment(database_url, **variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def start_app(
    project: Path, database_url: str, *arguments: str, **variables: str
) -> subprocess.Popen[str]:
    """Start a command that runs until it is told to stop."""
    return subprocess.Popen(
        [sys.executable, "-c", START, *arguments],
        cwd=project,
        env=environment(database_url, **variables),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
