import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chassis.errors import SourceError
from chassis.ingestion.folder import Folder
from chassis.ports import Entry


async def listed(folder):
    return [entry.id async for entry in folder.entries()]


def write(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"Text of {name}.")


async def test_the_files_of_known_formats_are_listed_in_order(tmp_path):
    write(tmp_path, "b/c.txt", "a.md", "b/UPPER.MD", "image.png", "no-suffix")

    assert await listed(Folder(tmp_path)) == ["a.md", "b/UPPER.MD", "b/c.txt"]


async def test_patterns_choose_files_and_one_chosen_twice_is_listed_once(tmp_path):
    write(tmp_path, "a.md", "b/c.txt", "b/d.md")

    assert await listed(Folder(tmp_path, ["b/*", "**/*.txt"])) == ["b/c.txt", "b/d.md"]


async def test_hidden_files_are_left_out(tmp_path):
    write(tmp_path, ".a.md", ".git/b.md", "c/.d/e.md", "f.md")

    assert await listed(Folder(tmp_path, ["**/*", ".*"])) == ["f.md"]


async def test_a_folder_whose_own_path_is_hidden_is_read(tmp_path):
    write(tmp_path, ".data/a.md")

    assert await listed(Folder(tmp_path / ".data")) == ["a.md"]


async def test_a_relative_folder_is_read(tmp_path, monkeypatch):
    write(tmp_path, "docs/a.md")
    monkeypatch.chdir(tmp_path)

    folder = Folder(Path("docs"))

    assert await listed(folder) == ["a.md"]
    assert (await folder.read(Entry("a.md", ""))).uri == "docs/a.md"


async def test_links_and_patterns_that_leave_the_folder_are_not_followed(tmp_path):
    write(tmp_path, "secret/a.md", "docs/b.md", "docs/.hidden/c.md")
    (tmp_path / "docs/file.md").symlink_to(tmp_path / "secret/a.md")
    (tmp_path / "docs/folder").symlink_to(tmp_path / "secret")
    (tmp_path / "docs/hidden.md").symlink_to(tmp_path / "docs/.hidden/c.md")
    (tmp_path / "docs/broken.md").symlink_to(tmp_path / "nowhere.md")
    (tmp_path / "docs/inside.md").symlink_to(tmp_path / "docs/b.md")
    folder = Folder(tmp_path / "docs", ["**/*", "folder/*", "../secret/*"])

    assert await listed(folder) == ["b.md", "inside.md"]


@pytest.mark.parametrize("name", ["file.md", "../secret/a.md", "folder/a.md"])
async def test_a_file_that_became_a_way_out_since_it_was_listed_is_not_read(tmp_path, name):
    write(tmp_path, "secret/a.md", "docs/b.md")
    (tmp_path / "docs/file.md").symlink_to(tmp_path / "secret/a.md")
    (tmp_path / "docs/folder").symlink_to(tmp_path / "secret")

    with pytest.raises(SourceError, match="leads out of the folder"):
        await Folder(tmp_path / "docs").read(Entry(name, ""))


async def test_a_file_that_vanishes_between_listing_and_reading_cannot_be_read(tmp_path):
    write(tmp_path, "a.md")
    folder = Folder(tmp_path)
    [entry] = [entry async for entry in folder.entries()]
    (tmp_path / "a.md").unlink()

    with pytest.raises(SourceError, match=r"a\.md cannot be opened"):
        await folder.read(entry)


class Vanishing(Folder):
    """A folder whose files are gone as soon as they were found."""

    def _is_wanted(self, path):
        wanted = super()._is_wanted(path)
        if wanted and path.name == "a.md":
            path.unlink()
        return wanted


async def test_a_file_that_vanishes_during_the_listing_is_left_out(tmp_path):
    write(tmp_path, "a.md", "b.md")

    assert await listed(Vanishing(tmp_path)) == ["b.md"]


async def test_a_fingerprint_changes_with_size_or_time(tmp_path):
    async def fingerprint():
        [entry] = [entry async for entry in Folder(tmp_path).entries()]
        return entry.fingerprint

    write(tmp_path, "a.md")
    os.utime(tmp_path / "a.md", (1, 1))
    first = await fingerprint()
    os.utime(tmp_path / "a.md", (1, 2))
    second = await fingerprint()
    (tmp_path / "a.md").write_text("Longer text.")
    os.utime(tmp_path / "a.md", (1, 2))
    third = await fingerprint()

    assert len({first, second, third}) == 3


async def test_a_document_has_the_time_of_its_file(tmp_path):
    write(tmp_path, "a.md")
    os.utime(tmp_path / "a.md", (0, 86_400))

    document = await Folder(tmp_path).read(Entry("a.md", ""))

    assert (document.title, document.text) == ("A", "Text of a.md.")
    assert document.updated_at == datetime(1970, 1, 2, tzinfo=UTC)
    assert document.uri == (tmp_path / "a.md").as_posix()


async def test_a_folder_that_is_not_there_is_an_error_and_not_empty(tmp_path):
    with pytest.raises(SourceError, match=r"none' does not exist; see config/sources\.toml"):
        await listed(Folder(tmp_path / "none"))


@pytest.fixture
def close():
    """Take the rights on a path away until the test ends; skip where that stops nobody."""
    closed = []

    def close(path):
        closed.append((path, path.stat().st_mode))
        path.chmod(0)
        if os.access(path, os.R_OK):
            pytest.skip("this user may read everything")

    yield close
    for path, mode in closed:
        path.chmod(mode)


async def test_a_folder_that_may_not_be_listed_is_an_error_and_not_empty(tmp_path, close):
    write(tmp_path, "closed/a.md", "b.md")
    close(tmp_path / "closed")

    with pytest.raises(SourceError, match=r"closed' cannot be listed: Permission denied"):
        await listed(Folder(tmp_path))


async def test_what_only_the_system_may_list_is_left_out(tmp_path, close):
    write(tmp_path, "lost+found/a.md", ".trash/b.md", "c.md")
    close(tmp_path / "lost+found")
    close(tmp_path / ".trash")

    assert await listed(Folder(tmp_path)) == ["c.md"]


async def test_a_file_that_may_not_be_read_is_listed_and_cannot_be_read(tmp_path, close):
    write(tmp_path, "a.md")
    close(tmp_path / "a.md")

    assert await listed(Folder(tmp_path)) == ["a.md"]
    with pytest.raises(SourceError, match=r"a\.md cannot be opened: Permission denied"):
        await Folder(tmp_path).read(Entry("a.md", ""))


async def test_a_name_that_is_not_unicode_is_left_out(tmp_path):
    write(tmp_path, "b.md")
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.md")).write_text("Text.")
    except OSError:
        pytest.skip("this file system has no such names")

    assert await listed(Folder(tmp_path)) == ["b.md"]
