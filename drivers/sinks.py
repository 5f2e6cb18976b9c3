"""Who is told what happens on a channel: the calls' owner, or a test that has the channel to itself. Line server's event loop only."""

from typing import TYPE_CHECKING, Protocol

from drivers.io import LineEvent
from drivers.protocol import TransferOutcome
from drivers.signalling import CallOffered, NumberDialled

if TYPE_CHECKING:
    from drivers.spans import Channel


class CallSink(Protocol):
    """Who wants to know what happens to calls and channels."""

    def call_offered(self, channel: "Channel", offered: CallOffered) -> None: ...

    def call_alerting(self, channel: "Channel", inband: bool) -> None: ...

    def call_answered(self, channel: "Channel") -> None: ...

    def call_released(self, channel: "Channel", cause: int, by_far_end: bool) -> None: ...

    def hook_flashed(self, channel: "Channel") -> None: ...

    def number_dialled(self, channel: "Channel", dialled: NumberDialled) -> None: ...

    def transfer_done(self, channel: "Channel", outcome: TransferOutcome) -> None: ...

    def channel_changed(self, channel: "Channel") -> None: ...


class Tester(Protocol):
    """A test that has a channel to itself: it hears what the signalling would hear."""

    kind: str

    def line_event(self, event: LineEvent) -> None: ...

    def tone(self, tone: str, on: bool) -> None: ...

    def channel_failed(self) -> None:
        """In alarm, or the audio stopped."""
