"""Alarms in the store: their settings with every version and its author, who is told, and what web and console do with alarms.

careline-health raises and ends alarms (appliance/health/journal.py). Everything here runs inside the caller's connection; what changes
something is one transaction.
"""

import contextlib
import re
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from peewee import AutoField, CharField, TextField

from appliance.store.alarm_rules import BY_NAME, RuleNow, RuleSetting, Severity, now
from appliance.store.models import Alarm, StoreModel, UtcField, database
from appliance.store.transaction import write_transaction
from drivers.errors import CarelineError

ReceiverKind = Literal["email", "sms", "snmp"]
Level = Literal[1, 2]
BEAT, BEAT_LIMIT_S = "health.beat", 15.0
S = TypeVar("S", bound=msgspec.Struct)
NAME = re.compile(r"[^\W_][\w-]{0,31}")
HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,252}")
ADDRESSES: dict[ReceiverKind, re.Pattern[str]] = {
    "email": re.compile(r"[^\s@<>,;\"]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}"),
    "sms": re.compile(r"\+?\d{3,20}"),
    "snmp": re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9][A-Za-z0-9.-]{0,252})(:\d{1,5})?"),
}


class AlarmSetting(StoreModel):
    """A setting as it was once saved; the newest of a name holds. `name`: "rule disk_low", "receivers", "mail". `body`: JSON."""

    id = AutoField()
    name = CharField(index=True)
    at = UtcField()
    by = CharField()
    body = TextField()


class AlarmTest(StoreModel):
    """Somebody wants to see whether a receiver hears anything. `state`: waiting, sent, failed. `receiver`: its name, or "contact"."""

    id = AutoField()
    receiver = CharField()
    at = UtcField()
    by = CharField()
    state = CharField(default="waiting", index=True)
    error = CharField(default="")


ALARM_TABLES: tuple[Any, ...] = (AlarmSetting, AlarmTest)


class AlarmError(CarelineError):
    """A setting that cannot be used, or an alarm that is not there."""


class Receiver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is told of alarms of `least` severity and above. `to`: an e-mail address, a telephone number, or HOST[:PORT] of a network
    management station. level 2: only when nobody acknowledged. `rules`: only these; empty: all. `secret`: the SNMP community."""

    name: str
    kind: ReceiverKind
    to: str
    least: Severity = Severity.WARNING
    level: Level = 1
    language: Literal["zh", "en"] = "zh"
    rules: tuple[str, ...] = ()
    secret: str = ""
    on: bool = True


class Receivers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of them."""

    all: tuple[Receiver, ...] = ()


class MailSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mail server that takes our mail. Empty `host`: no mail is sent. `an_hour`: no more are sent in any hour. `verify`: its
    certificate must be good."""

    host: str = ""
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = ""
    sender: str = ""
    verify: bool = True
    an_hour: int = 60


def read(name: str, kind: type[S]) -> S:
    """The setting as it holds; its default when it was never saved or an older program cannot read it."""
    row = AlarmSetting.select().where(AlarmSetting.name == name).order_by(AlarmSetting.id.desc()).first()
    try:
        return msgspec.json.decode(row.body, type=kind) if row else kind()
    except msgspec.MsgspecError:
        return kind()


def save(name: str, value: msgspec.Struct, by: str, at: datetime) -> bool:
    """False when it is so already."""
    body = msgspec.json.encode(value).decode()
    with write_transaction(database):
        if read(name, type(value)) == value:
            return False
        AlarmSetting.create(name=name, at=at, by=by, body=body)
    return True


def versions(name: str, most: int = 20) -> list[AlarmSetting]:
    """The newest first."""
    return list(AlarmSetting.select().where(AlarmSetting.name == name).order_by(AlarmSetting.id.desc()).limit(most))


def undo(name: str, kind: type[S], by: str, at: datetime) -> bool:
    """Save the version before anew; the default when there is none before. False when it was never changed."""
    rows = versions(name, 2)
    if not rows:
        return False
    return save(name, msgspec.json.decode(rows[1].body, type=kind) if len(rows) > 1 else kind(), by, at)


def rules_now() -> dict[str, RuleNow]:
    """Every rule as it holds."""
    newest: dict[str, str] = {row.name: row.body for row in AlarmSetting.select().order_by(AlarmSetting.id)}
    return {name: now(rule, _setting(newest.get(f"rule {name}", "{}"))) for name, rule in BY_NAME.items()}


def _setting(body: str) -> RuleSetting:
    try:
        return msgspec.json.decode(body, type=RuleSetting)
    except msgspec.MsgspecError:
        return RuleSetting()


def change_rule(name: str, setting: RuleSetting, by: str, at: datetime) -> bool:
    """Raises: AlarmError ALM-001 no such rule, ALM-002 a threshold out of range."""
    rule = BY_NAME.get(name)
    if rule is None:
        raise AlarmError("ALM-001", f"there is no rule {name}", f"Rules are {', '.join(BY_NAME)}")
    limits = rule.threshold
    if setting.threshold is not None and (limits is None or not limits.least <= setting.threshold <= limits.most):
        allowed = f"{limits.least:g} to {limits.most:g} {limits.unit}" if limits else "none"
        raise AlarmError("ALM-002", f"{setting.threshold:g} as threshold of {name}", f"Allowed: {allowed}")
    return save(f"rule {name}", setting, by, at)


def check_receiver(receiver: Receiver) -> None:
    """Raises: AlarmError ALM-004 its name, ALM-005 its address."""
    if not NAME.fullmatch(receiver.name):
        raise AlarmError("ALM-004", f"{receiver.name!r} as the name of a receiver", "1 to 32 letters, digits, - and _, without spaces")
    if not ADDRESSES[receiver.kind].fullmatch(receiver.to):
        remedy = "A mail address, a telephone number of 3 to 20 digits, or HOST or HOST:PORT of a network management station"
        raise AlarmError("ALM-005", f"{receiver.to!r} is no address for {receiver.kind}", remedy)


def check_mail(mail: MailSettings) -> None:
    """Raises: AlarmError ALM-006."""
    wrong = [
        name
        for name, well in (
            ("host", not mail.host or HOST.fullmatch(mail.host)),
            ("port", 1 <= mail.port <= 65_535),
            ("sender", not mail.host or ADDRESSES["email"].fullmatch(mail.sender)),
            ("an_hour", 1 <= mail.an_hour <= 10_000),
        )
        if not well
    ]
    if wrong:
        remedy = "The name or address of the mail server, its port, and an address of the hospital's as sender"
        raise AlarmError("ALM-006", f"the mail server's {', '.join(wrong)} cannot be used", remedy)


def put_receiver(receiver: Receiver, by: str, at: datetime) -> bool:
    """Add one, or put it in place of the one of that name, whose secret and rules stay when none are given.

    Raises: AlarmError ALM-004, ALM-005.
    """
    check_receiver(receiver)
    with write_transaction(database):
        there = {each.name: each for each in read("receivers", Receivers).all}
        before = there.get(receiver.name)
        if before is not None and before.kind == receiver.kind:
            receiver = msgspec.structs.replace(receiver, secret=receiver.secret or before.secret, rules=receiver.rules or before.rules)
        return save("receivers", Receivers(all=tuple({**there, receiver.name: receiver}.values())), by, at)


def remove_receiver(name: str, by: str, at: datetime) -> bool:
    """False when there is none of that name."""
    with write_transaction(database):
        left = tuple(each for each in read("receivers", Receivers).all if each.name != name)
        return save("receivers", Receivers(all=left), by, at)


def set_mail(mail: MailSettings, by: str, at: datetime) -> bool:
    """Its password stays when none is given. Raises: AlarmError ALM-006."""
    check_mail(mail)
    if not mail.password and mail.user:
        mail = msgspec.structs.replace(mail, password=read("mail", MailSettings).password)
    return save("mail", mail, by, at)


def open_alarms() -> list[Alarm]:
    """Those that were told and last, the worst first, then the newest."""
    rows = Alarm.select().where(Alarm.ended_at.is_null(), Alarm.raised_at.is_null(False))
    rank = {severity.value: at for at, severity in enumerate(Severity)}
    return sorted(rows, key=lambda row: (rank.get(row.severity, 0), row.id), reverse=True)


def history(most: int = 100, before: int = 0) -> list[Alarm]:
    """Those that are over, the newest first; `before`: an alarm's number."""
    rows = Alarm.select().where(Alarm.ended_at.is_null(False), Alarm.raised_at.is_null(False))
    return list((rows.where(Alarm.id < before) if before else rows).order_by(Alarm.id.desc()).limit(most))


def acknowledge(alarm_id: int, by: str, at: datetime) -> bool:
    """`by` sees to it. False when somebody did already. Raises: AlarmError ALM-003 no such alarm."""
    with write_transaction(database):
        if Alarm.get_or_none(Alarm.id == alarm_id, Alarm.raised_at.is_null(False)) is None:
            raise AlarmError("ALM-003", f"there is no alarm {alarm_id}", "Look at the list again")
        mine = Alarm.update(acknowledged_by=by, acknowledged_at=at)
        done: int = mine.where(Alarm.id == alarm_id, Alarm.acknowledged_by == "").execute()
    return done == 1


def try_receiver(receiver: str, by: str, at: datetime) -> int:
    """Ask careline-health to send something; the number to look for."""
    with write_transaction(database):
        test: AlarmTest = AlarmTest.create(receiver=receiver, by=by, at=at)
    return int(test.id)


def beat(run_dir: Path) -> None:
    """careline-health is alive; on a disk that takes nothing that is not known."""
    with contextlib.suppress(OSError):
        (run_dir / BEAT).touch(0o644)


def is_watched(run_dir: Path) -> bool:
    """Whether careline-health has been alive lately. Nobody can be told of an alarm without it."""
    try:
        age_s = time.time() - (run_dir / BEAT).stat().st_mtime
    except OSError:
        return False
    return abs(age_s) < BEAT_LIMIT_S


def mark() -> str:
    """Another one whenever something of alarms is new: for pages that are pushed."""
    told = Alarm.select().where(Alarm.raised_at.is_null(False))
    newest = told.order_by(Alarm.id.desc()).first()
    counts = (
        told.where(Alarm.ended_at.is_null()).count(),
        Alarm.select().where(Alarm.acknowledged_by != "").count(),
        AlarmTest.select().where(AlarmTest.state != "waiting").count(),
        AlarmSetting.select().count(),
    )
    return f"{newest.id if newest else 0} {counts}"
