"""Recordings beside the backups: each once, in packs of some hundred megabytes; and back. Runs in the thread of a job.

Which recordings lie in which pack is kept by day of the recording, so that years of them need one day's memory. A line counts only while
its pack is still there; what is packed twice is the same recording twice, which harms nothing.
"""

import os
from collections.abc import Callable, Container, Iterator
from functools import partial
from pathlib import Path

from appliance.system.backup import naming
from appliance.system.backup.archive import ArchiveWriter, Entry, is_safe, read_archive
from appliance.system.backup.files import sync_folder
from appliance.system.backup.messages import About
from appliance.system.backup.places import Places
from appliance.system.backup.shelf import Shelf
from appliance.system.backup.storing import store
from appliance.system.backup.work import Work, counted

PACK_BYTES = 512 << 20
QUIET_S = 300.0
"""A recording that was written to more recently still goes on, or may, unless the store knows that it ended."""
RECORDINGS = "recordings/"


def pack_new(shelf: Shelf, places: Places, target: str, words: str, about: About, ended: Container[str], work: Work) -> int:
    """How many were packed; those that `ended`, or are no longer written to. Raises: BoxError SYS-105 …; packs written by then count."""
    packs = {pack.name: pack.number for pack in naming.packs_among(shelf.list(), places.box)}
    index = _Index(places.saved / target, frozenset(packs))
    count = 0
    work.step("recordings", 90, 98)
    for number, batch in enumerate(_batches(_new(places.recordings, index, about.at.timestamp() - QUIET_S, ended)), 1):
        name = naming.pack_name(places.box, about.at, number)
        store(shelf, name, words, work, about, partial(_fill, places.recordings, batch), None)
        index.add(name, batch)
        count += len(batch)
    return count


def packed_ever(places: Places) -> Callable[[str], bool]:
    """Whether a recording was packed at any target, as far as is written down here; the targets themselves are not asked."""
    days: dict[str, set[str]] = {}

    def is_packed(recording: str) -> bool:
        day = str(Path(recording).parent)
        if day not in days:
            days.clear()  # they come by age: one day's memory
            days[day] = {each for folder in _folders_in(places.saved) for each in _Index(folder, None).of_day(day)}
        return recording in days[day]

    return is_packed


def _folders_in(folder: Path) -> list[Path]:
    return [each for each in folder.iterdir() if each.is_dir()] if folder.is_dir() else []


def unpack(shelf: Shelf, places: Places, box: str, words: str, work: Work) -> int:
    """All packs of `box`; how many recordings came back. What is there stays as it is. Raises: BoxError."""
    count = 0
    packs = naming.packs_among(shelf.list(), box)
    work.step("recordings", 0, 100, sum(pack.size for pack in packs))
    for pack in packs:
        coming = _Coming(places.recordings)
        with shelf.reading(pack.name) as file:
            read_archive(partial(counted, file, work), words, lambda about: None, coming.sink)
        count += coming.count
    return count


class _Index:
    """Lines "path TAB pack", a file for each day of recordings. `packs`: those that count, None for all."""

    def __init__(self, folder: Path, packs: frozenset[str] | None) -> None:
        self._folder, self._packs = folder, packs

    def of_day(self, day: str) -> set[str]:
        try:
            lines = self._file(day).read_text("utf-8").splitlines()
        except FileNotFoundError:
            return set()
        found = (line.split("\t") for line in lines)
        return {fields[0] for fields in found if len(fields) == 2 and (self._packs is None or fields[1] in self._packs)}

    def add(self, pack: str, recordings: list[str]) -> None:
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        for day in sorted({str(Path(each).parent) for each in recordings}):
            with self._file(day).open("a", encoding="utf-8") as file:
                file.writelines(f"{each}\t{pack}\n" for each in recordings if str(Path(each).parent) == day)
                file.flush()
                os.fsync(file.fileno())
        sync_folder(self._folder)

    def _file(self, day: str) -> Path:
        return self._folder / f"{day.replace('/', '-')}.txt"


class _Coming:
    """Recordings as they come out of a pack: beside their place first, there at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.count = 0

    def sink(self, entry: Entry) -> "_Arriving | None":
        name = entry.name.removeprefix(RECORDINGS)
        path = self._folder / name
        if entry.name == name or not is_safe(name) or path.exists():
            return None
        _folders(self._folder, path.parent)
        self.count += 1
        return _Arriving(path, entry, self._folder)


class _Arriving:
    def __init__(self, path: Path, entry: Entry, like: Path) -> None:
        self._path, self._entry, self._like = path, entry, like
        self._file = path.with_name(f".{path.name}.new").open("wb")
        self._size = 0

    def write(self, content: bytes) -> None:
        self._file.write(content)
        self._size += len(content)

    def close(self) -> None:
        aside = Path(self._file.name)
        self._file.close()
        if self._size != self._entry.size:
            aside.unlink()
            return
        found = self._like.stat()
        aside.chmod(self._entry.mode)
        if os.geteuid() == 0:
            os.chown(aside, found.st_uid, found.st_gid)
        os.utime(aside, (self._entry.modified_s, self._entry.modified_s))
        aside.replace(self._path)


def _folders(root: Path, folder: Path) -> None:
    """Made as `root` is."""
    if folder.is_dir():
        return
    _folders(root, folder.parent)
    folder.mkdir()
    found = root.stat()
    if os.geteuid() == 0:
        os.chown(folder, found.st_uid, found.st_gid)
    folder.chmod(found.st_mode & 0o7777)


def _fill(folder: Path, recordings: list[str], archive: ArchiveWriter) -> None:
    for name in recordings:
        archive.add_file(RECORDINGS + name, folder / name)


def _batches(found: Iterator[tuple[str, int]]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for name, bytes_ in found:
        batch.append(name)
        size += bytes_
        if size >= PACK_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _new(folder: Path, index: _Index, quiet_since_s: float, ended: Container[str]) -> Iterator[tuple[str, int]]:
    """Oldest day first: path below `folder`, bytes."""
    for day in _days(folder):
        known = index.of_day(day)
        with os.scandir(folder / day) as entries:
            found = sorted(entry.name for entry in entries if entry.is_file(follow_symlinks=False) and entry.name.endswith(".wav"))
        for name in found:
            path = f"{day}/{name}"
            status = (folder / path).stat()
            if path not in known and (path in ended or status.st_mtime <= quiet_since_s):
                yield path, status.st_size


def _days(folder: Path) -> list[str]:
    """YEAR/MONTH/DAY, oldest first."""
    return sorted(str(path.relative_to(folder)) for path in folder.glob("[0-9]*/[0-9]*/[0-9]*") if path.is_dir())
