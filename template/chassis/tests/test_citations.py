import pytest

from chassis.citations import cited_numbers, resolve
from chassis.ports import Citation, Passage

PRICES = """\
Prices are in euro and hold for a year. They include tax.

| Part | EU | UK |
| --- | --- | --- |
| Hinge 2 | 12 | 11 |
| Hinge 20 | 40 | 37 |
"""


def passage(text, number=1):
    return Passage(
        str(number), f"files/{number}.md", "files", f"Title {number}", f"{number}.md", "H", text
    )


PASSAGES = [
    passage("The alpha door opens at nine. It is made of brass. The key is at the desk.", 1),
    passage("The beta door opens at ten.\n- It is made of steel\n- It has no key", 2),
    passage(PRICES, 3),
]


def quotes(text, passages=PASSAGES):
    citations, unknown = resolve(text, passages)
    assert unknown == []
    return [(int(citation.title[-1]), citation.quote) for citation in citations]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", []),
        ("Nothing is cited.", []),
        ("One [1].", [1]),
        ("Two [2], one [1], two again [2].", [2, 1]),
        ("Both [2][3].", [2, 3]),
        ("Both [2, 3] and [4,5].", [2, 3, 4, 5]),
        ("Many [12] and [123].", [12, 123]),
        ("No number: [a], [], [ 1], [1234], [1.5], (1), 1], [-1].", []),
        ("Nought [0] and a leading one [07].", [0, 7]),
    ],
)
def test_the_numbers_in_square_brackets_are_cited(text, numbers):
    assert cited_numbers(text) == numbers


def test_a_citation_says_where_a_statement_comes_from():
    citations, unknown = resolve("It opens at nine [1].", PASSAGES)

    assert unknown == []
    assert citations == (
        Citation("files", "files/1.md", "Title 1", "The alpha door opens at nine.", "1.md"),
    )


def test_the_sentence_that_fits_the_statement_is_quoted():
    assert quotes("Alpha is brass [1]. Beta has no key [2].") == [
        (1, "It is made of brass."),
        (2, "- It has no key"),
    ]


def test_numbers_that_no_passage_has_are_unknown():
    citations, unknown = resolve("A [1]. B [4]. C [0]. D [4].", PASSAGES)

    assert [citation.title for citation in citations] == ["Title 1"]
    assert unknown == [4, 0]


def test_without_passages_every_number_is_unknown():
    assert resolve("A [1].", []) == ((), [1])


@pytest.mark.parametrize(
    "text", ["Both are of metal, brass or steel [1][2].", "Brass, steel [1, 2]."]
)
def test_citations_side_by_side_are_for_the_same_statement(text):
    assert quotes(text) == [(1, "It is made of brass."), (2, "- It is made of steel")]


def test_a_passage_cited_again_is_quoted_for_its_first_statement():
    assert quotes("The key is at the desk [1]. The door is of brass [1].") == [
        (1, "The key is at the desk.")
    ]


def test_a_citation_before_any_statement_still_quotes_something():
    assert quotes("[1] opens at nine.") == [(1, "The alpha door opens at nine.")]


def test_a_table_row_is_quoted_as_it_stands():
    assert quotes("Hinge 20 costs 37 in the UK [3].") == [(3, "| Hinge 20 | 40 | 37 |")]
    assert quotes("Hinge 2 costs 12 in the EU [3].") == [(3, "| Hinge 2 | 12 | 11 |")]


def test_the_first_row_of_a_table_is_not_quoted():
    assert quotes("Part, EU and UK [3].")[0][1] != "| Part | EU | UK |"


@pytest.mark.parametrize(
    "text",
    [
        "One.\n\nTwo without an end",
        "  Indented, with a *mark* and a [link](x.md)!  Next one?",
        "1. First\n2. Second\n",
        PRICES,
        "| a | b |\n|---|---|\n",
        "e.g. this is i.e. one sentence. No. 5 is another (approx. 3).",
        "\u201cQuoted.\u201d Größe: 5 °C. 🚪 Door.",
        "?",
    ],
)
@pytest.mark.parametrize("statement", ["first one this size", "zzz", ""])
def test_a_quote_is_always_a_verbatim_part_of_the_passage(text, statement):
    [citation], _ = resolve(f"{statement} [1]", [passage(text)])

    assert citation.quote in text
    assert citation.quote == citation.quote.strip() != ""
