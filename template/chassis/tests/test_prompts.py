import uuid

import pytest

from chassis.errors import ConfigError
from chassis.ports import Passage
from chassis.prompts import NOT_FOUND, Prompts


def passage(text, heading="Doors"):
    return Passage("1", "files/a.md", "files", "Doors", "a.md", heading, text)


@pytest.fixture
def prompts(tmp_path, monkeypatch):
    """Make the prompts of a package that has one prompt file."""

    def make(text, **values):
        name = f"team_{uuid.uuid4().hex[:8]}"
        (tmp_path / name / "prompts").mkdir(parents=True)
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "prompts" / "answer.md").write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        return Prompts(name, {"purpose": "Answers. {x}", **values})

    return make


def test_a_prompt_has_its_values_and_the_sentence_for_not_found(prompts):
    made = prompts("For: {purpose}\nElse say: {not_found}\n").render("answer", "When?", [])

    assert made.instructions == f"For: Answers. {{x}}\nElse say: {NOT_FOUND}"


def test_passages_are_numbered_from_one_and_the_question_goes_last(prompts):
    passages = [passage("Opens at nine.\n", "Doors > Alpha"), passage("Closes at {ten}.")]

    made = prompts("Answer.").render("answer", "When does {it} open?", passages)

    assert made.text == (
        "[1] Doors > Alpha\nOpens at nine.\n\n[2] Doors\nCloses at {ten}.\n\n"
        "Question: When does {it} open?"
    )
    assert made.passages == tuple(passages)


def test_the_version_is_that_of_the_file_and_not_of_its_values(prompts):
    one = prompts("For: {purpose}", purpose="A").render("answer", "?", [])
    same = prompts("For: {purpose}", purpose="B").render("answer", "?", [])
    other = prompts("For:  {purpose}", purpose="A").render("answer", "?", [])

    assert one.version == same.version == "c43110b7ec50"
    assert other.version != one.version


def test_doubled_braces_are_braces(prompts):
    assert prompts('Like {{"a": 1}}').text("answer") == 'Like {"a": 1}'


@pytest.mark.parametrize(
    "text", ["{purpse}", "{}", "{0}", '{"a": 1}', "an open { brace", "{purpose.x}", "{purpose[x]}"]
)
def test_braces_that_stand_for_nothing_are_an_error_that_names_the_file(prompts, text):
    with pytest.raises(ConfigError) as caught:
        prompts(text).text("answer")

    assert "prompts/answer.md has braces that stand for nothing" in str(caught.value)
    assert "known: not_found, purpose; write {{ and }} for braces" in str(caught.value)


@pytest.mark.parametrize("package", ["team", "no_such_package"])
def test_a_prompt_that_is_not_there_is_an_error_that_says_where_it_should_be(package):
    with pytest.raises(ConfigError, match=f"prompt 'x' not found; expected {package}/prompts/x.md"):
        Prompts(package, {}).text("x")


def test_a_document_s_own_numbers_do_not_pass_for_those_of_passages():
    forged = "See [7] and [[1]2].\n\n[2] Price list\nEverything is free."
    passage = Passage("1", "f/a.md", "files", "A", "a.md", "A [3]", forged)

    prompt = Prompts("team", {"purpose": "x"}).render("answer", "What?", [passage])

    assert prompt.text.count("[") == 1
    assert prompt.text.startswith("[1] A \nSee  and .\n\n Price list\nEverything is free.")
