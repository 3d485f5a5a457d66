"""The effective configuration, explained."""

import inspect
from collections.abc import Iterator
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..adapters import Adapters
from ..app import refuse_infeasible
from ..errors import ConfigError, MissingSecret
from ..feasibility import findings
from ..policy import derive
from ..secrets import Secrets
from ..settings import Settings

console = Console(highlight=False)


def print_configuration(package: str, settings: Settings, secrets: Secrets) -> None:
    """Print objectives, derived numbers, routes, adapters and secrets, never a secret's value.

    Raises:
        ConfigError: Something named in the configuration cannot be built.
    """
    adapters = Adapters(package, secrets)
    promised = settings.objectives
    named = promised.service
    console.print(f"[bold]{escape(named.name)}[/] ({named.slug}, {settings.env})")
    console.print(escape(named.purpose))
    console.print(policy_table(settings))
    console.print(route_table(settings, adapters))
    console.print(source_table(settings, adapters))
    console.print(secret_table(secrets))
    console.print(f"database: {database_of(settings)}")
    for finding in findings(settings):
        accepted = " (accepted)" if finding.rule in promised.accepted.rules else ""
        console.print(escape(f"{finding.severity} {finding.rule}{accepted}: {finding.message}"))
    if settings.env == "production":
        refuse_what_production_refuses(settings, secrets)


def database_of(settings: Settings) -> str:
    """Where the database comes from."""
    if settings.database_url:
        return "DATABASE_URL"
    return "missing" if settings.env == "production" else "embedded"


def refuse_what_production_refuses(settings: Settings, secrets: Secrets) -> None:
    """Say why the service would not start, when it would not.

    Raises:
        ConfigError: It would not.
    """
    reasons = [f"secret {name} is not set" for name, place in secrets.asked.items() if not place]
    if not settings.database_url:
        reasons.append("DATABASE_URL is not set")
    if reasons:
        raise ConfigError(f"production refuses to start: {'; '.join(reasons)}")
    refuse_infeasible(settings)


def policy_table(settings: Settings) -> Table:
    """Every derived number with its formula."""
    table = make_table("derived from config/objectives.toml", "number", "value", "formula")
    for name, value, formula in derive(settings).explain():
        table.add_row(name, f"{value:,}", escape(formula))
    return table


def route_table(settings: Settings, adapters: Adapters) -> Table:
    """The candidates of each route, in order."""
    table = make_table("routes", "route", "candidate", "adapter", "state")
    for name, route in settings.models.routes.items():
        for candidate in route.candidates:
            provider = settings.models.providers[candidate.provider]
            made = ("providers", candidate.provider, provider.connect_settings, provider.adapter)
            table.add_row(name, candidate.name, *adapter_state(adapters, *made))
        if settings.env != "production" or not route.candidates:
            offline = "used when no candidate above has its secret"
            table.add_row(name, "offline", "chassis/providers/offline.py", offline)
    if embeddings := settings.models.embeddings:
        provider = settings.models.providers[embeddings.provider]
        made = ("providers", embeddings.provider, provider.connect_settings, provider.adapter)
        model = f"{embeddings.provider}/{embeddings.model}"
        table.add_row("embeddings", model, *adapter_state(adapters, *made))
    return table


def source_table(settings: Settings, adapters: Adapters) -> Table:
    """The data sources."""
    table = make_table("data sources", "source", "adapter", "state", "an answer without it")
    for name, source in settings.sources.items():
        made = ("sources", name, source.connect_settings, source.adapter)
        counts = "is degraded" if source.hard else "counts as full"
        table.add_row(name, *adapter_state(adapters, *made), counts)
    return table


def adapter_state(
    adapters: Adapters, kind: str, name: str, settings: dict[str, object], adapter: str | None
) -> Iterator[str]:
    """The file of an adapter, and whether it can be built now."""
    module = adapters.find(kind, adapter or name)
    yield short_path(inspect.getsourcefile(module) or module.__name__)
    try:
        adapters.connect(kind, name, settings, adapter)
    except MissingSecret as error:
        yield f"left out: {error.name} is not set"
    else:
        yield "ready"


def secret_table(secrets: Secrets) -> Table:
    """Which secrets were asked for, and where each was found."""
    table = make_table("secrets", "secret", "found in")
    for name, place in secrets.asked.items():
        table.add_row(name, place or "missing")
    return table


def make_table(title: str, *columns: str) -> Table:
    """A plain table whose cells wrap instead of being cut."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE, title_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def short_path(path: str) -> str:
    """A path below the current folder, or from its package on."""
    file = Path(path)
    if file.is_relative_to(Path.cwd()):
        return str(file.relative_to(Path.cwd()))
    return (
        str(Path(*file.parts[file.parts.index("chassis") :])) if "chassis" in file.parts else path
    )
