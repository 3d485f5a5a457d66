import asyncio
import json
import time
from contextlib import asynccontextmanager

import httpx2
import pytest
import uvicorn
from team import flow

from chassis.errors import ProviderError
from chassis.http.api import make_api
from chassis.store.database import Database
from chassis.testing import Script, make_settings, opened

NOTES = {"adapter": "notes", "texts": {"a": "# Alpha\n\nThe alpha door opens at nine o'clock."}}
QUESTION = {"question": "When does the alpha door open?"}
OVERRUN_S = 0.25
"""What a busy machine may add to a deadline."""

STREAM = {"accept": "text/event-stream"}


class Live:
    """A service on a real socket."""

    def __init__(self, client: httpx2.AsyncClient, service, api) -> None:
        self.client = client
        self.service = service
        self.api = api

    async def ask(self, body=QUESTION, **headers):
        return await self.client.post("/v1/answers", json=body, headers=headers)

    async def events(self, **headers):
        """The events of one streamed answer, as `(name, data)`."""
        found = []
        async with self.client.stream(
            "POST", "/v1/answers", json=QUESTION, headers=STREAM | headers
        ) as reply:
            assert reply.headers["content-type"].startswith("text/event-stream")
            name = ""
            async for line in reply.aiter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    found.append((name, json.loads(line.removeprefix("data: "))))
        return found


@asynccontextmanager
async def live(database_url, *providers, read=True, **settings):
    """Serve the small team's flow; `providers` answer in order, without any it is offline."""
    made = make_settings(sources={"notes": NOTES}, **settings)
    async with opened("team", made, database_url) as app:
        if read:
            await app.ingest()
        choices = app.service.gateway.routes["answer"]
        offline = choices[0]
        if providers:
            choices[:] = [
                type(offline)(f"p{n}/m", f"p{n}", "m", provider)
                for n, provider in enumerate(providers, start=1)
            ]
        api = make_api(app.service, flow.answer)
        server = uvicorn.Server(uvicorn.Config(api, port=0, log_config=None))
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            yield Live(client, app.service, api)
        server.should_exit = True
        await task


async def test_an_answer_has_the_shape_of_the_contract(database_url):
    async with live(database_url) as service:
        reply = await service.ask()

    body = reply.json()
    assert reply.status_code == 200
    assert body["timings_ms"].keys() == {"retrieve", "generate", "finish", "save"}
    assert body["model"].pop("prompt_version")
    assert {key: body[key] for key in body if key not in ("id", "timings_ms")} == {
        "answer_kind": "full",
        "text": "The alpha door opens at nine o'clock. [1]",
        "citations": [
            {
                "source": "notes",
                "document_id": "notes/a",
                "title": "a",
                "quote": "The alpha door opens at nine o'clock.",
                "uri": "memory/a",
            }
        ],
        "reason": None,
        "model": {"provider": "offline", "model": "extractive", "variant": "offline"},
        "usage": {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0},
    }


async def test_a_stream_has_start_text_citations_and_one_end(database_url):
    async with live(database_url) as service:
        events = await service.events()

    names = [name for name, _ in events]
    assert names == ["start", *["delta"] * (len(names) - 3), "citation", "done"]
    text = "".join(data["text"] for name, data in events if name == "delta")
    assert text == events[-1][1]["text"] == "The alpha door opens at nine o'clock. [1]"
    assert events[0][1]["id"] == events[-1][1]["id"]


async def test_a_stream_says_when_another_attempt_begins(database_url):
    half, whole = Script("At nine", finish_reason=None), Script("At ten [1].")

    async with live(database_url, half, whole) as service:
        names = [name for name, _ in await service.events()]

    assert names == ["start", "delta", "delta", "restart"] + ["delta"] * 3 + ["citation", "done"]


async def test_a_service_that_does_not_stream_says_so(database_url):
    async with live(database_url, latency={"streamed": False}) as service:
        reply = await service.ask(**STREAM)

    assert (reply.status_code, reply.json()["detail"]) == (
        406,
        "this service does not stream; send Accept: application/json",
    )


@pytest.mark.parametrize(
    ("counts", "status"), [(True, 200), (False, 503)], ids=["counts", "does not count"]
)
async def test_when_every_model_fails_the_sources_are_shown(database_url, counts, status):
    availability = {"degraded_counts": counts}

    async with live(
        database_url, Script(ProviderError("down")), availability=availability
    ) as service:
        reply = await service.ask()

    body = reply.json()
    assert (reply.status_code, body["answer_kind"], body["reason"]) == (
        status,
        "degraded",
        "model_unavailable",
    )
    assert "The alpha door opens at nine o'clock. [1]" in body["text"]
    assert [citation["document_id"] for citation in body["citations"]] == ["notes/a"]
    assert body["model"]["provider"] is None


async def test_the_team_may_choose_a_fixed_text_instead(database_url):
    async with live(
        database_url,
        Script(ProviderError("down")),
        availability={"degraded_mode": "template"},
    ) as service:
        body = (await service.ask()).json()

    assert (body["answer_kind"], body["text"]) == ("degraded", "Please come back later.")


async def test_the_team_may_choose_to_refuse(database_url):
    async with live(
        database_url, Script(ProviderError("down")), availability={"degraded_mode": "refuse"}
    ) as service:
        reply = await service.ask()
        *_, (name, data) = await service.events()

    assert reply.status_code == 503
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json().keys() == {"type", "title", "status", "trace_id"}
    assert (name, data["status"]) == ("error", 503)


async def test_an_answer_that_cites_what_it_was_not_given_is_not_full(database_url):
    async with live(database_url, Script("At nine [7].")) as service:
        body = (await service.ask()).json()

    assert (body["answer_kind"], body["reason"]) == ("degraded", "answer_rejected")


async def test_a_hanging_model_is_cut_before_the_objective(database_url):
    model = Script(60.0)

    async with live(database_url, model, latency={"p95_ms": 1500}) as service:
        begun = time.monotonic()
        body = (await service.ask()).json()
        took = time.monotonic() - begun

    assert body["answer_kind"] == "degraded"
    assert took < 1.5 + OVERRUN_S
    assert model.cancelled == 1


async def test_a_caller_may_want_an_answer_sooner(database_url):
    async with live(database_url, Script(60.0)) as service:
        begun = time.monotonic()
        body = (await service.ask(**{"x-request-timeout-ms": "1200"})).json()
        took = time.monotonic() - begun

    assert body["answer_kind"] == "degraded"
    assert took < 1.2 + OVERRUN_S


async def test_a_caller_cannot_have_more_time_than_the_objective(database_url):
    async with live(database_url, Script(60.0), latency={"p95_ms": 1200}) as service:
        begun = time.monotonic()
        await service.ask(**{"x-request-timeout-ms": "60000"})
        took = time.monotonic() - begun

    assert took < 1.2 + OVERRUN_S


@pytest.mark.parametrize("headers", [{}, STREAM], ids=["json", "stream"])
async def test_a_caller_who_leaves_stops_the_model(database_url, headers):
    model = Script(60.0)

    async with live(database_url, model) as service:
        asking = asyncio.create_task(service.ask(**headers))
        while not model.prompts:
            await asyncio.sleep(0.01)
        asking.cancel()
        async with asyncio.timeout(5):
            while not model.cancelled:
                await asyncio.sleep(0.01)

    assert model.cancelled == 1


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"question": ""}, "body.question: String should have at least 1 character"),
        ({"question": " \n "}, "body.question: String should have at least 1 character"),
        ({"question": "x" * 4001}, "body.question: String should have at most 4000 characters"),
        ({}, "body.question: Field required"),
        ({"question": "x", "user": "root"}, "body.user: Extra inputs are not permitted"),
        ([], "body: Input should be a valid dictionary or object to extract fields from"),
    ],
)
async def test_a_bad_body_is_refused_with_what_is_wrong(database_url, body, detail):
    async with live(database_url, read=False) as service:
        reply = await service.ask(body)

    assert reply.status_code == 422
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["detail"] == detail


async def test_a_huge_body_is_refused_unread(database_url):
    async with live(database_url, read=False) as service:
        reply = await service.ask({"question": "x" * 100_000})

    assert (reply.status_code, reply.headers["content-type"]) == (413, "application/problem+json")


async def test_a_bug_tells_the_caller_nothing_but_the_trace_id(database_url):
    async with live(database_url, Script(RuntimeError("password=hunter2"))) as service:
        reply = await service.ask()
        *_, (name, data) = await service.events()
        metrics = (await service.client.get("/metrics")).text

    assert reply.status_code == 500
    assert reply.json().keys() == {"type", "title", "status", "trace_id"}
    assert (name, data.keys()) == ("error", {"status", "trace_id"})
    assert 'answers_total{kind="refused",reason="crash"} 2.0' in metrics


async def test_callers_above_capacity_are_turned_away_at_once(database_url):
    async with live(database_url, Script(60.0), load={"peak_rps": 0.1}) as service:
        policy = service.service.policy
        assert (policy.concurrency, policy.queue) == (8, 2)
        inside = [asyncio.create_task(service.ask()) for _ in range(8)]
        while "answers_in_flight 8.0" not in (await service.client.get("/metrics")).text:
            await asyncio.sleep(0.01)

        begun = time.monotonic()
        reply = await service.ask()
        took = time.monotonic() - begun
        streamed = await service.ask(**STREAM)
        for task in inside:
            task.cancel()
        await asyncio.gather(*inside, return_exceptions=True)
        metrics = (await service.client.get("/metrics")).text

    assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
    assert took < 1
    assert streamed.status_code == 503
    assert "answers_shed_total 2.0" in metrics


async def test_feedback_is_kept_for_an_answer_that_was_given(database_url):
    async with live(database_url) as service:
        answer = (await service.ask()).json()
        url = f"/v1/answers/{answer['id']}/feedback"
        given = await service.client.post(url, json={"rating": "up", "comment": "good"})
        bad = await service.client.post(url, json={"rating": "sideways"})
        lost = await service.client.post("/v1/answers/none/feedback", json={"rating": "down"})

    assert [given.status_code, bad.status_code, lost.status_code] == [204, 422, 404]


async def test_probes_do_not_depend_on_the_database(database_url):
    async with live(database_url, read=False) as service:
        await service.service.answers._database.aclose()
        replies = [await service.client.get(path) for path in ("/livez", "/readyz")]

    assert [(reply.status_code, reply.text) for reply in replies] == [(200, "ok")] * 2


async def test_a_draining_replica_is_not_ready_but_answers_who_still_comes(database_url):
    async with live(database_url) as service:
        service.service.admission.draining = True
        ready = await service.client.get("/readyz")
        alive = await service.client.get("/livez")
        reply = await service.ask()

    assert [ready.status_code, alive.status_code, reply.status_code] == [503, 200, 200]
    assert reply.headers["connection"] == "close"


async def test_status_is_there_without_the_database(database_url):
    async with live(database_url, read=False) as service:
        service.service.sources._store._database = Database("postgresql://nobody@127.0.0.1:1/none")
        body = (await service.client.get("/status")).json()

    assert body["database"].startswith("the database failed")
    assert body["routes"] == {"answer": ["offline"]}


async def test_status_shows_what_the_replica_runs_on(database_url):
    async with live(database_url) as service:
        body = (await service.client.get("/status")).json()

    assert body["routes"] == {"answer": ["offline"]}
    assert body["objectives"]["latency"]["p95_ms"] == 8000
    assert body["policy"]["model_ms"] == 6680
    assert body["sources"]["notes"]["documents"] == 1


async def test_metrics_have_a_bucket_at_the_objective(database_url):
    async with live(database_url, latency={"p95_ms": 3300, "first_token_ms": 900}) as service:
        await service.ask()
        await service.events()
        text = (await service.client.get("/metrics")).text

    assert 'answer_duration_seconds_bucket{kind="full",le="3.3"}' in text
    assert 'answer_first_token_seconds_bucket{le="0.9"}' in text
    assert 'answers_total{kind="full",reason=""} 2.0' in text
    assert 'answers_total{kind="refused",reason=""} 0.0' in text
    assert 'slo_objective{slo="latency_p95_seconds"} 3.3' in text


async def test_a_hard_source_that_was_never_read_makes_an_answer_degraded(database_url):
    hard = {"sources": {"notes": NOTES | {"hard": True}}}
    async with live(database_url, Script("At nine [1].")) as service:
        service.service.sources._settings = make_settings(**hard).sources | {
            "other": make_settings(**hard).sources["notes"]
        }
        body = (await service.ask()).json()

    assert (body["answer_kind"], body["reason"]) == ("degraded", "source_out_of_date: other")


async def test_the_contract_is_the_one_that_was_frozen(database_url, request):
    frozen = request.path.parent / "openapi.json"

    async with live(database_url, read=False) as service:
        schema = service.api.openapi()

    schema["info"] = {"title": "", "version": "1"}
    assert schema == json.loads(frozen.read_text()), (
        "the HTTP contract changed; if that is meant, write the new one to openapi.json"
    )


async def test_a_huge_body_without_a_length_is_refused_too(database_url):
    async def endless():
        for _ in range(200):
            yield b"x" * 1024

    async with live(database_url, read=False) as service:
        reply = await service.client.post("/v1/answers", content=endless())

    assert (reply.status_code, reply.headers["content-type"]) == (413, "application/problem+json")
