import pytest

from chassis.citations import resolve
from chassis.extraction import extract
from chassis.lines import lines, plain
from chassis.ports import Completion, Delta, Passage, Prompt
from chassis.prompts import NOT_FOUND
from chassis.providers.offline import connect
from chassis.secrets import Secrets

TABLE = """\
| Model | Opens | Weight | Price, EU |
|:---|---|---:|---|
| Door 2 | 9:00 | **11 kg** | EUR 899 |
| Door 2S | 10:00 | 12 kg | EUR 1,149 |
| Door 20 | 11:00 |  | EUR 3,490 |
"""


def passage(text, heading="Doors > Opening"):
    title = heading.partition(" > ")[0]
    return Passage(heading, f"files/{title}", "files", title, "d.md", heading, text)


def answer(question, *texts, max_tokens=400):
    passages = [text if isinstance(text, Passage) else passage(text) for text in texts]
    found = extract(question, passages, max_tokens)
    assert resolve(found, passages)[1] == []
    return found


ALPHA = "The alpha door opens at nine o'clock. It is made of brass. Ask for the key at the desk."
BETA = "The beta door opens at ten o'clock. It is made of steel."


def test_the_sentence_that_fits_is_quoted_with_its_passages_number():
    assert answer("When does the beta door open?", ALPHA, BETA) == (
        "The beta door opens at ten o'clock. [2]"
    )


def test_the_same_question_has_the_same_answer():
    answers = {answer("When does a door open?", ALPHA, BETA) for _ in range(20)}

    assert answers == {
        "The alpha door opens at nine o'clock. [1] The beta door opens at ten o'clock. [2]"
    }


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of France?",
        "How loud is the gamma window in decibels?",
        "What does error E212 mean?",
        "When does the Alpha 80 open?",
        "When does the door open in Canada and Australia?",
        "",
        "?",
        "What is it?",
    ],
)
def test_what_the_passages_do_not_say_is_not_found(question):
    assert answer(question, ALPHA, BETA, "Error E21 means that Alpha 8 is open.") == NOT_FOUND


def test_nothing_is_found_without_passages():
    assert answer("When does the beta door open?") == NOT_FOUND


@pytest.mark.parametrize(
    ("name", "expected"), [("Door 2", "11 kg"), ("Door 2S", "12 kg"), ("Door 20", "13 kg")]
)
def test_a_name_is_not_one_that_only_begins_like_it(name, expected):
    texts = [f"The weight of the {model} is {weight}." for model, weight in
             (("Door 20", "13 kg"), ("Door 2S", "12 kg"), ("Door 2", "11 kg"))]  # fmt: skip

    assert expected in answer(f"What is the weight of the {name}?", *texts)
    assert answer(f"What is the weight of the {name}?", *texts).count("kg") == 1


def test_a_heading_says_what_a_sentence_is_about():
    two = passage("It weighs 11 kg.", "Door 2")
    other = passage("It weighs 13 kg.", "Door 20")

    assert answer("What does the Door 20 weigh?", two, other) == "It weighs 13 kg. [2]"
    assert answer("What does the Door 2 weigh?", other, two) == "It weighs 11 kg. [2]"


def test_a_table_row_is_read_with_the_names_of_its_columns():
    assert answer("What is the price of the Door 2S?", TABLE) == (
        "Door 2S - Opens: 10:00; Weight: 12 kg; Price, EU: EUR 1,149 [1]."
    )


def test_a_column_counts_as_said_in_each_row():
    found = answer("What are weight and price of the Door 2, and when is it open?", TABLE)

    assert found.startswith("Door 2 - Opens: 9:00; Weight: 11 kg")


def test_the_first_row_and_the_rule_of_a_table_are_no_answer():
    shown = [line.text for line in lines(passage(TABLE))]

    assert shown == [
        "Door 2 - Opens: 9:00; Weight: 11 kg; Price, EU: EUR 899",
        "Door 2S - Opens: 10:00; Weight: 12 kg; Price, EU: EUR 1,149",
        "Door 20 - Opens: 11:00; Price, EU: EUR 3,490",
    ]


def test_a_table_of_two_columns_is_read_as_name_and_value():
    [line] = lines(passage("| Attribute | Value |\n|---|---|\n| Tank | 2.0 L |"))

    assert (line.text, line.quote) == ("Tank: 2.0 L", "| Tank | 2.0 L |")


def test_a_table_that_was_cut_takes_its_columns_from_the_heading():
    begun = passage("| Hinge | 12 | 11 |", "Prices\n| Part | EU | UK |\n| --- | --- | --- |")

    assert [line.text for line in lines(begun)] == ["Hinge - EU: 12; UK: 11"]


def test_rows_without_columns_are_read_as_a_list():
    assert [line.text for line in lines(passage("| Hinge | 12 | 11 |"))] == ["Hinge, 12, 11"]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("- **Bold** and *italic*, ~~gone~~", "Bold and italic, gone"),
        ("2. [x] A task with `code_in_it`", "A task with code_in_it"),
        ("> ## A [link](http://x.example/a_b) ![image](y.png)", "A link"),
        ("See [3] and [12, 4] and [^1].", "See  and  and ."),
        (r"See \[7\] and [**2**] and [`3`] and [[1]2].", "See  and  and  and ."),
        ("A snake_case_name and 5 * 3 * 2", "A snake_case_name and 5 * 3 * 2"),
        (r"Escaped \* and \| here", "Escaped * and | here"),
        ("<b>Bold</b><br/>x < 3 and y > 2<!-- hidden -->", "Boldx < 3 and y > 2"),
        ("-5 degrees, #1 and 3.5", "-5 degrees, #1 and 3.5"),
        ("__init__ and a*b*c", "init and a*b*c"),
    ],
)
def test_an_answer_has_no_markdown_in_it(markdown, expected):
    assert plain(markdown) == expected


def test_a_number_in_brackets_in_a_document_is_not_taken_for_a_citation():
    assert answer("When does the gamma door open?", "The gamma door opens at one [7].") == (
        "The gamma door opens at one . [1]"
    )


def test_a_question_for_a_number_prefers_a_sentence_with_one():
    said = "How many doors open is written on the sheet. Six doors: 6 of them open."

    assert answer("How many doors open?", said).startswith("Six doors: 6 of them open.")


def test_what_is_said_twice_is_quoted_once_from_the_first():
    expected = "The beta door opens at ten o'clock. [1]"

    assert answer("When does the beta door open?", f"{BETA}\n{BETA}") == expected
    for _ in range(20):
        assert answer("When does the beta door open?", BETA, BETA, BETA) == expected


def test_a_code_or_model_that_no_passage_has_is_not_found_however_much_else_fits():
    error = "Error E21 of the alpha door means open."

    assert answer("What does error E21 of the alpha door mean?", error).startswith(error)
    assert answer("What does error E212 of the alpha door mean?", error) == NOT_FOUND
    assert answer("When does the Alpha 80 door open?", "The Alpha 8 door opens at 9.") == NOT_FOUND


def test_what_is_said_of_a_similar_name_is_no_answer():
    other = "The weight of the Door 20 with 2 locks is 13 kg."

    assert answer("What is the weight of the Door 2?", "The Door 2 is green.", other) == NOT_FOUND


def test_what_stands_under_a_similar_name_is_no_answer():
    other = passage("It weighs 13 kg with 2 locks.", "Door 20")
    right = passage("It weighs 11 kg.", "Door 2")

    assert answer("What does the Door 2 weigh?", other, right) == "It weighs 11 kg. [2]"


def test_a_name_alone_makes_no_answer():
    said = ("The Door 2 is green and has 3 locks.", "You weigh 18 g of coffee.")

    found = answer("What does the Door 2 weigh?", *(passage(text, "House") for text in said))

    assert found == NOT_FOUND


@pytest.mark.parametrize(("max_tokens", "sentences"), [(400, 3), (40, 2), (15, 1), (1, 1)])
def test_an_answer_keeps_to_its_length_but_has_a_whole_sentence(max_tokens, sentences):
    # Three sentences of 60 characters and more, each about 15 tokens.
    said = " ".join(f"The gamma door number {word} opens at nine in the morning." for word in
                    ("one", "two", "three", "four"))  # fmt: skip

    found = answer("When does the gamma door open?", said, max_tokens=max_tokens)

    assert found.count("[1]") == sentences


async def test_the_provider_streams_what_it_then_completes():
    provider = connect(Secrets({}))
    prompt = Prompt("", "", "v1", "When does the beta door open?", (passage(ALPHA), passage(BETA)))

    *deltas, completion = [
        event async for event in provider.stream("x", prompt, max_tokens=100, timeout_s=1)
    ]
    await provider.aclose()

    assert all(isinstance(delta, Delta) for delta in deltas)
    assert "".join(delta.text for delta in deltas) == completion.text
    assert len(deltas) == 8
    assert completion == Completion("The beta door opens at ten o'clock. [2]", "x", "stop", 0, 0)


@pytest.mark.parametrize(("max_tokens", "sentences"), [(400, 2), (1, 1)])
async def test_the_provider_keeps_to_max_tokens(max_tokens, sentences):
    said = passage("The gamma door opens at nine. The gamma door opens for you.")
    prompt = Prompt("", "", "v1", "Does the gamma door open?", (said,))

    *_, completion = [
        event
        async for event in connect(Secrets({})).stream(
            "x", prompt, max_tokens=max_tokens, timeout_s=1
        )
    ]

    assert completion.text.count("[1]") == sentences


def test_a_row_that_begins_with_the_code_goes_before_one_that_mentions_it():
    head = "| Code | Meaning | Ask |\n|---|---|---|\n"
    levels = head + "| P2 | safety: smoke, E21 | yes |"
    codes = head + "| E21 | a sensor of the alpha door | no |"

    assert answer("What does E21 mean?", levels, codes).startswith("E21 - Meaning: a sensor")
