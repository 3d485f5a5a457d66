"""Where the parts meet: configuration in, a running service out."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from .adapters import Adapters
from .admission import Admission
from .degraded import Degraded
from .errors import ConfigError, MissingSecret
from .feasibility import Finding, findings
from .freshness import SourceWatch
from .gateway.gateway import Choice, Gateway
from .ingestion.ingest import Outcome, Progress, ingest
from .policy import derive
from .ports import Embedder, Provider, Source
from .prompts import Prompts
from .providers.offline import MODEL as OFFLINE_MODEL
from .providers.offline import Offline
from .retrieval.search import Retrieval
from .retrieval.vectors import Vectors
from .secrets import Secrets
from .service import Service
from .settings import Settings
from .store import embedded
from .store.answers import AnswerStore
from .store.database import Database
from .store.documents import DocumentStore
from .telemetry import Telemetry

DATA = Path(".data/postgres")
OFFLINE = "offline"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class App:
    """A service with its sources, ready to run.

    Attributes:
        package: The team's package, where adapters and prompts are looked up first.
    """

    package: str
    service: Service
    sources: dict[str, Source]
    documents: DocumentStore
    vectors: Vectors | None

    async def ingest(
        self, only: Iterable[str] = (), progress: Progress | None = None
    ) -> list[Outcome]:
        """Read the sources; see `chassis.ingestion.ingest`.

        Raises:
            ConfigError: A name in `only` is not a configured source.
        """
        wanted = list(only)
        for name in wanted:
            if name not in self.sources:
                known = ", ".join(self.sources) or "none"
                raise ConfigError(f"no data source {name!r} in config/sources.toml; known: {known}")
        watching = progress or (lambda name, done, total: None)
        return await ingest(
            self.sources, self.documents, self.vectors, only=wanted, progress=watching
        )


@asynccontextmanager
async def open_app(
    package: str, settings: Settings, secrets: Secrets, database_url: str
) -> AsyncIterator[App]:
    """Connect every part, and close what needs closing at the end.

    Raises:
        ConfigError: Something named in the configuration cannot be built.
    """
    adapters = Adapters(package, secrets)
    policy = derive(settings)
    telemetry = Telemetry(settings, policy)
    database = Database(database_url, policy.database_connections)
    documents = DocumentStore(database)
    providers = Providers(settings, adapters)
    vectors = connect_vectors(settings, providers, documents)
    gateway = Gateway(choose(settings, providers), policy, telemetry)
    prompts = Prompts(package, {"purpose": settings.objectives.service.purpose})
    service = Service(
        settings=settings,
        policy=policy,
        retrieval=Retrieval(database, vectors),
        prompts=prompts,
        gateway=gateway,
        degraded=Degraded(settings.objectives.availability, prompts),
        sources=SourceWatch(settings.sources, documents),
        answers=AnswerStore(database),
        admission=Admission(policy, telemetry),
        telemetry=telemetry,
    )
    try:
        yield App(package, service, connect_sources(settings, adapters), documents, vectors)
    finally:
        await providers.aclose()
        await database.aclose()
        telemetry.shutdown()


class Providers:
    """Connects each provider once, when it is first needed.

    Outside production a provider whose secret is not set is left out, with a warning, so that
    a fresh clone runs; in production it is an error.
    """

    def __init__(self, settings: Settings, adapters: Adapters) -> None:
        self._settings = settings
        self._adapters = adapters
        self._connected: dict[str, Provider | None] = {}

    def get(self, name: str) -> Provider | None:
        """The provider, or None when it is left out.

        Raises:
            ConfigError: It is not configured, cannot be built, or lacks its secret in production.
        """
        if name not in self._connected:
            self._connected[name] = self._connect(name)
        return self._connected[name]

    def _connect(self, name: str) -> Provider | None:
        if name not in self._settings.models.providers:
            raise ConfigError(f"config/models.toml has no table [providers.{name}]")
        settings = self._settings.models.providers[name]
        try:
            provider: Provider = self._adapters.connect(
                "providers", name, settings.connect_settings, settings.adapter
            )
        except MissingSecret as error:
            if self._settings.env == "production":
                raise
            log.warning("provider_left_out", provider=name, error=str(error))
            return None
        return provider

    async def aclose(self) -> None:
        """Close every connection."""
        for provider in self._connected.values():
            if provider:
                await provider.aclose()


def choose(settings: Settings, providers: Providers) -> dict[str, list[Choice]]:
    """The candidates of each route that can be used; offline where there is none."""
    offline = Choice(OFFLINE, OFFLINE, OFFLINE_MODEL, Offline())
    routes: dict[str, list[Choice]] = {}
    for name, route in settings.models.routes.items():
        choices = []
        for candidate in route.candidates:
            if provider := providers.get(candidate.provider):
                choices.append(
                    Choice(
                        candidate.name,
                        candidate.provider,
                        candidate.model,
                        provider,
                        candidate.input_usd_per_mtok,
                        candidate.output_usd_per_mtok,
                    )
                )
        routes[name] = choices or [offline]
    return routes


def connect_vectors(
    settings: Settings, providers: Providers, documents: DocumentStore
) -> Vectors | None:
    """The vectors, when an embedding model is configured and its provider can be used.

    Raises:
        ConfigError: The provider has no embeddings.
    """
    configured = settings.models.embeddings
    provider = providers.get(configured.provider) if configured else None
    if configured is None or provider is None:
        return None
    if not isinstance(provider, Embedder):
        raise ConfigError(f"[embeddings] provider {configured.provider!r} has no embeddings")
    return Vectors(configured, provider, documents)


def connect_sources(settings: Settings, adapters: Adapters) -> dict[str, Source]:
    """Every configured data source, by name."""
    return {
        name: adapters.connect("sources", name, source.connect_settings, source.adapter)
        for name, source in settings.sources.items()
    }


def database_url(settings: Settings) -> str:
    """Where the store is; outside production an embedded server when nothing is set.

    Raises:
        ConfigError: `DATABASE_URL` is not set in production, or the server does not start.
    """
    if settings.database_url:
        return settings.database_url
    if settings.env == "production":
        raise ConfigError("DATABASE_URL is not set; in production it must name a Postgres server")
    return embedded.start(DATA)


def refuse_infeasible(settings: Settings) -> list[Finding]:
    """Hold the objectives to the feasibility rules; return what was found.

    Raises:
        ConfigError: In production, an objective that cannot be met and was not accepted.
    """
    found = findings(settings)
    accepted = settings.objectives.accepted.rules
    open_errors = [
        finding for finding in found if finding.severity == "error" and finding.rule not in accepted
    ]
    if open_errors and settings.env == "production":
        listed = "\n".join(f"{finding.rule}: {finding.message}" for finding in open_errors)
        raise ConfigError(
            f"the objectives cannot be met:\n{listed}\n"
            "change config/objectives.toml, or accept the rules in its [accepted] table"
        )
    for finding in open_errors:
        log.warning("infeasible_objective", rule=finding.rule, message=finding.message)
    return found
