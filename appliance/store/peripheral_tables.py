"""Tables of what hangs on the box beside its lines: text messages by a modem, call records and message lamps of another switch.

`careline peripherals` writes them; the web asks for a message to be sent again or to be left, and for records to be read anew.
"""

from typing import Any

from peewee import AutoField, BooleanField, CharField, ForeignKeyField, IntegerField, TextField

from appliance.store.models import StoreModel, UtcField
from appliance.store.outgoing import OutgoingMessage


class SmsPart(StoreModel):
    """A part of a message that goes out. `state`: planned, sending (handed to the modem, no answer yet), sent, delivered, failed, unclear
    (handed over, and nobody knows). `concat`: the parts' common reference. `reference`: the modem's, which the report carries."""

    id = AutoField()
    message = ForeignKeyField(OutgoingMessage, backref="parts")
    number = IntegerField()
    count = IntegerField()
    concat = IntegerField()
    state = CharField(default="planned", index=True)
    attempts = IntegerField(default=0)
    due_at = UtcField()
    reference = IntegerField(null=True, index=True)
    sent_at = UtcField(null=True, index=True)
    reported_at = UtcField(null=True)
    status = IntegerField(null=True)
    error = CharField(default="")

    class Meta:
        indexes = ((("message", "number"), True),)


class SmsReceived(StoreModel):
    """A message that came in, shown as soon as its first part is there. `have` of `count` parts; `reference` None: it has one part.
    `text`: of the parts there are, with … for those that are missing."""

    id = AutoField()
    sender = CharField(index=True)
    reference = IntegerField(null=True)
    count = IntegerField(default=1)
    have = IntegerField(default=1)
    text = TextField()
    sent_at = UtcField(null=True)
    received_at = UtcField(index=True)
    read_at = UtcField(null=True)
    read_by = CharField(default="")


class SmsReceivedPart(StoreModel):
    """A PDU as the modem gave it, before anything else is done with it. `digest`: of the PDU, so that one read twice is kept once.
    `message` None: a report, or what nobody can read (`error` says why)."""

    id = AutoField()
    message = ForeignKeyField(SmsReceived, backref="parts", null=True)
    number = IntegerField(default=1)
    pdu = TextField()
    digest = CharField(unique=True)
    received_at = UtcField()
    error = CharField(default="")


class SwitchRecord(StoreModel):
    """A line of another switch's call records. `line` is written first and never changed; the rest is read from it, again if asked.
    `state`: raw (to be read), read, unread (`error` says why), other (a heading or an empty line). `double_of`: told again after the link
    was broken. `kind`: the switch's own code."""

    id = AutoField()
    source = CharField(index=True)
    received_at = UtcField(index=True)
    line = TextField()
    state = CharField(default="raw", index=True)
    error = CharField(default="")
    double_of = IntegerField(null=True)
    ended_at = UtcField(null=True, index=True)
    trunk = CharField(default="")
    station = CharField(default="", index=True)
    ring_s = IntegerField(null=True)
    duration_s = IntegerField(null=True)
    number = CharField(default="", index=True)
    units = CharField(default="")
    kind = CharField(default="")
    account = CharField(default="")
    dialled = CharField(default="")


class ForwardedCall(StoreModel):
    """What the other switch said of a call it forwards to us (SMDI): at which of our lines (`desk`, `terminal`), why (direct, all, busy,
    no_answer, unknown), from which station, who calls. `used_at`: the call was found."""

    id = AutoField()
    received_at = UtcField(index=True)
    desk = IntegerField()
    terminal = IntegerField()
    reason = CharField()
    station = CharField(default="", index=True)
    caller = CharField(default="")
    used_at = UtcField(null=True)


class PeripheralState(StoreModel):
    """How a peripheral is: "sms", "smdr NAME", "smdi". `well` False: `code`, `what`, `remedy` say why. `facts`: JSON, names as in
    peripherals/state.py. `at`: told last, every 30 s at least; older than two minutes, `careline peripherals` does not run."""

    name = CharField(primary_key=True)
    at = UtcField()
    well = BooleanField()
    code = CharField(default="")
    what = TextField(default="")
    remedy = TextField(default="")
    facts = TextField(default="{}")


PERIPHERAL_TABLES: tuple[Any, ...] = (SmsPart, SmsReceived, SmsReceivedPart, SwitchRecord, ForwardedCall, PeripheralState)
