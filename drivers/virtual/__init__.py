"""The card in software: spans, a small exchange and telephones behind the same interface as real cards (`drivers.io`).

`VirtualCard(config, engine)` is the card, `card.world` everything beyond its sockets. All of it runs on the line server's event
loop; its only clock is the loop's, its only audio the media core's, so a virtual clock makes it the same each time.
"""

from drivers.virtual.card import VirtualCard, VirtualChannel
from drivers.virtual.config import (
    Answering,
    Hunting,
    NumberConfig,
    SetConfig,
    SpanConfig,
    SpanKind,
    TelephoneConfig,
    VirtualConfig,
)
from drivers.virtual.handset import Handset, Phase
from drivers.virtual.telephone import OutsideTelephone, WiredSet
from drivers.virtual.wire import Fault
from drivers.virtual.world import World

__all__ = [
    "Answering", "Fault", "Handset", "Hunting", "NumberConfig", "OutsideTelephone", "Phase", "SetConfig", "SpanConfig", "SpanKind",
    "TelephoneConfig", "VirtualCard", "VirtualChannel", "VirtualConfig", "WiredSet", "World",
]
