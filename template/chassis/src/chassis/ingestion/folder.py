"""A folder of files as a data source."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import structlog

from ..errors import SourceError
from ..ports import Document, Entry
from .parsing import SUFFIXES, parse

log = structlog.get_logger()


class Folder:
    """A `Source` of the files below a folder; hidden files and unknown formats are left out.

    A link is followed only to what is in the folder, too.

    Args:
        path: The folder, relative to the project or absolute.
        patterns: Glob patterns, relative to the folder, of the files to read.
    """

    def __init__(self, path: Path, patterns: Sequence[str] = ("**/*",)) -> None:
        self._path = path
        self._patterns = patterns

    async def entries(self) -> AsyncIterator[Entry]:
        """List the files; a fingerprint is size and modification time."""
        for entry in await asyncio.to_thread(lambda: list(self._list())):
            yield entry

    async def read(self, entry: Entry) -> Document:
        """Parse one file."""
        path = self._path / entry.id
        if not self._is_inside(path):
            raise SourceError(f"{entry.id} leads out of the folder")
        title, text = await parse(path)
        return Document(entry.id, title, path.as_posix(), text, changed_at(path))

    def _list(self) -> Iterator[Entry]:
        if not self._path.is_dir():
            raise SourceError(f"folder {str(self._path)!r} does not exist; see config/sources.toml")
        refuse_unreadable_folders(self._path)
        found = {path for pattern in self._patterns for path in self._path.glob(pattern)}
        for path in sorted(path for path in found if self._is_wanted(path)):
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue  # removed since it was listed
            name = path.relative_to(self._path).as_posix()
            yield Entry(name, f"{stat.st_size}-{stat.st_mtime_ns}")

    def _is_wanted(self, path: Path) -> bool:
        if path.suffix.lower() not in SUFFIXES or not path.is_file() or not self._is_inside(path):
            return False
        if not is_unicode(path.name):
            log.warning("file_left_out", file=ascii(str(path)), reason="its name is not UTF-8")
            return False
        return True

    def _is_inside(self, path: Path) -> bool:
        """Whether a path, and what it leads to if it is a link, is in the folder and not hidden."""
        root = self._path.resolve()
        return all(
            place.is_relative_to(top) and not is_hidden(place.relative_to(top))
            for place, top in ((path, self._path), (path.resolve(), root))
        )


def is_hidden(path: Path) -> bool:
    """Whether a part of a relative path begins with a dot, or leads upwards."""
    return any(part.startswith(".") for part in path.parts)


def is_unicode(name: str) -> bool:
    """Whether a file's name can be stored as text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def refuse_unreadable_folders(root: Path) -> None:
    """Fail where a listing would silently leave out a folder, and its documents be forgotten.

    Raises:
        SourceError: A folder below `root` cannot be listed.
    """

    def refuse(error: OSError) -> None:
        raise SourceError(f"folder {error.filename!r} cannot be listed: {error.strerror}")

    for _, folders, _ in os.walk(root, onerror=refuse):
        # `lost+found` is at the top of every Linux volume, and only root may list it.
        folders[:] = [name for name in folders if name[0] != "." and name != "lost+found"]


def changed_at(path: Path) -> datetime | None:
    """When a file was last changed; None when it has just been removed."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
