"""Messages that go out, part by part, each with its state in the store before anything leaves the box. Inside the caller's transaction.

planned -> sending (committed before the modem gets it) -> sent (with the modem's reference) -> delivered or failed (by its report).
What was `sending` when the program was killed is unclear: a person decides, or its report does. Nothing is sent a second time by itself.
"""

from datetime import datetime, timedelta
from typing import Any

from peewee import fn

from appliance.peripherals.config import SmsConfig
from appliance.store.outgoing import OutgoingMessage
from appliance.store.peripheral_tables import SmsPart
from drivers.modem.body import bodies
from drivers.modem.faults import Refusal, Verdict
from drivers.modem.numbers import is_number, is_same
from drivers.modem.pdu import Fate, StatusReport, Submit, submit

RETRY_AFTER_S = (30, 120, 600, 1_800)
REPORTED_WITHIN = timedelta(days=7)
TAKEN_WITHIN = timedelta(minutes=10)  # the network's clock against ours
WAITING, SENT, DELIVERED, FAILED, UNCLEAR = "waiting", "sent", "delivered", "failed", "unclear"
BROKEN_OFF = "SMS-023: sending was broken off; it may have gone"


def break_off() -> int:
    """At the start: what an earlier run had handed over without ever hearing of it; how many parts."""
    parts = list(SmsPart.select().where(SmsPart.state == "sending"))
    for part in parts:
        doubt(part, BROKEN_OFF)
    return len(parts)


def next_part(config: SmsConfig, now: datetime, *, only_urgent: bool) -> SmsPart | None:
    """The part to be sent now, urgent messages first, then the oldest. Messages that cannot go are settled on the way."""
    _give_up(config, now)
    _plan(config, now)
    due = SmsPart.select(SmsPart, OutgoingMessage).join(OutgoingMessage).where(SmsPart.state == "planned", SmsPart.due_at <= now)
    due = due.where(OutgoingMessage.state == WAITING)
    if only_urgent:
        due = due.where(OutgoingMessage.urgent)
    first: SmsPart | None = due.order_by(OutgoingMessage.urgent.desc(), OutgoingMessage.id, SmsPart.number).first()
    return first


def _waiting() -> Any:
    return OutgoingMessage.select().where(OutgoingMessage.channel == "sms", OutgoingMessage.state == WAITING)


def _give_up(config: SmsConfig, now: datetime) -> None:
    for message in _waiting().where(OutgoingMessage.asked_at < now - timedelta(hours=config.valid_h)):
        _settle(message, FAILED, f"SMS-022: it could not be sent within {config.valid_h} hours")


def _plan(config: SmsConfig, now: datetime) -> None:
    """Once for each message: its parts, or why it has none."""
    planned = SmsPart.select(SmsPart.id).where(SmsPart.message == OutgoingMessage.id)
    for message in _waiting().where(~fn.EXISTS(planned)).order_by(OutgoingMessage.id):
        if not is_number(message.to):
            _settle(message, FAILED, "SMS-020: no telephone number")
        elif not 1 <= (count := _count(message.text)) <= config.parts_most:
            _settle(message, FAILED, f"SMS-021: the text has more than {config.parts_most} parts")
        else:
            common = {"message": message, "count": count, "concat": message.id & 0xFF, "due_at": now}
            SmsPart.insert_many([common | {"number": number} for number in range(1, count + 1)]).execute()


def _count(text: str) -> int:
    """Parts of the text; 0: more than any message can have."""
    try:
        return len(bodies(text, 0))
    except ValueError:
        return 0


def _settle(message: OutgoingMessage, state: str, error: str = "", sent_at: datetime | None = None) -> None:
    message.state, message.error, message.sent_at = state, error, sent_at or message.sent_at
    message.save(only=[OutgoingMessage.state, OutgoingMessage.error, OutgoingMessage.sent_at])


def hand_over(part: SmsPart, config: SmsConfig, now: datetime) -> Submit:
    """To be committed before the modem gets it. Counts as sent for the limits from now on: it may cost."""
    part.state, part.attempts, part.sent_at = "sending", part.attempts + 1, now
    part.save(only=[SmsPart.state, SmsPart.attempts, SmsPart.sent_at])
    return submit(part.message.to, bodies(part.message.text, part.concat)[part.number - 1], config.valid_h)


def take_back(part: SmsPart) -> None:
    """The modem did not get it."""
    part.state, part.attempts, part.sent_at = "planned", part.attempts - 1, None
    part.save(only=[SmsPart.state, SmsPart.attempts, SmsPart.sent_at])


def went(part: SmsPart, reference: int | None, now: datetime) -> None:
    part.state, part.reference, part.sent_at, part.error = "sent", reference, now, ""
    part.save()
    conclude(part.message, now)


def refused(part: SmsPart, refusal: Refusal, config: SmsConfig, now: datetime) -> None:
    """By the network or the modem, for now or for good."""
    part.error = str(refusal)
    if refusal.verdict is Verdict.UNCLEAR:
        doubt(part, f"SMS-023: {refusal}; it may have gone")
    elif refusal.verdict is Verdict.HOLD:
        take_back(part)
    elif refusal.verdict is Verdict.NEVER or part.attempts >= config.attempts:
        part.state, part.sent_at = "failed", None
        part.save()
        _settle(part.message, FAILED, f"SMS-024: {refusal}")
    else:
        later_s = RETRY_AFTER_S[min(part.attempts, len(RETRY_AFTER_S)) - 1]
        part.state, part.due_at, part.sent_at = "planned", now + timedelta(seconds=later_s), None
        part.save()


def doubt(part: SmsPart, error: str) -> None:
    """It may have gone."""
    part.state, part.error = "unclear", error
    part.save()
    _settle(part.message, UNCLEAR, error)


def report(told: StatusReport, now: datetime) -> bool:
    """Whose report it is; told twice, it changes nothing more. False: of no message of ours."""
    part = _reported(told, now)
    if part is None:
        return False
    part.status, part.reported_at = told.status, told.at or now
    part.reference = told.reference
    if told.fate is Fate.DELIVERED:
        part.state, part.error = "delivered", ""
    elif told.fate is Fate.FAILED:
        part.state, part.error = "failed", f"SMS-025: not delivered (status {told.status:02X})"
    elif part.state == "unclear":
        part.state = "sent"
    part.save()
    conclude(part.message, now)
    return True


def _reported(told: StatusReport, now: datetime) -> SmsPart | None:
    """By the modem's reference; references begin anew after 255, so of several the one that was sent when the network took it. Else the
    one whose reference nobody knows, if there is only one that it can be: a message that never left must not count as delivered."""
    lately = SmsPart.select().where(SmsPart.sent_at > now - REPORTED_WITHIN).order_by(SmsPart.id)
    known = [part for part in lately.where(SmsPart.reference == told.reference) if is_same(part.message.to, told.number)]
    if known:
        return min(known, key=lambda part: (part.state == "delivered", abs(part.sent_at - (told.taken_at or part.sent_at)), part.id))
    nameless = lately.where(SmsPart.state << ("unclear", "sent"), SmsPart.reference.is_null())
    fitting = [part for part in nameless if is_same(part.message.to, told.number) and _is_about(part, told)]
    return fitting[0] if len(fitting) == 1 else None


def _is_about(part: SmsPart, told: StatusReport) -> bool:
    return told.taken_at is not None and abs(part.sent_at - told.taken_at) < TAKEN_WITHIN


def conclude(message: OutgoingMessage, now: datetime) -> None:
    """What the parts together are."""
    parts = list(SmsPart.select().where(SmsPart.message == message).order_by(SmsPart.number))
    states = {part.state for part in parts}
    for state in (FAILED, UNCLEAR):
        if state in states:
            _settle(message, state, next(part.error for part in parts if part.state == state))
            return
    if states & {"planned", "sending"}:
        _settle(message, WAITING)
    else:
        _settle(message, DELIVERED if states == {DELIVERED} else SENT, sent_at=message.sent_at or now)


def counts(now: datetime, midnight: datetime) -> tuple[int, int]:
    """Parts sent in the last minute and since `midnight`."""
    return _sent_since(now - timedelta(minutes=1)), _sent_since(midnight)


def _sent_since(since: datetime) -> int:
    count: int = SmsPart.select().where(SmsPart.sent_at >= since).count()
    return count


def waiting() -> dict[str, int]:
    """Messages by state."""
    query = OutgoingMessage.select(OutgoingMessage.state, fn.COUNT(OutgoingMessage.id)).where(OutgoingMessage.channel == "sms")
    rows: Any = query.group_by(OutgoingMessage.state).tuples()
    return dict(rows)
