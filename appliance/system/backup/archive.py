"""The inside of a backup: one tar, compressed, sealed; first about.json, then its parts, last manifest.json with the SHA-256 of each.

Written and read as a stream, 64 KiB at a time. Only files are in it; names are relative. Any thread.
"""

import grp
import gzip
import hashlib
import io
import os
import pwd
import re
import stat
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol, cast

import msgspec

from appliance.system.backup.age import ANOTHER_COPY, CHUNK, Opener, Sealer
from appliance.system.backup.messages import About
from appliance.system.backup.work import Work
from appliance.system.errors import BoxError

FORMAT = 1
ABOUT, MANIFEST = "about.json", "manifest.json"
COMPRESSION = 3  # of gzip; a store shrinks to a fifth, higher takes the processor from calls for little
SMALL = 1 << 20
MANIFEST_MOST = 256 << 20
NAME = re.compile(r"[^\x00-\x1f\x7f\\]+")
PERMISSIONS = 0o777


class Part(msgspec.Struct, frozen=True, array_like=True):
    """A file in the backup; `sha256` in hexadecimal."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    parts: tuple[Part, ...]


class Entry(msgspec.Struct, frozen=True):
    """A file as it comes out. owner, group: names, empty where unknown then."""

    name: str
    size: int
    mode: int
    modified_s: float
    owner: str
    group: str


class Sink(Protocol):
    """Where the bytes of a part go."""

    def write(self, content: bytes, /) -> object: ...

    def close(self) -> object: ...


class ArchiveWriter:
    """Writes to `write`. `finish` makes it whole, or else `abandon` it: what is not finished cannot be opened."""

    def __init__(self, write: Callable[[bytes], object], passphrase: str, work: Work) -> None:
        self._work = work
        self._sealer = Sealer(write, passphrase)
        self._gzip = gzip.GzipFile(filename="", mode="wb", compresslevel=COMPRESSION, fileobj=cast(Any, self._sealer), mtime=0)
        self._tar = tarfile.open(fileobj=self._gzip, mode="w|", format=tarfile.PAX_FORMAT, bufsize=CHUNK)  # noqa: SIM115  # until finish
        self._parts: list[Part] = []

    def add(self, name: str, content: bytes, found: os.stat_result | None = None) -> None:
        """A part out of memory; its mode and owner as `found`."""
        self._add(_header(name, len(content), found), io.BytesIO(content))

    def add_file(self, name: str, path: Path) -> bool:
        """False when it is gone, or is no file. A small one that is changed meanwhile is as before or after, a large one must stay."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            if path.is_symlink() or not path.exists():
                return False
            raise
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                return False
            if found.st_size <= SMALL:
                self.add(name, file.read(), found)
            else:
                self._add(_header(name, found.st_size, found), file)
        return True

    def finish(self) -> tuple[Part, ...]:
        content = msgspec.json.encode(Manifest(tuple(self._parts)))
        self._tar.addfile(_header(MANIFEST, len(content), None), io.BytesIO(content))
        self._tar.close()
        self._gzip.close()
        self._sealer.close()
        return tuple(self._parts)

    def abandon(self) -> None:
        """tarfile and gzip cannot be left without writing an end."""
        self._sealer.abandon()
        self._tar.close()
        self._gzip.close()

    def _add(self, header: tarfile.TarInfo, file: IO[bytes]) -> None:
        seen = _Seen(file, self._work)
        try:
            self._tar.addfile(header, cast(IO[bytes], seen))
        except OSError as error:
            if error.args and error.args[0] == "unexpected end of data":  # Source: tarfile.copyfileobj
                raise BoxError("SYS-123", f"{header.name} became shorter while it was copied", "Make the backup again") from error
            raise
        self._parts.append(Part(header.name, header.size, seen.sha256.hexdigest()))


class _Seen:
    """A file whose bytes are hashed and counted while they are read."""

    def __init__(self, file: IO[bytes], work: Work) -> None:
        self._file, self._work = file, work
        self.sha256 = hashlib.sha256()

    def read(self, size: int) -> bytes:
        found = self._file.read(size)
        self.sha256.update(found)
        self._work.moved(len(found))
        return found


def read_archive(
    read: Callable[[int], bytes], passphrase: str, told: Callable[[About], None], sink: Callable[[Entry], Sink | None]
) -> tuple[About, tuple[Part, ...]]:
    """All of it, to its end. `told` hears what it is before anything else and may refuse; `sink` says where a part goes, None: nowhere.

    Raises: BoxError SYS-108 to SYS-113; what `sink` was given by then is not to be used.
    """
    try:
        opener = Opener(read, passphrase)
        with (
            gzip.GzipFile(fileobj=cast(Any, opener), mode="rb") as unzipped,
            tarfile.open(fileobj=unzipped, mode="r|", bufsize=CHUNK) as tar,
        ):
            about, first = _about(tar)
            told(about)
            parts = _parts(tar, first, sink)
            while unzipped.read(CHUNK):  # what pads the tar
                pass
        if opener.read(1):
            raise _odd("something is behind its end")
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise _odd(str(error)) from error
    return about, parts


def _about(tar: tarfile.TarFile) -> tuple[About, Part]:
    first = tar.next()
    content = tar.extractfile(first) if first is not None and first.name == ABOUT and first.size <= SMALL else None
    if content is None:
        raise _odd("it does not say what it is")
    try:
        raw = content.read()
        number = msgspec.json.decode(raw, type=_Format).format
        if number > FORMAT:
            what = f"the backup is of format {number}, this program knows {FORMAT}"
            raise BoxError("SYS-112", what, "Upgrade this box first, then restore")
        return msgspec.json.decode(raw, type=About), Part(ABOUT, len(raw), hashlib.sha256(raw).hexdigest())
    except msgspec.DecodeError as error:
        raise _odd(str(error)) from error


class _Format(msgspec.Struct):
    format: int


def _parts(tar: tarfile.TarFile, first: Part, sink: Callable[[Entry], Sink | None]) -> tuple[Part, ...]:
    found = [first]
    while (member := tar.next()) is not None:
        file = tar.extractfile(member) if member.isreg() else None
        if file is None or not is_safe(member.name):
            raise _odd(f"{member.name!r} in it is not a file of ours")
        if member.name == MANIFEST:
            _compare(found, file, member.size)
            if tar.next() is not None:
                raise _odd("something is behind its manifest")
            return tuple(found)
        entry = Entry(member.name, member.size, member.mode & PERMISSIONS, member.mtime, member.uname, member.gname)
        found.append(_copied(file, entry, sink(entry)))
    raise _odd("its manifest is missing")


def _copied(file: IO[bytes], entry: Entry, sink: Sink | None) -> Part:
    sha256 = hashlib.sha256()
    try:
        while piece := file.read(CHUNK):
            sha256.update(piece)
            if sink is not None:
                sink.write(piece)
    finally:
        if sink is not None:
            sink.close()
    return Part(entry.name, entry.size, sha256.hexdigest())


def _compare(found: list[Part], file: IO[bytes], size: int) -> None:
    """Raises: BoxError SYS-113 naming the first part that is not as the manifest says."""
    if size > MANIFEST_MOST:
        raise _odd("its manifest is too long")
    try:
        wanted = msgspec.json.decode(file.read(), type=Manifest).parts
    except msgspec.DecodeError as error:
        raise _odd(str(error)) from error
    known = {part.name: part for part in wanted}
    wrong = next((part.name for part in found if known.pop(part.name, None) != part), None) or next(iter(known), None)
    if wrong is not None:
        raise BoxError("SYS-113", f"{wrong} in the backup is not what its manifest says", ANOTHER_COPY)


def is_safe(name: str) -> bool:
    """Of a part: below wherever it is unpacked."""
    path = PurePosixPath(name)
    return bool(NAME.fullmatch(name)) and not path.is_absolute() and ".." not in path.parts and str(path) == name


def _header(name: str, size: int, found: os.stat_result | None) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size = size
    if found is not None:
        header.mode, header.mtime = found.st_mode & PERMISSIONS, found.st_mtime
        header.uname, header.gname = _user(found.st_uid), _group(found.st_gid)
    return header


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return ""


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return ""


def _odd(what: str) -> BoxError:
    return BoxError("SYS-109", f"the backup cannot be read: {what}", ANOTHER_COPY)
