"""Caller id as it comes in on a channel: messages, or keys that end with a pause. Line server's event loop only."""

from typing import TYPE_CHECKING

from drivers.protocol import Caller
from drivers.signalling import CallerIdHeard, callerid
from drivers.timers import Timers

if TYPE_CHECKING:
    from drivers.spans import Channel

PAUSE = "pause"


class CallerIdSide:
    """What the channel's port hears becomes CallerIdHeard."""

    def __init__(self, channel: "Channel") -> None:
        self._channel = channel
        self._timers = Timers(self._paused)

    def listen(self, standards: tuple[str, ...]) -> None:
        """From now on; none: no more."""
        if standards:
            self._channel.audio.open()
        self._channel.port.listen_caller_id(standards)

    def on_message(self) -> None:
        """The media core heard a message of caller id."""
        self._heard(self._channel.port.caller_message())

    def on_key(self, digit: str) -> None:
        """A key came where caller id by keys is listened for; a number without an end code ends with a pause."""
        self._timers.start(PAUSE, callerid.DTMF_PAUSE_MS)
        self._heard(self._channel.port.caller_key(digit))

    def close(self) -> None:
        self._timers.close()

    def _paused(self, name: str) -> None:
        self._heard(self._channel.port.caller_keys_ended())

    def _heard(self, caller: Caller | None) -> None:
        if caller:
            self._timers.close()
            self._channel.tell(CallerIdHeard(caller))
