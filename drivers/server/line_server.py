"""The line server itself: parts put together, started and stopped.

Threads of the process: main (the asyncio event loop: everything in drivers.server, drivers.spans, the card), and the media core's two, tick
(audio every 20 ms) and writer (recordings to disk), which never enter Python. Tests run it without a socket (`connect`) on a virtual clock.
"""

import asyncio
import logging
from pathlib import Path
from typing import Protocol, runtime_checkable

import msgspec

from drivers.clock import Clock
from drivers.config import LinesConfig, usable
from drivers.fdstore import FdStore
from drivers.groups import TrunkGroup
from drivers.io import Card, LineEvent, SpanStatus
from drivers.media import Engine, MediaEvent
from drivers.ports import Media
from drivers.protocol import Cause, EngineReport
from drivers.server.adoption import Adoption, groups_for
from drivers.server.bridges import Bridges
from drivers.server.calls import Calls
from drivers.server.commands import Commands
from drivers.server.health import Health
from drivers.server.inner_line import InnerLine
from drivers.server.line_tests import LineTests
from drivers.server.lines import Lines
from drivers.server.link import InProcessLink, Listener
from drivers.server.media_events import MediaEvents
from drivers.server.presence import ABOUT, spans_of, specs_of
from drivers.server.recordings import Recordings
from drivers.server.reload import Reload
from drivers.server.reopening import Reopening
from drivers.server.session import Reception
from drivers.server.setting_up import SettingUp
from drivers.server.trunk_links import TrunkLinks
from drivers.server.unattended import Unattended
from drivers.server.unattended_emergency import UnattendedEmergency
from drivers.settings import Paths
from drivers.span import Span
from drivers.spans import Channel

log = logging.getLogger("careline.lines")

REPORT_S = 5.0
RELEASE_LIMIT_S = 3.0


@runtime_checkable
class HearsMedia(Protocol):
    """A card in software: ports of its far side live in the same engine, and their events are its."""

    def media_event(self, event: MediaEvent) -> bool:
        """False when the event is not about one of its ports."""


class LineServer:
    """`config`, a card, an engine (started, or stepped by a virtual clock), and where state is kept.

    `store` keeps descriptors for the next process; None: calls end with this one.
    """

    def __init__(self, config: LinesConfig, paths: Paths, card: Card, engine: Engine, clock: Clock, store: FdStore | None = None) -> None:
        self.config = config
        self._engine = engine
        media = Media(engine, config, Path(paths.run_dir) / "clips", clock)
        self.lines = lines = Lines(config, paths, card, media, clock)
        self._recordings = recordings = Recordings(lines)
        self._bridges = bridges = Bridges(lines)
        self._unattended = unattended = Unattended(lines)
        self._calls = calls = Calls(lines, recordings, bridges, unattended)
        unattended.emergency = UnattendedEmergency(lines, calls, bridges)
        self._links = TrunkLinks(lines)
        self._adoption = Adoption(lines, calls, bridges, recordings, self._links, store)
        self._reopening = Reopening(lines, self._adoption, self._links)
        self._media_events = MediaEvents(lines, recordings, self.report)
        self._card_hears = card.media_event if isinstance(card, HearsMedia) else None  # asked once: a protocol's isinstance is slow
        self._health = Health(lines)
        self._tests = LineTests(lines)
        self._setting_up = SettingUp(lines, Reload(lines, self._adoption, self._links))
        self._inner = inner = InnerLine(lines, calls)
        commands = Commands(lines, calls, bridges, recordings, self._health, self._tests, self._setting_up, inner)
        self._reception = Reception(lines, commands, unattended)
        self._listener: Listener | None = None
        self._report_timer: asyncio.TimerHandle | None = None

    # --- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the channels, take over calls, begin to listen to card and media core; on the running event loop.

        Raises: ConfigError CFG-033, LineError LIN-034.
        """
        lines = self.lines
        specs = specs_of(lines.card)
        # Without any line there is nothing to leave out: all of it is waited for.
        lines.config, faults = usable(self.config, specs) if specs else (msgspec.structs.replace(self.config, groups=()), ())
        self._setting_up.tell_missing(faults)
        groups = groups_for(lines.config.groups, specs)
        lines.book.load()
        now = lines.clock.now()
        lines.spans = {status.number: Span(status, now) for status in spans_of(lines.card)}
        self._adoption.open_channels(groups)
        for group in groups:
            lines.groups[group.name] = TrunkGroup(group, [lines.channels[number] for number in group.numbers])
        asyncio.get_running_loop().add_reader(self._engine.eventfd, self._media_ready)
        lines.card.start(self._on_line_event, self._on_span)
        self._adoption.adopt_calls()
        self._links.begin()
        self._unattended.agent_gone()
        for span in lines.spans.values():
            for channel in self._channels_of(span.status.number):
                channel.on_span_alarms(span.status.alarms)
        self._health.start()
        self._setting_up.start(self.config)
        self._report_again()

    async def listen(self) -> None:
        """Let a call agent connect. Raises: LineError LIN-022, LIN-023."""
        config = self.config
        path = self.lines.paths.lines_socket
        listener = Listener(self._reception, path, config.socket_group or None, config.max_unsent_kb)
        await listener.start()
        self._listener = listener

    async def connect(self) -> InProcessLink:
        """A call agent in this process; its first command is Hello."""
        return InProcessLink(self._reception)

    async def stop(self) -> None:
        """Leave calls up for the next process, or end them first (`on_stop`)."""
        if self._listener:
            self._listener.close()
        if self._report_timer:
            self._report_timer.cancel()
        self._unattended.agent_here()
        self._reopening.close()
        self._health.close()
        self._tests.close()
        self._setting_up.close()
        self.lines.keep_no_more()
        self._calls.close()
        self._bridges.close()
        if self.config.on_stop == "release":
            await self._release_all()
        for channel in self.lines.channels.values():
            channel.close()
        self._inner.close()
        self._links.close()
        asyncio.get_running_loop().remove_reader(self._engine.eventfd)
        self.lines.book.flush()
        self.lines.media.close()

    async def _release_all(self) -> None:
        for channel in self.lines.channels.values():
            if channel.leg:
                channel.release(Cause.TEMPORARY_FAILURE)
        deadline_s = self.lines.clock.monotonic_s() + RELEASE_LIMIT_S
        while any(channel.leg for channel in self.lines.channels.values()):
            if self.lines.clock.monotonic_s() > deadline_s:
                return
            await asyncio.sleep(0.05)

    # --- what comes in -----------------------------------------------------------------------------------------------

    def _media_ready(self) -> None:
        for event in self._engine.poll_events():
            if not (self._card_hears and self._card_hears(event)):
                self._media_events.take(event)

    def _on_line_event(self, number: int, event: LineEvent) -> None:
        if channel := self.lines.channels.get(number):
            channel.on_line_event(event)
        elif link := self.lines.links.get(number):
            link.on_line_event(event)

    def _on_span(self, status: SpanStatus) -> None:
        lines = self.lines
        span = lines.spans.get(status.number)
        if span is None:
            span = lines.spans[status.number] = Span(status, lines.clock.now())
            self._setting_up.card_came()
        elif not span.update(status, lines.clock.now()):
            return
        log.warning("LIN-046 span %d: %s", status.number, " ".join(status.alarms) or "no alarm")
        lines.span_changed(span)
        for channel in self._channels_of(status.number):
            channel.on_span_alarms(status.alarms)
        self._reopening.span_changed(status.number, status.alarms)

    def _channels_of(self, span: int) -> list[Channel]:
        return [channel for channel in self.lines.channels.values() if channel.spec.span == span]

    # --- health --------------------------------------------------------------------------------------------------------

    def report(self) -> None:
        """Tell the call agent how the media core is."""
        stats = self._engine.stats()
        self.lines.outbox.emit(
            EngineReport(
                ticks=stats.ticks,
                late_ticks=stats.late_ticks,
                tick_late_ms_p999=stats.tick_late_ms_p999,
                underruns=stats.underruns,
                events_lost=stats.events_lost,
                record_gap_samples=stats.record_gap_samples,
                disk_ms_max=stats.disk_ms_max,
                realtime=bool(stats.realtime),
            )
        )

    def _report_again(self) -> None:
        if self.lines.outbox.receiver is not None:
            self.report()
        self._report_timer = asyncio.get_running_loop().call_later(REPORT_S, self._report_again)

    def status(self) -> str:
        """One line for the service manager."""
        up = sum(channel.leg is not None for channel in self.lines.channels.values())
        agent = "connected" if self.lines.outbox.receiver else "not connected"
        lacking = f" ({fault.what})" if (fault := self.lines.faults.get(ABOUT)) else ""
        return f"{len(self.lines.channels)} channels{lacking}, {up} calls, call agent {agent}"
