"""Looking after lines: alarms into the store with begin and end, what people ask of lines, and what came of it.

Runs in the call agent's event loop; told of the lines as the switchboard is. What somebody did stands in the store before they are
answered, with their name; on a full disk they are answered all the same, and it is written when there is space.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from msgspec import structs

from appliance.control.live import LiveState
from appliance.control.messages import (
    AskLineSetup,
    EndLineTest,
    LineSetupChecked,
    LineSetupTold,
    LineTarget,
    ResetLineCounters,
    RunLineTest,
    SetLinesBlocked,
    SettleLineSetup,
    TryLineSetup,
)
from appliance.errors import LinesError
from appliance.line_alarms import AlarmChange, AlarmKey, Alarms
from appliance.line_setups import LineSetups
from appliance.lines import Lines
from appliance.store.models import Alarm, LineAction
from appliance.store.writer import Store
from drivers.clock import Clock
from drivers.errors import CarelineError
from drivers.protocol import (
    BlockChannel,
    ChannelChanged,
    Command,
    CommandFailed,
    Event,
    LineFault,
    LineFaultsChanged,
    LinesReplaced,
    LineTest,
    LineTestPhase,
    LineTestReported,
    Ping,
    Pong,
    ResetCounters,
    SpanChanged,
    StartLineTest,
    StopLineTest,
    Welcome,
)

log = logging.getLogger("careline.care")

ANSWER_LIMIT_S = 3.0
WRITE_LIMIT_S = 1.0  # with ANSWER_LIMIT_S less than the control client's patience
BOX = "box"
"""The subject of alarms that are not of lines, see store.models.Alarm."""
SETTLE_S = 2.0  # channels and their span tell the same alarm, in any order


class Asked:
    """Commands under way; done when the Ping behind them is answered."""

    def __init__(self, ids: frozenset[int]) -> None:
        self._ids = ids
        self.done = asyncio.Event()
        self.error: CarelineError | None = None

    def refused(self, event: CommandFailed) -> None:
        if event.command_id in self._ids and self.error is None:
            self.error = LinesError(event.code, event.what, event.remedy)

    def settle(self, error: CarelineError | None = None) -> None:
        self.error = self.error or error
        self.done.set()


class LineCare:
    """`start` before the first connection. `faults`: what of the lines' set-up cannot be used."""

    def __init__(self, lines: Lines, store: Store, live: LiveState, clock: Clock) -> None:
        self._lines = lines
        self._store = store
        self._live = live
        self._clock = clock
        self._alarms = Alarms()
        self._asked: dict[int, Asked] = {}
        self._testers: dict[str, str] = {}
        self._looks: dict[int, asyncio.TimerHandle] = {}
        self.faults: tuple[LineFault, ...] = ()
        self._setups = LineSetups(lines, live, self._note)
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Which alarms an earlier call agent left open; later, when the store does not work yet."""
        self._reading = asyncio.create_task(self._read_alarms(), name="open alarms")
        if self._store.fault is None:
            await asyncio.wait({self._reading}, timeout=WRITE_LIMIT_S)

    async def _read_alarms(self) -> None:
        while True:
            await self._store.mended()
            try:
                return self._left_open(await self._store.read(_open_alarms))
            except CarelineError as error:
                log.error("alarms left open are not known: %s", error)

    def _left_open(self, keys: list[AlarmKey]) -> None:
        """What is not in alarm any more has ended when the lines are looked at next, which may have been already."""
        self._alarms.open |= set(keys)
        if self._lines.connected:
            now = self._live.snapshot()
            self._changed(self._alarms.snapshot(now.spans, now.channels, self._clock.now()))

    async def stop(self) -> None:
        """What happened is written."""
        for look in self._looks.values():
            look.cancel()
        if self._reading:
            self._reading.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- told by the lines ---------------------------------------------------------------------------------------------

    def adopted(self, welcome: Welcome) -> None:
        self._changed(self._alarms.snapshot(welcome.spans, welcome.channels, welcome.at))
        for test in (*self._lost_tests(welcome), *welcome.tests):
            self._tested(test)
        self.faults = welcome.faults
        self._setups.adopted(welcome)

    def lost(self, error: CarelineError) -> None:
        for asked in self._asked.values():
            asked.settle(error)
        self._setups.lost(error)

    def event(self, event: Event) -> None:
        self._setups.event(event)
        match event:
            case LinesReplaced():
                self._live.lines_changed(event.channels, event.spans, event.groups)
                self._changed(self._alarms.snapshot(event.spans, event.channels, self._clock.now()))
            case LineFaultsChanged():
                self.faults = event.faults
            case SpanChanged():
                self._changed(self._alarms.span(event.span, self._clock.now()))
            case ChannelChanged():
                self._look_later(event.channel.number)
            case LineTestReported():
                self._tested(event.test)
            case CommandFailed():
                for asked in self._asked.values():
                    asked.refused(event)
            case Pong() if event.command_id in self._asked:
                self._asked[event.command_id].settle()

    def _lost_tests(self, welcome: Welcome) -> list[LineTest]:
        """What ran in a line server that is no more."""
        known = {test.test_id for test in welcome.tests}
        running = (test for test in self._live.tests.values() if test.phase is LineTestPhase.RUNNING and test.test_id not in known)
        return [structs.replace(test, phase=LineTestPhase.STOPPED, reason="line_server", at=welcome.at) for test in running]

    def _look_later(self, number: int) -> None:
        if number not in self._looks:
            loop = asyncio.get_running_loop()
            self._looks[number] = loop.call_later(SETTLE_S, self._look, number, self._clock.now())

    def _look(self, number: int, at: datetime) -> None:
        del self._looks[number]
        if channel := self._live.channels.get(number):
            self._changed(self._alarms.channel(channel, at))

    def _changed(self, changes: list[AlarmChange]) -> None:
        for change in changes:
            key = change.key
            log.warning("%s %d: alarm %s %s", key.subject, key.number, key.alarm, "began" if change.began else "ended")
        if changes:
            self._spawn(lambda: _write_alarms(changes))

    def _tested(self, test: LineTest) -> None:
        before = self._live.tests.get(test.channel)
        self._live.test_changed(test)
        if test.phase is LineTestPhase.RUNNING or (before is not None and before.test_id == test.test_id and before.phase is test.phase):
            return
        by = self._testers.pop(test.test_id, "")
        figures = " ".join(f"{figure.name}={figure.value:g}{figure.unit}" for figure in test.figures)
        self._note(by, f"test_{test.kind.value}", f"channel {test.channel}", f"{test.phase.value} {test.reason} {figures}".strip())

    # --- asked by the control socket -----------------------------------------------------------------------------------

    async def set_blocked(self, request: SetLinesBlocked) -> None:
        """Raises: CarelineError."""
        numbers = self._channels_of(request.target)
        commands = [BlockChannel(channel=number, blocked=request.blocked, at_once=request.at_once) for number in numbers]
        action = ("blocked_at_once" if request.at_once else "blocked") if request.blocked else "unblocked"
        await self._do(request.by, action, request.target, *commands)

    async def reset_counters(self, request: ResetLineCounters) -> None:
        """Raises: CarelineError."""
        commands: list[Command] = [ResetCounters(channel=number) for number in self._channels_of(request.target)]
        if request.target.span:
            commands.append(ResetCounters(span=request.target.span))
        await self._do(request.by, "counters_reset", request.target, *commands)

    async def run_test(self, request: RunLineTest) -> None:
        """Raises: CarelineError."""
        self._testers[request.test_id] = request.by
        command = StartLineTest(
            test_id=request.test_id,
            channel=request.channel,
            kind=request.kind,
            limit_ms=request.limit_ms,
            number=request.number,
            whole_group=request.whole_group,
        )
        try:
            await self._do(request.by, f"test_{request.kind.value}_started", LineTarget(channel=request.channel), command)
        except CarelineError:
            self._testers.pop(request.test_id, None)
            raise

    async def end_test(self, request: EndLineTest) -> None:
        """Raises: CarelineError."""
        await self._do(request.by, "test_stopped", LineTarget(channel=request.channel), StopLineTest(channel=request.channel))

    async def ask_setup(self, request: AskLineSetup) -> LineSetupTold:
        """Raises: CarelineError."""
        return await self._setups.ask(request.request_id)

    async def try_setup(self, request: TryLineSetup) -> LineSetupChecked:
        """Raises: CarelineError."""
        return await self._setups.attempt(request)

    async def settle_setup(self, request: SettleLineSetup) -> None:
        """Raises: CarelineError."""
        await self._setups.settle(request)

    def _channels_of(self, target: LineTarget) -> list[int]:
        """Raises: LinesError APP-100."""
        if target.channel:
            return [target.channel]
        found = [
            channel.number
            for channel in self._live.channels.values()
            if (target.span and channel.span == target.span) or (target.group and channel.group == target.group)
        ]
        if not found:
            raise LinesError("APP-100", f"{target} has no channel", "Look at the page Lines for what there is")
        return sorted(found)

    async def _do(self, by: str, action: str, target: LineTarget, *commands: Command) -> None:
        """Send, wait until all was done, write down who did it. Raises: CarelineError of the first that was refused."""
        if self._lines.fault:
            raise self._lines.fault
        log.info("%s: %s by %s", target, action, by)
        refused = await self._carry_out(commands)
        detail = f"refused: {refused}" if refused else ""
        await asyncio.wait([self._note(by, action, str(target), detail)], timeout=WRITE_LIMIT_S)
        if refused:
            raise refused

    async def _carry_out(self, commands: Iterable[Command]) -> CarelineError | None:
        """Send them all and wait for the line server to be through; the first refusal, if there was one."""
        asked = Asked(frozenset([self._lines.send(command) for command in commands]))
        last = self._lines.send(Ping())
        self._asked[last] = asked
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                await asked.done.wait()
        except TimeoutError:
            return LinesError("APP-101", "the line server did not answer in time", "See the log of careline-lines")
        finally:
            del self._asked[last]
        return asked.error

    # --- the store -----------------------------------------------------------------------------------------------------

    def _note(self, by: str, action: str, subject: str, detail: str) -> asyncio.Task[None]:
        at = self._clock.now()
        return self._spawn(lambda: LineAction.create(at=at, by=by, action=action, subject=subject, detail=detail))

    def _spawn(self, work: Callable[[], Any]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._write(work), name="line history")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _write(self, work: Callable[[], Any]) -> None:
        try:
            await self._store.run(work)
        except CarelineError as error:
            log.error("the history of lines waits for the disk: %s", error)
        self._live.line_history_changed()


def _open_alarms() -> list[AlarmKey]:
    rows = Alarm.select().where(Alarm.ended_at.is_null(), Alarm.subject != BOX)
    return [AlarmKey(row.subject, row.number, row.alarm) for row in rows]


def _write_alarms(changes: list[AlarmChange]) -> None:
    """One that began and stands there as open did so already for an earlier call agent."""
    for change in changes:
        key = change.key
        if change.began and key in _open_alarms():
            continue
        if change.began:
            Alarm.create(subject=key.subject, number=key.number, alarm=key.alarm, began_at=change.at)
        else:
            _end_alarm(key, change.at)


def _end_alarm(key: AlarmKey, at: datetime) -> None:
    mine = (Alarm.subject == key.subject) & (Alarm.number == key.number) & (Alarm.alarm == key.alarm)
    Alarm.update(ended_at=at).where(mine, Alarm.ended_at.is_null()).execute()
