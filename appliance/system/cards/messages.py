"""Requests about telephony cards, and what they are answered with. The cards themselves: drivers.protocol (Card, FirmwareFile, …)."""

from appliance.system.messages import SystemRequest
from drivers.protocol import CardLoaded, CardsTold, FirmwareFile, Message

INCOMING = "firmware-incoming"
"""Below data_dir: where an upload is laid for AddFirmware; whoever laid it there removes it."""


class AskCards(SystemRequest, frozen=True, kw_only=True):
    """Answered by CardsFound."""


class LoadCards(SystemRequest, frozen=True, kw_only=True):
    """Make all cards ready that can be; answered by CardsLoaded, which says what became of each. `port`: only the USB box there."""

    port: str = ""


class AddFirmware(SystemRequest, frozen=True, kw_only=True):
    """Check a file and keep it. `path`: its whole path (an upload, or on a USB stick). `name`: as its maker calls it; empty: the file's
    own. Answered by FirmwareAdded."""

    path: str
    name: str = ""


class RemoveFirmware(SystemRequest, frozen=True, kw_only=True):
    name: str


class CardsFound(Message, frozen=True, kw_only=True):
    told: CardsTold


class CardsLoaded(Message, frozen=True, kw_only=True):
    loaded: tuple[CardLoaded, ...]


class FirmwareAdded(Message, frozen=True, kw_only=True):
    file: FirmwareFile
