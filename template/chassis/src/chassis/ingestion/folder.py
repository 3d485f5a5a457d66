"""A folder of files as a data source."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..errors import SourceError
from ..ports import Document, Entry
from .parsing import SUFFIXES, parse


class Folder:
    """A `Source` of the files below a folder; hidden files and unknown formats are left out.

    Args:
        path: The folder, relative to the project or absolute.
        patterns: Glob patterns, relative to the folder, of the files to read.
    """

    def __init__(self, path: Path, patterns: Sequence[str] = ("**/*",)) -> None:
        self._path = path
        self._patterns = patterns

    async def entries(self) -> AsyncIterator[Entry]:
        """List the files; a fingerprint is size and modification time."""
        if not self._path.is_dir():
            raise SourceError(f"folder {str(self._path)!r} does not exist; see config/sources.toml")
        for path in await asyncio.to_thread(self._files):
            stat = path.stat()
            name = path.relative_to(self._path).as_posix()
            yield Entry(name, f"{stat.st_size}-{stat.st_mtime_ns}")

    async def read(self, entry: Entry) -> Document:
        """Parse one file."""
        path = self._path / entry.id
        title, text = await parse(path)
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return Document(entry.id, title, path.as_posix(), text, changed)

    def _files(self) -> list[Path]:
        found = {path for pattern in self._patterns for path in self._path.glob(pattern)}
        return sorted(path for path in found if self._is_wanted(path))

    def _is_wanted(self, path: Path) -> bool:
        hidden = any(part.startswith(".") for part in path.relative_to(self._path).parts)
        return not hidden and path.suffix.lower() in SUFFIXES and path.is_file()
