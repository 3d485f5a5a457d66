"""The shapes at the edges: what adapters implement and what flows between steps."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

AnswerKind = Literal["full", "degraded", "refused"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, as the edge established it; never taken from the request body."""

    id: str
    groups: frozenset[str] = frozenset()


ANONYMOUS = Caller("anonymous")


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a source's listing; `fingerprint` changes when the item may have changed."""

    id: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Document:
    """One item of a source, read: Markdown `text`, and a `uri` that a reader can open."""

    id: str
    title: str
    uri: str
    text: str
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A verbatim part of a document: its text from `start` to `end`, under its `heading`."""

    id: str
    start: int
    end: int
    heading: str
    text: str

    @property
    def length(self) -> int:
        """Words in heading and text."""
        return len(self.heading.split()) + len(self.text.split())


class Source(Protocol):
    """A place documents come from."""

    def entries(self) -> AsyncIterator[Entry]:
        """List everything there is now, cheaply; what is not listed any more is forgotten.

        Raises:
            SourceError: The listing failed; nothing is forgotten then.
        """
        ...

    async def read(self, entry: Entry) -> Document:
        """Read one item.

        Raises:
            SourceError: This item cannot be read; the others still are.
        """
        ...


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that may answer a question. `text` is verbatim."""

    id: str
    document_id: str
    source: str
    title: str
    uri: str
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked; `passages` are numbered from 1 in `text`.

    Attributes:
        instructions: The system prompt.
        text: The user's message: numbered passages and the question.
        version: Hash of the prompt file's content.
    """

    instructions: str
    text: str
    version: str
    question: str
    passages: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class Delta:
    """The next piece of a text that is being written."""

    text: str


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model wrote and what it took. Units: tokens.

    Attributes:
        model: The model that answered, as the vendor names it.
        finish_reason: Why it stopped writing; None when the wire did not say, which is a fault.
    """

    text: str
    model: str
    finish_reason: str | None
    input_tokens: int = 0
    output_tokens: int = 0


class Provider(Protocol):
    """A model vendor. Neither retries nor waits longer than it is told."""

    def stream(
        self, model: str, prompt: Prompt, *, max_tokens: int, timeout_s: float
    ) -> AsyncGenerator[Delta | Completion]:
        """Ask `model` once: any number of `Delta`, then exactly one `Completion`.

        Raises:
            ProviderError: Any failure, the vendor's own error as its cause.
        """
        ...

    async def aclose(self) -> None:
        """Close its connections."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """A provider that can also turn texts into vectors."""

    async def embed(
        self,
        model: str,
        texts: Sequence[str],
        *,
        dimensions: int,
        kind: Literal["query", "document"],
        timeout_s: float,
    ) -> list[list[float]]:
        """One vector of `dimensions` numbers per text, in order.

        Raises:
            ProviderError: Any failure.
        """
        ...


@dataclass(frozen=True, slots=True)
class Draft:
    """A model's text before the output guard has seen it."""

    text: str
    provider: str
    model: str
    variant: str
    prompt_version: str
    finish_reason: str | None = "stop"
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a statement comes from; `quote` is a verbatim part of the document."""

    source: str
    document_id: str
    title: str
    quote: str
    uri: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller gets.

    Attributes:
        reason: Why the answer is not what it could be, or `not_found`; None otherwise.
        draft: The model's part in it, for the version tuple, usage and cost; None without one.
    """

    kind: AnswerKind
    text: str
    citations: tuple[Citation, ...] = ()
    reason: str | None = None
    draft: Draft | None = None
