"""The call agent's parts as one: started, stopped, and asked how it is. Production gives it a socket and the real clock; tests
give it the line server's in-process channel and a virtual clock.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, time
from pathlib import Path

from appliance.calendar import Calendar
from appliance.config import Config
from appliance.control.live import LiveState
from appliance.control.messages import Check, Grade
from appliance.control.server import ControlServer
from appliance.extensions.lamps import MessageLamps
from appliance.extensions.session import Extensions
from appliance.flow_desk import FlowDesk
from appliance.hospital.booking.day_work import DayWork
from appliance.hospital.dispatch.desk_work import DeskWork
from appliance.ivr.editions import Editions
from appliance.ivr.flow import FlowSet
from appliance.ivr.paths import SERVICES
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.runner import FlowRunner
from appliance.ivr.speech.text import TextSpeaker
from appliance.ivr.wiring import Wiring
from appliance.line_care import LineCare
from appliance.lines import LineChannel, Lines, Listener, Listeners
from appliance.prompt_desk import PromptDesk
from appliance.self_calls import SelfCalls
from appliance.store import statements
from appliance.store.left import left_behind
from appliance.store.place import place_of
from appliance.store.writer import Store
from appliance.switchboard import SELF, Switchboard
from appliance.system import health
from appliance.system.health_log import HealthLog
from drivers.clock import Clock
from drivers.errors import CarelineError
from drivers.protocol import Event, Welcome

log = logging.getLogger("careline.calls")

HEALTH_EVERY_S = 5.0
COUNT_LIMIT_S = 1.0  # how the box is, is not told later because the store is slow
CALLERS_FIRST_S = 5.0
FLOWS_LIMIT_S = 5.0


class ConnectionNews:
    """Wakes whoever waits when the line server comes or goes."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()

    def adopted(self, welcome: Welcome) -> None:
        self.changed.set()

    def lost(self, error: CarelineError) -> None:
        self.changed.set()

    def event(self, event: Event) -> None:
        """Of no interest."""


async def _later(work: Callable[[], Awaitable[None]]) -> None:
    """After a start, callers come first: the calls of the call agent before, and those that rang meanwhile."""
    await asyncio.sleep(CALLERS_FIRST_S)
    await work()


class CallAgent:
    """Everything of `careline-calls` but its signals. `listeners`: told of the lines after its own. `flows`: instead of the program's."""

    def __init__(
        self,
        config: Config,
        connect: Callable[[], Awaitable[LineChannel]],
        clock: Clock,
        prompts: PromptLibrary | None = None,
        store: Store | None = None,
        listeners: tuple[Listener, ...] = (),
        flows: FlowSet | None = None,
    ) -> None:
        self.config = config
        self._clock = clock
        self._started_at = clock.now()
        self.prompts = prompts or PromptLibrary()
        self.store = store or Store(place_of(config.paths), clock)
        self.live = LiveState(health.health(clock.now(), clock.now(), (), None, 0, 0, 0))
        self.lines = Lines(connect, clock)
        self.editions = Editions(self.store, clock, self.prompts.ids, flows)
        speaker = TextSpeaker(self.prompts)
        self.prompt_desk = PromptDesk(self.prompts, self.store, clock, Path(config.paths.data_dir))
        wiring = Wiring(self.store, clock, config.hospital, lambda text, lang: speaker.say(text, lang).clips, paths=config.paths)
        runner = FlowRunner(self.editions, wiring)
        extensions = Extensions(config.calls)
        self.switchboard = Switchboard(
            config,
            self.lines,
            self.store,
            self.live,
            clock,
            self.prompts,
            dict.fromkeys(SERVICES, runner),
            extensions,
        )
        self.flow_desk = FlowDesk(self.editions, self.switchboard.calls)
        self._lamps = MessageLamps(config.calls.message_lamps, extensions, self.lines, self.store)
        self._desk_work = DeskWork(self.store, clock, config.hospital)
        self._day_work = DayWork(self.store, clock, config.hospital)
        self.self_calls = SelfCalls(self.lines, self.live, self.switchboard, clock)
        self.care = LineCare(self.lines, self.store, self.live, clock)
        self._health_log = HealthLog()
        self._news = ConnectionNews()
        self._listeners = listeners
        self.prompt_fault: CarelineError | None = None
        self._control: ControlServer | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, control: bool = False) -> None:
        """Calls are answered with or without a store. Raises: CarelineError when the control socket cannot be had."""
        await self._in_thread(self.store.start)
        await self._begin_flows()
        await self.switchboard.start()
        await self.care.start()
        if control:
            group = str(self.config.lines.get("socket_group", "")) or None
            self._control = ControlServer(
                self.config.paths.control_socket,
                self.live,
                self.switchboard,
                self.care,
                self.flow_desk,
                self.prompt_desk,
                self.self_calls,
                group,
            )
            await self._control.start()
        self._tasks += [
            asyncio.create_task(self.lines.run(Listeners(*self._own_listeners(), *self._listeners)), name="lines"),
            asyncio.create_task(self._watch_health(), name="health"),
            asyncio.create_task(self._lamps.run(), name="message lamps"),
            asyncio.create_task(_later(self._desk_work.run), name="desk work"),
            asyncio.create_task(_later(self._day_work.run), name="day work"),
            asyncio.create_task(self.prompt_desk.run(), name="prompts"),
        ]

    async def _begin_flows(self) -> None:
        """Callers do not wait for the store; the program's own flows will do until it works."""
        beginning = asyncio.create_task(self._begin_prompts_and_flows(), name="flows")
        self._tasks.append(beginning)
        if self.store.fault is None:
            await asyncio.wait({beginning}, timeout=FLOWS_LIMIT_S)

    async def _begin_prompts_and_flows(self) -> None:
        """Flows may say prompts of the hospital's own."""
        await self.prompt_desk.begin()
        await self.editions.begin()

    def _own_listeners(self) -> tuple[Listener, ...]:
        return self.switchboard, self.care, self._lamps, self.self_calls, self._news

    async def stop(self) -> None:
        """Calls are left to the next call agent; everything decided is written."""
        if self._control:
            await self._control.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.switchboard.closing.stop()
        await self.switchboard.stop()
        await self.care.stop()
        await self._in_thread(self.store.close)

    async def _in_thread(self, work: Callable[[], None]) -> None:
        """Opening and closing the store waits for the disk; the event loop does not."""
        with self._clock.external_work():
            await asyncio.to_thread(work)

    def status(self) -> str:
        """One line for the service manager."""
        lines = "connected" if self.lines.connected else f"no line server ({self.lines.fault})"
        return f"{len(self.switchboard.calls)} calls, {lines}"

    async def _watch_health(self) -> None:
        """Every 5 s, and as soon as the line server has come or gone."""
        while True:
            await self._tell_health()
            self._news.changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEALTH_EVERY_S):
                    await self._news.changed.wait()

    async def _tell_health(self) -> None:
        paths, now = self.config.paths, self._clock.now()
        today = await self._calls_today(now)
        disk, free, total = health.disk(Path(paths.data_dir))
        checks = (
            health.line_server(self.lines.connected, self.lines.fault),
            health.engine(self.lines.engine),
            health.spans(self.live.snapshot().spans),
            health.channels(self.live.channels.values()),
            *health.line_setup(self.care.faults),
            disk,
            health.store(self.store.fault, self.store.has_reserve),
            *health.left_behind(left_behind(paths.database)),
            health.prompts(self.prompt_fault or self.prompts.fault),
            health.dispatch(self._desk_work.dead),
            health.ledger(self._day_work.unbalanced),
            health.flows(self.editions.fault, self.editions.current.edition),
            self._recordings(),
        )
        self._health_log.note(checks)
        self.live.health_changed(health.health(now, self._started_at, checks, self.lines.engine, free, total, today))

    def _recordings(self) -> Check:
        """Whether files and records matched when the lines were last taken over."""
        found = self.switchboard.difference
        if found is None or not (found.files_without_record or found.records_without_file):
            return Check(name="recordings", grade=Grade.OK)
        detail = (
            f"{len(found.files_without_record)} files without a record, {len(found.records_without_file)} records without a file; "
            f"first: {(*found.files_without_record, *found.records_without_file)[0]}"
        )
        return Check(name="recordings", grade=Grade.WARNING, code="APP-056", detail=detail, remedy="See the recordings folder and the log")

    async def _calls_today(self, now: datetime) -> int:
        local = Calendar(self.config.hospital.calendar).local(now)
        midnight = datetime.combine(local.date(), time(0), local.tzinfo)
        try:
            return int(await self.store.read(lambda: statements.run(statements.CALLS_SINCE, midnight, SELF).fetchone()[0], COUNT_LIMIT_S))
        except CarelineError:  # told as the store's own fault
            return 0
