"""Tables of the store (peewee). The call agent writes from one writer thread; the web process writes only its own tables (accounts, audit).

Times are ISO-8601 UTC text with a fixed width, so that text order is time order. Money would be integer fen.
"""

from datetime import UTC, datetime
from typing import Any

from peewee import (
    AutoField,
    BooleanField,
    CharField,
    DatabaseProxy,
    Field,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)

database = DatabaseProxy()


class UtcField(Field):
    """An aware UTC datetime kept as "2026-03-08T02:00:00.000000+00:00"."""

    field_type = "TEXT"

    def db_value(self, value: datetime | None) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    def python_value(self, value: str | None) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class StoreModel(Model):
    class Meta:
        database = database
        legacy_table_names = False


class CallRecord(StoreModel):
    """One call detail record, folded from the call's events. `outcome`: abandoned, completed, message, operator, operator_missed, failed.
    `ended_by`: caller, box, operator. `path`: node keys joined by ">". `ended_at` None: the call goes on.
    `presentation`, `ani_source`: as in appliance.events.CallOffered.
    Operator is whom the caller was transferred to last: `transferred_to` a number, a group or group/channel, empty for nobody;
    `transfer_outcome` answered, busy, no_answer, no_channel, unknown_destination, failed, abandoned, empty while it rings."""

    call_id = CharField(primary_key=True)
    direction = CharField()
    group = CharField(column_name="trunk_group")
    channel = IntegerField()
    ani = CharField(null=True, index=True)
    dnis = CharField(null=True)
    started_at = UtcField(index=True)
    answered_at = UtcField(null=True)
    ended_at = UtcField(null=True)
    duration_ms = IntegerField(default=0)
    talk_ms = IntegerField(default=0)
    cause = IntegerField(null=True)
    ended_by = CharField(default="")
    outcome = CharField(default="", index=True)
    language = CharField(default="zh")
    path = TextField(default="")
    digits = CharField(default="")
    operator_channel = IntegerField(null=True)
    transferred_to = CharField(default="")
    transfer_outcome = CharField(default="")
    presentation = CharField(default="")
    ani_source = CharField(default="")


class CallEvent(StoreModel):
    """The truth: everything that happened in a call, in order. `kind` is the event's class name, `body` its fields as JSON.
    `once_key`: an event that can happen only once carries a key, so that one told again after a crash is not stored twice."""

    id = AutoField()
    call = CharField(index=True, column_name="call_id")
    seq = IntegerField()
    at = UtcField()
    kind = CharField()
    body = TextField()
    once_key = CharField(null=True)

    class Meta:
        indexes = ((("call", "seq"), True), (("call", "once_key"), True))


class Recording(StoreModel):
    """A recording's file, relative to the recordings folder. `ended_at` None: being written. `error` non-empty: see lost_samples."""

    recording_id = CharField(primary_key=True)
    call = CharField(index=True, column_name="call_id")
    path = TextField()
    started_at = UtcField()
    ended_at = UtcField(null=True)
    samples = IntegerField(default=0)
    lost_samples = IntegerField(default=0)
    error = CharField(default="")


class VoiceMessage(StoreModel):
    """A message a caller left; `reference` is the number that was spoken."""

    id = AutoField()
    call = CharField(unique=True, column_name="call_id")
    reference = CharField(unique=True)
    path = TextField()
    language = CharField()
    ani = CharField(null=True)
    left_at = UtcField(index=True)
    duration_ms = IntegerField()
    heard_at = UtcField(null=True)
    heard_by = CharField(null=True)


class Account(StoreModel):
    """A person who may log in to the web. `role`: administrator, technician, inspector."""

    id = AutoField()
    name = CharField(unique=True)
    password_hash = CharField()
    role = CharField()
    language = CharField(default="zh")
    disabled = BooleanField(default=False)
    created_at = UtcField()
    failed_logins = IntegerField(default=0)
    locked_until = UtcField(null=True)
    session_key = CharField(default="")


class Audit(StoreModel):
    """Who did or looked at what."""

    id = AutoField()
    at = UtcField(index=True)
    account = ForeignKeyField(Account, null=True, backref="audits")
    action = CharField()
    subject = CharField(default="", index=True)
    detail = TextField(default="")


class Alarm(StoreModel):
    """An alarm from its begin to its end (`ended_at` None: it lasts). Of a span or a channel (`subject`, `number`): `alarm` is the kernel's
    word (red, yellow, blue ..), "link_down" for a D-channel, "blocked" for a channel blocked after failures in a row; written by the call
    agent as it happens. Of anything else of the box (`subject` box, number 0): `alarm` is the rule's name and what it is about; written by
    careline-health, which also adds to all of them what follows.

    `rule` (see store/alarm_rules.py), `severity`, `detail`, `raised_at`: it lasted long enough to be told; empty while it has
    not. `over_at`: its end was told, too. `acknowledged_by`, `escalated_at`: who sees to it; when others were told because nobody did."""

    id = AutoField()
    subject = CharField()
    number = IntegerField()
    alarm = CharField()
    began_at = UtcField(index=True)
    ended_at = UtcField(null=True)
    rule = CharField(default="")
    severity = CharField(default="")
    detail = TextField(default="")
    raised_at = UtcField(null=True)
    over_at = UtcField(null=True)
    acknowledged_by = CharField(default="")
    acknowledged_at = UtcField(null=True)
    escalated_at = UtcField(null=True)


class LineAction(StoreModel):
    """What somebody did to lines, and what came of it. `by`: the account, or a user of the machine.
    `subject`: "channel 3", "group trunk"."""

    id = AutoField()
    at = UtcField(index=True)
    by = CharField()
    action = CharField()
    subject = CharField()
    detail = TextField(default="")


FIRST_TABLES: tuple[Any, ...] = (CallRecord, CallEvent, Recording, VoiceMessage, Account, Audit)
LINE_TABLES: tuple[Any, ...] = (Alarm, LineAction)
TABLES: tuple[Any, ...] = FIRST_TABLES + LINE_TABLES
