"""The generated service against vendors' wire formats as somebody else understood them.

`llmock` is an independent server of OpenAI's, Anthropic's and Google's formats; the chassis's
own simulator covers the faults that it does not have.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from chassis.testing import database
from llmock.scenarios import Behavior, Delay, Fail, Match, Reply, StreamFault
from llmock.testing import LLMockServer

import harness
from live import QUESTION, STREAM, ask, pointed_at, serving

TEXT = "It costs EUR 95 [1]."
SERVER_NAMES = {"openai": "openai", "anthropic": "anthropic", "google": "gemini"}
CHAT = Match(stream=True)
DEADLINE_MS = 2_500

vendors = pytest.mark.parametrize("provider", SERVER_NAMES, scope="module")


class Service:
    """A booted project and the server that its only provider points at."""

    def __init__(self, client: httpx2.Client, server: LLMockServer) -> None:
        self.client = client
        self._server = server

    def script(self, *behaviors: Behavior) -> None:
        """What the vendor does with the next call for text."""
        self._server.state.scenarios.clear()
        for behavior in (*behaviors, Reply(text=TEXT, match=CHAT)):
            self._server.state.scenarios.add(behavior)

    def calls(self) -> int:
        """Calls for text so far."""
        journal = self._server.state.journal
        ended = [record for record in journal.records() if "embed" not in record.path]
        return len(ended) + journal.in_flight


@pytest.fixture(scope="module")
def boot(
    template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    server_url: str,
    template_database: str,
) -> Callable[..., Any]:
    """Boot a project with one provider, pointed at the independent server."""

    @contextmanager
    def boot_one(provider: str) -> Iterator[Service]:
        project = harness.render(
            template,
            tmp_path_factory.mktemp(provider) / "project",
            providers=[provider],
            latency_p95_ms=6000,
            answer_tokens=60,
        )
        with LLMockServer() as server, database(server_url, template_database) as url:
            base = {
                f"APP_MODELS__PROVIDERS__{provider.upper()}__BASE_URL": address(server, provider)
            }
            with serving(project, DATABASE_URL=url, **pointed_at({}), **base) as client:
                yield Service(client, server)

    return boot_one


def address(server: LLMockServer, provider: str) -> str:
    """What to set as the provider's base URL."""
    return server.base_url(SERVER_NAMES[provider])


@pytest.fixture(scope="module")
def service(provider: str, boot: Callable[..., Any]) -> Iterator[Service]:
    """One service for all tests of a provider."""
    with boot(provider) as booted:
        yield booted


@vendors
def test_an_answer_is_written_and_cited(service: Service, provider: str) -> None:
    service.script()

    reply = ask(service.client)

    assert (reply.status, reply.body["answer_kind"], reply.body["text"]) == (200, "full", TEXT)
    assert reply.body["model"]["provider"] == provider
    assert reply.body["usage"]["output_tokens"] > 0
    assert [citation["source"] for citation in reply.body["citations"]] == ["files"]


@vendors
def test_an_answer_is_streamed(service: Service) -> None:
    service.script()

    reply = service.client.post("/v1/answers", json=QUESTION, headers=STREAM)

    events = [part.split("\n") for part in reply.text.strip().split("\n\n")]
    names = [lines[0].removeprefix("event: ") for lines in events]
    written = [
        json.loads(lines[1].removeprefix("data: "))["text"]
        for lines in events
        if lines[0] == "event: delta"
    ]
    assert "".join(written).strip() == TEXT
    assert (names[0], names[-2:]) == ("start", ["citation", "done"])


@vendors
@pytest.mark.parametrize(
    "fault",
    [
        Fail(500, match=CHAT),
        Fail(429, retry_after=30, match=CHAT),
        Fail(401, match=CHAT),
        Delay(30, match=CHAT),
        StreamFault("stall", match=CHAT),
        StreamFault("truncate", match=CHAT),
        StreamFault("disconnect", match=CHAT),
        StreamFault("malformed", match=CHAT),
    ],
    ids=["500", "429", "401", "hang", "stall", "truncated", "disconnected", "malformed"],
)
def test_a_failing_vendor_is_called_once_and_answered_for_in_time(
    service: Service, fault: Behavior
) -> None:
    service.script(fault)
    before = service.calls()

    reply = ask(service.client, **{"x-request-timeout-ms": str(DEADLINE_MS)})

    assert (reply.body["answer_kind"], reply.body["reason"]) == ("degraded", "model_unavailable")
    assert reply.took_s < DEADLINE_MS / 1000 + 0.25
    assert service.calls() - before == 1
