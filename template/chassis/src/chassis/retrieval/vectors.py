"""Vectors of chunks and questions, when an embedding model is configured."""

import itertools

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
        for filled in itertools.count(step=BATCH):
            missing = await self._store.without_vector(self.name, BATCH)
            if not missing:
                return filled
            ids, texts = zip(*missing, strict=True)
            vectors = await self._embedder.embed(
                self._settings.model,
                texts,
                dimensions=self._settings.dimensions,
                kind="document",
                timeout_s=FILL_TIMEOUT_S,
            )
            await self._store.add_vectors(self.name, dict(zip(ids, vectors, strict=True)))
        raise AssertionError("unreachable")

    async def of_question(self, question: str, timeout_s: float) -> list[float]:
        """The question's vector.

        Raises:
            ProviderError: The embedding model failed or was too slow.
        """
        vectors = await self._embedder.embed(
            self._settings.model,
            [question],
            dimensions=self._settings.dimensions,
            kind="query",
            timeout_s=timeout_s,
        )
        return vectors[0]
