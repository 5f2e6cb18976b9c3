"""The kernel's cards as `drivers.io` wants them: DahdiCard finds, opens and reports (channel.py and link.py are what it opens).

Used from the line server's event loop only.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from drivers.dahdi import faults, setting_up
from drivers.dahdi.channel import AudioCore, CardTies, DahdiChannel
from drivers.dahdi.control import Control
from drivers.dahdi.device import Channel
from drivers.dahdi.events import PULSE_DIGIT, DigitEvent
from drivers.dahdi.hotplug import Hotplug, HotplugChange
from drivers.dahdi.link import DahdiLink
from drivers.dahdi.poller import ChannelEvent, EventPoller
from drivers.dahdi.pulses import HANDOVER_S
from drivers.dahdi.records import DEVICE_DIR, DIGITAL_SPANS, ChannelParams, EchoCanceller, Law, SpanRecord, alarm_words
from drivers.dahdi.setup import CardSetup, channel_numbers
from drivers.errors import LineError
from drivers.io import ChannelSpec, EventHandler, LineEvent, Signalling, SpanHandler, SpanStatus
from drivers.protocol import SpanErrors, SpanFound

if TYPE_CHECKING:
    from drivers.config import LinesConfig

log = logging.getLogger("careline.lines")

WRITE_AHEAD_BLOCKS = 4

PLUGGED_S = 0.5
"""Until a span can surely be asked about: the kernel tells of it before it is on its list."""


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
        self._links: dict[int, DahdiLink] = {}
        self._spans: dict[int, SpanStatus] = {}
        self._span_of: dict[int, int] = {}
        self._on_event: EventHandler | None = None
        self._on_span: SpanHandler | None = None
        self._hotplug: asyncio.Task[None] | None = None
        self.unknown_events = 0

    def spans(self) -> tuple[SpanStatus, ...]:
        """Raises: LineError LIN-101 no modules, LIN-102 no permission; NoCardError LIN-103."""
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
        """Raises: LineError LIN-104 not configured, LIN-105 in use, LIN-109 a descriptor of another channel, LIN-116 a D-channel."""
        device = self._device(number) if adopted_fd is None else Channel.adopt(adopted_fd, number)
        spec = _spec_opened(device)
        if spec.signalling is Signalling.DCHAN:
            device.close()
            raise faults.other_signalling(number, spec.signalling, Signalling.BCHAN)
        canceller = EchoCanceller() if number in self._with_canceller else None
        channel = DahdiChannel(spec, device, self._ties, canceller)
        self._open[number] = channel
        self._span_of[number] = spec.span
        return channel

    def open_link(self, number: int, on_frame: Callable[[bytes], None]) -> DahdiLink:
        """On the running event loop. Raises: LineError as open; LIN-116 when it is no D-channel."""
        device = Channel(number, self._device_dir)
        spec = _spec_opened(device)
        if spec.signalling is not Signalling.DCHAN:
            device.close()
            raise faults.other_signalling(number, spec.signalling, Signalling.DCHAN)
        link = DahdiLink(spec, device, self._poller, on_frame, self._pass_on)
        self._links[number] = link
        self._span_of[number] = spec.span
        return link

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
        channel = self._open.get(number)
        if channel is not None and not channel.happened(event):
            return
        if self._on_event is not None:
            self._on_event(number, event)

    def span_errors(self, span: int) -> SpanErrors | None:
        """Since the span was configured; None for analog ports. Raises: LineError."""
        with Control(self._device_dir) as control:
            record = control.span(span)
        return None if record is None or record.span_type not in DIGITAL_SPANS else _span_errors(record)

    def found(self) -> tuple[SpanFound, ...]:
        """What the kernel has found. Raises: as spans."""
        return setting_up.found(self._device_dir)

    async def reconfigure(self, lines: "LinesConfig") -> None:
        """Bring the kernel to `[lines.dahdi]`; the channels that change are closed. Raises: ConfigError LIN-110 .. LIN-113; LineError."""
        await asyncio.sleep(HANDOVER_S)  # until the media core has let go of what was closed
        await setting_up.reconfigure(lines.dahdi, self._device_dir)
        self._with_canceller = _channels_with_canceller(lines.dahdi)

    def close(self) -> None:
        """Hang up and close every channel."""
        if self._on_event is not None:
            asyncio.get_running_loop().remove_reader(self._poller.fileno())
        if self._hotplug is not None:
            self._hotplug.cancel()
        self._on_event = self._on_span = None
        for channel in self._open.values():
            channel.close()
        for link in self._links.values():
            link.close()
        self._open.clear()
        self._links.clear()
        self._poller.close()

    def _take_events(self) -> None:
        self._pass_on(self._poller.read())

    def _pass_on(self, events: list[ChannelEvent]) -> None:
        for found in events:
            if isinstance(found.event, LineEvent):
                self.line_event(found.channel, found.event)
            elif isinstance(found.event, DigitEvent) and found.event.kind == "pulse":
                self.line_event(found.channel, LineEvent(PULSE_DIGIT | ord(found.event.digit)))
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


def _span_errors(record: SpanRecord) -> SpanErrors:
    return SpanErrors(
        bipolar_violations=record.bipolar_violations,
        crc4_errors=record.crc4_errors,
        e_bit_errors=record.e_bit_errors,
        frame_errors=record.frame_errors,
        irq_misses=record.irq_misses,
    )


def _spec_opened(device: Channel) -> ChannelSpec:
    """What a channel just opened is set up for; one that is not ours is closed. Raises: LineError LIN-104."""
    spec = _channel_spec(device.params())
    if spec is None:
        device.close()
        raise faults.cannot_speak(device.number)
    return spec


def _channel_spec(params: ChannelParams) -> ChannelSpec | None:
    if params.signalling is None:
        return None
    law = "alaw" if params.law is Law.ALAW else "ulaw"
    return ChannelSpec(params.number, params.span, params.timeslot, params.signalling, params.name, law)
