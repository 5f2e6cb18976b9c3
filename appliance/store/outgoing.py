"""What goes out to people (SMS, fax, e-mail): one table, and one way to put something into it. A sending service takes it from here.

`enqueue` runs inside the caller's transaction.
"""

from datetime import datetime
from typing import Any, Literal

from peewee import SQL, AutoField, BooleanField, CharField, TextField

from appliance.store.models import StoreModel, UtcField

OutChannel = Literal["sms", "fax", "email", "snmp"]


class OutgoingMessage(StoreModel):
    """`channel`: sms, fax, email. `to`: a telephone number or an address. `once_key`: of whatever asked for it, so that it is sent once.
    `call`: in which it was asked for. `state`: waiting, sent, delivered (the network says so), failed, unclear (it may have gone; a person
    decides). `urgent`: goes before others and at night."""

    id = AutoField()
    channel = CharField()
    to = CharField(column_name="number")
    text = TextField()
    language = CharField()
    call = CharField(index=True, column_name="call_id", default="")
    once_key = CharField(unique=True)
    asked_at = UtcField(index=True)
    state = CharField(default="waiting", index=True)
    sent_at = UtcField(null=True)
    error = CharField(default="")
    urgent = BooleanField(default=False, constraints=[SQL("default false")])  # rows that an earlier step moves here do not name it


def enqueue(
    channel: OutChannel, to: str, text: str, once_key: str, now: datetime, *, language: str = "zh", call: str = "", urgent: bool = False
) -> bool:
    """Once for each `once_key`, however often it is told; False: it was there already."""
    row: dict[str, Any] = {"channel": channel, "to": to, "text": text, "language": language, "call": call, "once_key": once_key}
    added: Any = OutgoingMessage.insert(row | {"asked_at": now, "urgent": urgent}).on_conflict_ignore().as_rowcount().execute()
    return bool(added)


OUTGOING_TABLES: tuple[Any, ...] = (OutgoingMessage,)
