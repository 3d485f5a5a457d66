from team import flow

from chassis.ports import ANONYMOUS
from chassis.request import start
from chassis.testing import make_settings, opened

NOTES = {"adapter": "notes", "texts": {"a": "# Alpha\n\nThe alpha door opens at nine o'clock."}}


async def test_a_question_is_answered_from_a_document(database_url):
    settings = make_settings(sources={"notes": NOTES})

    async with opened("team", settings, database_url) as app:
        await app.ingest()
        request = start("When does the alpha door open?", app.service.policy, ANONYMOUS)
        answer = await flow.answer(request, app.service)

    assert answer.text == "The alpha door opens at nine o'clock. [1]"
    assert [citation.document_id for citation in answer.citations] == ["notes/a"]
