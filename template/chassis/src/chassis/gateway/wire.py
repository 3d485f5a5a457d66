"""Vendors' wire formats, through pydantic-ai's model classes: the only module that imports it.

Policy is not here: a model is asked once, without retries, and every failure is a
`ProviderError`. What the library lets pass (no finish reason, no choices, a body that is not
what the vendor documents) is a failure too.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Literal

import httpx2
from pydantic_ai.direct import model_request_stream
from pydantic_ai.embeddings import EmbeddingModel
from pydantic_ai.exceptions import AgentRunError
from pydantic_ai.messages import (
    ModelRequest,
    PartDeltaEvent,
    PartStartEvent,
    SystemPromptPart,
    TextPart,
    TextPartDelta,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.settings import ModelSettings

from ..errors import ConfigError, ProviderError
from ..ports import Completion, Delta, Prompt

CONNECT_S = 1.0
CONNECTIONS = 100

# Besides its own errors, the library lets these escape when a body is not what it should be.
MALFORMED = (IndexError, KeyError, TypeError, AttributeError, ValueError)


class Wire:
    """A `Provider`, and an `Embedder` where the vendor has embeddings.

    Args:
        name: The provider's name, for messages.
        model: Makes the vendor's model of a given name.
        embedding_model: The same for embedding models.
        http: The connections that both use; closed with this object.
    """

    def __init__(
        self,
        name: str,
        model: Callable[[str], Model],
        embedding_model: Callable[[str], EmbeddingModel] | None,
        http: httpx2.AsyncClient,
    ) -> None:
        self._name = name
        self._model = model
        self._embedding_model = embedding_model
        self._http = http

    async def stream(
        self, model: str, prompt: Prompt, *, max_tokens: int, timeout_s: float
    ) -> AsyncGenerator[Delta | Completion]:
        """See `Provider.stream`."""
        message = ModelRequest(
            parts=[SystemPromptPart(prompt.instructions), UserPromptPart(prompt.text)]
        )
        settings = ModelSettings(
            max_tokens=max_tokens, max_retries=0, timeout=timeout_s, request_timeout=timeout_s
        )
        try:
            async with model_request_stream(
                self._model(model),
                [message],
                model_settings=settings,
                model_request_parameters=ModelRequestParameters(),
            ) as events:
                async for event in events:
                    if text := text_of(event):
                        yield Delta(text)
                reply = events.get()
        except (AgentRunError, httpx2.HTTPError, TimeoutError, *MALFORMED) as error:
            raise ProviderError(f"{self._name}/{model}: {describe(error)}") from error
        yield Completion(
            text=reply.text or "",
            model=reply.model_name or model,
            finish_reason=reply.finish_reason,
            input_tokens=reply.usage.input_tokens,
            output_tokens=reply.usage.output_tokens,
        )

    async def embed(
        self,
        model: str,
        texts: Sequence[str],
        *,
        dimensions: int,
        kind: Literal["query", "document"],
        timeout_s: float,
    ) -> list[list[float]]:
        """See `Embedder.embed`."""
        if self._embedding_model is None:
            raise ProviderError(f"{self._name} has no embedding models; see [embeddings]")
        try:
            async with asyncio.timeout(timeout_s):
                result = await self._embedding_model(model).embed(
                    list(texts), input_type=kind, settings={"dimensions": dimensions}
                )
        except (AgentRunError, httpx2.HTTPError, TimeoutError, *MALFORMED) as error:
            raise ProviderError(f"{self._name}/{model}: {describe(error)}") from error
        vectors = [list(vector) for vector in result.embeddings]
        if len(vectors) != len(texts) or any(len(vector) != dimensions for vector in vectors):
            raise ProviderError(
                f"{self._name}/{model}: asked for {len(texts)} vectors of {dimensions} numbers, "
                f"got {len(vectors)} of {len(vectors[0]) if vectors else 0}"
            )
        return vectors

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def text_of(event: object) -> str:
    """The visible text that a stream event adds; thinking and tool calls add none."""
    match event:
        case PartStartEvent(part=TextPart(content=text)):
            return text
        case PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
            return text
        case _:
            return ""


def describe(error: BaseException) -> str:
    """What went wrong, for our own log: class and status, not the vendor's text."""
    status = getattr(error, "status_code", None)
    return f"{type(error).__name__}{f' (status {status})' if status else ''}"


def connections() -> httpx2.AsyncClient:
    """An HTTP client whose only own timeout is for connecting; the deadline rules the rest."""
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(None, connect=CONNECT_S),
        limits=httpx2.Limits(max_connections=CONNECTIONS),
    )


def openai(name: str, *, api_key: str, base_url: str | None = None) -> Wire:
    """OpenAI's chat completions, or any server that speaks them.

    Wire format: https://platform.openai.com/docs/api-reference/chat
    """
    try:
        from openai import AsyncOpenAI  # noqa: PLC0415
        from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel  # noqa: PLC0415
        from pydantic_ai.models.openai import OpenAIChatModel  # noqa: PLC0415
        from pydantic_ai.providers.openai import OpenAIProvider  # noqa: PLC0415
    except ImportError as error:
        raise missing_sdk(name, "openai") from error
    http = connections()
    # Embeddings take no per-call retry setting, so the client itself must not retry.
    client = AsyncOpenAI(base_url=base_url, api_key=api_key, http_client=http, max_retries=0)
    provider = OpenAIProvider(openai_client=client)
    # A stream that is cut looks like one that ended, unless the finish reason is demanded.
    profile: Any = {"openai_chat_streaming_requires_finish_reason": True}
    return Wire(
        name,
        lambda model: OpenAIChatModel(model, provider=provider, profile=profile),
        lambda model: OpenAIEmbeddingModel(model, provider=provider),
        http,
    )


def anthropic(name: str, *, api_key: str, base_url: str | None = None) -> Wire:
    """Anthropic's messages.

    Wire format: https://docs.anthropic.com/en/api/messages
    """
    try:
        from pydantic_ai.models.anthropic import AnthropicModel  # noqa: PLC0415
        from pydantic_ai.providers.anthropic import AnthropicProvider  # noqa: PLC0415
    except ImportError as error:
        raise missing_sdk(name, "anthropic") from error
    http = connections()
    provider = AnthropicProvider(api_key=api_key, base_url=base_url, http_client=http)
    return Wire(name, lambda model: AnthropicModel(model, provider=provider), None, http)


def google(name: str, *, api_key: str, base_url: str | None = None) -> Wire:
    """Google's Gemini API.

    Wire format: https://ai.google.dev/api/generate-content
    """
    try:
        from pydantic_ai.embeddings.google import GoogleEmbeddingModel  # noqa: PLC0415
        from pydantic_ai.models.google import GoogleModel  # noqa: PLC0415
        from pydantic_ai.providers.google import GoogleProvider  # noqa: PLC0415
    except ImportError as error:
        raise missing_sdk(name, "google") from error
    http = connections()
    provider = GoogleProvider(api_key=api_key, base_url=base_url, http_client=http)
    return Wire(
        name,
        lambda model: GoogleModel(model, provider=provider),
        lambda model: GoogleEmbeddingModel(model, provider=provider),
        http,
    )


def missing_sdk(name: str, extra: str) -> ConfigError:
    """The error for a vendor whose SDK is not installed."""
    return ConfigError(f"provider {name!r} needs its vendor's SDK; run `uv add 'chassis[{extra}]'`")
