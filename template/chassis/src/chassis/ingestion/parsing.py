"""Files of the common office and web formats as Markdown."""

import asyncio
import re
from pathlib import Path
from typing import Any, cast

from ..errors import SourceError
from . import pdf
from .markdown import HEADING

TEXT_SUFFIXES = frozenset({".md", ".txt"})
SUFFIXES = TEXT_SUFFIXES | frozenset(
    {".csv", ".docx", ".eml", ".htm", ".html", ".odt", ".pdf", ".pptx", ".rst", ".rtf", ".xlsx"}
    | {".xml"}
)
MAX_BYTES = 50_000_000
TIMEOUT_S = 60

FRONT_MATTER = re.compile(
    r"\A---[ \t]*\n((?:[\w-]+:.*\n|[ \t]+.*\n|- .*\n|#.*\n)*?)---[ \t]*(?:\n|\Z)"
)
FRONT_TITLE = re.compile(r"^title:[ \t]*[\"']?(.+?)[\"']?[ \t]*$", re.MULTILINE)
# kreuzberg puts an HTML page's metadata first, as a rule and a heading of its last line.
PAGE_METADATA = re.compile(r"\A---\n(?:[\w-]+:.*\n)*\n## [\w-]+: .*\n")
# What programs write there when nobody has given a title.
MEANINGLESS = re.compile(
    r"^\W*$|untitled|^document ?\d*$|^microsoft word|^powerpoint pres|^slide \d|\.\w{2,4}$",
    re.IGNORECASE,
)
ESCAPED = re.compile(r"\\([*_\[\]().!+~-])")


async def parse(path: Path) -> tuple[str, str]:
    """Read one file; return its title and its text as Markdown.

    Raises:
        SourceError: The file cannot be parsed or holds no text, e.g. a scan.
    """
    try:
        async with asyncio.timeout(TIMEOUT_S):
            title, text = await asyncio.to_thread(read, path)
    except TimeoutError as error:
        raise SourceError(f"{path.name} could not be parsed within {TIMEOUT_S} s") from error
    if not text.strip():
        raise SourceError(f"{path.name} holds no text; scanned pages need OCR first")
    return title_of(text, title, path), text


def read(path: Path) -> tuple[str | None, str]:
    """The title that a file's format carries, if any, and its text.

    Raises:
        SourceError: The file is too big, cannot be opened, or is not what its name says.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SourceError(f"{path.name} is larger than {MAX_BYTES:,} bytes")
        if path.suffix.lower() in TEXT_SUFFIXES:
            return split_front_matter(decode(path.read_bytes()))
        return extract(path)
    except OSError as error:
        raise SourceError(f"{path.name} cannot be opened: {error.strerror}") from error


def decode(content: bytes) -> str:
    """Text in UTF-8, or in what Windows programs write without asking."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def split_front_matter(text: str) -> tuple[str | None, str]:
    """The title in a Markdown file's front matter, and what follows it."""
    text = text.replace("\r\n", "\n")
    front = FRONT_MATTER.match(text)
    if not front:
        return None, text
    title = FRONT_TITLE.search(front[1])
    return (title[1] if title else None), text[front.end() :]


def extract(path: Path) -> tuple[str | None, str]:
    """Let kreuzberg read a file.

    Raises:
        SourceError: The file is not what its name says, or needs a password.
    """
    import kreuzberg  # noqa: PLC0415  (0.4 s; not needed where nothing is read)

    is_pdf = path.suffix.lower() == ".pdf"
    # Its guesses at a PDF's headings and paragraphs tear sentences apart; ours are in `pdf`.
    config = kreuzberg.ExtractionConfig(
        output_format="plain" if is_pdf else "markdown",
        pages=kreuzberg.PageConfig(extract_pages=True) if is_pdf else None,
        use_cache=False,
    )
    try:
        # Its asynchronous functions crash the interpreter when it ends, one time in three (4.10).
        result = kreuzberg.extract_file_sync(path, config=config)
    except (kreuzberg.KreuzbergError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise SourceError(f"{path.name} cannot be parsed: {reason}") from error
    metadata = cast("dict[str, Any]", result.metadata)
    title = metadata.get("title") or metadata.get("subject")
    if is_pdf:
        pages = [page["content"] for page in result.pages or []]
        return title, pdf.to_markdown(pages or [result.content])
    return title, ESCAPED.sub(r"\1", PAGE_METADATA.sub("", result.content))


def title_of(text: str, carried: str | None, path: Path) -> str:
    """The heading a text begins with, else the title its format carries, else its first heading.

    Without any of them, the file's name. A PDF's own title goes first: what looks like its first
    heading may be a letterhead.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    headings: list[str] = [
        found[2].strip("*_ ") for line in lines if (found := HEADING.match(line))
    ]
    begins_with = headings[:1] if HEADING.match(lines[0]) else []
    carries = [carried.strip()] if carried and not MEANINGLESS.search(carried) else []
    file_name = path.stem.replace("-", " ").replace("_", " ").strip().capitalize()
    order = carries + begins_with if path.suffix.lower() == ".pdf" else begins_with + carries
    return [*order, *headings, file_name][0]
