import asyncio
import json

import pytest
import structlog
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from team import flow

from chassis.policy import derive
from chassis.ports import ANONYMOUS
from chassis.request import start
from chassis.telemetry import Telemetry, configure_logs
from chassis.testing import make_settings, opened

KEY = "sk-abcdefghijklmnop1234"


@pytest.fixture
def production_log(capsys):
    """What the process logs in production, as parsed events."""
    configure_logs(make_settings().model_copy(update={"env": "production"}))
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    structlog.reset_defaults()


async def test_each_step_is_a_span_of_one_trace(database_url):
    finished = InMemorySpanExporter()
    settings = make_settings()
    telemetry = Telemetry(settings, derive(settings), SimpleSpanProcessor(finished))

    async with opened("team", settings, database_url) as app:
        request = start("When?", app.service.policy, ANONYMOUS, tracer=telemetry.tracer)
        with telemetry.tracer.start_as_current_span("request"):
            await flow.answer(request, app.service)

    spans = finished.get_finished_spans()
    assert [span.name for span in spans] == ["retrieve", "generate", "finish", "request"]
    assert len({span.context.trace_id for span in spans}) == 1
    assert request.timings_ms.keys() == {"retrieve", "generate", "finish"}
    telemetry.shutdown()


async def test_spans_go_to_the_collector_of_the_environment(monkeypatch):
    received = []

    async def collect(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        received.append((head.split(" ")[1], await reader.readexactly(length)))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(collect, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    settings = make_settings()
    telemetry = Telemetry(settings, derive(settings))

    telemetry.tracer.start_span("a step").end()
    await asyncio.to_thread(telemetry.shutdown)
    server.close()

    ((path, body),) = received
    sent = ExportTraceServiceRequest.FromString(body)
    assert path == "/v1/traces"
    assert sent.resource_spans[0].scope_spans[0].spans[0].name == "a step"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("detail", f"key {KEY}"),
        ("api_key", "anything"),
        ("headers", {"Authorization": "Bearer anything"}),
        ("nested", [{"password": "anything"}]),
        ("url", "postgresql://app:anything@db/app"),
        ("token", "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl"),
    ],
)
def test_what_looks_like_a_secret_is_not_logged(production_log, field, value):
    structlog.get_logger().info("event", **{field: value})

    (event,) = production_log()
    assert "[redacted]" in str(event[field])
    for secret in ("anything", KEY, "c2lnbmF0dXJl"):
        assert secret not in str(event)


def test_a_crash_is_logged_without_the_values_of_its_frames(production_log):
    def crash(question):
        raise ValueError("no")

    try:
        crash("a private question")
    except ValueError:
        structlog.get_logger().exception("crashed")

    (event,) = production_log()
    assert event["exception"][0]["exc_type"] == "ValueError"
    assert "a private question" not in json.dumps(event)
