"""What a channel's signaller asks for, done: hook to the card, timers to the loop, tones and digits to the port, news to the CallSink.

Line server's event loop only; belongs to `drivers.spans.Channel`. What only a set, an E1's bits or a line of an exchange has is done by
their own parts.
"""

import asyncio
import logging
from typing import TYPE_CHECKING

import msgspec

from drivers.errors import LineError
from drivers.io import Hook, Signalling
from drivers.protocol import Cause
from drivers.signalling import (
    Action,
    CallAlerting,
    CallAnswered,
    CallComing,
    CallOffered,
    CallReleased,
    ChannelIdle,
    EventUnexpected,
    FarBlocked,
    ListenForCallerId,
    ListenForMf,
    ListenForTones,
    NumberDoubted,
    SendMf,
    SetBits,
    SetHook,
    SoundTone,
    StartTimer,
    StopTimer,
    TimerFired,
    TransferDone,
)
from drivers.timers import Timers

if TYPE_CHECKING:
    from drivers.sinks import CallSink
    from drivers.spans import Channel

log = logging.getLogger("careline.lines")


class ChannelActions:
    """`tones`: those the signaller listens for now; `rings_since_s`: when, by the loop, the call on the channel began to ring."""

    def __init__(self, channel: "Channel", sink: "CallSink") -> None:
        self.tones: tuple[str, ...] = ()
        self.rings_since_s: float | None = None
        self._channel, self._sink = channel, sink
        self._timers = Timers(lambda name: channel.tell(TimerFired(name)))

    def close(self) -> None:
        """Stop timers, leave the call as it is."""
        self._timers.close()

    def perform(self, action: Action) -> None:
        """Raises: LineError, MediaError when the card or the media core refuses."""
        match action:
            case SetHook(hook=hook):
                self.hook(hook)
            case StartTimer(name=name, ms=ms):
                self._timers.start(name, ms)
            case StopTimer(name=name):
                self._timers.stop(name)
            case EventUnexpected(state=state, event=event):
                log.warning("LIN-060 channel %d: %s while %s has no row; released", self._channel.number, event, state)
            case _:
                self._of_the_port(action)

    def hook(self, hook: Hook) -> None:
        """What the card refuses ends the call."""
        if self._channel.io is None:
            return
        try:
            self._channel.io.set_hook(hook)
        except LineError as error:
            self._channel.io_failed(error)

    def _of_the_port(self, action: Action) -> None:
        channel = self._channel
        match action:
            case ListenForTones(tones=tones):
                self.tones = tones
                channel.port.detect_tones(signalling=tones)
            case ListenForCallerId(standards=standards):
                channel.caller_id.listen(standards)
            case SendMf(signal=signal, forward=forward):
                channel.port.send_mf(signal, forward)
            case ListenForMf(forward=forward):
                if forward is not None:
                    channel.audio.open()
                channel.port.listen_mf(forward)
            case SoundTone(tone=tone):
                if tone:
                    channel.audio.open()
                channel.port.tone(tone)
            case _:
                self._of_the_call(action)

    def _of_the_call(self, action: Action) -> None:
        channel = self._channel
        match action:
            case CallComing():
                self.rings_since_s = asyncio.get_running_loop().time()
            case CallOffered():
                self._offered(action)
            case CallAlerting(inband=inband):
                self._sink.call_alerting(channel, inband)
            case CallAnswered():
                self._sink.call_answered(channel)
            case CallReleased(cause=cause, by_far_end=by_far_end):
                self._released(cause, by_far_end)
            case ChannelIdle() if channel.test:
                log.debug("channel %d: a call came and went during its test", channel.number)
            case ChannelIdle():
                self._idle()
            case _:
                self._of_its_kind(action)

    def _of_its_kind(self, action: Action) -> None:
        channel = self._channel
        match action:
            case FarBlocked(blocked=blocked):
                channel.far_blocked = blocked
                self._sink.channel_changed(channel)
            case TransferDone(outcome=outcome) if channel.spec.signalling is Signalling.BCHAN:
                self._sink.transfer_done(channel, outcome)
            case SetBits(bits=bits) if channel.bits:
                channel.bits.send(bits)
            case NumberDoubted() if channel.bits:
                channel.bits.number_doubted()
            case _ if channel.set:
                channel.set.perform(action)
            case _ if channel.line:
                channel.line.perform(action)

    def _offered(self, offered: CallOffered) -> None:
        channel = self._channel
        if not (channel.accepts_calls() and channel.group.carries_in(channel.number)) and not offered.urgent:
            channel.release(Cause.CHANNEL_NOT_AVAILABLE)
            return
        channel.care.began()
        channel.audio.open()
        self._sink.call_offered(channel, msgspec.structs.replace(offered, dnis=offered.dnis or channel.group.dnis or None))

    def _released(self, cause: int, by_far_end: bool) -> None:
        care = self._channel.care
        blocked = care.blocked
        care.ended(cause, bool(self._channel.alarms))
        self.tones = ()
        self._sink.call_released(self._channel, cause, by_far_end)
        if care.blocked is not blocked:
            log.error("LIN-170 channel %d blocked after %d failures in a row", self._channel.number, care.failures_in_a_row)
            self._channel.blocked_changed()

    def _idle(self) -> None:
        self.rings_since_s = None
        self._channel.audio.end()
        if self._channel.set:
            self._channel.set.idle()
