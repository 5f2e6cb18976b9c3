"""The line from the box to itself: a channel that calls and one that is called, joined in the media core, so that a test call walks the
whole way (line server, call agent, flow, media core) on a box with any lines or none. Line server's event loop only.

Nobody is shown these channels and no group has them; they are made when they are called first.
"""

from drivers.care import CareConfig, ChannelCare
from drivers.config import GroupConfig
from drivers.io import ChannelSpec, Hook, Signalling
from drivers.media import End
from drivers.protocol import SELF_CALL_CHANNEL, SELF_CALL_GROUP
from drivers.server.calls import Calls
from drivers.server.lines import Lines
from drivers.signalling.inner import InnerSignaller
from drivers.spans import Channel
from drivers.virtual.channel import VirtualChannel

CALLED_CHANNEL = SELF_CALL_CHANNEL + 1
GROUP = GroupConfig(name=SELF_CALL_GROUP, channels=f"{SELF_CALL_CHANNEL}-{CALLED_CHANNEL}")
NEVER_BLOCKED = CareConfig(block_after_failures=0)


class InnerChannel(VirtualChannel):
    """One end: audio only, everything else is between the two ends."""

    def set_hook(self, hook: Hook) -> None:
        """There is no loop."""

    def is_offhook(self) -> bool:
        return False


class InnerLine:
    """Makes the two channels, and closes them with the line server."""

    def __init__(self, lines: Lines, calls: Calls) -> None:
        self._lines, self._calls = lines, calls

    def make(self) -> None:
        """Unless it is there. Raises: MediaError when the media core has no line or no port left."""
        if self._lines.inner:
            return
        engine = self._lines.media.engine
        line = engine.line_new()
        signaller = InnerSignaller(SELF_CALL_CHANNEL, CALLED_CHANNEL)
        for number, end in ((SELF_CALL_CHANNEL, End.FAR), (CALLED_CHANNEL, End.NEAR)):
            spec = ChannelSpec(number, 0, number - SELF_CALL_CHANNEL, Signalling.FXSKS, f"{SELF_CALL_GROUP}/{number}")
            self._lines.inner[number] = Channel(
                spec,
                GROUP,
                InnerChannel(spec, line, end, engine, _stays),
                signaller,
                self._lines.media.new_port(number, spec.law),
                self._calls,
                self._lines.performer,
                ChannelCare(self._lines.clock, NEVER_BLOCKED, extension=False),
            )

    def close(self) -> None:
        """Stop timers; a call on it ends with this process."""
        for channel in self._lines.inner.values():
            channel.close()


def _stays(channel: VirtualChannel) -> None:
    """Its line belongs to the media core, which ends with the line server."""
