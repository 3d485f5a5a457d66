import pytest

from chassis.degraded import Degraded
from chassis.errors import (
    DeadlineExceeded,
    NoModelLeft,
    OutputRejected,
    ProviderError,
    StoreError,
)
from chassis.ports import Passage
from chassis.prompts import Prompts
from chassis.testing import make_settings

ALPHA = Passage(
    "1", "files/a.md", "files", "Alpha", "a.md", "Alpha", "The alpha door opens at nine. It is red."
)
FAILURE = NoModelLeft("answer", {})


def degraded(mode):
    settings = make_settings(availability={"degraded_mode": mode})
    return Degraded(settings.objectives.availability, Prompts("team", {"purpose": "Doors."}))


def test_sources_only_says_what_the_documents_say():
    answer = degraded("sources_only").answer("When does the alpha door open?", [ALPHA], FAILURE)

    assert answer.text == (
        "No full answer can be given right now. What the documents say: "
        "The alpha door opens at nine. [1]"
    )
    assert (answer.kind, answer.reason, answer.draft) == ("degraded", "model_unavailable", None)
    assert [citation.quote for citation in answer.citations] == ["The alpha door opens at nine."]


def test_sources_only_says_so_when_no_passage_fits():
    answer = degraded("sources_only").answer("How heavy is gamma?", [ALPHA], FAILURE)

    assert answer.text == "No full answer can be given right now, and no passage fits well enough."
    assert (answer.kind, answer.citations) == ("degraded", ())


def test_sources_only_without_a_passage_says_that_nothing_was_found():
    answer = degraded("sources_only").answer("When?", [], FAILURE)

    assert answer.text == "No full answer can be given right now, and no passage fits well enough."
    assert (answer.kind, answer.citations) == ("degraded", ())


def test_a_template_is_said_whatever_was_found():
    for passages in ([], [ALPHA]):
        answer = degraded("template").answer("When does the alpha door open?", passages, FAILURE)

        assert (answer.text, answer.citations) == ("Please come back later.", ())


def test_a_team_that_refuses_gives_the_failure():
    with pytest.raises(NoModelLeft) as caught:
        degraded("refuse").answer("When does the alpha door open?", [ALPHA], FAILURE)

    assert caught.value is FAILURE


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (FAILURE, "model_unavailable"),
        (DeadlineExceeded("generate"), "deadline"),
        (OutputRejected("cites nothing"), "answer_rejected"),
        (StoreError("away"), "store_unavailable"),
        (ProviderError("other"), "unavailable"),
    ],
)
def test_the_reason_says_what_failed(failure, reason):
    assert degraded("template").answer("?", [], failure).reason == reason
