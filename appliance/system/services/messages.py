"""What crosses the box service's socket about services, logs, time, restart, accounts, factory reset, support. Frozen; times aware UTC."""

from datetime import datetime
from enum import StrEnum

import msgspec

from appliance.system.messages import SystemRequest
from drivers.protocol import Message

LOG_LINES_MOST = 1000


class ServiceState(msgspec.Struct, frozen=True, kw_only=True):
    """A service of ours. `state`, `detail`: systemd's words ("active", "running"). `restarts`: by itself, since the box started."""

    name: str
    state: str
    detail: str
    since: datetime | None = None
    restarts: int = 0
    memory_bytes: int = 0


class ResetPart(StrEnum):
    """What a factory reset can delete. SETTINGS: network, lines, backup targets, alarms and all else set up on web or console. RECORDS:
    the database with accounts, patients, bookings, calls, and the prompts and flows staff made. RECORDINGS: calls and messages."""

    SETTINGS = "settings"
    RECORDS = "records"
    RECORDINGS = "recordings"


class AskServices(SystemRequest, frozen=True, kw_only=True):
    """Answered by ServicesTold."""


class ServicesTold(Message, frozen=True, kw_only=True):
    services: tuple[ServiceState, ...]


class RestartService(SystemRequest, frozen=True, kw_only=True):
    """`name` without "careline-" and ".service": "web". Calls go on, whichever it is."""

    name: str


class AskLogs(SystemRequest, frozen=True, kw_only=True):
    """The newest lines of one service, or of all of ours (empty), after `cursor` if that is not empty. Answered by LogsTold."""

    service: str = ""
    lines: int = 100
    cursor: str = ""


class LogsTold(Message, frozen=True, kw_only=True):
    """`cursor`: where the next AskLogs goes on."""

    lines: tuple[str, ...]
    cursor: str


class AskTime(SystemRequest, frozen=True, kw_only=True):
    """Answered by TimeTold."""


class TimeTold(Message, frozen=True, kw_only=True):
    """`source`: the server the clock follows, empty for none. `offset_ms`: how far the clock was off when that was asked last."""

    now: datetime
    synchronised: bool
    source: str = ""
    offset_ms: float = 0.0
    servers: tuple[str, ...] = ()


class SetTime(SystemRequest, frozen=True, kw_only=True):
    """Set the clock, and the one that runs while the box is off."""

    at: datetime


class RestartBox(SystemRequest, frozen=True, kw_only=True):
    """Restart, or with `power_off` shut down: at once, or when no call is left, waiting at most `wait_s` for that (SYS-020 after it).

    Answered when systemd has been told; Progress "calls" while it waits.
    """

    power_off: bool = False
    wait_s: int = 0


class KeepRunning(SystemRequest, frozen=True, kw_only=True):
    """A restart that still waits for calls is called off."""


class ResetPassword(SystemRequest, frozen=True, kw_only=True):
    """A new password for an account; ends its sessions, unlocks it. `password_hash`: argon2id's text, so that the password crosses no
    socket."""

    name: str
    password_hash: str


class PrepareReset(SystemRequest, frozen=True, kw_only=True):
    """First step of a factory reset. Answered by ResetPrepared; nothing changes."""

    parts: tuple[ResetPart, ...]


class ResetPrepared(Message, frozen=True, kw_only=True):
    """`code` must come back with FactoryReset before `until`. `bytes`: how much will be deleted."""

    code: str
    parts: tuple[ResetPart, ...]
    until: datetime
    bytes: int


class FactoryReset(SystemRequest, frozen=True, kw_only=True):
    """Second step: the box restarts and, before anything of ours runs, deletes what was prepared. Calls end."""

    code: str


class MakeSupportBundle(SystemRequest, frozen=True, kw_only=True):
    """Answered by SupportBundle: logs, states and settings for who helps from afar, without secrets and without patients' data."""


class SupportBundle(Message, frozen=True, kw_only=True):
    """`path`: on the box, readable by the group careline. `masked`: how many numbers, names and secrets were blotted out."""

    path: str
    size_bytes: int
    files: tuple[str, ...]
    masked: int


REPLIES: tuple[type[Message], ...] = (ServicesTold, LogsTold, TimeTold, ResetPrepared, SupportBundle)
