"""Metrics, traces and logs: names that alerts, dashboards and runbooks can rely on."""

import logging
import os
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import CollectorRegistry, generate_latest

from .policy import Policy
from .ports import AnswerKind
from .settings import Settings

ANSWER_KINDS: tuple[AnswerKind, ...] = ("full", "degraded", "refused")
CALL_OUTCOMES = ("ok", "failed")
OTLP_VARIABLES = {"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"}
SENSITIVE_KEY = re.compile(r"authorization|api[_-]?key|password|secret|cookie", re.IGNORECASE)
SENSITIVE_VALUE = re.compile(
    r"sk-[A-Za-z0-9_-]{16,}|AIza[A-Za-z0-9_-]{30,}|eyJ[\w-]+\.[\w-]+\.[\w-]+"
    r"|(?<=://)[^/\s:@]*:[^@\s/]+(?=@)"
)


class Telemetry:
    """The instruments of one service; nothing global, so that tests can hold several.

    Args:
        spans: Where finished spans go, besides the OTLP endpoint in the environment.
    """

    def __init__(
        self, settings: Settings, policy: Policy, spans: SpanProcessor | None = None
    ) -> None:
        service = settings.objectives.service
        resource = Resource.create(
            {"service.name": service.slug, "deployment.environment.name": settings.env}
        )
        self.registry = CollectorRegistry()
        self.meter_provider = MeterProvider(
            resource=resource,
            metric_readers=[
                PrometheusMetricReader(registry=self.registry, scope_info_enabled=False)
            ],
        )
        self.tracer_provider = TracerProvider(resource=resource)
        for processor in (spans, exporting_spans()):
            if processor:
                self.tracer_provider.add_span_processor(processor)
        self.tracer = self.tracer_provider.get_tracer("chassis")
        self._make_instruments(settings, policy)

    def _make_instruments(self, settings: Settings, policy: Policy) -> None:
        meter = self.meter_provider.get_meter("chassis")
        self._answers = meter.create_counter("answers", description="answers, by kind and reason")
        self._duration = meter.create_histogram(
            "answer.duration",
            unit="s",
            description="from request to last byte",
            explicit_bucket_boundaries_advisory=boundaries(policy.deadline_ms),
        )
        self._first_token = meter.create_histogram(
            "answer.first_token",
            unit="s",
            description="from request to the first text of a streamed answer",
            explicit_bucket_boundaries_advisory=boundaries(
                settings.objectives.latency.first_token_ms
            ),
        )
        self._calls = meter.create_counter("model.calls", description="by candidate and outcome")
        self._call_duration = meter.create_histogram(
            "model.call.duration",
            unit="s",
            explicit_bucket_boundaries_advisory=boundaries(policy.model_ms),
        )
        self._in_flight = meter.create_up_down_counter("answers.in_flight")
        self._shed = meter.create_counter("answers.shed", description="refused: overloaded")
        meter.create_observable_gauge(
            "slo.objective", [objectives(settings)], description="what the service promises"
        )
        # A label that first appears with its first failure is invisible to rate().
        for kind in ANSWER_KINDS:
            self._answers.add(0, {"kind": kind, "reason": ""})
        for candidate in settings.models.routes["answer"].candidates:
            for outcome in CALL_OUTCOMES:
                self._calls.add(0, {"candidate": candidate.name, "outcome": outcome})
        self._shed.add(0)
        self._in_flight.add(0)

    def answered(self, kind: AnswerKind, reason: str | None, seconds: float) -> None:
        """Count an answer that was given, or refused."""
        self._answers.add(1, {"kind": kind, "reason": reason or ""})
        self._duration.record(seconds, {"kind": kind})

    def first_token(self, seconds: float) -> None:
        """Record how long a streaming caller waited for the first text."""
        self._first_token.record(seconds)

    def model_call(self, candidate: str, outcome: str, seconds: float) -> None:
        """Count one call of a model; `outcome` is one of `CALL_OUTCOMES`."""
        labels = {"candidate": candidate, "outcome": outcome}
        self._calls.add(1, labels)
        self._call_duration.record(seconds, labels)

    def shed(self) -> None:
        """Count a caller turned away because the service was full."""
        self._shed.add(1)

    def in_flight(self, change: int) -> None:
        """Count a request in (+1) or out (-1)."""
        self._in_flight.add(change)

    def exposition(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def shutdown(self) -> None:
        """Send what is still buffered."""
        self.tracer_provider.shutdown()
        self.meter_provider.shutdown()


def exporting_spans() -> SpanProcessor | None:
    """What sends spans to the collector that the standard OTLP variables name, if they do."""
    if not OTLP_VARIABLES & os.environ.keys():
        return None
    # Half a second, and only where there is a collector.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )

    return BatchSpanProcessor(OTLPSpanExporter())


def boundaries(limit_ms: int) -> list[float]:
    """Histogram buckets, in seconds, with one exactly at the objective."""
    limit_s = limit_ms / 1000
    return [round(limit_s * share, 4) for share in (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2)]


def objectives(settings: Settings) -> Any:
    """The callback of a gauge that carries the objectives, for alert rules to compare with."""
    promised = settings.objectives
    values = {
        "availability": promised.availability.target,
        "latency_p95_seconds": promised.latency.p95_ms / 1000,
        "first_token_seconds": promised.latency.first_token_ms / 1000,
    }

    def observe(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(value, {"slo": name}) for name, value in values.items()]

    return observe


def trace_id() -> str:
    """The current trace's id, 32 hexadecimal digits; zeros outside of any."""
    return f"{trace.get_current_span().get_span_context().trace_id:032x}"


def configure_logs(settings: Settings) -> None:
    """Write events to standard error: JSON in production, for people elsewhere."""
    production = settings.env == "production"
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if production
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The default shows the variables of every frame.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    logging.basicConfig(handlers=[Forward()], level=logging.WARNING, force=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            add_trace_id,
            # Frame locals hold questions and secrets.
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
            )
            if production
            else structlog.processors.StackInfoRenderer(),
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]
        ),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


class Forward(logging.Handler):
    """Brings the warnings of libraries into our log; without it they go past `redact`."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record's message; a crash of a request was logged already, with its trace."""
        structlog.get_logger().log(record.levelno, record.getMessage(), logger=record.name)


def add_trace_id(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put the trace's id on an event that happens inside one."""
    if trace.get_current_span().get_span_context().is_valid:
        event["trace_id"] = trace_id()
    return event


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank out what looks like a secret, by key and by value."""
    return {key: redacted(key, value) for key, value in event.items()}


def redacted(key: str, value: Any) -> Any:
    """One value of a log event, without secrets."""
    if SENSITIVE_KEY.search(key):
        return "[redacted]"
    if isinstance(value, dict):
        return {inner: redacted(str(inner), held) for inner, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted("", held) for held in value]
    return SENSITIVE_VALUE.sub("[redacted]", value) if isinstance(value, str) else value
