"""What flows give to be sent. Runs inside a transaction of the caller."""

from datetime import datetime

from appliance.ivr.prompts.catalogue import Lang
from appliance.store.flow_tables import OutgoingMessage


def give(channel: str, number: str, text: str, lang: Lang, call_id: str, once_key: str, now: datetime) -> None:
    """Once for each `once_key`, however often it is told."""
    row = {"channel": channel, "number": number, "text": text, "language": lang, "call": call_id, "once_key": once_key, "asked_at": now}
    OutgoingMessage.insert(row).on_conflict_ignore().execute()
