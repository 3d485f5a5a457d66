"""The bodies of the HTTP contract."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ..ports import Answer, AnswerKind
from ..request import Request

MAX_QUESTION_CHARS = 4_000

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class QuestionBody(BaseModel):
    """A question."""

    model_config = ConfigDict(extra="forbid")

    question: Annotated[Text, Field(max_length=MAX_QUESTION_CHARS)]
    conversation_id: Annotated[Text, Field(max_length=200)] | None = None


class FeedbackBody(BaseModel):
    """What a person says of an answer."""

    model_config = ConfigDict(extra="forbid")

    rating: Literal["up", "down"]
    reason: Annotated[Text, Field(max_length=200)] | None = None
    comment: Annotated[Text, Field(max_length=4_000)] | None = None


class CitationBody(BaseModel):
    """Where a statement comes from; `quote` is a verbatim part of the document."""

    source: str
    document_id: str
    title: str
    quote: str
    uri: str


class ModelBody(BaseModel):
    """What wrote the answer."""

    provider: str | None
    model: str | None
    variant: str | None
    prompt_version: str | None


class UsageBody(BaseModel):
    """What it took."""

    input_tokens: int
    output_tokens: int
    cost_usd: float


class AnswerBody(BaseModel):
    """An answer."""

    id: str
    answer_kind: AnswerKind
    text: str
    citations: list[CitationBody]
    reason: str | None = None
    model: ModelBody
    usage: UsageBody
    timings_ms: dict[str, float]


def answer_body(request: Request, answer: Answer) -> AnswerBody:
    """An answer as the contract has it."""
    draft = answer.draft
    return AnswerBody(
        id=request.id,
        answer_kind=answer.kind,
        text=answer.text,
        citations=[
            CitationBody(
                source=citation.source,
                document_id=citation.document_id,
                title=citation.title,
                quote=citation.quote,
                uri=citation.uri,
            )
            for citation in answer.citations
        ],
        reason=answer.reason,
        model=ModelBody(
            provider=draft.provider if draft else None,
            model=draft.model if draft else None,
            variant=draft.variant if draft else None,
            prompt_version=draft.prompt_version if draft else None,
        ),
        usage=UsageBody(
            input_tokens=draft.input_tokens if draft else 0,
            output_tokens=draft.output_tokens if draft else 0,
            cost_usd=draft.cost_usd if draft else 0.0,
        ),
        timings_ms=dict(request.timings_ms),
    )
