"""Every error this service raises on purpose.

ServiceError                    500
├── ConfigError                 the service cannot start; names the key and the fix
│   └── MissingSecret           a secret that an adapter needs is not set
├── CallerError                 400, the caller can fix it
│   ├── InvalidInput            422
│   ├── NotAcceptable           406
│   ├── NotFound                404
│   └── Forbidden               403
├── Overloaded                  503, more requests than this service may hold at once
├── DeadlineExceeded            504, the request's time is used up
└── UpstreamError               502, someone this service depends on failed
    ├── ProviderError           one model failed; another may do better
    ├── NoModelLeft             503, every candidate of a route failed
    ├── OutputRejected          a model's answer broke a guardrail
    ├── SourceError             a data source could not be read
    └── StoreError              503, the database did not answer
"""


class ServiceError(Exception):
    """Base of the tree; `status` is the HTTP status that the caller sees."""

    status = 500


class ConfigError(ServiceError):
    """The configuration is wrong."""


class MissingSecret(ConfigError):
    """A secret is not set.

    Args:
        name: The secret's name, e.g. `OPENAI_API_KEY`.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"secret {name} is not set; set it in the environment or see .env.example")
        self.name = name


class CallerError(ServiceError):
    """The caller can fix it."""

    status = 400


class InvalidInput(CallerError):
    """The input broke a guardrail."""

    status = 422


class NotAcceptable(CallerError):
    """The caller asked for a representation that this service does not offer."""

    status = 406


class NotFound(CallerError):
    """There is no such thing, or not for this caller."""

    status = 404


class Forbidden(CallerError):
    """The caller is known but may not do this."""

    status = 403


class Overloaded(ServiceError):
    """As many requests as this service is sized for are in flight."""

    status = 503


class DeadlineExceeded(ServiceError):
    """The request's time is used up.

    Args:
        step: The step of the flow that was cut.
    """

    status = 504

    def __init__(self, step: str) -> None:
        super().__init__(f"out of time in step {step!r}")
        self.step = step


class UpstreamError(ServiceError):
    """Someone this service depends on failed."""

    status = 502


class ProviderError(UpstreamError):
    """One model failed; the gateway tries the next candidate."""


class NoModelLeft(UpstreamError):
    """Every candidate of a route failed.

    Args:
        route: The route's name in config/models.toml.
        failures: What each candidate did, in the order tried.
    """

    status = 503

    def __init__(self, route: str, failures: dict[str, str]) -> None:
        tried = "; ".join(f"{candidate}: {failure}" for candidate, failure in failures.items())
        super().__init__(f"route {route!r}: no model left ({tried or 'none could be tried'})")
        self.failures = failures


class OutputRejected(UpstreamError):
    """A model's answer broke a guardrail."""


class SourceError(UpstreamError):
    """A data source could not be read."""


class StoreError(UpstreamError):
    """The database did not answer."""

    status = 503
