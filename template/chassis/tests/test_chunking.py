import pytest

from chassis.ingestion.chunking import MAX_CHARS, chunk
from chassis.ingestion.markdown import tidy

MANUAL = """\
# Manual

Read this first.

## Doors

The alpha door opens at nine.

### Locks

- Locks are brass.
- Keys are steel.

## Windows

They stay shut.
"""


def cut(text, title="Manual", document_id="files/manual.md"):
    return chunk(document_id, title, text)


def test_a_chunk_has_the_headings_above_it_and_never_spans_two():
    assert [(made.heading, made.text) for made in cut(MANUAL)] == [
        ("Manual", "Read this first.\n"),
        ("Manual > Doors", "The alpha door opens at nine.\n"),
        ("Manual > Doors > Locks", "- Locks are brass.\n- Keys are steel.\n"),
        ("Manual > Windows", "They stay shut.\n"),
    ]


def test_two_sections_of_one_name_stay_apart():
    made = cut("# A\n\n## Notes\n\nOne.\n\n## Notes\n\nTwo.\n", title="A")

    assert [piece.text for piece in made] == ["One.\n", "Two.\n"]
    assert made[0].heading == made[1].heading == "A > Notes"


def test_a_heading_needs_no_empty_line_around_it():
    made = cut("Before.\n## Doors\nAfter.\n")

    assert [(piece.heading, piece.text) for piece in made] == [
        ("Manual", "Before.\n"),
        ("Manual > Doors", "After.\n"),
    ]


def test_a_heading_with_nothing_under_it_can_still_be_found():
    made = cut("# Manual\n\n## Closed on Mondays\n\n## Doors\n\nOpen.\n\n### No dogs")

    assert [(piece.heading, piece.text) for piece in made] == [
        ("Manual > Closed on Mondays", "## Closed on Mondays\n"),
        ("Manual > Doors", "Open.\n"),
        ("Manual > Doors > No dogs", "### No dogs"),
    ]


def test_a_comment_in_code_is_no_heading():
    text = "## Install\n\n```sh\n# first\n\n# then\nrun\n```\n\nDone.\n"

    assert [(made.heading, made.text) for made in cut(text)] == [
        ("Manual > Install", text.removeprefix("## Install\n\n"))
    ]


LONG = {
    "paragraphs": "".join(f"Paragraph {n} is about doors of size {n}. \n\n" for n in range(200)),
    "one line of sentences": "The door is shut. " * 300,
    "one line of words": "window " * 1_000,
    "one line without a break": "x" * 5_000,
    "a line with spaces at its end": "x" * 2_400 + "    ",
    "a list": "".join(f"- item {n} of the list\n" for n in range(300)),
    "letters of two and four bytes": "Größe 🚪 und Höhe. " * 300,
    "carriage returns": "One line.\r\nAnother.\r\n\r\nA third. " * 200,
    "code": "```\n" + "step = 1\n\n" * 400 + "```\n",
}


@pytest.mark.parametrize("kind", LONG)
def test_every_chunk_is_a_verbatim_part_and_nothing_is_lost(kind):
    text = LONG[kind]

    made = cut(text)

    assert [text[piece.start : piece.end] for piece in made] == [piece.text for piece in made]
    assert max(len(piece.text) for piece in made) <= MAX_CHARS
    assert len(made) > 1
    assert all(piece.text.strip() for piece in made)
    assert "".join("".join(piece.text for piece in made).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("kind", "ends"),
    [("one line of sentences", ". "), ("one line of words", "w "), ("a list", "list\n")],
)
def test_a_long_block_is_cut_where_a_reader_would(kind, ends):
    assert all(made.text.endswith(ends) for made in cut(LONG[kind]))


def test_the_later_pieces_of_a_long_table_know_its_columns():
    rows = "".join(f"| part {n} | {n} euro, without tax |\n" for n in range(100))

    first, *later = cut(f"# Prices\n\n| Part | Price |\n| --- | --- |\n{rows}", title="Prices")

    assert first.heading == "Prices"
    assert len(later) >= 2
    assert {made.heading for made in later} == {"Prices\n| Part | Price |\n| --- | --- |"}
    assert all(made.text.startswith("| part") and made.text.endswith("|\n") for made in later)


def test_what_did_not_change_keeps_its_id_when_other_parts_do():
    before = {made.text: made.id for made in cut(MANUAL)}

    after = {made.text: made.id for made in cut(MANUAL.replace("nine", "ten"))}

    assert len(before) == len(after) == 4
    assert {text for text in after if before.get(text) == after[text]} == {
        "Read this first.\n",
        "- Locks are brass.\n- Keys are steel.\n",
        "They stay shut.\n",
    }


def test_a_new_heading_is_a_new_id_because_the_vector_holds_it_too():
    assert cut("Open.\n", title="Doors")[0].id != cut("Open.\n", title="Windows")[0].id


def test_the_same_text_twice_has_two_ids_and_the_same_in_two_documents_too():
    text = f"## A\n\n{'Same. ' * 150}\n\n{'Same. ' * 150}\n"

    one, two = cut(text)

    assert len({one.id, two.id, cut(text, document_id="files/other.md")[0].id}) == 3


@pytest.mark.parametrize("text", ["", "\n", " \r\n\t\n"])
def test_nothing_makes_no_chunk(text):
    assert cut(text) == []


def test_an_id_does_not_depend_on_the_process():
    # sha256 of document, heading, text and count, with NUL between
    assert cut("Open.\n")[0].id == "cded0ff21c950a9825d8aa37"


def test_lines_that_were_only_wrapped_are_joined():
    text = (
        "The alpha door opens at nine o'clock in the morning and\n"
        "closes at ten.\n"
        "- An item that goes on over the end of its line, which\n"
        "  is long\n"
        "- Another\n"
    )

    assert tidy(text) == (
        "The alpha door opens at nine o'clock in the morning and closes at ten.\n"
        "- An item that goes on over the end of its line, which is long\n"
        "- Another\n"
    )


KEPT = [
    "Tarn Street 5\nAlpha Town\n",
    "| a very long cell of a table that is full | b |\n| --- | --- |\n| c | d |\n",
    "| a very long cell of a table that is full | b |\nand what comes after the table\n",
    "```\nshort\nline that is certainly longer than fifty characters here\nmore\n```\n",
    "A line of more than fifty characters, then a hard break  \nand more\n",
    "> A quotation of more than fifty characters, which goes on,\n> on a second line\n",
    "A line of more than fifty characters, before a numbered list\n1. one\n2. two\n",
    "A line of more than fifty characters, before the next heading\n## Next\ntext\n",
]


@pytest.mark.parametrize("text", KEPT)
def test_lines_that_mean_something_are_kept(text):
    assert tidy(text).split("\n") == [line.rstrip() for line in text.split("\n")]


def test_underlined_headings_become_the_usual_ones():
    assert tidy("Manual\n======\n\nText.\n\nDoors\n---\nOpen.\n\n---\n") == (
        "# Manual\n\nText.\n\n## Doors\nOpen.\n\n---\n"
    )


def test_what_no_database_stores_is_taken_out():
    assert tidy("\ufeffA\0B \ud800.\r\nC\rD") == "AB ?.\nC\nD\n"
