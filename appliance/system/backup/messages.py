"""What crosses the box service's socket about backups: requests, and what answers them. Frozen; times aware UTC, sizes in bytes.

Whoever sends a request that shows the recovery words, restores, or changes where backups go has asked that person's password anew before.
Work that takes long (making, checking, restoring) is one job at a time: with `wait` the answer comes when it is over, Progress before it;
without, JobStarted answers at once and AskBackupState tells how far it is.
"""

from datetime import datetime

import msgspec

from appliance.system.backup.model import (
    BackupSettings as BackupSettings,
)
from appliance.system.backup.model import (
    JobKind as JobKind,
)
from appliance.system.backup.model import (
    Outcome as Outcome,
)
from appliance.system.backup.model import (
    RestorePhase as RestorePhase,
)
from appliance.system.backup.model import (
    Target as Target,
)
from appliance.system.backup.model import (
    TargetKind as TargetKind,
)
from appliance.system.messages import SystemRequest
from drivers.protocol import Message

# --- requests: what there is --------------------------------------------------------------------------------------------


class AskBackupState(SystemRequest, frozen=True, kw_only=True):
    """Answered by BackupState."""


class AskBackups(SystemRequest, frozen=True, kw_only=True):
    """Backups at a target. Answered by BackupList. Mounts the target if it must."""

    target: str


class AskBackupSettings(SystemRequest, frozen=True, kw_only=True):
    """Answered by BackupSettingsTold."""


class AskUsbDisks(SystemRequest, frozen=True, kw_only=True):
    """Answered by UsbDisks."""


class AskBackupWords(SystemRequest, frozen=True, kw_only=True):
    """The recovery words, without which no backup of this box can be read. Answered by BackupWords; made if there are none."""


# --- requests: work -----------------------------------------------------------------------------------------------------


class MakeBackup(SystemRequest, frozen=True, kw_only=True):
    """`recordings` None: as set. Answered by BackupMade, or JobStarted."""

    target: str
    recordings: bool | None = None
    wait: bool = True


class VerifyBackup(SystemRequest, frozen=True, kw_only=True):
    """Restore `name` of `target`, or the file `path` (from the console), into a shadow and look at it. `words` empty: this box's own.
    Answered by BackupVerified, or JobStarted."""

    target: str = ""
    name: str = ""
    path: str = ""
    words: str = ""
    wait: bool = True


class RestoreBackup(SystemRequest, frozen=True, kw_only=True):
    """Take back `name` of `target`, or the file `path` (from the console), or `upload` (a name in incoming_dir, from the web).

    All is read and checked before anything is stopped. Then the services stop, the data are exchanged, and they start again; calls end.
    configuration: careline.toml, too. Answered by BackupRestored (a client that the restoring stops hears nothing), or JobStarted.
    """

    target: str = ""
    name: str = ""
    path: str = ""
    upload: str = ""
    words: str = ""
    configuration: bool = True
    recordings: bool = True
    wait: bool = True


class RestoreRecordings(SystemRequest, frozen=True, kw_only=True):
    """All packed recordings of `box` (empty: this one) that lie at `target` and not here; what is here stays. Answered by
    RecordingsRestored, or JobStarted."""

    target: str
    box: str = ""
    words: str = ""
    wait: bool = True


class ConfirmRestore(SystemRequest, frozen=True, kw_only=True):
    """What was there before the restoring is deleted."""


class UndoRestore(SystemRequest, frozen=True, kw_only=True):
    """What was there before comes back; what was restored, and written since, is deleted."""


class CancelBackupJob(SystemRequest, frozen=True, kw_only=True):
    """The running job ends soon, leaving nothing behind; a restoring only until it exchanges the data."""


class FetchBackup(SystemRequest, frozen=True, kw_only=True):
    """A copy for the web to send: answered by BackupFetched. It is deleted after a day."""

    target: str
    name: str


class RemoveBackup(SystemRequest, frozen=True, kw_only=True):
    """Raises SYS-106 for the newest good one."""

    target: str
    name: str


# --- requests: settings -------------------------------------------------------------------------------------------------


class SetBackupSettings(SystemRequest, frozen=True, kw_only=True):
    """All of it anew; `revision` is that of the settings that were shown (SYS-102 if they were changed meanwhile)."""

    settings: BackupSettings
    revision: int


class UndoBackupSettings(SystemRequest, frozen=True, kw_only=True):
    """The settings before the last change."""


class SetTargetPassword(SystemRequest, frozen=True, kw_only=True):
    """Of SFTP or a share; empty: none any more (SFTP then logs in with the box's key)."""

    target: str
    password: str


class ProbeTarget(SystemRequest, frozen=True, kw_only=True):
    """Write, read back and delete a small file there. Answered by TargetProbed."""

    target: str


class AskHostKey(SystemRequest, frozen=True, kw_only=True):
    """Which key that machine shows now, for a person to compare. Answered by HostKey. Nothing is trusted by it."""

    host: str
    port: int = 22


class EjectDisk(SystemRequest, frozen=True, kw_only=True):
    """Everything is written and the disk may be pulled. `device`: as in UsbDisk."""

    device: str


class NewBackupWords(SystemRequest, frozen=True, kw_only=True):
    """Other recovery words for what is made from now on (the old ones stay needed for older backups). Answered by BackupWords."""


# --- answers ------------------------------------------------------------------------------------------------------------


class JobStarted(Message, frozen=True, kw_only=True):
    request_id: int


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job that runs, or the last one. `step`: a stable word (see STEPS). `ended_at` None: it runs."""

    kind: JobKind
    target: str
    name: str
    by: str
    started_at: datetime
    percent: int = 0
    step: str = ""
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    code: str = ""
    what: str = ""
    remedy: str = ""


STEPS = (
    *("waiting", "room", "snapshot", "counting", "writing", "reading_back", "recordings", "thinning"),
    *("opening", "unpacking", "shadow", "migrating", "stopping", "exchanging", "starting", "copying", "done"),
)
"""All words that Progress.step and Job.step may be."""


class History(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was tried. `kind`: nightly or by_hand."""

    at: datetime
    ended_at: datetime
    target: str
    name: str
    kind: str
    by: str
    outcome: Outcome
    size: int = 0
    code: str = ""
    what: str = ""
    remedy: str = ""


class BackupState(Message, frozen=True, kw_only=True):
    """job: the one that runs or ran last. last_good_at: when the newest backup that was read back was made. history: newest first, 50 at
    most. has_words: recovery words were made; words_seen: somebody has seen them. restored_from: the backup in use unconfirmed."""

    request_id: int
    nightly: bool
    next_at: datetime | None
    last_good_at: datetime | None
    job: Job | None
    history: tuple[History, ...]
    has_words: bool
    words_seen: bool
    restore: RestorePhase
    restored_from: str = ""
    restored_at: datetime | None = None


class BackupFile(msgspec.Struct, frozen=True, kw_only=True):
    """A backup at a target, by its name alone. `recordings`: packs of recordings lie there, too."""

    name: str
    at: datetime
    box: str
    kind: str
    size: int


class BackupList(Message, frozen=True, kw_only=True):
    """Newest first. free: bytes, None where the target does not say. packs: of recordings, and their bytes."""

    request_id: int
    backups: tuple[BackupFile, ...]
    free: int | None
    packs: int = 0
    packs_size: int = 0


class BackupSettingsTold(Message, frozen=True, kw_only=True):
    """public_key: of the box, for the SFTP server's authorized_keys. with_password: targets that have one."""

    request_id: int
    settings: BackupSettings
    revision: int
    changed_by: str
    changed_at: datetime | None
    public_key: str
    with_password: tuple[str, ...]


class UsbDisk(msgspec.Struct, frozen=True, kw_only=True):
    """A file system on a disk that can be pulled. device: "/dev/sdb1"; model: of the disk."""

    device: str
    label: str
    uuid: str
    file_system: str
    size: int
    model: str
    mounted: bool


class UsbDisks(Message, frozen=True, kw_only=True):
    request_id: int
    disks: tuple[UsbDisk, ...]


class BackupWords(Message, frozen=True, kw_only=True):
    """words: "K7QM-2XWB-…", to be typed where a backup is restored."""

    request_id: int
    words: str
    made_at: datetime


class BackupMade(Message, frozen=True, kw_only=True):
    """recordings: packed this time."""

    request_id: int
    target: str
    name: str
    size: int
    recordings: int


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says of itself. database: "sqlite" or "postgresql"; schema: version of the store; counts: rows of each table."""

    format: int
    version: str
    schema: int
    database: str
    box: str
    at: datetime
    kind: str
    by: str
    keys: bool
    counts: dict[str, int]


class BackupVerified(Message, frozen=True, kw_only=True):
    """parts: files whose SHA-256 is right. A backup that is not well is SystemFailed instead."""

    request_id: int
    about: About
    parts: int
    size: int


class BackupRestored(Message, frozen=True, kw_only=True):
    """recordings: that came back. configuration_beside: careline.toml names other folders or another database than this
    box has, so it was not taken but lies there."""

    request_id: int
    about: About
    recordings: int
    configuration_beside: str = ""


class RecordingsRestored(Message, frozen=True, kw_only=True):
    request_id: int
    recordings: int


class BackupFetched(Message, frozen=True, kw_only=True):
    """path: readable by the group careline."""

    request_id: int
    path: str
    size: int


class TargetProbed(Message, frozen=True, kw_only=True):
    request_id: int
    free: int | None


class HostKey(Message, frozen=True, kw_only=True):
    """host_key: as Target.host_key wants it. fingerprint: "SHA256:…", as ssh-keygen -l shows it."""

    request_id: int
    host_key: str
    fingerprint: str


REPLIES: tuple[type[Message], ...] = (
    *(JobStarted, BackupState, BackupList, BackupSettingsTold, UsbDisks, BackupWords, BackupMade),
    *(BackupVerified, BackupRestored, RecordingsRestored, BackupFetched, TargetProbed, HostKey),
)
