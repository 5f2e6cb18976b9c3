"""What is done for each request about backups (actions.py). Each runs in a thread of its own; what takes long is a job (jobs.py)."""

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from appliance.system.backup import messages, mounting, naming, packing, restoring, settings, targets, words
from appliance.system.backup.checking import verify
from appliance.system.backup.known import desk, settings_of, tell_health
from appliance.system.backup.making_jobs import by_hand
from appliance.system.backup.messages import JobKind, TargetKind
from appliance.system.backup.places import Places, places_of
from appliance.system.backup.shelf import FolderShelf, Readable, Shelf
from appliance.system.backup.work import Work, counted
from appliance.system.box import Box, Tell
from appliance.system.errors import BoxError
from appliance.system.messages import SystemRequest
from drivers.protocol import Message

UPLOAD = re.compile(r"[A-Za-z0-9-]{1,64}")
FETCHED_MODE = 0o640

T = TypeVar("T")


# --- what there is ------------------------------------------------------------------------------------------------------


def backups(box: Box, request: messages.AskBackups, tell: Tell) -> messages.BackupList:
    places = places_of(box)
    with _shelf(places, box, request.target) as shelf:
        files = shelf.list()
        free = shelf.free()
    packs = naming.packs_among(files)
    return messages.BackupList(
        request_id=request.request_id,
        backups=tuple(naming.backups_among(files)),
        free=free,
        packs=len(packs),
        packs_size=sum(pack.size for pack in packs),
    )


def told_settings(box: Box, request: SystemRequest, tell: Tell) -> messages.BackupSettingsTold:
    places = places_of(box)
    kept = settings.load(places.settings)
    is_sftp = any(target.kind is TargetKind.SFTP for target in kept.settings.targets)
    return messages.BackupSettingsTold(
        request_id=request.request_id,
        settings=kept.settings,
        revision=kept.revision,
        changed_by=kept.changed_by,
        changed_at=kept.changed_at,
        public_key=_public_key(places) if is_sftp or places.ssh_key.exists() else "",
        with_password=tuple(sorted(targets.passwords(places))),
    )


def _public_key(places: Places) -> str:
    from appliance.system.backup.sftp import public_key  # 15 MB that most boxes never need

    return public_key(places.ssh_key)


def usb_disks(box: Box, request: messages.AskUsbDisks, tell: Tell) -> messages.UsbDisks:
    return messages.UsbDisks(request_id=request.request_id, disks=tuple(mounting.usb_disks(places_of(box).mounts)))


def told_words(box: Box, request: messages.AskBackupWords, tell: Tell) -> messages.BackupWords:
    path = places_of(box).words
    kept = words.kept(path, box.clock)
    words.mark_seen(path, kept)
    return messages.BackupWords(request_id=request.request_id, words=kept.words, made_at=kept.made_at)


def new_words(box: Box, request: messages.NewBackupWords, tell: Tell) -> messages.BackupWords:
    path = places_of(box).words
    kept = words.keep_new(path, box.clock)
    words.mark_seen(path, kept)
    return messages.BackupWords(request_id=request.request_id, words=kept.words, made_at=kept.made_at)


# --- work ---------------------------------------------------------------------------------------------------------------


def make(box: Box, request: messages.MakeBackup, tell: Tell) -> Message:
    started = by_hand(box, request.target, request.by, request.recordings, tell if request.wait else None)
    if not request.wait:
        return messages.JobStarted(request_id=request.request_id)
    made = started.result()
    return messages.BackupMade(
        request_id=request.request_id, target=request.target, name=made.name, size=made.size, recordings=made.recordings
    )


def check(box: Box, request: messages.VerifyBackup, tell: Tell) -> Message:
    places, passphrase = places_of(box), _words(box, request.words)
    source = messages.RestoreBackup(target=request.target, name=request.name, path=request.path)
    _check_source(box, source)

    def do(work: Work) -> messages.BackupVerified:
        with _source(places, box, source) as (_, file, size):
            about, parts = verify(file, size, passphrase, places.work / "shadow", work)
        return messages.BackupVerified(request_id=request.request_id, about=about, parts=len(parts), size=size)

    return _as_asked(box, request, JobKind.VERIFY, request.target, request.name or Path(request.path).name, do, tell)


def restore(box: Box, request: messages.RestoreBackup, tell: Tell) -> Message:
    places, passphrase = places_of(box), _words(box, request.words)
    name = request.name or Path(request.path).name or request.upload
    _check_source(box, request)

    def do(work: Work) -> messages.BackupRestored:
        with _source(places, box, request) as (shelf, file, size):
            asked = restoring.Asked(
                name=name, size=size, words=passphrase, by=request.by, at=box.clock.now(), configuration=request.configuration
            )
            done = restoring.restore(places, asked, file, work)
            tell_health(box)
            work.may_cancel()
            count = packing.unpack(shelf, places, done.about.box, passphrase, work) if shelf and request.recordings else 0
        if request.upload:
            (places.incoming / request.upload).unlink(missing_ok=True)
        return messages.BackupRestored(request_id=request.request_id, about=done.about, recordings=count, configuration_beside=done.beside)

    return _as_asked(box, request, JobKind.RESTORE, request.target, name, do, tell)


def recordings(box: Box, request: messages.RestoreRecordings, tell: Tell) -> Message:
    places, passphrase = places_of(box), _words(box, request.words)
    settings.target_of(settings_of(box), request.target)

    def do(work: Work) -> messages.RecordingsRestored:
        with _shelf(places, box, request.target) as shelf:
            count = packing.unpack(shelf, places, request.box or places.box, passphrase, work)
        return messages.RecordingsRestored(request_id=request.request_id, recordings=count)

    return _as_asked(box, request, JobKind.RECORDINGS, request.target, request.box, do, tell)


def confirm(box: Box, request: messages.ConfirmRestore, tell: Tell) -> None:
    restoring.confirm(places_of(box))


def undo(box: Box, request: messages.UndoRestore, tell: Tell) -> None:
    places = places_of(box)
    desk(box).start(JobKind.RESTORE, "", "", request.by, lambda work: restoring.undo(places, request.by, work), tell).result()
    tell_health(box)


def cancel(box: Box, request: messages.CancelBackupJob, tell: Tell) -> None:
    desk(box).cancel()


def fetch(box: Box, request: messages.FetchBackup, tell: Tell) -> messages.BackupFetched:
    """A copy of yesterday makes room for it."""
    places = places_of(box)

    def do(work: Work) -> messages.BackupFetched:
        shutil.rmtree(places.fetched, ignore_errors=True)
        with _shelf(places, box, request.target) as shelf, shelf.reading(request.name) as file:
            size = _size(shelf, request.name)
            work.step("copying", 0, 100, size)
            path = _copy(places, request.name, file, size, work)
        return messages.BackupFetched(request_id=request.request_id, path=str(path), size=size)

    return desk(box).start(JobKind.FETCH, request.target, request.name, request.by, do, tell).result()


def _copy(places: Places, name: str, file: Readable, size: int, work: Work) -> Path:
    if shutil.disk_usage(places.data).free < size:
        raise BoxError("SYS-122", "the box's own disk has no room for a copy", "Copy it from where it lies")
    places.work.mkdir(mode=0o750, parents=True, exist_ok=True)
    places.work.chmod(0o750)
    with FolderShelf(places.fetched).writing(name) as copy:
        while piece := counted(file, work, 1 << 20):
            copy.write(piece)
    places.fetched.chmod(0o750)
    (places.fetched / name).chmod(FETCHED_MODE)
    return places.fetched / name


def remove(box: Box, request: messages.RemoveBackup, tell: Tell) -> None:
    places = places_of(box)
    with _shelf(places, box, request.target) as shelf:
        known = naming.backups_among(shelf.list())
        _size(shelf, request.name)
        newest = next((each.name for each in known if each.box == places.box), None)
        if request.name == newest:
            raise BoxError("SYS-106", f"{request.name} is the newest backup of this box there", "Make another one first")
        shelf.remove(request.name)


def _as_asked(
    box: Box, request: SystemRequest, kind: JobKind, target: str, name: str, do: Callable[[Work], Message], tell: Tell
) -> Message:
    wait = bool(getattr(request, "wait", True))
    started: Future[Message] = desk(box).start(kind, target, name, request.by, do, tell if wait else None)
    return started.result() if wait else messages.JobStarted(request_id=request.request_id)


def _words(box: Box, given: str) -> str:
    """Those given, or this box's. Raises: BoxError SYS-110, SYS-111."""
    if given.strip():
        return words.typed(given)
    kept = words.known(places_of(box).words)
    if kept is None:
        raise BoxError("SYS-111", "this box has no recovery words yet", "Type those of the box that made the backup")
    return kept.words


def _check_source(box: Box, request: messages.RestoreBackup) -> None:
    """Raises: BoxError SYS-103, SYS-124."""
    if [bool(request.name), bool(request.path), bool(request.upload)].count(True) != 1:
        raise BoxError("SYS-124", "what is to be restored is not clear", "Name one backup of a place, or one file")
    if request.name:
        settings.target_of(settings_of(box), request.target)
    if request.upload and not UPLOAD.fullmatch(request.upload):
        raise BoxError("SYS-124", "this is no upload of the web's", "Upload it again")


@contextlib.contextmanager
def _source(places: Places, box: Box, request: messages.RestoreBackup) -> Iterator[tuple[Shelf | None, Readable, int]]:
    if request.name:
        with _shelf(places, box, request.target) as shelf:
            size = _size(shelf, request.name)
            with shelf.reading(request.name) as file:
                yield shelf, file, size
        return
    path = Path(request.path) if request.path else places.incoming / request.upload
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise BoxError("SYS-107", f"cannot read {path}: {error.strerror}", "Name the file of a backup that is there") from error
    with open(descriptor, "rb") as opened:
        yield None, opened, os.fstat(descriptor).st_size


def _size(shelf: Shelf, name: str) -> int:
    """Raises: BoxError SYS-107."""
    found = next((file.size for file in shelf.list() if file.name == name and naming.backups_among([file])), None)
    if found is None:
        raise BoxError("SYS-107", f"there is no backup {name!r:.120} there", "Look at the list of backups again")
    return found


def _shelf(places: Places, box: Box, target: str) -> contextlib.AbstractContextManager[Shelf]:
    return targets.opened(settings.target_of(settings_of(box), target), places)


# --- settings -----------------------------------------------------------------------------------------------------------


def set_settings(box: Box, request: messages.SetBackupSettings, tell: Tell) -> messages.BackupSettingsTold:
    places = places_of(box)
    settings.change(places.settings, request.settings, request.revision, request.by, box.clock)
    gone = set(targets.passwords(places)) - {target.name for target in request.settings.targets}
    for name in gone:
        targets.keep_password(places, name, "")
    tell_health(box)
    return told_settings(box, request, tell)


def undo_settings(box: Box, request: messages.UndoBackupSettings, tell: Tell) -> messages.BackupSettingsTold:
    settings.undo(places_of(box).settings, request.by, box.clock)
    tell_health(box)
    return told_settings(box, request, tell)


def set_password(box: Box, request: messages.SetTargetPassword, tell: Tell) -> None:
    settings.target_of(settings_of(box), request.target)
    if any(ord(letter) < ord(" ") for letter in request.password):
        raise BoxError("SYS-101", "a password with control characters", "Use letters, digits and signs")
    targets.keep_password(places_of(box), request.target, request.password)


def probe(box: Box, request: messages.ProbeTarget, tell: Tell) -> messages.TargetProbed:
    with _shelf(places_of(box), box, request.target) as shelf:
        targets.probe(shelf)
        return messages.TargetProbed(request_id=request.request_id, free=shelf.free())


def host_key(box: Box, request: messages.AskHostKey, tell: Tell) -> messages.HostKey:
    from appliance.system.backup.sftp import host_key_of  # 15 MB that most boxes never need

    if not settings.HOST.fullmatch(request.host) or not 1 <= request.port <= 65535:
        raise BoxError("SYS-101", "no machine of that name can be", "Give a machine's name or address, and a port")
    found, fingerprint = host_key_of(request.host, request.port)
    return messages.HostKey(request_id=request.request_id, host_key=found, fingerprint=fingerprint)


def eject(box: Box, request: messages.EjectDisk, tell: Tell) -> None:
    mounting.eject(request.device, places_of(box).mounts)
