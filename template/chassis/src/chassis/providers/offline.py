"""An answerer without a model: it quotes the sentences that fit the question best.

Deterministic, no network. What a service without keys runs on; see `chassis.extraction`.
"""

import re
from collections.abc import AsyncGenerator

from ..extraction import extract
from ..ports import Completion, Delta, Prompt, Provider
from ..secrets import Secrets

MODEL = "extractive"


class Offline:
    """A `Provider` that needs nothing."""

    async def stream(
        self, model: str, prompt: Prompt, *, max_tokens: int, timeout_s: float
    ) -> AsyncGenerator[Delta | Completion]:
        """Quote up to three sentences, each with its passage's number, word by word."""
        text = extract(prompt.question, prompt.passages, max_tokens)
        for piece in re.findall(r"\S+\s*", text):
            yield Delta(piece)
        yield Completion(text, model, "stop")

    async def aclose(self) -> None:
        """Nothing to close."""


def connect(secrets: Secrets) -> Provider:
    """Build the provider."""
    return Offline()
