"""An archive onto a shelf: under a passing name, read back from there, opened and compared, only then under its own. Thread of a job."""

import hashlib
from collections.abc import Callable

import msgspec

from appliance.system.backup import naming
from appliance.system.backup.archive import ABOUT, ArchiveWriter, Part, read_archive
from appliance.system.backup.messages import About
from appliance.system.backup.shelf import Readable, Shelf, Written
from appliance.system.backup.work import Work
from appliance.system.errors import BoxError


def store(
    shelf: Shelf,
    name: str,
    words: str,
    work: Work,
    about: About,
    fill: Callable[[ArchiveWriter], None],
    percents: tuple[int, int] | None,
) -> int:
    """An archive on the shelf under `name`, read back before it has that name; its bytes. `percents`: of the reading back."""
    passing = name + naming.PARTIAL
    try:
        with shelf.writing(passing) as file:
            hashed = _Hashed(file)
            parts = _written(ArchiveWriter(hashed.write, words, work), about, fill)
        if percents:
            work.step("reading_back", *percents, hashed.size)
        with shelf.reading(passing) as read:
            _compare(read, words, hashed, parts, work)
        shelf.rename(passing, name)
    except BaseException:
        _forget(shelf, passing)
        raise
    return hashed.size


def _written(archive: ArchiveWriter, about: About, fill: Callable[[ArchiveWriter], None]) -> tuple[Part, ...]:
    try:
        archive.add(ABOUT, msgspec.json.encode(about))
        fill(archive)
        return archive.finish()
    except BaseException:
        archive.abandon()
        raise


def _forget(shelf: Shelf, name: str) -> None:
    try:
        shelf.remove(name)
    except BoxError:
        return  # the place is gone; the next backup removes what is left there


class _Hashed:
    def __init__(self, file: Written) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.size = 0

    def write(self, content: bytes) -> None:
        self._file.write(content)
        self.sha256.update(content)
        self.size += len(content)


def _compare(read: Readable, words: str, written: _Hashed, parts: tuple[Part, ...], work: Work) -> None:
    """What lies there is what was written, and opens with the words. Raises: BoxError SYS-113, SYS-109."""
    sha256 = hashlib.sha256()

    def counted(size: int) -> bytes:
        found = read.read(size)
        sha256.update(found)
        work.moved(len(found))
        return found

    _, found = read_archive(counted, words, lambda about: None, lambda entry: None)
    if found != parts or sha256.digest() != written.sha256.digest():
        raise BoxError("SYS-113", "what was written was read back differently", "Take another disk or another machine")
