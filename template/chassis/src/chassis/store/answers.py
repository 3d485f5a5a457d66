"""The answers that were given, by what made them, and what people said of them."""

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from ..errors import NotFound, StoreError
from ..ports import Answer
from ..request import Request
from . import tables
from .database import Database, storable


class AnswerStore:
    """Keeps no text: the version tuple, timings and feedback only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, request: Request, answer: Answer, trace_id: str) -> None:
        """Remember what made an answer, so that feedback can be counted by it."""
        draft = answer.draft
        row = {
            "id": request.id,
            "conversation_id": request.conversation_id and storable(request.conversation_id),
            "trace_id": trace_id,
            "answer_kind": answer.kind,
            "reason": answer.reason,
            "provider": draft.provider if draft else None,
            "model": draft.model if draft else None,
            "variant": draft.variant if draft else None,
            "prompt_version": draft.prompt_version if draft else None,
            "input_tokens": draft.input_tokens if draft else 0,
            "output_tokens": draft.output_tokens if draft else 0,
            "cost_usd": draft.cost_usd if draft else 0.0,
            "timings_ms": request.timings_ms,
        }
        async with self._database.begin() as connection:
            await connection.execute(insert(tables.answers).values(**row))

    async def add_feedback(
        self, answer_id: str, rating: str, reason: str | None, comment: str | None
    ) -> None:
        """Remember what a person said of an answer.

        Raises:
            NotFound: There is no such answer.
        """
        given = {"answer_id": answer_id, "rating": rating, "reason": reason, "comment": comment}
        row = {name: value and storable(value) for name, value in given.items()}
        try:
            async with self._database.begin() as connection:
                await connection.execute(insert(tables.feedback).values(**row))
        except StoreError as error:
            if isinstance(error.__cause__, IntegrityError):
                raise NotFound(f"no answer {answer_id!r}") from error
            raise
