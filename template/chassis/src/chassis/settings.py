"""Configuration: `config/*.toml`, overridden by `APP_*` environment variables.

Each file is one section named after it: `config/models.toml` is `settings.models`, and
`APP_MODELS__PROVIDERS__OPENAI__BASE_URL` overrides its `[providers.openai] base_url`.
Secrets are not settings; see `chassis.secrets`.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from .errors import ConfigError

PREFIX = "APP_"
ANSWER = "answer"
"""The route that questions take."""

SECTIONS = ("objectives", "models", "sources")
# Read outside this module, before the settings exist or by other tools.
ALSO_READ = {"APP_SECRETS_DIR"}
# https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
SERVICE_LINK = re.compile(
    r"APP_(\w+_)?(SERVICE_HOST|SERVICE_PORT\w*|PORT_\d+_(TCP|UDP|SCTP)\w*)"
    r"|APP_(\w+_)?PORT=(tcp|udp|sctp)://.*"
)


class Section(BaseModel):
    """A table of a configuration file; an unknown key is an error that names it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Service(Section):
    """What the service is called and what it is for."""

    name: str
    slug: str = Field(pattern=r"^[a-z]([a-z0-9-]{0,48}[a-z0-9])?$")
    purpose: str


class Latency(Section):
    """How fast answers must be, seen by the caller, for 95 of 100 requests."""

    p95_ms: int = Field(ge=500, le=120_000)
    streamed: bool
    first_token_ms: int = Field(ge=100, le=60_000)


class Answer(Section):
    """What a usual answer looks like."""

    typical_tokens: int = Field(ge=10, le=8_000)


class Availability(Section):
    """How often callers must get an answer, over 30 days, as a fraction."""

    target: float = Field(ge=0.9, lt=1)
    degraded_mode: Literal["sources_only", "template", "refuse"]
    degraded_counts: bool


class Load(Section):
    """How much traffic the service is sized for, requests per second at the peak."""

    peak_rps: float = Field(gt=0, le=10_000)


class Platform(Section):
    """What the service is planned to run on; only the availability arithmetic reads it."""

    replicas: int = Field(ge=1)
    zones: int = Field(ge=1)
    database_uptime: float = Field(gt=0, le=1)


class Accepted(Section):
    """Feasibility rules that the team has seen fail and accepted, by id."""

    rules: tuple[str, ...] = ()


class Objectives(Section):
    """`config/objectives.toml`: what this service promises."""

    service: Service
    latency: Latency
    answer: Answer
    availability: Availability
    load: Load
    platform: Platform
    accepted: Accepted = Accepted()


class Provider(BaseModel):
    """A `[providers.<name>]` table; keys not listed here go to the adapter's `connect`.

    Attributes:
        adapter: Module that speaks to it, when it is not the table's own name.
        uptime: Planned availability: the published figure or what was observed, whichever is less.
        published_uptime: What the vendor commits to, if anything.
        shared_fate: Clouds and networks it stands on; two providers that share one fail together.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    adapter: str | None = None
    uptime: float = Field(default=0.995, gt=0, le=1)
    published_uptime: float | None = None
    shared_fate: tuple[str, ...] = ()

    @property
    def connect_settings(self) -> dict[str, Any]:
        """The keys meant for the adapter."""
        return dict(self.model_extra or {})


class Candidate(Section):
    """One model that a route may use, with its planning numbers and the day they were checked.

    Attributes:
        shutdown_on: The day its vendor turns it off, once that is announced.
    """

    provider: str
    model: str
    latency_p50_ms: int = Field(gt=0)
    latency_p95_ms: int = Field(gt=0)
    first_token_p95_ms: int = Field(gt=0)
    tokens_per_s_p5: float = Field(gt=0)
    input_usd_per_mtok: float = Field(ge=0)
    output_usd_per_mtok: float = Field(ge=0)
    checked_on: date
    shutdown_on: date | None = None

    @property
    def name(self) -> str:
        """`provider/model`, as logs and errors show it."""
        return f"{self.provider}/{self.model}"


class Route(Section):
    """A kind of request and the models that may answer it, first choice first."""

    prompt: str
    candidates: tuple[Candidate, ...] = ()


class Embeddings(Section):
    """The model that turns text into vectors; without it, retrieval is full-text only."""

    provider: str
    model: str
    dimensions: int = Field(ge=64, le=16_000)  # the most that pgvector stores


class Models(Section):
    """`config/models.toml`: providers, routes and planning numbers."""

    providers: dict[str, Provider] = {}
    routes: dict[str, Route]
    embeddings: Embeddings | None = None

    @model_validator(mode="after")
    def refuse_unknown_names(self) -> Self:
        """Refuse a route or embeddings that name a provider without a table."""
        if ANSWER not in self.routes:
            raise ValueError(f"[routes.{ANSWER}] is missing: every question takes it")
        named = {
            candidate.provider: f"[[routes.{name}.candidates]]"
            for name, route in self.routes.items()
            for candidate in route.candidates
        }
        if self.embeddings:
            named.setdefault(self.embeddings.provider, "[embeddings]")
        for provider in named.keys() - self.providers.keys():
            raise ValueError(f"{named[provider]} names {provider!r}; no [providers.{provider}]")
        return self


class Source(BaseModel):
    """A `[<name>]` table of `config/sources.toml`; other keys go to the adapter's `connect`.

    Attributes:
        adapter: Module that reads it, when it is not the table's own name.
        hard: Whether an answer without this source's current documents is a degraded one.
        every_minutes: How often the worker reads it.
        max_age_hours: When what was read from it counts as out of date.
        uptime: Planned availability of the source itself.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    adapter: str | None = None
    hard: bool = False
    every_minutes: float = Field(default=15, gt=0)
    max_age_hours: float = Field(default=24, gt=0)
    uptime: float = Field(default=0.999, gt=0, le=1)

    @property
    def connect_settings(self) -> dict[str, Any]:
        """The keys meant for the adapter."""
        return dict(self.model_extra or {})


class Settings(BaseSettings):
    """The whole configuration, checked. Build it with `load`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    env: Literal["dev", "test", "production"] = "dev"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    drain_s: float | None = Field(default=None, ge=0)
    """Seconds between SIGTERM and closing the port; see `chassis.http.server`."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    objectives: Objectives
    models: Models
    sources: dict[str, Source] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then the files (which arrive as init arguments)."""
        return env_settings, init_settings


def load(folder: Path) -> Settings:
    """Read `folder/*.toml` and the environment.

    Raises:
        ConfigError: A file is missing or not TOML, a key is unknown, a value is out of range.
    """
    files: dict[str, Any] = {name: read_toml(folder / f"{name}.toml") for name in SECTIONS}
    refuse_unknown_variables(os.environ)
    try:
        return Settings(**files)
    except ValidationError as error:
        raise ConfigError(explain(error, os.environ)) from None
    except SettingsError as error:
        raise ConfigError(f"{error}; a table or list in a variable is written as JSON") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Parse one configuration file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(f"{path} is missing; run this from the project's folder") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error


def refuse_unknown_variables(environ: Mapping[str, str]) -> None:
    """Catch a misspelt `APP_*` variable, which would otherwise change nothing, silently.

    Raises:
        ConfigError: A variable has the prefix but names no setting.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields} - {"APP_DATABASE_URL"}
    known |= ALSO_READ
    for variable, value in sorted(environ.items()):
        if is_service_link(variable, value):
            raise ConfigError(
                f"environment variable {variable} comes from a Kubernetes Service whose name "
                'begins with "app"; set enableServiceLinks: false in the pod, or rename the Service'
            )
        head = variable.upper().partition("__")[0]
        if head.startswith(PREFIX) and head not in known:
            near = difflib.get_close_matches(head, {*known, "DATABASE_URL"}, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(sorted(known))}"
            raise ConfigError(f"environment variable {variable} names no setting{hint}")


def is_service_link(variable: str, value: str) -> bool:
    """Whether Kubernetes made this variable, for a Service called `app` or `app-something`."""
    return any(SERVICE_LINK.fullmatch(text) for text in (variable, f"{variable}={value}"))


def explain(error: ValidationError, environ: Mapping[str, str]) -> str:
    """Name each wrong key as a person would look for it, and what is wrong with it.

    A value is shown only where a known key was out of range: an unknown one may hold anything.
    """
    lines = []
    for problem in error.errors():
        where = place([str(part) for part in problem["loc"]], environ)
        if problem["type"] == "extra_forbidden":
            lines.append(f"{where}: there is no such key")
        elif problem["type"] == "value_error":
            lines.append(f"{where}: {problem['ctx']['error']}")
        elif problem["type"] == "missing":
            lines.append(f"{where}: is missing")
        else:
            lines.append(f"{where}: {problem['msg'].lower()} (got {problem['input']!r})")
    return "\n".join(lines)


def place(path: Sequence[str], environ: Mapping[str, str]) -> str:
    """The variable that set a key when there is one, else its file and dotted name."""
    head, *rest = path
    variable = PREFIX + "__".join(path).upper()
    if head not in SECTIONS:
        return head if head.isupper() else variable
    for name in environ:
        if f"{name.upper()}__".startswith(f"{variable}__"):
            return f"environment variable {name}"
    return f"config/{head}.toml: {'.'.join(rest)}"
