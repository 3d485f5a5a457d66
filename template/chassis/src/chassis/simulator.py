"""A stand-in for model vendors, on a real socket, that can be told to fail.

Written by hand after the vendors' documentation; not the vendors' own software. It speaks the
streamed form of OpenAI's chat completions, Anthropic's messages and Google's
`streamGenerateContent`, and the embeddings of the first and the last.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

Fault = Literal[
    "none",
    "hang",  # takes the request and never answers
    "drip",  # one byte a second
    "stall",  # the first half of the text, then nothing
    "error",  # status 500
    "busy",  # status 429 with Retry-After: 30
    "html",  # status 200 and a web page
    "empty",  # a well-formed answer without any choice
    "cut",  # ends in the middle, without a finish reason
    "broken",  # a body that is not JSON
]
USAGE = {"input": 100, "output": 20}
PAGE = b"<html><body>Welcome to the proxy</body></html>"


@dataclass(frozen=True, slots=True)
class Call:
    """One request that came in."""

    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass(slots=True)
class Simulator:
    """What the server does; change it between calls.

    Attributes:
        text: What every model writes.
        fault: How it fails.
        calls: The requests so far.
        closed_early: How many callers closed the connection before the end.
    """

    text: str = "The alpha door opens at nine o'clock [1]."
    fault: Fault = "none"
    calls: list[Call] = field(default_factory=list)
    closed_early: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        """The server's address, without a path."""
        return f"http://127.0.0.1:{self.port}"

    def base_url(self, provider: str) -> str:
        """What to set as a provider's `base_url`."""
        return self.url + {"openai": "/v1", "openai_compatible": "/v1"}.get(provider, "")


@asynccontextmanager
async def simulator() -> AsyncIterator[Simulator]:
    """Run a simulator."""
    made = Simulator()

    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await answer(made, reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(serve(reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def answer(
    made: Simulator, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Read one request and answer it as the simulator is set."""
    call = await read_call(reader)
    made.calls.append(call)
    work = asyncio.ensure_future(respond(made, call, writer))
    gone = asyncio.ensure_future(reader.read(1))
    await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
    # A caller who leaves is seen by the reader, or by a write that fails.
    if not work.done() or work.exception():
        made.closed_early += 1
    for running in (work, gone):
        running.cancel()
    await asyncio.gather(work, gone, return_exceptions=True)


async def read_call(reader: asyncio.StreamReader) -> Call:
    """Parse one HTTP request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    pairs = (line.split(":", 1) for line in lines)
    headers = {name.lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Call(first.split(" ")[1], headers, json.loads(body or b"null"))


async def respond(made: Simulator, call: Call, writer: asyncio.StreamWriter) -> None:
    """Write the response, or fail."""
    match made.fault:
        case "hang":
            await asyncio.Event().wait()
        case "error":
            await send(writer, "500 Internal Server Error", "application/json", [b"{}"])
        case "busy":
            extra = "Retry-After: 30\r\n"
            await send(writer, "429 Too Many Requests", "application/json", [b"{}"], extra)
        case "html":
            await send(writer, "200 OK", "text/html", [PAGE])
        case "drip":
            body = b"".join(events_of(made, call))
            await send(writer, "200 OK", content_type(call), [], "")
            for byte in body:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(1)
        case _:
            await send(writer, "200 OK", content_type(call), events_of(made, call))
            if made.fault == "stall":
                await asyncio.Event().wait()


async def send(
    writer: asyncio.StreamWriter, status: str, kind: str, parts: Any, extra: str = ""
) -> None:
    """Write a response that ends when the connection is closed."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{extra}Connection: close\r\n\r\n"
    writer.write(head.encode())
    for part in parts:
        writer.write(part)
        await writer.drain()


def content_type(call: Call) -> str:
    """JSON for embeddings, server-sent events for everything else."""
    return "application/json" if is_embedding(call) else "text/event-stream"


def is_embedding(call: Call) -> bool:
    """Whether the request wants vectors."""
    return "embed" in call.path


def events_of(made: Simulator, call: Call) -> Iterator[bytes]:
    """The body of a response in the vendor's format, in pieces."""
    if is_embedding(call):
        yield json.dumps(embeddings(call)).encode()
        return
    if made.fault == "broken":
        yield b'data: {"choices": [{"delta": \n\n'
        return
    write = anthropic if "/messages" in call.path else google if "Content" in call.path else openai
    pieces = [f"{word} " for word in made.text.split(" ")]
    if made.fault in ("cut", "stall"):
        pieces = pieces[: len(pieces) // 2]
    if made.fault == "empty":
        pieces = []
    yield from write(pieces, model_of(call), made.fault)


def model_of(call: Call) -> str:
    """The model asked for: Google has it in the path, the others in the body."""
    in_path = call.path.rpartition("/")[2].replace("%3A", ":").partition(":")[0]
    return str(call.body.get("model", in_path))


def data(body: Mapping[str, Any], event: str | None = None) -> bytes:
    """One server-sent event."""
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {json.dumps(body)}\n\n".encode()


def openai(pieces: list[str], model: str, fault: Fault) -> Iterator[bytes]:
    """Chat completion chunks.

    Source: https://platform.openai.com/docs/api-reference/chat-streaming
    """

    def chunk(choices: list[dict[str, Any]], **more: Any) -> bytes:
        return data(
            {
                "id": "c1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": model,
                "choices": choices,
                **more,
            }
        )

    for piece in pieces:
        yield chunk([{"index": 0, "delta": {"content": piece}, "finish_reason": None}])
    if fault in ("cut", "stall"):
        return
    if fault != "empty":
        yield chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    counted = {
        "prompt_tokens": USAGE["input"],
        "completion_tokens": USAGE["output"],
        "total_tokens": sum(USAGE.values()),
    }
    yield chunk([], usage=counted)
    yield b"data: [DONE]\n\n"


def anthropic(pieces: list[str], model: str, fault: Fault) -> Iterator[bytes]:
    """Message events.

    Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming
    """
    message: dict[str, Any] = {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": USAGE["input"], "output_tokens": 1},
    }
    yield data({"type": "message_start", "message": message}, "message_start")
    if pieces:
        block = {"type": "text", "text": ""}
        start = {"type": "content_block_start", "index": 0, "content_block": block}
        yield data(start, "content_block_start")
    for piece in pieces:
        delta = {"type": "text_delta", "text": piece}
        yield data(
            {"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta"
        )
    if fault in ("cut", "stall"):
        return
    if pieces:
        yield data({"type": "content_block_stop", "index": 0}, "content_block_stop")
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    usage = {"output_tokens": USAGE["output"]}
    yield data({"type": "message_delta", "delta": end, "usage": usage}, "message_delta")
    yield data({"type": "message_stop"}, "message_stop")


def google(pieces: list[str], model: str, fault: Fault) -> Iterator[bytes]:
    """`streamGenerateContent` chunks.

    Source: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
    """
    usage = {
        "promptTokenCount": USAGE["input"],
        "candidatesTokenCount": USAGE["output"],
        "totalTokenCount": sum(USAGE.values()),
    }
    ends = fault not in ("cut", "stall")
    for place, piece in enumerate(pieces):
        content = {"role": "model", "parts": [{"text": piece}]}
        candidate: dict[str, Any] = {"index": 0, "content": content}
        if ends and place == len(pieces) - 1:
            candidate["finishReason"] = "STOP"
        yield data({"candidates": [candidate], "usageMetadata": usage, "modelVersion": model})
    if not pieces:
        yield data({"candidates": [], "usageMetadata": usage, "modelVersion": model})


def embeddings(call: Call) -> dict[str, Any]:
    """Vectors of ones, as many and as long as asked for.

    Sources: https://platform.openai.com/docs/api-reference/embeddings and
    https://ai.google.dev/api/embeddings
    """
    if "requests" in call.body:
        asked = call.body["requests"]
        length = asked[0].get("outputDimensionality", 8)
        return {"embeddings": [{"values": [1.0] * length} for _ in asked]}
    length = call.body.get("dimensions", 8)
    vectors = [
        {"object": "embedding", "index": place, "embedding": [1.0] * length}
        for place, _ in enumerate(call.body["input"])
    ]
    used = {"prompt_tokens": 1, "total_tokens": 1}
    return {"object": "list", "model": call.body["model"], "data": vectors, "usage": used}
