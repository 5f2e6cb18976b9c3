"""The small exchange on E1 spans: at the far end of each, the same signalling as the box's, on the exchange's side of it.

`Office` stands at the far ends of all spans with `exchange = true`, an `OfficeTrunk` is one channel of them and a party of the exchange. It
hears the box as any exchange would, through frames, bits and sounds on the wire. Used from the event loop only.
"""

import asyncio
import logging
from collections.abc import Collection
from enum import Enum, auto
from pathlib import Path

import msgspec

from drivers.care import CareConfig, ChannelCare
from drivers.clock import Clock
from drivers.config import GroupConfig, LinesConfig
from drivers.io import ChannelSpec, LineEvent, Signalling, SpanStatus
from drivers.links import Link
from drivers.media import End, Engine, EventKind, MediaEvent, Tone
from drivers.ports import Media
from drivers.protocol import Cause, TransferOutcome
from drivers.signalling import AlertWanted, CallOffered, CallWanted, NumberDialled, Signaller
from drivers.signalling.pri.config import PriConfig, config_of
from drivers.signalling.pri.span import PriSpan
from drivers.signalling.r2 import R2Line, R2Span, span_of
from drivers.spans import Channel
from drivers.virtual.audio import Circuit, FarPorts
from drivers.virtual.card import VirtualCard
from drivers.virtual.config import E1_SIGNALLING_TIMESLOT
from drivers.virtual.exchange import Exchange, Refusal
from drivers.virtual.timer import Timer

log = logging.getLogger(__name__)

REFUSAL_CAUSES = {Refusal.BUSY: Cause.USER_BUSY, Refusal.NO_ANSWER: Cause.NO_ANSWER, Refusal.INVALID: Cause.UNALLOCATED_NUMBER}
SIGNALS_OVER_MS = 2000  # of register signals after the number is known; only then a tone is sent
FAR_GROUP = GroupConfig(name="far", channels="1")


class OfficeCircuit(Circuit):
    """The exchange's end of a channel. What the line signals says how a call ended, so of all tones only ringback is sent."""

    def __init__(self, ports: FarPorts, line: int, channel: Channel) -> None:
        super().__init__(ports, line, End.FAR, _ignore)
        self._channel = channel
        self._ringback = Timer(lambda: Circuit.tone(self, Tone.RINGBACK))

    def port(self) -> int:
        """The channel's own port, which sounds register signals, lets go of the line first."""
        self._channel.follow(False)
        return super().port()

    def tone(self, tone: Tone | None) -> None:
        self._ringback.stop()
        if tone is Tone.RINGBACK:
            self._ringback.start(SIGNALS_OVER_MS if self._channel.bits else 0)
        else:
            super().tone(None)

    def release(self) -> None:
        """Also of the channel's own port: a telephone is about to be put on the line, or the call is over."""
        self._channel.follow(False)
        self.quiet()

    def quiet(self) -> None:
        """No tone any more; register signals may still be needed."""
        self._ringback.stop()
        super().release()


class State(Enum):
    IDLE = auto()
    RINGING = auto()  # the exchange calls the box
    CALLING = auto()  # the box calls
    TALKING = auto()


class OfficeTrunk:
    """One channel as a party of the exchange. `number`: what the box is called by when a caller's number is not known."""

    def __init__(self, channel: Channel, circuit: OfficeCircuit, exchange: Exchange) -> None:
        self.channel, self.circuit, self.state = channel, circuit, State.IDLE
        self.number = self.dialled = ""
        self.rested_since = 0.0
        self._exchange = exchange

    # --- as a party of the exchange ---

    def is_free(self) -> bool:
        return self.state is State.IDLE and self.channel.is_free()

    def offered(self, caller: str) -> None:
        self.state = State.RINGING
        self.channel.leg = "in"
        self.channel.seize(CallWanted(self.dialled, caller or None))

    def alerting(self) -> None:
        self.channel.tell(AlertWanted(inband=True))

    def connected(self) -> None:
        if self.state is State.CALLING:
            self.channel.answer()
        self.state = State.TALKING

    def refused(self, why: Refusal) -> None:
        self._end(REFUSAL_CAUSES[why])

    def cleared(self) -> None:
        self._end(Cause.NORMAL)

    # --- as the channel tells ---

    def box_calls(self, number: str, caller: str) -> None:
        self.state = State.CALLING
        self.channel.leg = "out"
        self._exchange.place(self, number, caller or self.number)

    def box_answered(self) -> None:
        if self.state is State.RINGING:
            self._exchange.answered(self)

    def box_released(self) -> None:
        self.channel.leg = None
        before, self.state = self.state, State.IDLE
        self.rested_since = asyncio.get_running_loop().time()
        if before is State.RINGING:
            self._exchange.busy_out(self)
            self.circuit.release()
        else:
            self._exchange.hung_up(self)

    def abandon(self) -> None:
        """The channel is to be another one: whatever call there is ends, and all it had is given back."""
        if self.state is not State.IDLE:
            self.box_released()
        self.circuit.release()
        self.channel.close()
        if self.channel.io is not None:
            self.channel.io.close()
        self.channel.port.free()

    def _end(self, cause: int) -> None:
        """The exchange is done with this call; the channel tells the box."""
        self.state = State.IDLE
        self.circuit.quiet()
        self.channel.release(cause)


class Office:
    """Opens the far ends; `close` before the card is closed."""

    def __init__(self, card: VirtualCard, engine: Engine, lines: LinesConfig, clock: Clock, folder: Path) -> None:
        self.trunks: dict[int, OfficeTrunk] = {}
        self._card, self._engine, self._lines, self._clock = card, engine, lines, clock
        self._media = Media(engine, lines, folder)
        self._links: dict[int, Link] = {}
        self._spans = {number for number, span in enumerate(lines.virtual.spans, 1) if span.is_digital and span.exchange}

    def open(self) -> None:
        """On the running event loop."""
        if not self._spans:
            return
        self._card.far.start(self._line_event, self._span_changed)
        self._card.hearers.append(self._media_event)
        self._card.followers.append(self.follow)
        self._begin(self._spans)

    def close(self) -> None:
        """Calls are left as they are."""
        for trunk in self.trunks.values():
            trunk.channel.close()
        for link in self._links.values():
            link.close()

    def follow(self, lines: LinesConfig) -> None:
        """The box is set up anew: where that changes a span's signalling, the exchange's side of it changes as well."""
        changed = {span for span in self._spans if self._signalling(span, lines) != self._signalling(span, self._lines)}
        self._lines = lines
        for trunk in [each for each in self.trunks.values() if each.channel.spec.span in changed]:
            del self.trunks[trunk.channel.number]
            trunk.abandon()
        for link in [each for each in self._links.values() if each.spec.span in changed]:
            del self._links[link.number]
            link.close()
        self._begin(changed)

    # --- drivers.spans.CallSink --------------------------------------------------------------------------------------

    def call_offered(self, channel: Channel, offered: CallOffered) -> None:
        caller = offered.caller.ani if offered.caller else None
        self.trunks[channel.number].box_calls(offered.dnis or "", caller or "")

    def call_alerting(self, channel: Channel, inband: bool) -> None:
        """The caller hears ringback since the exchange placed the call."""

    def call_answered(self, channel: Channel) -> None:
        self.trunks[channel.number].box_answered()

    def call_released(self, channel: Channel, cause: int, by_far_end: bool) -> None:
        self.trunks[channel.number].box_released()

    def hook_flashed(self, channel: Channel) -> None:
        """No channel here has a hook."""

    def number_dialled(self, channel: Channel, dialled: NumberDialled) -> None:
        """No set is on these channels."""

    def transfer_done(self, channel: Channel, outcome: TransferOutcome) -> None:
        """The exchange asks nobody to join calls."""

    def channel_changed(self, channel: Channel) -> None:
        """Nobody looks."""

    # --- parts -------------------------------------------------------------------------------------------------------

    def _begin(self, spans: Collection[int]) -> None:
        specs = [spec for spec in self._card.far.channels() if spec.span in spans]
        for spec in specs:
            if spec.signalling is Signalling.DCHAN:
                self._add_primary_rate(spec, [each for each in specs if each.span == spec.span and each is not spec])
            elif spec.signalling is Signalling.CAS:
                self._add(spec, R2Line(spec.number, self._r2(spec.number, spec.span, self._lines), self._clock.monotonic_s))
        for spec in specs:
            if trunk := self.trunks.get(spec.number):
                trunk.channel.begin()
        self._card.world.join(self.trunks)

    def _signalling(self, span: int, lines: LinesConfig) -> tuple[object, ...]:
        """Whatever makes its signallers what they are."""
        numbers = lines.virtual.span_channels(span)
        link = lines.virtual.first_channel(span) + E1_SIGNALLING_TIMESLOT - 1
        pri = config_of(ChannelSpec(link, span, E1_SIGNALLING_TIMESLOT, Signalling.DCHAN, ""), lines.pri)
        return lines.virtual.spans[span - 1], pri, tuple(self._r2(number, span, lines) for number in numbers)

    @staticmethod
    def _r2(number: int, span: int, lines: LinesConfig) -> R2Span:
        """Numbers of the exchange have any length."""
        return msgspec.structs.replace(span_of(lines.r2, number, span), dnis_length=0, ani_after=0)

    def _add_primary_rate(self, link: ChannelSpec, bearers: list[ChannelSpec]) -> None:
        config = _other_side(config_of(link, self._lines.pri), link.number)
        span = PriSpan(config, {spec.number: spec.timeslot for spec in bearers}, self._clock, link.law)
        for spec in bearers:
            self._add(spec, span)
        self._links[link.number] = frames = Link(link, span, self._find, lambda spec, up: None)
        frames.opened(self._card.far.open_link(link.number, frames.on_frame))

    def _add(self, spec: ChannelSpec, signaller: Signaller) -> None:
        io, port = self._card.far.open(spec.number), self._media.new_port(spec.number, spec.law)
        care = ChannelCare(self._clock, CareConfig(), False)
        channel = Channel(spec, FAR_GROUP, io, signaller, port, self, self._find, care)
        circuit = OfficeCircuit(self._card.world.ports, io.line, channel)
        self.trunks[spec.number] = OfficeTrunk(channel, circuit, self._card.world.exchange)

    def _find(self, number: int) -> Channel | Link:
        return self._links[number] if number in self._links else self.trunks[number].channel

    def _line_event(self, number: int, event: LineEvent) -> None:
        if link := self._links.get(number):
            link.on_line_event(event)
        elif trunk := self.trunks.get(number):
            trunk.channel.on_line_event(event)

    def _span_changed(self, status: SpanStatus) -> None:
        for trunk in self.trunks.values():
            if trunk.channel.spec.span == status.number:
                trunk.channel.on_span_alarms(status.alarms)

    def _media_event(self, event: MediaEvent) -> bool:
        number = self._media.channel_at.get(event.port)
        if number is None:
            return False
        if event.kind is EventKind.MF:
            self.trunks[number].channel.on_mf(str(event.value or ""))
        return True


def _other_side(config: PriConfig, d_channel: int) -> PriConfig:
    """What the exchange is when the box is `config`: it restarts nothing, and takes numbers in one piece or digit by digit as they come."""
    return PriConfig(
        d_channel=d_channel,
        switch=config.switch,
        side="network" if config.side == "user" else "user",
        overlap_receive=config.overlap_send,
        service_messages=config.service_messages,
        keep_calls_ms=config.keep_calls_ms,
        restart=False,
        alert_after_ms=0,
    )


def _ignore(event: MediaEvent) -> None:
    """Digits of the box mean nothing to this exchange: the signalling has the number."""
