import zipfile
from email.message import EmailMessage

import pytest

from chassis.errors import SourceError
from chassis.ingestion import parsing
from chassis.ingestion.markdown import tidy
from chassis.ingestion.parsing import SUFFIXES, parse
from chassis.ingestion.pdf import to_markdown

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
DOCUMENT_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"


def write_docx(path, said="The alpha door opens at nine."):
    """The smallest file that Word opens: a heading, a sentence, a table."""

    def paragraph(text, style=""):
        chosen = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
        return f"<w:p>{chosen}<w:r><w:t>{text}</w:t></w:r></w:p>"

    def row(*cells):
        return "<w:tr>" + "".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in cells) + "</w:tr>"

    body = (
        paragraph("Alpha manual", "Heading1")
        + paragraph(said)
        + f"<w:tbl>{row('Part', 'Price')}{row('Hinge', '12 euro')}</w:tbl>"
    )
    files = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{DOCUMENT_TYPE}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{OFFICE}" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>',
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')


def write_pdf(path, *pages, title=None):
    """A PDF of one line of text below the other."""
    kids = [4 + 2 * number for number in range(len(pages))]
    objects = {
        1: "<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}]"
        f" /Count {len(kids)} >>",
        3: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    for kid, lines in zip(kids, pages, strict=True):
        shown = " ".join(f"({line}) Tj T*" for line in lines)
        drawn = f"BT /F1 12 Tf 72 720 Td 14 TL {shown} ET"
        objects[kid] = (
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            f"/Contents {kid + 1} 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects[kid + 1] = f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream"
    info = ""
    if title:
        objects[max(objects) + 1] = f"<< /Title ({title}) >>"
        info = f" /Info {max(objects)} 0 R"
    written = b"%PDF-1.4\n"
    places = []
    for number in sorted(objects):
        places.append(len(written))
        written += f"{number} 0 obj\n{objects[number]}\nendobj\n".encode()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    written += (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n"
        f"<< /Size {len(objects) + 1} /Root 1 0 R{info} >>\nstartxref\n{len(written)}\n%%EOF\n"
    ).encode()
    path.write_bytes(written)


def write_eml(path):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", "Alpha"
    message.set_content("The alpha door opens at nine.")
    path.write_bytes(bytes(message))


def write_pptx(path):
    drawing = "http://schemas.openxmlformats.org/drawingml/2006/main"
    slides = "http://schemas.openxmlformats.org/presentationml/2006/main"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kind = "application/vnd.openxmlformats-officedocument.presentationml"
    slide = (
        "<p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id='1' name=''/><p:cNvGrpSpPr/><p:nvPr/>"
        "</p:nvGrpSpPr><p:grpSpPr/><p:sp><p:nvSpPr><p:cNvPr id='2' name='t'/><p:cNvSpPr/><p:nvPr/>"
        "</p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/><a:p><a:r>"
        "<a:t>The alpha door opens at nine.</a:t></a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld>"
    )
    spaces = f'xmlns:p="{slides}" xmlns:a="{drawing}" xmlns:r="{rel}"'
    files = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/ppt/presentation.xml" ContentType="{kind}.presentation.main+xml"/>'
        f'<Override PartName="/ppt/slides/slide1.xml" ContentType="{kind}.slide+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{OFFICE}" Target="ppt/presentation.xml"/></Relationships>',
        "ppt/presentation.xml": f"<p:presentation {spaces}><p:sldIdLst>"
        '<p:sldId id="256" r:id="rId1"/></p:sldIdLst></p:presentation>',
        "ppt/_rels/presentation.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{rel}/slide" Target="slides/slide1.xml"/></Relationships>',
        "ppt/slides/slide1.xml": f"<p:sld {spaces}>{slide}</p:sld>",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')


def write_xlsx(path):
    sheet = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    cell = '<c r="{0}" t="inlineStr"><is><t>{1}</t></is></c>'
    rows = (("A1", "Part"), ("B1", "Note")), (("A2", "Hinge"), ("B2", "opens at nine"))
    data = "".join(
        f'<row r="{number}">{"".join(cell.format(*pair) for pair in row)}</row>'
        for number, row in enumerate(rows, start=1)
    )
    files = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/s.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{OFFICE}" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{sheet}" xmlns:r="{rel}"><sheets>'
        '<sheet name="Parts" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{rel}/worksheet" Target="worksheets/s.xml"/>'
        "</Relationships>",
        "xl/worksheets/s.xml": f'<worksheet xmlns="{sheet}"><sheetData>{data}</sheetData>'
        "</worksheet>",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')


def write_odt(path):
    office = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    text = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="{office}"'
        f' xmlns:text="{text}"><office:body><office:text><text:p>The alpha door opens at nine.'
        "</text:p></office:text></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", content)


HTML = (
    "<html><head><title>Alpha page</title><meta name='author' content='Me'></head><body>{}"
    "<p>The alpha door <b>opens at nine</b>.</p></body></html>"
)
TEXTS = {
    ".csv": "part,note\nHinge,opens at nine\n",
    ".htm": HTML.format(""),
    ".html": HTML.format("<h1>Alpha manual</h1>"),
    ".md": "# Alpha manual\n\nThe alpha door opens at nine.\n",
    ".rst": "Alpha manual\n============\n\nThe alpha door opens at nine.\n",
    ".rtf": r"{\rtf1\ansi The alpha door opens at nine.\par}",
    ".txt": "The alpha door opens at nine.\n",
    ".xml": "<?xml version='1.0'?><doc><p>The alpha door opens at nine.</p></doc>",
}
WRITERS = {
    ".docx": write_docx,
    ".eml": write_eml,
    ".odt": write_odt,
    ".pdf": lambda path: write_pdf(path, ["The alpha door opens at nine."]),
    ".pptx": write_pptx,
    ".xlsx": write_xlsx,
}


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
async def test_every_format_is_read(tmp_path, suffix):
    path = tmp_path / f"alpha-notes{suffix}"
    if suffix in TEXTS:
        path.write_text(TEXTS[suffix])
    else:
        WRITERS[suffix](path)

    title, text = await parse(path)

    assert "opens at nine" in text
    assert title


async def test_a_word_file_keeps_its_heading_and_table(tmp_path):
    write_docx(tmp_path / "a.docx")

    title, text = await parse(tmp_path / "a.docx")

    assert title == "Alpha manual"
    assert text == (
        "## Alpha manual\n\nThe alpha door opens at nine.\n\n"
        "| Part | Price |\n| --- | --- |\n| Hinge | 12 euro |\n"
    )


async def test_markdown_is_kept_as_its_author_wrote_it(tmp_path):
    text = "# Alpha\n\nA snake_case name, 5 * 3, [a link](x.md) and\na second line.\n"
    (tmp_path / "a.md").write_text(text)

    assert await parse(tmp_path / "a.md") == ("Alpha", text)


@pytest.mark.parametrize(
    ("written", "title", "text"),
    [
        ("---\ntitle: 'Front'\ntags:\n  - a\n---\nBody.\n", "Front", "Body.\n"),
        ("---\r\ntitle: Front\r\n---\r\n\r\nBody.\r\n", "Front", "\nBody.\n"),
        ("---\ntitle: Front\n---\n# Head\n\nBody.\n", "Head", "# Head\n\nBody.\n"),
        ("---\n\nImportant.\n\n# Head\n", "Head", "---\n\nImportant.\n\n# Head\n"),
        ("---\nImportant.\n\n---\n\nMore.\n", "A file", "---\nImportant.\n\n---\n\nMore.\n"),
    ],
)
async def test_front_matter_gives_the_title_and_a_rule_is_no_front_matter(
    tmp_path, written, title, text
):
    (tmp_path / "a-file.md").write_bytes(written.encode())

    assert await parse(tmp_path / "a-file.md") == (title, text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
async def test_text_is_read_in_the_encodings_that_editors_write(tmp_path, encoding):
    (tmp_path / "a.md").write_bytes("# Größe\n\nEin Maß: 5 €.\n".encode(encoding))

    assert await parse(tmp_path / "a.md") == ("Größe", "# Größe\n\nEin Maß: 5 €.\n")


async def test_a_pages_metadata_is_no_part_of_its_text(tmp_path):
    (tmp_path / "a.html").write_text(HTML.format(""))

    title, text = await parse(tmp_path / "a.html")

    assert title == "Alpha page"
    assert text.strip() == "The alpha door **opens at nine**."


async def test_marks_that_only_protect_a_character_are_taken_away(tmp_path):
    write_docx(tmp_path / "a.docx", "5 * 3 (or [x_y]) + 1. not *b* c*")

    _, text = await parse(tmp_path / "a.docx")

    assert "5 * 3 (or [x_y]) + 1. not *b* c*" in text


PAGES = (
    [
        "Handbook - page 1 of 2",
        "Door manual",
        "This manual is for the person who looks after the doors of the building, and",
        "nobody else. Read it twice.",
        "Opening times",
        "Door Opens Closes",
        "Alpha 9:00 17:00",
        "Beta 10:00 18:00",
        "Keys",
        "1. Ask at the desk.",
    ],
    [
        "Handbook - page 2 of 2",
        "2. Bring it back.",
        "Lost keys",
        "A lost key costs 40 euro.",
    ],
)


async def test_a_pdfs_lines_become_headings_and_sentences(tmp_path):
    write_pdf(tmp_path / "a.pdf", *PAGES, title="Doors of the house")

    title, text = await parse(tmp_path / "a.pdf")

    assert title == "Doors of the house"
    assert [line for line in tidy(text).split("\n") if line] == [
        "## Door manual",
        "This manual is for the person who looks after the doors of the building, and nobody else."
        " Read it twice.",
        "## Opening times",
        "Door Opens Closes",
        "Alpha 9:00 17:00",
        "Beta 10:00 18:00",
        "Keys",
        "1. Ask at the desk.",
        "2. Bring it back.",
        "## Lost keys",
        "A lost key costs 40 euro.",
    ]


def test_a_pdfs_bullets_become_list_items():
    page = (
        "The following is needed:\n"
        "• A key\n"
        "• A card that was issued by the desk of the house,\n"
        "with a photo"
    )

    assert to_markdown([page]).split("\n\n") == [
        "The following is needed:",
        "- A key",
        "- A card that was issued by the desk of the house, with a photo",
    ]


def test_one_page_has_no_header_that_others_repeat():
    assert to_markdown(["Only\nOnly\n"]) == "## Only\n\nOnly"


@pytest.mark.parametrize(
    ("title", "expected"), [("Doors", "Doors"), ("Microsoft Word - x.docx", "Doors of steel")]
)
async def test_a_title_that_a_program_made_up_is_not_believed(tmp_path, title, expected):
    write_pdf(tmp_path / "a.pdf", ["Doors of steel", "They are heavy."], title=title)

    assert (await parse(tmp_path / "a.pdf"))[0] == expected


@pytest.mark.parametrize("name", ["a.md", "a.pdf"])
async def test_a_file_without_text_is_refused(tmp_path, name):
    if name == "a.pdf":
        write_pdf(tmp_path / name, [])
    else:
        (tmp_path / name).write_text(" \n")

    with pytest.raises(SourceError, match=f"{name} holds no text; scanned pages need OCR"):
        await parse(tmp_path / name)


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.xlsx"])
async def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"rubbish")

    with pytest.raises(SourceError, match=f"^{name} cannot be parsed: "):
        await parse(tmp_path / name)


async def test_a_file_that_has_gone_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"a\.md cannot be opened: No such file"):
        await parse(tmp_path / "a.md")


async def test_a_file_that_is_too_big_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(parsing, "MAX_BYTES", 10)
    (tmp_path / "a.pdf").write_bytes(b"x" * 11)

    with pytest.raises(SourceError, match=r"a\.pdf is larger than 10 bytes"):
        await parse(tmp_path / "a.pdf")
