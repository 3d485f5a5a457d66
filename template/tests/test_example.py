"""Questions about the sample handbook. Delete this file with data/handbook."""

from pathlib import Path

import pytest

from app import flow
from chassis.ports import ANONYMOUS
from chassis.request import start
from chassis.testing import make_settings, opened

HANDBOOK = Path(__file__).parents[1] / "data" / "handbook"


@pytest.fixture
async def ask(database_url):
    """Ask the flow a question about the handbook."""
    settings = make_settings(sources={"files": {"path": str(HANDBOOK)}})
    async with opened("app", settings, database_url) as app:
        await app.ingest()

        async def ask_flow(question):
            request = start(question, app.service.policy, ANONYMOUS)
            return await flow.answer(request, app.service)

        yield ask_flow


@pytest.mark.parametrize(
    ("question", "fact", "document"),
    [
        (
            "What does a diagnosis of a Kestrel 20 cost in the workshop?",
            "EUR 95 for a Kestrel 20",
            "files/operations/repair-workshop.md",
        ),
        (
            "What is the factory brew temperature of the Kestrel 20?",
            "92.5 °C",
            "files/products/kestrel-20.pdf",
        ),
    ],
)
async def test_a_question_about_the_handbook_is_answered_from_the_right_document(
    ask, question, fact, document
):
    answer = await ask(question)

    assert fact in answer.text
    assert document in [citation.document_id for citation in answer.citations]
