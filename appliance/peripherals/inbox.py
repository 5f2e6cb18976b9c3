"""Messages that come in: the PDU is in the store before anything else, and only then leaves the modem. Inside the caller's transaction.

Parts are joined by sender, reference and count. A part that never comes leaves its message as it is: what is there can be read from the
first part on, and after JOINED_WITHIN the same reference begins another message.
"""

from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256

from appliance.peripherals import outbox
from appliance.store.peripheral_tables import SmsReceived, SmsReceivedPart
from drivers.modem import pdu
from drivers.modem.body import joined
from drivers.modem.pdu import Deliver, PduError, StatusReport

JOINED_WITHIN = timedelta(hours=24)
GAP = "…"


class Kept(Enum):
    """MESSAGE: new or longer than before. REPORT: of a message of ours. DOUBLE: it was there. UNREAD: kept, though nobody can read it."""

    MESSAGE = "message"
    REPORT = "report"
    DOUBLE = "double"
    UNREAD = "unread"


def keep(text: str, now: datetime) -> Kept:
    """A PDU as the modem gave it."""
    digest = sha256(text.upper().encode("ascii", "replace")).hexdigest()
    if SmsReceivedPart.select().where(SmsReceivedPart.digest == digest).exists():
        return Kept.DOUBLE
    try:
        found = pdu.read(text)
    except PduError as error:
        return _unread(text, digest, now, f"SMS-026: {error}")
    if isinstance(found, StatusReport):
        return _report(found, text, digest, now)
    _join(found, text, digest, now)
    return Kept.MESSAGE


def _report(found: StatusReport, text: str, digest: str, now: datetime) -> Kept:
    """It is kept too: told a second time after a kill it must not count for another message."""
    if not outbox.report(found, now):
        return _unread(text, digest, now, "SMS-027: a report of no message of ours")
    SmsReceivedPart.create(pdu=text, digest=digest, received_at=now)
    return Kept.REPORT


def _unread(text: str, digest: str, now: datetime, error: str) -> Kept:
    SmsReceivedPart.create(pdu=text, digest=digest, received_at=now, error=error)
    return Kept.UNREAD


def _join(found: Deliver, text: str, digest: str, now: datetime) -> None:
    concat = found.concat
    message = _begun(found, now) or SmsReceived.create(
        sender=found.sender,
        reference=concat.reference if concat else None,
        count=concat.count if concat else 1,
        have=0,
        text="",
        sent_at=found.at,
        received_at=now,
    )
    SmsReceivedPart.create(message=message, number=concat.number if concat else 1, pdu=text, digest=digest, received_at=now)
    _tell_anew(message)


def _begun(found: Deliver, now: datetime) -> SmsReceived | None:
    """The message this part belongs to: begun lately, incomplete, and without that part."""
    if found.concat is None:
        return None
    open_ones = SmsReceived.select().where(
        SmsReceived.sender == found.sender,
        SmsReceived.reference == found.concat.reference,
        SmsReceived.count == found.concat.count,
        SmsReceived.have < SmsReceived.count,
        SmsReceived.received_at > now - JOINED_WITHIN,
    )
    for message in open_ones.order_by(SmsReceived.id):
        if not SmsReceivedPart.select().where(SmsReceivedPart.message == message, SmsReceivedPart.number == found.concat.number).exists():
            return message
    return None


def _tell_anew(message: SmsReceived) -> None:
    """From the PDUs: halves of letters at the parts' ends cannot be kept as text."""
    texts = {part.number: _text_of(part.pdu) for part in SmsReceivedPart.select().where(SmsReceivedPart.message == message)}
    message.have = len(texts)
    message.text = joined([texts.get(number, GAP) for number in range(1, message.count + 1)]).replace("\0", "")
    message.read_at = None
    message.save()


def _text_of(text: str) -> str:
    found = pdu.read(text)
    assert isinstance(found, Deliver)
    return found.text if not found.binary else f"[{found.binary.hex(' ')}]"
