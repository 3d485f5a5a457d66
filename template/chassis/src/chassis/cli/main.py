"""`app serve | ask | ingest | worker | check`."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from dotenv import dotenv_values
from rich.console import Console

from ..app import App, database_url, open_app, refuse_infeasible
from ..errors import ServiceError
from ..secrets import open_secrets
from ..service import Flow
from ..settings import PREFIX, Settings, load
from ..store.migrate import migrate
from ..telemetry import configure_logs
from .ask import print_answer
from .check import print_configuration
from .progress import read_sources
from .worker import work

notes = Console(stderr=True, highlight=False, soft_wrap=True)


def main(package: str, flow: Flow) -> None:
    """Run the command line of the service in `package`, whose requests go through `flow`.

    An error of our own tree is a message and exit code 2, never a stack trace.
    """
    try:
        make_cli(package, flow)()
    except ServiceError as error:
        notes.print("[bold red]error:[/]", end=" ")
        notes.print(str(error), markup=False)
        sys.exit(2)


def make_cli(package: str, flow: Flow) -> typer.Typer:
    """The commands."""
    cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

    @cli.callback()
    def describe() -> None:
        """Answers questions from documents; run it from the project's folder."""

    @cli.command()
    def serve(
        host: Annotated[str | None, typer.Option(help="address to listen on")] = None,
        port: Annotated[
            int | None, typer.Option(min=0, max=65535, help="port to listen on, 0 for any")
        ] = None,
    ) -> None:
        """Serve over HTTP."""
        given = {"host": host, "port": port}
        asyncio.run(serve_here(package, flow, {k: v for k, v in given.items() if v is not None}))

    @cli.command()
    def ask(question: Annotated[str, typer.Argument(help="in quotes")]) -> None:
        """Answer one question, with its citations."""
        asyncio.run(ask_here(package, flow, question))

    @cli.command()
    def ingest(
        sources: Annotated[list[str] | None, typer.Argument(help="default: all of them")] = None,
    ) -> None:
        """Read the data sources: what changed; and forget what is gone."""
        if asyncio.run(ingest_here(package, sources or [])):
            raise typer.Exit(1)

    @cli.command()
    def worker() -> None:
        """Read the data sources again and again, each at its own interval."""
        asyncio.run(work_here(package))

    @cli.command()
    def check() -> None:
        """Explain the effective configuration and every number derived from it."""
        settings = read_settings()
        print_configuration(package, settings, open_secrets(settings.env, Path()))

    return cli


def read_settings(**given: object) -> Settings:
    """The configuration of the project in the current folder; `given` goes before it."""
    read_dotenv()
    settings = load(Path("config")).model_copy(update=given)
    configure_logs(settings)
    return settings


def read_dotenv() -> None:
    """Take settings from `.env`, behind those of the environment, and never in production.

    Secrets stay where they are: only `chassis.secrets` reads them.
    """
    if os.environ.get("APP_ENV") == "production":
        return
    for name, value in dotenv_values(".env").items():
        if value and (name.startswith(PREFIX) or name == "DATABASE_URL"):
            os.environ.setdefault(name, value)


@asynccontextmanager
async def open_here(package: str, settings: Settings) -> AsyncIterator[App]:
    """The service of the project in the current folder, its database up to date.

    Raises:
        ServiceError: It cannot run with this configuration.
    """
    refuse_infeasible(settings)
    secrets = open_secrets(settings.env, Path())
    url = database_url(settings)
    await asyncio.to_thread(migrate, url)
    async with open_app(package, settings, secrets, url) as app:
        yield app


async def serve_here(package: str, flow: Flow, given: dict[str, str | int]) -> None:
    """Serve until a signal. Outside production the sources are read first."""
    # FastAPI is only needed here, and half a second is long for `app ask`.
    from ..http.api import make_api  # noqa: PLC0415
    from ..http.server import run  # noqa: PLC0415

    settings = read_settings(**given)
    async with open_here(package, settings) as app:
        if settings.env != "production":
            await read_sources(app)
        api = make_api(app.service, flow)
        await run(api, settings, app.service.admission)


async def ask_here(package: str, flow: Flow, question: str) -> None:
    """Answer one question. Outside production the sources are read first."""
    settings = read_settings(log_level="error")  # the answer says what it was made with
    async with open_here(package, settings) as app:
        if settings.env != "production":
            await read_sources(app)
        await print_answer(question, flow, app.service)


async def ingest_here(package: str, only: list[str]) -> int:
    """Read the sources; return how many failed."""
    async with open_here(package, read_settings()) as app:
        outcomes = await read_sources(app, only, quiet=False)
        return sum(outcome.error is not None for outcome in outcomes)


async def work_here(package: str) -> None:
    """Run the worker until a signal."""
    async with open_here(package, read_settings()) as app:
        await work(app)
