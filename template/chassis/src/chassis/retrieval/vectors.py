"""Vectors of chunks and questions, when an embedding model is configured."""

import asyncio
from collections.abc import Sequence
from typing import Literal

from ..errors import ProviderError
from ..ports import Embedder
from ..settings import Embeddings
from ..store.documents import DocumentStore

BATCH = 64
FILL_TIMEOUT_S = 30


class Vectors:
    """Embeds chunks ahead of time and questions as they come.

    Args:
        settings: The model and the length of its vectors.
    """

    def __init__(self, settings: Embeddings, embedder: Embedder, store: DocumentStore) -> None:
        self._settings = settings
        self._embedder = embedder
        self._store = store

    @property
    def name(self) -> str:
        """Under which name the vectors are stored; another model or length is another name."""
        return f"{self._settings.provider}/{self._settings.model}/{self._settings.dimensions}"

    async def fill(self) -> int:
        """Embed the chunks that have no vector yet; return how many.

        Raises:
            ProviderError: The embedding model failed; what was done is kept.
        """
        filled = 0
        async with self._store.alone("vectors") as alone:
            while alone and (missing := await self._store.without_vector(self.name, BATCH)):
                ids, texts = zip(*missing, strict=True)
                vectors = await self._embed(texts, "document", FILL_TIMEOUT_S)
                await self._store.add_vectors(self.name, dict(zip(ids, vectors, strict=True)))
                filled += len(ids)
        return filled

    async def of_question(self, question: str, timeout_s: float) -> list[float]:
        """The question's vector.

        Raises:
            ProviderError: The embedding model failed or was too slow.
        """
        return (await self._embed([question], "query", timeout_s))[0]

    async def _embed(
        self, texts: Sequence[str], kind: Literal["query", "document"], timeout_s: float
    ) -> list[list[float]]:
        try:
            async with asyncio.timeout(timeout_s):
                vectors = await self._embedder.embed(
                    self._settings.model,
                    texts,
                    dimensions=self._settings.dimensions,
                    kind=kind,
                    timeout_s=timeout_s,
                )
        except TimeoutError as error:
            raise ProviderError(f"{self.name}: no vectors within {timeout_s:.1f} s") from error
        if [len(vector) for vector in vectors] != [self._settings.dimensions] * len(texts):
            raise ProviderError(f"{self.name}: not one vector of that length for each text")
        return vectors
