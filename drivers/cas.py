"""What a channel with channel associated signalling has beyond other channels: its ABCD bits, both ways.

Line server's event loop only; belongs to `drivers.spans.Channel`.
"""

import logging
from typing import TYPE_CHECKING

from drivers.errors import LineError
from drivers.signalling import BitsChanged

if TYPE_CHECKING:
    from drivers.spans import Channel

log = logging.getLogger("careline.lines")


class BitsSide:
    """Asks the card for the far side's bits whenever they may have changed: an event says only that they did."""

    def __init__(self, channel: "Channel") -> None:
        self._channel = channel

    def send(self, bits: int) -> None:
        """Raises: LineError when the card refuses; a card that is gone has nobody to tell."""
        if self._channel.io is not None and not self._channel.is_gone:
            self._channel.io.set_bits(bits)

    def look(self) -> None:
        """Tell the signaller what the far side sends now."""
        if self._channel.io is None or self._channel.is_gone:
            return
        try:
            bits = self._channel.io.bits()
        except LineError as error:
            self._channel.io_failed(error)
        else:
            log.debug("channel %d: bits %s", self._channel.number, f"{bits:04b}")
            self._channel.tell(BitsChanged(bits))
