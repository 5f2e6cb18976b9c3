"""Where a booking comes from. Pure."""

from enum import StrEnum


class Channel(StrEnum):
    IVR = "ivr"
    AGENT = "agent"
    WEB = "web"
    KIOSK = "kiosk"
    SMS = "sms"
