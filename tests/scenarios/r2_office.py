"""An exchange of our own at the far end of the virtual card's CAS spans: the same channels and signalling, nobody but a plan behind them.

It hears the box as any exchange would: through bits and sounds on the wire. Used from the event loop only.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec

from drivers.care import CareConfig, ChannelCare
from drivers.clock import Clock
from drivers.config import GroupConfig, LinesConfig
from drivers.io import LineEvent, Signalling, SpanStatus
from drivers.media import Engine, EventKind, MediaEvent
from drivers.ports import Media
from drivers.protocol import Cause, TransferOutcome
from drivers.signalling import CallOffered, CallWanted, NumberDialled
from drivers.signalling.r2 import R2Line, span_of
from drivers.spans import Channel
from drivers.virtual.digital import FarCard


class OfficeCall(msgspec.Struct):
    """One call as the exchange saw it."""

    channel: int
    outgoing: bool
    ani: str | None
    dnis: str
    began_at: datetime
    category: str = ""
    alerting: bool = False
    answered_at: datetime | None = None
    released_at: datetime | None = None
    cause: int = 0
    by_far_end: bool = False

    @property
    def over(self) -> bool:
        return self.released_at is not None


class R2Office:
    """`behave` is what it does with a call from the box; `calls` is its log, in the order they came."""

    def __init__(self, card: FarCard, engine: Engine, config: LinesConfig, clock: Clock, folder: Path) -> None:
        self.calls: list[OfficeCall] = []
        self.channels: dict[int, Channel] = {}
        self.behave: Callable[[Channel, OfficeCall], None] = lambda channel, call: channel.answer()
        self._at: dict[int, OfficeCall] = {}
        self._card, self._config, self._clock = card, config, clock
        self._media = Media(engine, config, folder)

    def open(self) -> None:
        group = GroupConfig(name="far", channels="1")
        care = CareConfig()
        for spec in self._card.channels():
            if spec.signalling is Signalling.CAS:
                signaller = R2Line(spec.number, span_of(self._config.r2, spec.number, spec.span), self._clock.monotonic_s)
                port = self._media.new_port(spec.number, spec.law)
                io = self._card.open(spec.number)
                of_it = ChannelCare(self._clock, care, False)
                self.channels[spec.number] = Channel(spec, group, io, signaller, port, self, self.channels.__getitem__, of_it)
        self._card.start(self._line_event, self._span)
        for channel in self.channels.values():
            channel.begin()

    def close(self) -> None:
        for channel in self.channels.values():
            channel.close()
        self._card.close()

    def call(self, number: str, caller: str | None = None, channel: int | None = None, no_answer_ms: int = 60_000) -> OfficeCall:
        """Call the box, on any free channel unless one is named."""
        found = self.channels[channel] if channel is not None else next(each for each in self.channels.values() if each.is_free())
        call = self._began(found.number, True, caller, number)
        found.seize(CallWanted(number, caller, no_answer_ms))
        return call

    def release(self, call: OfficeCall, cause: int = Cause.NORMAL) -> None:
        if self._at.get(call.channel) is call:
            self.channels[call.channel].release(cause)

    async def until(self, reached: Callable[[], bool], limit_s: float = 60.0) -> None:
        async with asyncio.timeout(limit_s):
            while not reached():  # noqa: ASYNC110  # virtual time
                await asyncio.sleep(0.01)

    def media_event(self, event: MediaEvent) -> bool:
        """True when it is of a port here."""
        number = self._media.channel_at.get(event.port)
        if number is None:
            return False
        if event.kind is EventKind.MF:
            self.channels[number].on_mf(str(event.value or ""))
        elif event.kind is EventKind.UNDERRUN:
            self._underrun(self.channels[number])
        return True

    def _underrun(self, channel: Channel) -> None:
        """Its end stood still, as ours may."""
        assert channel.bits is not None
        channel.bits.sound_lost()

    def _line_event(self, number: int, event: LineEvent) -> None:
        if channel := self.channels.get(number):
            channel.on_line_event(event)

    def _span(self, status: SpanStatus) -> None:
        for channel in self.channels.values():
            if channel.spec.span == status.number:
                channel.on_span_alarms(status.alarms)

    def _began(self, channel: int, outgoing: bool, ani: str | None, dnis: str, category: str = "") -> OfficeCall:
        call = OfficeCall(channel, outgoing, ani, dnis, self._clock.now(), category)
        self.calls.append(call)
        self._at[channel] = call
        return call

    # --- drivers.spans.CallSink --------------------------------------------------------------------------------------

    def call_offered(self, channel: Channel, offered: CallOffered) -> None:
        assert offered.caller is not None
        channel.leg = "in"
        call = self._began(channel.number, False, offered.caller.ani, offered.dnis or "", offered.caller.category)
        self.behave(channel, call)

    def call_alerting(self, channel: Channel, inband: bool) -> None:
        self._at[channel.number].alerting = True

    def call_answered(self, channel: Channel) -> None:
        self._at[channel.number].answered_at = self._clock.now()

    def call_released(self, channel: Channel, cause: int, by_far_end: bool) -> None:
        channel.leg = None
        call = self._at.pop(channel.number)
        call.released_at, call.cause, call.by_far_end = self._clock.now(), cause, by_far_end
        channel.port.rest()

    def hook_flashed(self, channel: Channel) -> None:
        raise AssertionError(f"channel {channel.number} has no hook")

    def number_dialled(self, channel: Channel, dialled: NumberDialled) -> None:
        raise AssertionError(f"channel {channel.number} has no dial")

    def transfer_done(self, channel: Channel, outcome: TransferOutcome) -> None:
        raise AssertionError(f"channel {channel.number} transfers nothing")

    def channel_changed(self, channel: Channel) -> None:
        """Nobody looks."""
