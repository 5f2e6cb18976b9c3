"""What a channel with channel associated signalling has beyond other channels: its ABCD bits, both ways, and numbers that are signalled by
sound, of which not a moment may be lost unseen.

Line server's event loop only; belongs to `drivers.spans.Channel`.
"""

import logging
from typing import TYPE_CHECKING

from drivers.errors import LineError
from drivers.signalling import BitsChanged, SoundLost

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

    def sound_lost(self) -> None:
        """The card or the media core came too late for some of the channel's sound, in one direction or both."""
        self._channel.tell(SoundLost())

    def number_doubted(self) -> None:
        """The signaller gives up the number it was at. That counts, but as the machine's failure and not the line's: it blocks no
        channel."""
        channel = self._channel.number
        log.error(
            "LIN-154 channel %d: sound was lost while a number was signalled; its call is given up. Is the machine overloaded?", channel
        )
        self._channel.care.failed_elsewhere()
