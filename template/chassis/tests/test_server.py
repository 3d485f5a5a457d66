import asyncio
import signal
import socket
import threading
import time

import httpx2
import pytest
from project import app, make_project, start_app

from chassis.simulator import simulator

QUESTION = {"question": "When does the alpha door open?"}


class Running:
    """A service in a process of its own."""

    def __init__(self, process, port: int, log: list[str]) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.log = log

    async def wait(self, timeout_s: float = 20) -> int:
        return await asyncio.to_thread(self.process.wait, timeout_s)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
async def serve(tmp_path, database_url):
    started = []

    async def start(**variables: str) -> Running:
        port = free_port()
        process = start_app(
            make_project(tmp_path / "project"),
            database_url,
            "serve",
            APP_PORT=str(port),
            **variables,
        )
        log: list[str] = []
        reader = threading.Thread(target=lambda: log.extend(process.stderr), daemon=True)
        reader.start()
        started.append((process, reader))
        async with asyncio.timeout(30), httpx2.AsyncClient() as client:
            while True:
                assert process.poll() is None, "".join(log)
                try:
                    await client.get(f"http://127.0.0.1:{port}/livez")
                    break
                except httpx2.TransportError:
                    await asyncio.sleep(0.05)
        return Running(process, port, log)

    yield start
    for process, reader in started:
        process.kill()
        process.wait()
        reader.join()
        process.stderr.close()


async def test_requests_in_flight_are_answered_before_the_process_ends(serve):
    async with simulator() as vendor:
        vendor.fault = "hang"
        running = await serve(
            OPENAI_API_KEY="k", APP_MODELS__PROVIDERS__OPENAI__BASE_URL=vendor.base_url("openai")
        )
        async with httpx2.AsyncClient(base_url=running.url, timeout=20) as client:
            asking = asyncio.create_task(client.post("/v1/answers", json=QUESTION))
            while not vendor.calls:
                await asyncio.sleep(0.01)
            running.process.send_signal(signal.SIGTERM)
            reply = await asking
        code = await running.wait()

    assert (reply.status_code, reply.json()["answer_kind"]) == (200, "degraded")
    assert code in (0, -signal.SIGTERM)  # the server raises the signal again when it is done


async def test_the_log_says_where_the_service_is(serve):
    running = await serve()
    running.process.send_signal(signal.SIGINT)
    await running.wait()

    assert f"url={running.url}" in "".join(running.log)


async def test_a_replica_says_that_it_is_not_ready_before_it_closes_its_port(serve):
    running = await serve(APP_DRAIN_S="3")
    async with httpx2.AsyncClient(base_url=running.url) as client:
        before = await client.get("/readyz")
        running.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            while (after := await client.get("/readyz")).status_code == 200:
                await asyncio.sleep(0.01)
    await running.wait()

    assert (before.status_code, after.status_code, after.text) == (200, 503, "draining")


@pytest.mark.parametrize("fault", ["hang", "drip"])
async def test_an_answer_is_in_time_whatever_the_vendor_does(serve, fault):
    async with simulator() as vendor:
        vendor.fault = fault
        running = await serve(
            OPENAI_API_KEY="k",
            APP_MODELS__PROVIDERS__OPENAI__BASE_URL=vendor.base_url("openai"),
            APP_OBJECTIVES__LATENCY__P95_MS="1500",
        )
        async with httpx2.AsyncClient(base_url=running.url, timeout=20) as client:
            begun = time.monotonic()
            reply = await client.post("/v1/answers", json=QUESTION)
            took = time.monotonic() - begun

    assert reply.json()["reason"] == "model_unavailable"
    assert took < 1.75
    assert len(vendor.calls) == 1


async def test_a_model_is_reached_through_the_base_url_of_the_environment(serve):
    async with simulator() as vendor:
        running = await serve(
            OPENAI_API_KEY="k", APP_MODELS__PROVIDERS__OPENAI__BASE_URL=vendor.base_url("openai")
        )
        async with httpx2.AsyncClient(base_url=running.url, timeout=20) as client:
            body = (await client.post("/v1/answers", json=QUESTION)).json()

    assert body["answer_kind"] == "full"
    assert body["text"].strip() == vendor.text
    assert body["model"]["provider"] == "openai"
    assert body["usage"] == {"input_tokens": 100, "output_tokens": 20, "cost_usd": 0.0002}


async def test_logs_carry_the_trace_and_neither_question_nor_key(serve, tmp_path, database_url):
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    app(make_project(tmp_path / "first"), database_url, "ingest")
    async with simulator() as vendor:
        running = await serve(
            OPENAI_API_KEY="sk-not-to-be-seen",
            APP_ENV="production",
            APP_MODELS__PROVIDERS__OPENAI__BASE_URL=vendor.base_url("openai"),
        )
        async with httpx2.AsyncClient(base_url=running.url, timeout=20) as client:
            await client.post("/v1/answers", json=QUESTION, headers={"traceparent": parent})
        running.process.send_signal(signal.SIGINT)
        await running.wait()

    text = "".join(running.log)
    answered = [line for line in running.log if '"answered"' in line]
    assert len(answered) == 1
    assert '"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"' in answered[0]
    assert "alpha" not in text
    assert "not-to-be-seen" not in text
