"""The product through its front door. Yours: add what your service must and must not do."""

import pytest

from app import flow
from chassis.errors import InvalidInput, ProviderError
from chassis.gateway.gateway import Choice
from chassis.ports import ANONYMOUS
from chassis.prompts import NOT_FOUND
from chassis.request import start
from chassis.testing import Counting, Script, make_settings, opened

DOCUMENTS = {"alpha.md": "# Alpha\n\nThe alpha door opens at nine o'clock."}
QUESTION = "When does the alpha door open?"


@pytest.fixture
def ask(database_url):
    """Ask the flow a question about one document; the models answer in order."""

    async def ask_models(question, *models):
        async with opened("app", make_settings(), database_url) as app:
            app.sources["memory"] = Counting(dict(DOCUMENTS))
            await app.ingest()
            if models:
                app.service.gateway.routes["answer"][:] = [
                    Choice(f"p{n}/m", f"p{n}", "m", model) for n, model in enumerate(models, 1)
                ]
            request = start(question, app.service.policy, ANONYMOUS)
            return await flow.answer(request, app.service)

    return ask_models


async def test_without_a_model_the_documents_are_quoted(ask):
    answer = await ask(QUESTION)

    assert (answer.kind, answer.text) == ("full", "The alpha door opens at nine o'clock. [1]")
    assert [citation.document_id for citation in answer.citations] == ["memory/alpha.md"]


async def test_a_model_is_given_the_purpose_and_numbered_passages(ask):
    model = Script("At nine [1].")

    await ask(QUESTION, model)

    (prompt,) = model.prompts
    assert "Answers in tests." in prompt.instructions
    assert "[1] alpha.md > Alpha\nThe alpha door opens at nine o'clock." in prompt.text
    assert prompt.text.endswith(f"Question: {QUESTION}")


async def test_a_number_in_the_text_becomes_a_citation(ask):
    answer = await ask(QUESTION, Script("It opens at nine [1]."))

    assert (answer.kind, answer.text) == ("full", "It opens at nine [1].")
    assert [citation.quote for citation in answer.citations] == [
        "The alpha door opens at nine o'clock."
    ]


@pytest.mark.parametrize("text", ["It opens at nine.", "It opens at nine [2]."])
async def test_a_text_without_a_source_is_not_a_full_answer(ask, text):
    answer = await ask(QUESTION, Script(text))

    assert (answer.kind, answer.reason) == ("degraded", "answer_rejected")


async def test_that_the_documents_say_nothing_is_an_answer(ask):
    answer = await ask("Who painted the roof?", Script(NOT_FOUND))

    assert (answer.kind, answer.reason, answer.citations) == ("full", "not_found", ())


async def test_a_text_that_was_cut_short_is_not_a_full_answer(ask):
    answer = await ask(QUESTION, Script("It opens at nine [1]. And", finish_reason="length"))

    assert (answer.kind, answer.reason) == ("degraded", "cut_short")
    assert answer.text == "It opens at nine [1]. And"


async def test_a_text_that_a_filter_stopped_is_not_shown(ask):
    answer = await ask(QUESTION, Script("It opens [1]", finish_reason="content_filter"))

    assert (answer.kind, answer.reason) == ("degraded", "answer_rejected")


async def test_a_failing_model_falls_back_to_the_next(ask):
    answer = await ask(QUESTION, Script(ProviderError("down")), Script("At nine [1]."))

    assert answer.draft.provider == "p2"


async def test_when_every_model_fails_the_answer_is_degraded(ask):
    answer = await ask(QUESTION, Script(ProviderError("down")))

    assert (answer.kind, answer.reason) == ("degraded", "model_unavailable")


@pytest.mark.parametrize("question", ["", "\u200b\u2060", "x" * 4_001])
async def test_a_bad_question_is_refused_before_any_model_is_asked(ask, question):
    model = Script("unused")

    with pytest.raises(InvalidInput):
        await ask(question, model)

    assert model.prompts == []
