"""Where firmware files are kept: a folder below data_dir with a manifest of what each was when it was checked. One process at a time.

A file that Debian's own tools would find (/usr/share/dahdi, /lib/firmware) is used too, checked anew each time; the shelf goes first.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from drivers.protocol import FirmwareFile
from firmware_shims.catalogue import FILES, FileNeed
from firmware_shims.checks import Checked, check, known_name
from firmware_shims.errors import FILE_CHANGED, FILE_MISSING, FILE_UNREADABLE, FILE_UNWRITABLE, FirmwareError

FOLDER = Path("system") / "firmware"
MANIFEST = "manifest.json"
READ_BYTES_MOST = 16 * 1024 * 1024
SYSTEM_FOLDERS = (Path("usr/share/dahdi"), Path("lib/firmware"), Path("usr/lib/firmware"))


class Shelf:
    """`data_dir`: of careline.toml. `root`: "/" but in tests."""

    def __init__(self, data_dir: Path, root: Path = Path("/")) -> None:
        self.folder = data_dir / FOLDER
        self._system = tuple(root / folder for folder in SYSTEM_FOLDERS)

    def add(self, source: Path, name: str = "", by: str = "", at: datetime | None = None) -> FirmwareFile:
        """Check and keep a file; one of the same name is replaced. Raises: FirmwareError CRD-002, CRD-003, CRD-005, CRD-006."""
        wanted = known_name(name or source.name)
        checked = check(wanted, read_file(source))
        kept = FirmwareFile(
            name=wanted,
            kind=checked.kind,
            size_bytes=len(checked.content),
            sha256=checked.sha256,
            version=checked.version,
            added_at=(at or datetime.now(UTC)).replace(microsecond=0),
            by=by,
        )
        self._write(wanted, checked.content)
        self._write_manifest({**self._manifest(), wanted: kept})
        return kept

    def remove(self, name: str) -> None:
        """Raises: FirmwareError CRD-001, CRD-003, CRD-005."""
        wanted, manifest = known_name(name), self._manifest()
        if wanted not in manifest and not (self.folder / wanted).exists():
            raise missing_files((wanted,), self.folder)
        with _writing(self.folder / wanted):
            (self.folder / wanted).unlink(missing_ok=True)
        self._write_manifest({each: kept for each, kept in manifest.items() if each != wanted})

    def files(self) -> tuple[FirmwareFile, ...]:
        """What is kept; one that is not any more what was checked says so."""
        return tuple(self._as_it_is(kept) for _, kept in sorted(self._manifest().items()))

    def find(self, name: str) -> Path | None:
        """The file of that name, on the shelf or where Debian's tools look."""
        folders = (self.folder, *self._system)
        return next((folder / name for folder in folders if (folder / name).is_file()), None)

    def read(self, need: FileNeed) -> Checked:
        """The file, checked. Raises: FirmwareError CRD-001, CRD-002, CRD-004, CRD-006."""
        path = self.find(need.name)
        if path is None:
            raise missing_files((need.name,), self.folder)
        content = read_file(path)
        kept = self._manifest().get(need.name)
        if path.parent == self.folder and kept is not None and kept.sha256 != hashlib.sha256(content).hexdigest():
            raise FirmwareError(FILE_CHANGED, f"{path} is not the file that was checked when it was added", "Add the file again")
        return check(need.name, content)

    def _as_it_is(self, kept: FirmwareFile) -> FirmwareFile:
        try:
            self.read(FILES[kept.name])
        except FirmwareError as error:
            return msgspec.structs.replace(kept, fault=f"{error.code}: {error.what}")
        return kept

    def _manifest(self) -> dict[str, FirmwareFile]:
        """What is written down; names the table does not know any more are passed over. Raises: FirmwareError CRD-006."""
        path = self.folder / MANIFEST
        if not path.exists():
            return {}
        try:
            kept = msgspec.json.decode(read_file(path), type=dict[str, FirmwareFile])
        except msgspec.DecodeError as error:
            raise FirmwareError(FILE_UNREADABLE, f"{path} cannot be read: {error}", "Remove it and add the files again") from error
        return {name: each for name, each in kept.items() if name in FILES}

    def _write_manifest(self, manifest: dict[str, FirmwareFile]) -> None:
        self._write(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))

    def _write(self, name: str, content: bytes) -> None:
        """So that a power cut leaves the old or the new one."""
        target = self.folder / name
        fresh = target.with_name(f".{name}.new")
        with _writing(target):
            self.folder.mkdir(parents=True, exist_ok=True)
            with fresh.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(target)


def read_file(path: Path) -> bytes:
    """Raises: FirmwareError CRD-006."""
    try:
        if path.stat().st_size > READ_BYTES_MOST:
            raise FirmwareError(
                FILE_UNREADABLE, f"{path} has more than {READ_BYTES_MOST} bytes", "That is no firmware file; choose another"
            )
        return path.read_bytes()
    except OSError as error:
        raise FirmwareError(
            FILE_UNREADABLE, f"cannot read {path}: {error.strerror}", "Is the medium there, and may root read it?"
        ) from error


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FirmwareError(
            FILE_UNWRITABLE, f"cannot write {path}: {error.strerror}", "Check free space and rights of the data folder"
        ) from error


def missing_files(names: tuple[str, ...], folder: Path) -> FirmwareError:
    """What to do about files nobody has brought yet."""
    listed, they = ", ".join(names), "them" if len(names) > 1 else "it"
    what = f"the files {listed} are missing" if len(names) > 1 else f"the file {listed} is missing"
    return FirmwareError(
        FILE_MISSING, what, f"Get {they} from the card's maker and add {they} on the page Cards, or put {they} into {folder}"
    )
