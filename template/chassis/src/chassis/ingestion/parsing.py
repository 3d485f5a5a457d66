"""Files of the common office and web formats as Markdown."""

import re
from pathlib import Path

from ..errors import SourceError

SUFFIXES = frozenset(
    {".csv", ".docx", ".eml", ".htm", ".html", ".md", ".odt", ".pdf", ".pptx", ".rst", ".rtf"}
    | {".txt", ".xlsx", ".xml"}
)
FRONT_MATTER = re.compile(r"\A---\n.*?\n(?:---\n+|(?=# ))", re.DOTALL)
FIRST_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t]*#*$", re.MULTILINE)


async def parse(path: Path) -> tuple[str, str]:
    """Read one file; return its title and its text as Markdown.

    Raises:
        SourceError: The file cannot be parsed or holds no text, e.g. a scan.
    """
    import kreuzberg  # noqa: PLC0415  (0.4 s; not needed where nothing is read)

    config = kreuzberg.ExtractionConfig(output_format="markdown", use_cache=False)
    try:
        result = await kreuzberg.extract_file(path, config=config)
    except (kreuzberg.KreuzbergError, OSError, ValueError, RuntimeError) as error:
        raise SourceError(f"{path.name} cannot be parsed: {error}") from error
    text = FRONT_MATTER.sub("", result.content).strip() + "\n"
    if not text.strip():
        raise SourceError(f"{path.name} holds no text; scanned pages need OCR first")
    return title_of(text, result.metadata.get("title"), path), text


def title_of(text: str, metadata_title: object, path: Path) -> str:
    """The first heading, else the title the format carries, else the file's name."""
    heading = FIRST_HEADING.search(text)
    if heading:
        return heading[1].strip("*_ ")
    return str(metadata_title or path.stem.replace("-", " ").replace("_", " ").capitalize())
