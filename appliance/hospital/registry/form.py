"""Reading what somebody filled in, on a page or in a file: each field checked and turned into what it means, every fault collected. Pure.

A field that is missing counts as empty. Days and times are written in the hospital's time.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from appliance.hospital.registry import identity
from appliance.hospital.registry.characters import fault_of, narrow, tidy
from appliance.hospital.registry.field_fault import FieldFault, Refused

FEN_MOST = 100_000_000  # a million yuan
_MONEY = re.compile(r"(-?)[¥￥]?(-?)(\d{1,9})(?:\.(\d{1,2}))?元?")
_DATE = re.compile(r"(\d{4})(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?|(\d{4})(\d\d)(\d\d)")
_YES = frozenset({"1", "y", "yes", "true", "on", "是", "有"})
_NO = frozenset({"0", "n", "no", "false", "off", "否", "无"})


class Form:
    """What was filled in, by field. Read every field, then ask `refusal`."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given
        self.faults: list[FieldFault] = []

    @property
    def refusal(self) -> Refused | None:
        return Refused(tuple(self.faults)) if self.faults else None

    def fault(self, field: str, code: str, **values: str | int) -> None:
        self.faults.append(FieldFault(field, code, values))

    def text(self, field: str, most: int = 64, *, required: bool = False, lines: bool = False) -> str:
        """Prose."""
        text = tidy(self._given.get(field, ""))
        if not text:
            return self._empty(field, required)
        if len(text) > most:
            self.fault(field, "too_long", most=most)
        elif code := fault_of(text, lines=lines):
            self.fault(field, code)
        return text

    def digits(self, field: str, least: int, most: int, *, required: bool = True) -> str:
        """A number people say; leading zeros count, spaces between groups do not."""
        text = "".join(self._narrow(field).split())
        if not text:
            return self._empty(field, required)
        if not (text.isascii() and text.isdigit()):
            self.fault(field, "digits")
        elif not least <= len(text) <= most:
            self.fault(field, "length", least=least, most=most)
        return text

    def number(self, field: str, lowest: int, highest: int, default: int) -> int:
        text = self._narrow(field)
        if not text:
            return default
        if not re.fullmatch(r"-?[0-9]{1,9}", text):
            self.fault(field, "number")
            return default
        if not lowest <= int(text) <= highest:
            self.fault(field, "range", lowest=lowest, highest=highest)
        return int(text)

    def money_fen(self, field: str, *, required: bool = False, most_fen: int = FEN_MOST) -> int:
        """Yuan as people write them: "12", "12.5", "¥12.50"."""
        text = self._narrow(field).replace(",", "")
        if not text:
            self._empty(field, required)
            return 0
        match = _MONEY.fullmatch(text)
        if match is None:
            self.fault(field, "money")
            return 0
        fen = int(Decimal(f"{match[3]}.{match[4] or 0}") * 100)
        if (match[1] or match[2]) and fen:
            self.fault(field, "negative")
        elif fen > most_fen:
            self.fault(field, "range", lowest=0, highest=most_fen // 100)
        return fen

    def day(self, field: str, *, required: bool = False) -> date | None:
        """2026-03-08, 2026/3/8, 20260308, 2026年3月8日; a spreadsheet's midnight may stand after it."""
        text = self._narrow(field).removesuffix(" 00:00:00")
        if not text:
            self._empty(field, required)
            return None
        found = date_of(text)
        if found is None:
            self.fault(field, "date")
        return found

    def moment(self, field: str, zone: ZoneInfo) -> datetime | None:
        """2026-03-08 08:00 (or 2026-03-08T08:00, as a browser's field has it) in `zone`, as UTC; a day alone is its beginning."""
        text = self._narrow(field).replace("T", " ")
        if not text:
            return None
        day_text, _, clock = text.partition(" ")
        day = date_of(day_text)
        match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?", clock or "00:00")
        if day is None or match is None:
            self.fault(field, "moment")
            return None
        return datetime(day.year, day.month, day.day, int(match[1]), int(match[2]), tzinfo=zone).astimezone(UTC)

    def choice(self, field: str, allowed: Mapping[str, str], default: str) -> str:
        """What is written (in small letters) to what it means: {"男": "m", "m": "m"}."""
        text = self._narrow(field).lower()
        if not text:
            return default
        if text not in allowed:
            self.fault(field, "choice", allowed=", ".join(allowed))
        return allowed.get(text, default)

    def flag(self, field: str, *, default: bool) -> bool:
        text = self._narrow(field).lower()
        if text and text not in _YES | _NO:
            self.fault(field, "flag")
        return text in _YES if text else default

    def identity_number(self, field: str) -> str:
        """Of an identity card (check digit proved) or a passport, in capitals; empty when none was given."""
        text = self._narrow(field).upper().replace(" ", "")
        if text and (code := identity.fault_of(text)):
            self.fault(field, code)
        return text

    def listed(self, field: str) -> list[str]:
        """What stands between spaces, commas, semicolons or lines."""
        return [part for part in re.split(r"[\s,;、]+", self._narrow(field)) if part]

    def _narrow(self, field: str) -> str:
        return narrow(self._given.get(field, ""))

    def _empty(self, field: str, required: bool) -> str:
        if required:
            self.fault(field, "required")
        return ""


def date_of(text: str) -> date | None:
    """The day written so; None when it is none, or before 1880."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day = (int(match[n] or match[n + 3]) for n in (1, 2, 3))
    try:
        return date(year, month, day) if year >= 1880 else None
    except ValueError:
        return None
