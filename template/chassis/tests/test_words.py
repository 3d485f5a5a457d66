import pytest

from chassis.words import names, pairs, sentences, words


def test_words_are_in_lower_case_without_endings_and_words_without_meaning():
    assert words("When are the Returned machines cleaned, and by whom?") == {
        "return", "machin", "clean", "whom",
    }  # fmt: skip


def test_codes_and_decimals_are_words_as_they_stand():
    assert words("TF-12 needs 1.5 bar, 2S and E112s") == {
        "tf-12", "need", "1.5", "bar", "2s", "e112s",
    }  # fmt: skip


def test_a_compound_is_found_by_its_parts():
    assert words("warm-up time") >= {"warm", "up", "warm-up"}
    assert "12" not in words("TF-12")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ('He said "Stop." Then (it stopped.) It did.',
         ['He said "Stop."', "Then (it stopped.)", "It did."]),
        ("A line\nanother line\n\n- an item", ["A line", "another line", "- an item"]),
        ("Use ca. 3 g, e.g. 2.5 g. No. 5 fits.", ["Use ca. 3 g, e.g. 2.5 g.", "No. 5 fits."]),
        ("Ask J. Smith at 12 V. Then go.", ["Ask J. Smith at 12 V.", "Then go."]),
        ("1. First step. Then more.\n12. Last", ["1. First step.", "Then more.", "12. Last"]),
        ("It opens at 9. Then it closes.", ["It opens at 9.", "Then it closes."]),
        ("See 3.4 and v1.2.3 of it.", ["See 3.4 and v1.2.3 of it."]),
        ("Ends here. and goes on", ["Ends here. and goes on"]),
        ("| a. B | c. D |", ["| a. B | c. D |"]),
        ("", []),
        (" \n\t\n", []),
    ],
)  # fmt: skip
def test_sentences_end_where_a_reader_ends_them(text, expected):
    assert list(sentences(text)) == expected


def test_pairs_are_words_that_stand_side_by_side():
    assert pairs("Door 2S, key\nof it") == {("door", "2s"), ("of", "it")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the Door 2 and the Door 20E", [("door", "2"), ("door", "20e")]),
        ("a code like E12 or TF-12", [("e12",), ("tf-12",)]),
        ("in the United Kingdom, Europe", [("united", "kingdom"), ("europe",)]),
        ("within 30 days or 1.5 hours", []),
        ("on 1 December or in May 2025 or on Monday", []),
        ("nothing with a capital", []),
        ("Door Plus costs", [("door", "plus")]),
    ],
)
def test_names_have_a_capital_or_a_digit(text, expected):
    assert names(text) == expected
