"""What people ask of `careline peripherals`, through the store. Inside the caller's transaction. Any thread."""

from datetime import datetime

from appliance.store.outgoing import OutgoingMessage, enqueue
from appliance.store.peripheral_tables import SmsPart, SmsReceived, SwitchRecord

DECIDED = ("failed", "unclear")


def send_test(to: str, text: str, by: str, now: datetime) -> None:
    """Goes before all others."""
    enqueue("sms", to, text, f"test {by} {now.isoformat()}", now, urgent=True)


def send_again(message: int, now: datetime) -> bool:
    """What of it failed or is unclear. False: it is neither."""
    changed = _change(message, DECIDED, {"state": "waiting", "error": "", "asked_at": now})
    if changed:
        fresh = {"state": "planned", "attempts": 0, "due_at": now, "reference": None, "status": None, "reported_at": None, "sent_at": None}
        fresh["error"] = ""
        SmsPart.update(fresh).where(SmsPart.message == message, SmsPart.state.in_(DECIDED)).execute()
    return changed


def leave(message: int, by: str) -> bool:
    """What is unclear stays as it is, and nobody is asked about it any more. False: it is not unclear."""
    changed = _change(message, ("unclear",), {"state": "failed", "error": f"SMS-028: left by {by}"})
    if changed:
        SmsPart.update(state="failed").where(SmsPart.message == message, SmsPart.state == "unclear").execute()
    return changed


def _change(message: int, from_states: tuple[str, ...], to: dict[str, object]) -> bool:
    mine = (OutgoingMessage.id == message) & (OutgoingMessage.channel == "sms") & OutgoingMessage.state.in_(from_states)
    return bool(OutgoingMessage.update(to).where(mine).execute())


def have_read(message: int, by: str, now: datetime) -> bool:
    """A message that came in."""
    unread = (SmsReceived.id == message) & SmsReceived.read_at.is_null()
    return bool(SmsReceived.update(read_at=now, read_by=by).where(unread).execute())


def read_anew(source: str) -> int:
    """All lines of a source of call records, with the table it has now; how many."""
    count: int = SwitchRecord.update(state="raw").where(SwitchRecord.source == source).execute()
    return count
