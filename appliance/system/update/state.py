"""What must be known across restarts: the installation that runs, the version on trial, a restart that waits; and the history.

data_dir/system/update/state.json      written anew as a whole (atomic)
data_dir/system/update/history.jsonl   a note a line
data_dir/system/update/lock            held by whoever changes the two
data_dir/system/update/installing      held by an installation while it runs
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from appliance.system.errors import BoxError
from appliance.system.update.messages import Event, Job, Note, Restart, Slot, Trial
from appliance.system.update.places import Places
from drivers.errors import CarelineError

HISTORY_SHOWN = 50
LOCK_LIMIT_S = 10.0
HISTORY_BYTES_MOST = 256 << 10


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """slots: as they were when the job began to copy, for RAUC says nothing of them until it is done; the one that is written is not good.
    switches: how often in a row the box went to the other slot because the data here was a newer version's."""

    job: Job | None = None
    slots: tuple[Slot, ...] = ()
    trial: Trial | None = None
    restart: Restart | None = None
    switches: int = 0


def read(places: Places) -> Standing:
    """As it stands; the beginning when there is none, or it cannot be read."""
    try:
        return msgspec.json.decode((places.own / "state.json").read_bytes(), type=Standing)
    except (OSError, msgspec.DecodeError):
        return Standing()


def change(places: Places, how: Callable[[Standing], Standing]) -> Standing:
    """One change at a time. Raises: BoxError SYS-084."""
    with _locked(places, "lock"):
        standing = how(read(places))
        _write(places, "state.json", msgspec.json.encode(standing))
    return standing


def without_job(standing: Standing) -> Standing:
    return msgspec.structs.replace(standing, job=None, slots=())


def note(
    places: Places, event: Event, at: datetime, *, by: str = "", version: str = "", slot: str = "", fault: CarelineError | None = None
) -> None:
    """Raises: BoxError SYS-084."""
    code, what, remedy = (fault.code, fault.what, fault.remedy) if fault else ("", "", "")
    line = Note(at=at, event=event, by=by, version=version, slot=slot, code=code, what=what, remedy=remedy)
    with _locked(places, "lock"):
        kept = _lines(places)
        _write(places, "history.jsonl", b"".join((*kept, msgspec.json.encode(line) + b"\n")))


def history(places: Places) -> tuple[Note, ...]:
    """Newest first, some of them."""
    notes = []
    for line in reversed(_lines(places)):
        try:
            notes.append(msgspec.json.decode(line, type=Note))
        except msgspec.DecodeError:
            continue
    return tuple(notes[:HISTORY_SHOWN])


@contextmanager
def installing(places: Places) -> Iterator[None]:
    """One installation at a time, and known as such while it lasts. Raises: BoxError SYS-076, SYS-084."""
    with _locked(places, "installing", wait=False):
        yield


def is_installing(places: Places) -> bool:
    try:
        with installing(places):
            return False
    except BoxError:
        return True


def boot(places: Places) -> str:
    """The kernel's id of this boot."""
    try:
        return places.boot_id.read_text("ascii").strip()
    except OSError:
        return ""


def _lines(places: Places) -> list[bytes]:
    try:
        written = (places.own / "history.jsonl").read_bytes()
    except OSError:
        return []
    return written[-HISTORY_BYTES_MOST:].splitlines(keepends=True)[1 if len(written) > HISTORY_BYTES_MOST else 0 :]


@contextmanager
def _locked(places: Places, name: str, *, wait: bool = True) -> Iterator[None]:
    """`lock` is held for one writing only."""
    try:
        places.own.mkdir(parents=True, exist_ok=True)
        file = os.open(places.own / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unwritable(places, error) from error
    try:
        _lock(file, wait)
        yield
    finally:
        os.close(file)


def _lock(file: int, wait: bool) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError as error:
        raise BoxError("SYS-076", "an update is being installed already", "Wait until it is done") from error


def _unwritable(places: Places, error: OSError) -> BoxError:
    return BoxError("SYS-084", f"cannot write below {places.own}: {error.strerror}", "Free disk space; see that the data partition is well")


def _write(places: Places, name: str, content: bytes) -> None:
    try:
        _replace(places.own / name, content)
    except OSError as error:
        raise _unwritable(places, error) from error


def _replace(path: Path, content: bytes) -> None:
    """The old or the new content is there after a power cut."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
