"""What the template's next release changes, one function a change."""

from pathlib import Path

from editing import append, replace

CONFIG_KEY = """# Callers in a burst above the peak, for as many seconds, are served, too.
burst_s = 2

"""
BRAKES = '''"""Slows down what is too fast."""


def brake(speed: float) -> float:
    """Half of it."""
    return speed / 2
'''


def config_key(repo: Path) -> None:
    """A key in a file that the team tunes."""
    objectives = repo / "template" / "config" / "objectives.toml.jinja"
    following = "# What the service is planned"
    replace(objectives, following, CONFIG_KEY + following)


def chassis_fix(repo: Path) -> None:
    """A number in the chassis, the one that somebody hotfixed."""
    policy = repo / "template" / "chassis" / "src" / "chassis" / "policy.py"
    replace(policy, "MIN_USEFUL_MS = 300\n", "MIN_USEFUL_MS = 250\n")


def new_chassis_file(repo: Path) -> None:
    """A module that was not there."""
    module = repo / "template" / "chassis" / "src" / "chassis" / "brakes.py"
    module.write_text(BRAKES, encoding="utf-8")


def readme_paragraph(repo: Path) -> None:
    """A paragraph in a file that the team edits."""
    replace(
        repo / "template" / "README.md.jinja",
        "## Whose file is it?\n",
        "The numbers are checked once a quarter.\n\n## Whose file is it?\n",
    )


def ci_bump(repo: Path) -> None:
    """A newer uv, and more time for it."""
    workflow = repo / "template" / "{% if ci_github %}.github{% endif %}" / "workflows" / "ci.yml"
    replace(workflow, "timeout-minutes: 20", "timeout-minutes: 30")
    replace(workflow, '"0.13.x"', '"0.14.x"')


def environment_variable(repo: Path) -> None:
    """A variable beside those that the team adds its own to."""
    replace(
        repo / "template" / ".env.example.jinja",
        "# Model providers.",
        "# Where traces go.\n# OTEL_EXPORTER_OTLP_ENDPOINT=\n\n# Model providers.",
    )


def price(repo: Path) -> None:
    """A vendor's new price, beside numbers that the team has measured."""
    catalog = repo / "hooks" / "catalog.jinja"
    replace(catalog, '"input_usd_per_mtok": 0.75', '"input_usd_per_mtok": 0.7')


def dependency(repo: Path) -> None:
    """What the chassis needs."""
    package = repo / "template" / "chassis" / "pyproject.toml"
    replace(package, '  "fastapi>=', '  "expiringdict>=1.2,<2",\n  "fastapi>=')


def better_prompt(repo: Path) -> None:
    """A prompt, which only new projects get."""
    prompt = repo / "template" / "src" / "app" / "prompts" / "answer.md"
    append(prompt, "- Say what is missing, when something is.\n")


def longer_handbook(repo: Path) -> None:
    """A document for the sample, which only new projects get."""
    sample = repo / "template" / "data" / "handbook" / "support" / "news.md"
    sample.write_text("# News\n\nNothing new.\n", encoding="utf-8")


ALL = [
    config_key,
    chassis_fix,
    new_chassis_file,
    readme_paragraph,
    ci_bump,
    environment_variable,
    price,
    dependency,
    better_prompt,
    longer_handbook,
]


def all_changes(repo: Path) -> None:
    """Every one of them in one release."""
    for change in ALL:
        change(repo)
