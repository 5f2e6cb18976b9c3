"""Requests and answers about updates (see appliance.system.messages for how they travel). Plain data.

The way of an update: the bundle is uploaded into `incoming`, or lies on a stick, or at a path → AskBundles → CheckBundle → InstallUpdate →
RestartWhenQuiet → the new version proves itself, or the box goes back by itself. AskUpdate tells where things stand at any moment.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from appliance.store.left import Left
from appliance.system.messages import SystemRequest
from drivers.protocol import Message

BUNDLE_BYTES_MOST = 1 << 30
BUNDLE_NAME = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}\.raucb"
RESTART_LIMIT_MIN_MOST = 1_440


class AskUpdate(SystemRequest, frozen=True, kw_only=True):
    """Answered by UpdateTold."""


class AskBundles(SystemRequest, frozen=True, kw_only=True):
    """What can be installed: uploads, and bundles on sticks, which are mounted for that. Answered by BundlesTold."""


class CheckBundle(SystemRequest, frozen=True, kw_only=True):
    """`bundle`: "upload:NAME", "stick:DEVICE:NAME" (both as BundlesTold has it), or an absolute path. Answered by BundleChecked.

    Fails with SYS-071 no such, SYS-072 signature, SYS-073 for another kind of box."""

    bundle: str


class InstallUpdate(SystemRequest, frozen=True, kw_only=True):
    """Check it and write it into the slot that is not in use. `older`: also when it is no newer version than the one in use. Progress with
    the steps fetching, checking, copying, done; with `background` it is done once begun, and AskUpdate tells of it.

    Fails as CheckBundle, and with SYS-074 older, SYS-075 no room, SYS-076 another runs, SYS-077 could not be installed.
    """

    bundle: str
    older: bool = False
    background: bool = False


class DiscardUpload(SystemRequest, frozen=True, kw_only=True):
    name: str


class RestartWhenQuiet(SystemRequest, frozen=True, kw_only=True):
    """Restart when there is no call, at the latest after `limit_min`; 0: at once. Calls that are there then end."""

    limit_min: int = 0


class CancelRestart(SystemRequest, frozen=True, kw_only=True):
    pass


class GoBack(SystemRequest, frozen=True, kw_only=True):
    """The other slot, with its version and the copy of the store from before the update, starts at the next restart. Fails with SYS-081."""


class StayHere(SystemRequest, frozen=True, kw_only=True):
    """The slot in use is good and starts next, whatever was installed or asked for."""


class SettleLeft(SystemRequest, frozen=True, kw_only=True):
    """Somebody has entered again what is only in the store `database` (UpdateTold.left)."""

    database: str


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """`name`: A or B. good: it may start. next: it starts at the next restart. version: empty when unknown."""

    name: str
    booted: bool
    good: bool
    next: bool
    version: str = ""


class Event(StrEnum):
    """Pages translate them. interrupted: an installation that a restart or crash cut off. did_not_start, not_healthy: the box went back by
    itself. switched: an older version found the newer one's data, and the newer one was started again."""

    INSTALLED = "installed"
    NOT_INSTALLED = "not_installed"
    INTERRUPTED = "interrupted"
    RESTART_ASKED = "restart_asked"
    RESTART_CANCELLED = "restart_cancelled"
    RESTARTED = "restarted"
    PROVED = "proved"
    NOT_HEALTHY = "not_healthy"
    DID_NOT_START = "did_not_start"
    SWITCHED = "switched"
    BACK_ASKED = "back_asked"
    STAY_ASKED = "stay_asked"
    LEFT_SETTLED = "left_settled"


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the history. `by`: empty for the box itself. code, what, remedy: of what went wrong."""

    at: datetime
    event: Event
    by: str = ""
    version: str = ""
    slot: str = ""
    code: str = ""
    what: str = ""
    remedy: str = ""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """An installation that runs."""

    bundle: str
    by: str
    started_at: datetime
    version: str = ""
    percent: int = 0
    step: str = "fetching"


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """An installed version that has not proved itself yet. `boot`: the kernel's id of the boot in which it was installed.
    failed_before: what was not well then, which is not the new version's fault."""

    version: str
    slot: str
    from_version: str
    by: str
    at: datetime
    boot: str
    failed_before: tuple[str, ...] = ()


class Restart(msgspec.Struct, frozen=True, kw_only=True):
    """A restart that waits for calls to end. `closing`: new callers are told by now, and those who talk hear a tone."""

    by: str
    closing: bool = False
    at: datetime
    until: datetime


class UpdateTold(Message, frozen=True, kw_only=True):
    """`version`: what runs now. `fault`: why this box cannot be updated (SYS-070), empty otherwise. history: newest first."""

    version: str
    slots: tuple[Slot, ...] = ()
    job: Job | None = None
    trial: Trial | None = None
    restart: Restart | None = None
    calls: int | None = None
    history: tuple[Note, ...] = ()
    left: tuple[Left, ...] = ()
    copy_at: datetime | None = None
    fault: str = ""


class BundleFile(msgspec.Struct, frozen=True, kw_only=True):
    """`bundle`: as CheckBundle and InstallUpdate want it. `stick`: its label or device; empty for an upload."""

    bundle: str
    name: str
    size_bytes: int
    stick: str = ""


class BundlesTold(Message, frozen=True, kw_only=True):
    """`faults`: sticks that cannot be read, in words."""

    bundles: tuple[BundleFile, ...]
    faults: tuple[str, ...] = ()


class BundleChecked(Message, frozen=True, kw_only=True):
    """`newer`: than what runs now. `store`: the version of the store it works with, 0 when not told; `store_now`: the one here."""

    bundle: str
    version: str
    build: str
    newer: bool
    store: int = 0
    store_now: int = 0
