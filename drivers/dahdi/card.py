"""The kernel's cards as `drivers.io` wants them: DahdiCard finds, opens and reports; DahdiChannel is one opened channel.

Used from the line server's event loop only. Audio never passes here: the media core gets the raw descriptor, and while it has it, it
also takes the channel's events (read and write fail while one waits) and gives them back through `DahdiCard.line_event`.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from typing import NamedTuple, Protocol

from drivers.dahdi import faults
from drivers.dahdi.control import Control
from drivers.dahdi.device import ELAST, FLUSH, GETEVENT, Channel
from drivers.dahdi.events import DigitEvent
from drivers.dahdi.hotplug import Hotplug, HotplugChange
from drivers.dahdi.poller import EventPoller
from drivers.dahdi.records import (
    CALLED_SIDE,
    DEVICE_DIR,
    BufferPolicy,
    ChannelParams,
    EchoCanceller,
    Flush,
    Law,
    Policy,
    SpanRecord,
    alarm_words,
)
from drivers.dahdi.setup import CardSetup, channel_numbers
from drivers.errors import LineError
from drivers.io import ChannelSpec, EventHandler, Hook, LineEvent, Signalling, SpanHandler, SpanStatus

log = logging.getLogger("careline.lines")

WRITE_AHEAD_BLOCKS = 4
CONVERSATION = BufferPolicy(blocks=16, write=Policy.IMMEDIATE)
"""The media core keeps WRITE_AHEAD_BLOCKS queued, so room beyond them costs no delay: it is there for a late tick."""

DEBOUNCE_MS = 50
"""A hang-up of the far end within that time after our answer is lost for good: the driver looks at changes only. Its own default, 600 ms,
loses callers who hang up at once."""

PLUGGED_S = 0.5
"""Until a span can surely be asked about: the kernel tells of it before it is on its list."""

HANDOVER_S = 0.2
"""Until the tick thread has surely let go of a descriptor it was told to leave (it obeys within a tick of 20 ms)."""


class AudioCore(Protocol):
    """What is needed of the media core (`drivers.media.Engine`)."""

    def attach_fd(self, port: int, fd: int, write_ahead: int, getevent: int, elast: int, flush: int = 0, flush_what: int = 0) -> None:
        """Begin moving 160-byte blocks between a descriptor and a port."""

    def detach(self, port: int) -> None:
        """Stop; takes effect with the next tick."""


class CardTies(NamedTuple):
    """What all channels of the card share."""

    core: AudioCore
    poller: EventPoller
    write_ahead: int


class DahdiChannel:
    """One opened channel; see `drivers.io.ChannelIO`."""

    def __init__(self, spec: ChannelSpec, device: Channel, ties: "CardTies", canceller: EchoCanceller | None) -> None:
        self.spec = spec
        self.device = device
        self._core = ties.core
        self._poller = ties.poller
        self._write_ahead = ties.write_ahead
        self._canceller = canceller
        self._port: int | None = None
        self._resume: asyncio.TimerHandle | None = None
        self._closing = False
        self._poller.add(device)
        if spec.signalling in CALLED_SIDE:
            device.set_debounce(DEBOUNCE_MS)

    def set_hook(self, hook: Hook) -> None:
        """Change the loop's state. A clear channel (bchan) and CAS have no loop; the kernel refuses."""
        self.device.set_hook(hook)

    def is_offhook(self) -> bool:
        """The loop of an FXS port. A FXO port in service sees the same battery before and during a call, so there: no alarm."""
        params = self.device.params()
        if self.spec.signalling in CALLED_SIDE:
            return not params.alarms
        return params.rx_offhook

    def attach(self, port: int) -> None:
        """Give the channel to the media core; what was heard before is thrown away."""
        self.detach()
        self._poll_no_more()
        if self.spec.signalling is Signalling.BCHAN:
            self.device.set_audio_mode()
        self.device.set_linear(False)
        self.device.set_buffers(CONVERSATION)
        if self._canceller is not None:
            self.device.set_echo_canceller(self._canceller)
        self._core.attach_fd(port, self.device.fileno(), self._write_ahead, GETEVENT, ELAST, FLUSH, Flush.WRITE)
        self._port = port

    def detach(self) -> None:
        """Take the channel back; its events are polled again a little later, when the tick thread takes none any more."""
        if self._port is None:
            return
        self._core.detach(self._port)
        self._port = None
        if self._canceller is not None:
            self.device.set_echo_canceller(None)
        self._resume = asyncio.get_running_loop().call_later(HANDOVER_S, self._poller.add, self.device)

    def native_bridge(self, other: object) -> bool:
        """Join in the kernel, each way. False for another card's channel, this one itself, or another law (bytes are copied)."""
        if not isinstance(other, DahdiChannel) or other is self or other.spec.law != self.spec.law:
            return False
        self.device.listen_to(other.spec.number)
        try:
            other.device.listen_to(self.spec.number)
        except LineError:
            self.device.leave_bridge()
            raise
        return True

    def native_unbridge(self) -> None:
        """Part both directions; the kernel joins each by itself."""
        peer = self.device.bridged_to()
        self.device.leave_bridge()
        if peer is not None and self.device.bridged_to(peer) == self.spec.number:
            self.device.leave_bridge(peer)

    def native_peer(self) -> int | None:
        """The partner, as the kernel says."""
        return self.device.bridged_to()

    def store_fd(self) -> int | None:
        """The channel's descriptor."""
        return self.device.fileno()

    def set_echo_canceller(self, canceller: EchoCanceller | None) -> None:
        """Another canceller setting for the rest of the call (off for fax and modems)."""
        self.device.set_echo_canceller(canceller)

    def busy_out(self, on: bool) -> None:
        """Keep callers away: an FXO port goes off-hook, so that the exchange gives them its busy tone."""
        if self.spec.signalling in CALLED_SIDE:
            self.device.set_hook(Hook.OFF if on else Hook.ON)

    def close(self) -> None:
        """Hang up and close. A copy of the descriptor elsewhere keeps the channel open, so both are said aloud."""
        if self.device.fileno() < 0:
            return
        attached = self._port is not None
        self._closing = True
        self._quietly(self.native_unbridge)
        self._quietly(self.detach)
        self._poll_no_more()
        if self.spec.signalling.startswith("fx"):
            self._quietly(lambda: self.device.set_hook(Hook.ON))
        if attached:
            asyncio.get_running_loop().call_later(HANDOVER_S, self.device.close)
        else:
            self.device.close()

    def device_again(self) -> Channel | None:
        """The device of a channel closed so lately that its descriptor is still open; None when it is closed or its card is gone."""
        if not self._closing or self.device.fileno() < 0:
            return None
        fd = os.dup(self.device.fileno())
        try:
            device = Channel.adopt(fd, self.spec.number)
            device.flush(Flush.ALL)
        except LineError:
            os.close(fd)
            return None
        return device

    def _poll_no_more(self) -> None:
        if self._resume is not None:
            self._resume.cancel()
            self._resume = None
        self._poller.remove(self.device)

    def _quietly(self, step: Callable[[], None]) -> None:
        # A card that was pulled refuses everything; closing must go on all the same.
        try:
            step()
        except LineError as error:
            if error.code not in (faults.CHANNEL_GONE, faults.REFUSED):
                raise


class DahdiCard:
    """All channels of the kernel's cards. `setup` says which channels have an echo canceller; system.conf was applied from it."""

    def __init__(
        self,
        core: AudioCore,
        setup: CardSetup | None = None,
        write_ahead: int = WRITE_AHEAD_BLOCKS,
        device_dir: str = DEVICE_DIR,
    ) -> None:
        self._device_dir = device_dir
        self._with_canceller = _channels_with_canceller(setup or CardSetup())
        self._poller = EventPoller()
        self._ties = CardTies(core, self._poller, write_ahead)
        self._open: dict[int, DahdiChannel] = {}
        self._spans: dict[int, SpanStatus] = {}
        self._span_of: dict[int, int] = {}
        self._on_event: EventHandler | None = None
        self._on_span: SpanHandler | None = None
        self._hotplug: asyncio.Task[None] | None = None
        self.unknown_events = 0

    def spans(self) -> tuple[SpanStatus, ...]:
        """Raises: LineError LIN-101 no modules, LIN-102 no permission, LIN-103 no card."""
        with Control(self._device_dir) as control:
            found = tuple(map(_span_status, control.require_spans()))
        self._spans = {status.number: status for status in found}
        return found

    def channels(self) -> tuple[ChannelSpec, ...]:
        """Configured channels with a signalling we speak. Raises: as spans."""
        with Control(self._device_dir) as control:
            control.require_spans()
            specs = tuple(spec for spec in map(_channel_spec, control.channels()) if spec is not None)
        self._span_of = {spec.number: spec.span for spec in specs}
        return specs

    def open(self, number: int, adopted_fd: int | None = None) -> DahdiChannel:
        """Raises: LineError LIN-104 not configured, LIN-105 in use, LIN-109 a descriptor of another channel."""
        device = self._device(number) if adopted_fd is None else Channel.adopt(adopted_fd, number)
        spec = _channel_spec(device.params())
        if spec is None:
            device.close()
            raise faults.cannot_speak(number)
        canceller = EchoCanceller() if number in self._with_canceller else None
        channel = DahdiChannel(spec, device, self._ties, canceller)
        self._open[number] = channel
        self._span_of[number] = spec.span
        return channel

    def _device(self, number: int) -> Channel:
        before = self._open.get(number)
        return (before and before.device_again()) or Channel(number, self._device_dir)

    def start(self, on_event: EventHandler, on_span: SpanHandler) -> None:
        """Report events, alarms and cards coming and going, on the running loop."""
        self._on_event, self._on_span = on_event, on_span
        loop = asyncio.get_running_loop()
        loop.add_reader(self._poller.fileno(), self._take_events)
        self._hotplug = loop.create_task(self._watch_hotplug())
        self._hotplug.add_done_callback(_tell_end)

    def line_event(self, number: int, event: LineEvent) -> None:
        """Alarms are looked up at the span first, so that its state is known when the channel hears of it."""
        if event in (LineEvent.ALARM, LineEvent.NOALARM, LineEvent.REMOVED):
            self._check_span(self._span_of.get(number, 0))
        if self._on_event is not None:
            self._on_event(number, event)

    def close(self) -> None:
        """Hang up and close every channel."""
        if self._on_event is not None:
            asyncio.get_running_loop().remove_reader(self._poller.fileno())
        if self._hotplug is not None:
            self._hotplug.cancel()
        self._on_event = self._on_span = None
        for channel in self._open.values():
            channel.close()
        self._open.clear()
        self._poller.close()

    def _take_events(self) -> None:
        for found in self._poller.read():
            if isinstance(found.event, LineEvent):
                self.line_event(found.channel, found.event)
            elif not isinstance(found.event, DigitEvent):
                self.unknown_events += 1

    async def _watch_hotplug(self) -> None:
        async with Hotplug() as changes:
            async for change in changes:
                self._plugged(change)

    def _plugged(self, change: HotplugChange) -> None:
        if change.what == "span":
            self._check_span(change.span)
            asyncio.get_running_loop().call_later(PLUGGED_S, self._check_span, change.span)

    def _check_span(self, number: int) -> None:
        before = self._spans.get(number)
        now = self._span_now(number, before)
        if now is None or now == before:
            return
        self._spans[number] = now
        if self._on_span is not None:
            self._on_span(now)

    def _span_now(self, number: int, before: SpanStatus | None) -> SpanStatus | None:
        record = None
        try:
            with Control(self._device_dir) as control:
                record = control.span(number)
        except LineError as error:
            if error.code != faults.NO_MODULES:
                raise
        if record is not None:
            return _span_status(record)
        return before and SpanStatus(before.number, before.name, before.description, before.channels, ("removed",))


def _tell_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("LIN-114 cards coming and going are not noticed any more: %s. Restart the line server", error)


def _channels_with_canceller(setup: CardSetup) -> frozenset[int]:
    groups = (group for group in setup.groups if group.echo_canceller is not None)
    return frozenset(number for group in groups for number in channel_numbers(group.channels))


def _span_status(record: SpanRecord) -> SpanStatus:
    return SpanStatus(record.number, record.name, record.description, record.channels_total, alarm_words(record.alarms))


def _channel_spec(params: ChannelParams) -> ChannelSpec | None:
    if params.signalling is None:
        return None
    law = "alaw" if params.law is Law.ALAW else "ulaw"
    return ChannelSpec(params.number, params.span, params.timeslot, params.signalling, params.name, law)
