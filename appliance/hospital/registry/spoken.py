"""Versions of what is read out: every change of it is kept, so that what a caller was told can be looked up.

Inside the caller's transaction.
"""

from datetime import datetime
from typing import Any

import msgspec

from appliance.store.hospital_tables import TextVersion

_encode = msgspec.json.Encoder(order="deterministic").encode


def keep(item: str, version: int, texts: dict[str, Any], now: datetime, by: str) -> None:
    """Keep what `item` ("drug 1203") says from now on."""
    TextVersion.create(**row(item, version, texts, now, by))


def row(item: str, version: int, texts: dict[str, Any], now: datetime, by: str) -> dict[str, Any]:
    """The columns of one version, for many at once."""
    return {"item": item, "version": version, "at": now, "by": by, "body": _encode(texts).decode()}


def said(item: str, version: int) -> dict[str, Any] | None:
    """What it said in that version; None when it had none such."""
    found = TextVersion.get_or_none(TextVersion.item == item, TextVersion.version == version)
    return None if found is None else msgspec.json.decode(found.body, type=dict[str, Any])
