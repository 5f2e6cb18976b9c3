"""A channel's audio: whether what the card hears and says goes through the channel's media port. Line server's event loop only."""

from typing import TYPE_CHECKING

from drivers.errors import LineError

if TYPE_CHECKING:
    from drivers.spans import Channel


class AudioPath:
    """Between the card's side of `channel` and its port."""

    def __init__(self, channel: "Channel") -> None:
        self._channel = channel
        self.is_open = False

    def open(self) -> None:
        """Begin to move audio, unless it moves."""
        channel = self._channel
        if self.is_open or channel.io is None:
            return
        try:
            channel.io.attach(channel.port.number)
            self.is_open = True
        except LineError as error:
            channel.io_failed(error)

    def leave(self) -> None:
        """The card moves the audio by itself; the port keeps what is on."""
        if self.is_open and self._channel.io is not None:
            self.is_open = False
            self._channel.io.detach()

    def end(self) -> None:
        """No audio, and nothing left on the port for the next call."""
        channel = self._channel
        if self.is_open and channel.io is not None:
            self.is_open = False
            channel.port.rest()
            channel.io.detach()
            channel.port.renew()

    def lost(self) -> None:
        """The card's side is another one now."""
        self.is_open = False
