"""What backups are set up with, and the words for how a job goes. Frozen; crosses the box service's socket within messages."""

from enum import StrEnum

import msgspec


class TargetKind(StrEnum):
    """Where backups go. FOLDER: any folder, also on the box's own disk. USB: a disk that is plugged in, mounted and let go by us. SHARE: a
    network share, mounted by us when `source` names it, else by whoever set the box up. SFTP: another machine."""

    FOLDER = "folder"
    USB = "usb"
    SHARE = "share"
    SFTP = "sftp"


class JobKind(StrEnum):
    BACKUP = "backup"
    VERIFY = "verify"
    RESTORE = "restore"
    RECORDINGS = "recordings"
    FETCH = "fetch"


class Outcome(StrEnum):
    """How a job ended."""

    GOOD = "good"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RestorePhase(StrEnum):
    """NONE: nothing is being restored. SWAPPING: the data are being exchanged, or a power cut came in between and it goes on at the next
    start. UNCONFIRMED: what was restored is in use, what was there before is kept until ConfirmRestore or UndoRestore."""

    NONE = "none"
    SWAPPING = "swapping"
    UNCONFIRMED = "unconfirmed"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A place for backups. `name`: short, of letters, digits and dashes, unique.

    path: the folder (FOLDER, SHARE mounted by others), or one below the disk, the share or the SFTP login (USB, SHARE, SFTP).
    label: of a USB disk: label or UUID of its file system; empty: the only disk that is plugged in.
    source, file_system ("cifs", "nfs"), options: of a SHARE that we mount.
    host, port, user: of SFTP (user also of cifs). host_key: "ssh-ed25519 AAAA…", pinned. Passwords are never told (SetTargetPassword).
    """

    name: str
    kind: TargetKind
    path: str = ""
    label: str = ""
    source: str = ""
    file_system: str = ""
    options: str = ""
    host: str = ""
    port: int = 22
    user: str = ""
    host_key: str = ""


class BackupSettings(msgspec.Struct, frozen=True, kw_only=True):
    """nightly: every night at `at` ("HH:MM", the hospital's time) to each target in `nightly_to`. Kept at each target: the newest of each
    of so many days, weeks and months, and so many made by hand; the newest good one always. recordings: new ones are packed beside.
    keys: certificates, keys and passwords of the box are in the backup, too."""

    nightly: bool = False
    at: str = "02:30"
    nightly_to: tuple[str, ...] = ()
    keep_days: int = 7
    keep_weeks: int = 4
    keep_months: int = 6
    keep_by_hand: int = 5
    recordings: bool = False
    keys: bool = True
    targets: tuple[Target, ...] = ()
