import asyncio
import time
from contextlib import aclosing

import pytest

from chassis.errors import ConfigError, MissingSecret, ProviderError
from chassis.ports import Completion, Delta, Prompt
from chassis.providers import anthropic, google, openai, openai_compatible
from chassis.secrets import Secrets
from chassis.simulator import Simulator, simulator

VENDORS = {"openai": openai, "anthropic": anthropic, "google": google}
KEYS = {"OPENAI_API_KEY": "key-1", "ANTHROPIC_API_KEY": "key-2", "GEMINI_API_KEY": "key-3"}
PROMPT = Prompt("Be brief.", "[1] Alpha\n\nQuestion: When?", "v1", "When?")

vendors = pytest.mark.parametrize("vendor", list(VENDORS))


@pytest.fixture
async def server():
    async with simulator() as running:
        yield running


@pytest.fixture
async def connect():
    """Connect a vendor's provider to a server; closed at the end of the test."""
    connected = []

    def connect_to(vendor: str, server: Simulator):
        provider = VENDORS[vendor].connect(Secrets(KEYS), base_url=server.base_url(vendor))
        connected.append(provider)
        return provider

    yield connect_to
    for provider in connected:
        await provider.aclose()


async def ask(provider, timeout_s: float = 5, max_tokens: int = 123):
    """Everything one call yields."""
    stream = provider.stream("model-1", PROMPT, max_tokens=max_tokens, timeout_s=timeout_s)
    async with aclosing(stream):
        return [event async for event in stream]


@vendors
async def test_text_arrives_in_pieces_and_then_as_a_whole(vendor, server, connect):
    *deltas, completion = await ask(connect(vendor, server))

    assert [type(delta) for delta in deltas] == [Delta] * 8
    assert "".join(delta.text for delta in deltas) == completion.text
    assert completion.text.strip() == server.text
    assert completion == Completion(completion.text, "model-1", "stop", 100, 20)


@vendors
async def test_a_request_carries_key_instructions_question_and_token_cap(vendor, server, connect):
    await ask(connect(vendor, server))

    (call,) = server.calls
    body = call.body
    sent = {
        "openai": lambda: {
            "key": call.headers["authorization"].removeprefix("Bearer "),
            "path": call.path,
            "system": body["messages"][0]["content"],
            "user": body["messages"][1]["content"],
            "cap": body["max_completion_tokens"],
        },
        "anthropic": lambda: {
            "key": call.headers["authorization"].removeprefix("Bearer "),
            "path": call.path.partition("?")[0],
            "system": body["system"]
            if isinstance(body["system"], str)
            else body["system"][0]["text"],
            "user": body["messages"][0]["content"][0]["text"],
            "cap": body["max_tokens"],
        },
        "google": lambda: {
            "key": call.headers["x-goog-api-key"],
            "path": call.path.partition("?")[0].replace("%3A", ":"),
            "system": body["systemInstruction"]["parts"][0]["text"],
            "user": body["contents"][0]["parts"][0]["text"],
            "cap": body["generationConfig"]["maxOutputTokens"],
        },
    }[vendor]()
    assert sent == {
        "key": {"openai": "key-1", "anthropic": "key-2", "google": "key-3"}[vendor],
        "path": {
            "openai": "/v1/chat/completions",
            "anthropic": "/v1/messages",
            "google": "/v1beta/models/model-1:streamGenerateContent",
        }[vendor],
        "system": "Be brief.",
        "user": PROMPT.text,
        "cap": 123,
    }


def refuse_unusable(vendor: str, events: list[object]) -> None:
    """What the gateway does with a completion without text or finish reason."""
    finished = events[-1]
    if isinstance(finished, Completion) and not (finished.text and finished.finish_reason):
        raise ProviderError(f"{vendor}/model-1: nothing usable")


@vendors
@pytest.mark.parametrize("fault", ["error", "busy", "html", "empty", "cut", "broken"])
async def test_a_failure_is_a_provider_error_after_one_call(vendor, fault, server, connect):
    server.fault = fault

    with pytest.raises(ProviderError, match=f"{vendor}/model-1: "):
        refuse_unusable(vendor, await ask(connect(vendor, server)))

    assert len(server.calls) == 1


@vendors
@pytest.mark.parametrize("fault", ["hang", "drip", "stall"])
async def test_a_slow_vendor_is_left_when_the_time_is_up(vendor, fault, server, connect):
    server.fault = fault
    begun = time.monotonic()

    with pytest.raises(ProviderError):
        await ask(connect(vendor, server), timeout_s=0.5)

    assert time.monotonic() - begun < 3
    assert len(server.calls) == 1


@vendors
async def test_a_caller_who_leaves_closes_the_connection(vendor, server, connect):
    server.fault = "stall"
    stream = connect(vendor, server).stream("model-1", PROMPT, max_tokens=123, timeout_s=30)
    written = []

    async def listen():
        async with aclosing(stream):
            async for event in stream:
                written.append(event)

    task = asyncio.create_task(listen())
    while len(written) < len(server.text.split()) // 2:
        await asyncio.sleep(0.01)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    async with asyncio.timeout(5):
        while not server.closed_early:
            await asyncio.sleep(0.01)


@vendors
async def test_an_unreachable_vendor_is_a_provider_error(vendor, connect):
    provider = connect(vendor, Simulator(port=1))

    with pytest.raises(ProviderError):
        await ask(provider)


@pytest.mark.parametrize("vendor", ["openai", "google"])
async def test_texts_become_vectors_of_the_length_asked_for(vendor, server, connect):
    vectors = await connect(vendor, server).embed(
        "embedding-1", ["a", "b", "c"], dimensions=64, kind="document", timeout_s=5
    )

    assert [len(vector) for vector in vectors] == [64, 64, 64]


@pytest.mark.parametrize("vendor", ["openai", "google"])
@pytest.mark.parametrize("fault", ["error", "hang", "html"])
async def test_a_failing_embedding_is_a_provider_error(vendor, fault, server, connect):
    server.fault = fault

    with pytest.raises(ProviderError):
        await connect(vendor, server).embed(
            "embedding-1", ["a"], dimensions=64, kind="query", timeout_s=0.5
        )

    assert len(server.calls) == 1


async def test_anthropic_has_no_embeddings(server, connect):
    with pytest.raises(ProviderError, match="has no embedding models"):
        await connect("anthropic", server).embed(
            "m", ["a"], dimensions=64, kind="query", timeout_s=1
        )


async def test_a_compatible_server_needs_no_key(server):
    provider = openai_compatible.connect(Secrets({}), base_url=server.base_url("openai"))

    *_, completion = await ask(provider)
    await provider.aclose()

    assert completion.text.strip() == server.text


@vendors
def test_a_missing_key_is_named(vendor):
    with pytest.raises(MissingSecret, match="_API_KEY is not set"):
        VENDORS[vendor].connect(Secrets({}))


def test_a_missing_sdk_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pydantic_ai.models.openai", None)

    with pytest.raises(ConfigError, match=r"uv add 'chassis\[openai\]'"):
        openai.connect(Secrets(KEYS))
