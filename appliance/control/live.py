"""The live state that clients of the control socket see: held once, changed by the call agent, told to every subscriber.

Lives in the call agent's event loop. Knows nothing of sockets.
"""

from collections.abc import Callable

import msgspec

from appliance.control.messages import (
    Health,
    HealthChanged,
    LineHistoryChanged,
    LiveCall,
    LiveCallChanged,
    LiveCallGone,
    LiveChannelChanged,
    LiveSetup,
    LiveSetupChanged,
    LiveSnapshot,
    LiveSpanChanged,
    LiveTestChanged,
)
from drivers.protocol import ChannelState, GroupState, LineTest, SpanState

Listener = Callable[[msgspec.Struct], None]


class LiveState:
    """Calls, channels, spans, groups and health as they stand now."""

    def __init__(self, health: Health) -> None:
        self.calls: dict[str, LiveCall] = {}
        self._channels: dict[int, ChannelState] = {}
        self._spans: dict[int, SpanState] = {}
        self._groups: dict[str, GroupState] = {}
        self._tests: dict[int, LineTest] = {}
        self.setup = LiveSetup()
        self.health = health
        self._listeners: list[Listener] = []

    def snapshot(self) -> LiveSnapshot:
        return LiveSnapshot(
            calls=tuple(self.calls.values()),
            channels=tuple(self._channels[number] for number in sorted(self._channels)),
            spans=tuple(self._spans[number] for number in sorted(self._spans)),
            groups=tuple(self._groups.values()),
            health=self.health,
            tests=tuple(self._tests.values()),
            setup=self.setup,
        )

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` every change from now on; the returned function ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def call_changed(self, call: LiveCall) -> None:
        if self.calls.get(call.call_id) != call:
            self.calls[call.call_id] = call
            self._tell(LiveCallChanged(call=call))

    def call_gone(self, call_id: str) -> None:
        if self.calls.pop(call_id, None) is not None:
            self._tell(LiveCallGone(call_id=call_id))

    def channel_changed(self, channel: ChannelState) -> None:
        self._channels[channel.number] = channel
        self._tell(LiveChannelChanged(channel=channel))

    def span_changed(self, span: SpanState) -> None:
        self._spans[span.number] = span
        self._tell(LiveSpanChanged(span=span))

    def test_changed(self, test: LineTest) -> None:
        self._tests[test.channel] = test
        self._tell(LiveTestChanged(test=test))

    def setup_changed(self, setup: LiveSetup) -> None:
        self.setup = setup
        self._tell(LiveSetupChanged(setup=setup))

    def line_history_changed(self) -> None:
        self._tell(LineHistoryChanged())

    @property
    def tests(self) -> dict[int, LineTest]:
        """The last one of each channel."""
        return self._tests

    @property
    def channels(self) -> dict[int, ChannelState]:
        """As told last."""
        return self._channels

    def lines_changed(self, channels: tuple[ChannelState, ...], spans: tuple[SpanState, ...], groups: tuple[GroupState, ...]) -> None:
        """The line server came (back): everything it has replaces what was known, told as one snapshot."""
        self._channels = {channel.number: channel for channel in channels}
        self._spans = {span.number: span for span in spans}
        self._groups = {group.name: group for group in groups}
        self._tell(self.snapshot())

    def health_changed(self, health: Health) -> None:
        self.health = health
        self._tell(HealthChanged(health=health))

    def _tell(self, message: msgspec.Struct) -> None:
        for listener in tuple(self._listeners):
            listener(message)
