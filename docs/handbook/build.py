# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "python-docx>=1.1,<2",
#     "reportlab>=4.2,<6",
# ]
# ///
"""Render the Markdown sources in this folder to the PDF and DOCX documents of the handbook.

The output depends on the sources and the library versions only: no clock, no random identifiers.
The sources use a small part of Markdown: headings, paragraphs, flat lists, tables and bold text.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from xml.sax.saxutils import escape

import docx
from docx.document import Document
from docx.text.paragraph import Paragraph as DocxParagraph
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    ListFlowable,
    ListItem,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

SOURCES = Path(__file__).resolve().parent
HANDBOOK = SOURCES.parents[1] / "template" / "data" / "handbook"
TARGETS = (
    "operations/bulletin-14.pdf",
    "operations/price-list.docx",
    "operations/spare-parts.docx",
    "policies/warranty.pdf",
    "products/kestrel-20.pdf",
    "support/cleaning-office.docx",
    "support/descaling.pdf",
    "support/support-levels.docx",
)

AUTHOR = "Tarnwood"
EDITION = datetime(2025, 4, 1)
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
MARGIN = 25 * mm
TEXT_WIDTH = A4[0] - 2 * MARGIN

HEADING = re.compile(r"(#{1,3}) (.+)")
LIST_ITEM = re.compile(r"(-|\d+\.) (.+)")
BOLD = re.compile(r"\*\*(.+?)\*\*")

BODY = ParagraphStyle("Body", fontName="Helvetica", fontSize=10.5, leading=15, spaceAfter=7)
# Cells share the size and weight of the body, or a parser takes them for headings. The padding of
# the rows below keeps each row on a line of its own in the parsed text.
CELL = ParagraphStyle("Cell", parent=BODY, leading=12, spaceAfter=0)
HEADINGS = {
    level: ParagraphStyle(
        f"Heading{level}",
        fontName="Helvetica-Bold",
        fontSize=size,
        leading=size * 1.25,
        spaceBefore=size * 0.7,
        spaceAfter=size * 0.45,
        keepWithNext=True,
    )
    for level, size in ((1, 20), (2, 14), (3, 12))
}
GRID = TableStyle(
    [
        ("GRID", (0, 0), (-1, -1), 0.5, colors.grey),
        ("BACKGROUND", (0, 0), (-1, 0), colors.lightgrey),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 7),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 7),
    ]
)


@dataclass(frozen=True)
class HeadingBlock:
    """A heading; level 1 is the title of the document."""

    level: int
    text: str


@dataclass(frozen=True)
class TextBlock:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class ListBlock:
    """A flat list, with numbers or bullets."""

    items: tuple[str, ...]
    ordered: bool


@dataclass(frozen=True)
class TableBlock:
    """A table whose first row is the header."""

    rows: tuple[tuple[str, ...], ...]


Block = HeadingBlock | TextBlock | ListBlock | TableBlock


def parse(source: str) -> list[Block]:
    """Split a Markdown source into blocks at its blank lines."""
    chunks = (chunk for chunk in re.split(r"\n\s*\n", source.strip()) if chunk)
    return [parse_chunk(chunk.splitlines()) for chunk in chunks]


def parse_chunk(lines: list[str]) -> Block:
    """Turn the lines between two blank lines into one block."""
    if heading := HEADING.fullmatch(lines[0]):
        return HeadingBlock(len(heading[1]), heading[2])
    if lines[0].startswith("|"):
        header, _, *body = lines
        return TableBlock(tuple(split_row(line) for line in (header, *body)))
    items = [LIST_ITEM.fullmatch(line) for line in lines]
    if items[0]:
        return ListBlock(tuple(item[2] for item in items if item), items[0][1] != "-")
    return TextBlock(" ".join(lines))


def split_row(line: str) -> tuple[str, ...]:
    """Return the cells of a table row."""
    return tuple(cell.strip() for cell in line.strip("|").split("|"))


def render_pdf(title: str, blocks: list[Block]) -> bytes:
    """Render the blocks as a PDF on A4 paper."""
    buffer = io.BytesIO()
    template = BaseDocTemplate(
        buffer, pagesize=A4, title=title, author=AUTHOR, lang="en", invariant=1
    )
    frame = Frame(MARGIN, MARGIN, TEXT_WIDTH, A4[1] - 2 * MARGIN, leftPadding=0, rightPadding=0)
    template.addPageTemplates(PageTemplate(frames=[frame], onPageEnd=draw_footer))
    template.build([flowable for block in blocks for flowable in pdf_flowables(block)])
    return buffer.getvalue()


def draw_footer(canvas: Canvas, template: BaseDocTemplate) -> None:
    """Draw the footer last: text parsers read the page in the order in which it was drawn."""
    canvas.setFont("Helvetica", 8)
    canvas.drawString(MARGIN, 12 * mm, f"{AUTHOR} handbook: {template.title}")
    canvas.drawRightString(A4[0] - MARGIN, 12 * mm, f"Page {canvas.getPageNumber()}")


def pdf_flowables(block: Block) -> Iterator[Flowable]:
    """Yield the parts of a PDF page that show the block."""
    match block:
        case HeadingBlock(level, text):
            yield Paragraph(pdf_markup(text), HEADINGS[level])
        case TextBlock(text):
            yield Paragraph(pdf_markup(text), BODY)
        case ListBlock(items, ordered):
            yield pdf_list(items, ordered)
            yield Spacer(0, BODY.spaceAfter)
        case TableBlock(rows):
            yield pdf_table(rows)
            yield Spacer(0, 2 * BODY.spaceAfter)


def pdf_list(items: tuple[str, ...], ordered: bool) -> ListFlowable:
    """Build a list with hanging numbers or bullets."""
    style = ParagraphStyle("Item", parent=BODY, spaceAfter=2)
    return ListFlowable(
        [ListItem(Paragraph(pdf_markup(item), style)) for item in items],
        bulletType="1" if ordered else "bullet",
        bulletFormat="%s." if ordered else None,
        bulletFontSize=BODY.fontSize,
        start=1 if ordered else "\N{BULLET}",
        leftIndent=16,
    )


def pdf_table(rows: tuple[tuple[str, ...], ...]) -> Table:
    """Build a ruled table over the text width that repeats its header on a new page."""
    cells = [[Paragraph(pdf_markup(cell), CELL) for cell in row] for row in rows]
    return Table(cells, colWidths=column_widths(rows), style=GRID, repeatRows=1)


def column_widths(rows: tuple[tuple[str, ...], ...]) -> list[float]:
    """Share the text width between the columns by their longest cell, within limits."""
    weights = [min(max(max(map(len, column)), 8), 32) for column in zip(*rows, strict=True)]
    return [TEXT_WIDTH * weight / sum(weights) for weight in weights]


def pdf_markup(text: str) -> str:
    """Turn inline Markdown into the markup of a reportlab paragraph."""
    return BOLD.sub(r"<b>\1</b>", escape(text))


def render_docx(title: str, blocks: list[Block]) -> bytes:
    """Render the blocks as a DOCX file with real styles, lists and tables."""
    document = docx.Document()
    set_properties(document, title)
    for block in blocks:
        add_block(document, block)
    buffer = io.BytesIO()
    document.save(buffer)
    return normalise_zip(buffer.getvalue())


def set_properties(document: Document, title: str) -> None:
    """Fill the core properties, which would otherwise hold the defaults of the library."""
    properties = document.core_properties
    properties.title = title
    properties.author = properties.last_modified_by = AUTHOR
    properties.comments = ""
    properties.language = "en"
    properties.created = properties.modified = EDITION


def add_block(document: Document, block: Block) -> None:
    """Append one block to the document."""
    match block:
        case HeadingBlock(level, text):
            document.add_heading(text, level)
        case TextBlock(text):
            add_runs(document.add_paragraph(), text)
        case ListBlock(items, ordered):
            add_list(document, items, ordered)
        case TableBlock(rows):
            add_table(document, rows)


def add_list(document: Document, items: tuple[str, ...], ordered: bool) -> None:
    """Append a list; a numbered list gets its own numbering, so that it starts at 1."""
    style = document.styles["List Number" if ordered else "List Bullet"]
    numbering = document.part.numbering_part.element
    shared = style.element.pPr.numPr.numId.val
    number = numbering.add_num(numbering.num_having_numId(shared).abstractNumId.val)
    number.add_lvlOverride(ilvl=0).add_startOverride(1)
    for item in items:
        paragraph = document.add_paragraph(style=style)
        properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
        properties.get_or_add_ilvl().val = 0
        properties.get_or_add_numId().val = number.numId
        add_runs(paragraph, item)


def add_table(document: Document, rows: tuple[tuple[str, ...], ...]) -> None:
    """Append a table whose first row is marked as the header; the style makes it bold."""
    table = document.add_table(rows=len(rows), cols=len(rows[0]), style="Light Grid Accent 1")
    for table_row, row in zip(table.rows, rows, strict=True):
        for cell, text in zip(table_row.cells, row, strict=True):
            add_runs(cell.paragraphs[0], text)
    table.rows[0]._tr.get_or_add_trPr().append(docx.oxml.OxmlElement("w:tblHeader"))
    document.add_paragraph()


def add_runs(paragraph: DocxParagraph, text: str) -> None:
    """Append the text; every second part of a split at the bold marks is bold."""
    for index, part in enumerate(BOLD.split(text)):
        if part:
            paragraph.add_run(part).bold = index % 2 == 1


def normalise_zip(data: bytes) -> bytes:
    """Rewrite a zip archive with fixed timestamps and attributes."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            info = zipfile.ZipInfo(name, ZIP_EPOCH)
            info.create_system = 3
            info.external_attr = 0o644 << 16
            target.writestr(info, source.read(name), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


RENDERERS = {".pdf": render_pdf, ".docx": render_docx}


def build(target: Path) -> None:
    """Render one document from the source with the same stem."""
    source = SOURCES / f"{target.stem}.md"
    blocks = parse(source.read_text(encoding="utf-8"))
    title = next(block.text for block in blocks if isinstance(block, HeadingBlock))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(RENDERERS[target.suffix](title, blocks))
    print(target.relative_to(HANDBOOK))


if __name__ == "__main__":
    for name in TARGETS:
        build(HANDBOOK / name)
