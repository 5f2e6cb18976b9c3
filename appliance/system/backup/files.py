"""Files that are there whole or not at all, also after a power cut. Any thread."""

import contextlib
import os
from pathlib import Path
from typing import TypeVar

import msgspec

from appliance.system.errors import BoxError

S = TypeVar("S", bound=msgspec.Struct)


def write_whole(path: Path, content: bytes, mode: int) -> None:
    """Written aside and renamed. Raises: BoxError SYS-116."""
    aside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            aside.unlink()
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(aside, path)
        sync_folder(path.parent)
    except OSError as error:
        raise BoxError("SYS-116", f"cannot write {path}: {error.strerror}", "Free disk space, or check who owns that folder") from error


def sync_folder(folder: Path) -> None:
    """The names in it are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def kept_json(path: Path, content: msgspec.Struct, mode: int = 0o640) -> None:
    """Raises: BoxError SYS-116."""
    write_whole(path, msgspec.json.encode(content), mode)


def read_json(path: Path, shape: type[S]) -> S | None:
    """None when it is not there. Raises: BoxError SYS-116, SYS-125."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=shape)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise BoxError("SYS-125", f"{path} is damaged: {error}", "Move it away, or take it from a backup") from error
    except OSError as error:
        raise BoxError("SYS-116", f"cannot read {path}: {error.strerror}", "Check who owns that folder") from error
