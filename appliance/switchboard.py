"""All calls: events of the lines to their calls, new calls to their service, calls of a dead call agent taken over.

Runs in the call agent's event loop; owns one task per call and the flusher. Told of the lines by `Lines`
(adopted, lost, event), tells the live state.
"""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from appliance.calendar import Calendar
from appliance.call import Call, Script, Surroundings
from appliance.call import tag as tags
from appliance.call.core import CallCore, Voice
from appliance.call.leg import Leg
from appliance.call.tag import CallTag, PartyTag
from appliance.closing import CLOSING, Closing, say_closed
from appliance.config import Config
from appliance.control.live import LiveState
from appliance.control.messages import MusicRequest, MusicTold
from appliance.errors import CallError
from appliance.extensions.flash import Flashes
from appliance.extensions.session import PLACE, Extensions
from appliance.lines import Lines
from appliance.music import MusicShelf
from appliance.music_desk import MusicDesk
from appliance.recording import reconcile
from appliance.recording.references import References, highest_stored
from appliance.routing import CallFacts, RoutingTable
from appliance.store.writer import Store
from drivers.clock import Clock
from drivers.errors import CarelineError
from drivers.protocol import (
    SELF_CALL_GROUP,
    Cause,
    ChannelChanged,
    CommandFailed,
    Direction,
    Event,
    Forget,
    LegState,
    LinesReplaced,
    Offered,
    Release,
    Released,
    SpanChanged,
    Welcome,
    emergency_leg,
)

log = logging.getLogger("careline.call")

SELF = "self"
"""The direction of calls of the box to itself: in no statistics, never recorded."""
FLUSH_EVERY_S = 0.2
START_LIMIT_S = 5.0  # callers are not kept waiting for the store


class Switchboard:
    """The call agent's calls. `scripts` by service; one that is missing is rejected.

    `own_number`: who calls with it now is the box itself.
    """

    def __init__(
        self,
        config: Config,
        lines: Lines,
        store: Store,
        live: LiveState,
        clock: Clock,
        voice: Voice,
        scripts: Mapping[str, Script],
        extensions: Extensions,
    ) -> None:
        self.calls: dict[str, Call] = {}
        self.difference: reconcile.Difference | None = None
        self.own_number = ""
        self.closing = Closing(self.calls, lines.send)
        self.set_closing = self.closing.set_closing
        self._config = config
        self._lines = lines
        self._store = store
        self._live = live
        self._clock = clock
        self._extensions = extensions
        self._flashes = Flashes(extensions, lines.send)
        extensions.calls = self.calls
        self._scripts = {**scripts, "reject": _reject, "dialled": extensions.dialled, CLOSING: say_closed}
        self._calendar = Calendar(config.hospital.calendar)
        self._routes = RoutingTable(config.calls.routes)
        self._references = References()
        self._by_leg: dict[str, Call] = {}
        self._begun: list[tuple[Call, bool]] = []
        self._stale: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._call_tasks: set[asyncio.Task[None]] = set()
        self._unflushed: dict[Call, None] = {}
        self._appended = asyncio.Event()
        music = Path(config.paths.data_dir) / "music"
        self._music = MusicDesk(MusicShelf(music), music / "incoming")
        self._around = Surroundings(
            send=lines.send,
            store=store,
            clock=clock,
            voice=voice,
            config=config.calls,
            music=self._music.shelf.current,
            references=self._references,
            recording_day=self._recording_day,
        )

    def _recording_day(self, at: datetime) -> str:
        return reconcile.folder_of(self._calendar.local(at).date())

    async def start(self) -> None:
        """Before the first connection: which message numbers are given, unless the store does not work yet."""
        counting = self._spawn(self._count_messages(), "numbers of messages", self._tasks)
        self._spawn(self._flush_all(), "flusher", self._tasks)
        if self._store.fault is None:
            await asyncio.wait({counting}, timeout=START_LIMIT_S)

    async def _count_messages(self) -> None:
        while not self._references.known.is_set():
            await self._store.mended()
            try:
                self._references.stored(await self._store.read(highest_stored))
            except CarelineError as error:
                log.error("numbers of messages are not known: %s", error)

    async def stop(self) -> None:
        """Leave all calls to the line server and to the next call agent."""
        tasks = [*self._tasks, *self._call_tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- told by the lines ---------------------------------------------------------------------------------------

    def adopted(self, welcome: Welcome) -> None:
        """Take over every call there is, each where it stands."""
        self._drop_all()
        self._extensions.plan = welcome.number_plan
        decoded = [(state, self._tag_of(state)) for state in welcome.legs]
        for state, tag in decoded:
            if isinstance(tag, CallTag):
                self._references.seen_in(tag.unstored)
                self._take(Call(Leg(state), tag, self._around, self._changed), known=True)
        made = {state.leg: state for state, tag in decoded if tag is None and state.direction is Direction.OUTBOUND}
        for state, tag in decoded:
            if isinstance(tag, PartyTag):
                self._adopt_party(Leg(state), tag)
            elif tag is None and state.direction is Direction.INBOUND:
                self._new_call(state, made.pop(emergency_leg(state.leg), None))
        for state in made.values():
            self._let_go(state)
        self._live.lines_changed(welcome.channels, welcome.spans, welcome.groups)
        for call_id in [call_id for call_id in self._live.calls if call_id not in self.calls]:
            self._live.call_gone(call_id)
        self._start_calls()
        self._spawn(self._reconcile(welcome.at, frozenset(self.calls)), "reconciliation", self._tasks)

    def lost(self, error: CarelineError) -> None:
        """Calls go on in the line server; the next snapshot brings them back."""
        self._drop_all()

    def event(self, event: Event) -> None:
        """Border: a fault of one call touches no other."""
        match event:
            case Offered():
                self._new_call(event.state)
                self._start_calls()
            case ChannelChanged():
                self._channel_changed(event)
            case SpanChanged():
                self._live.span_changed(event.span)
            case LinesReplaced():
                self._extensions.plan = event.number_plan
            case CommandFailed():
                self._refused(event)
            case _:
                self._leg_event(event)

    def _leg_event(self, event: Event) -> None:
        name: str = getattr(event, "leg", "")
        call = self._by_leg.get(name)
        leg = call.legs.get(name) if call else None
        if call is None or leg is None:
            return self._stale_event(name, event)
        try:
            call.observe(leg, event)
            self._flashes.event(call, leg, event)
        except CallError as error:
            log.error("call %s: %s", call.id, error)
            self._lines.send(Release(leg=name, cause=Cause.INTERWORKING))

    def _refused(self, event: CommandFailed) -> None:
        log.warning("refused for leg %s: %s %s. %s", event.leg, event.code, event.what, event.remedy)
        call = self._by_leg.get(event.leg)
        leg = call.legs.get(event.leg) if call else None
        if call and leg:
            leg.refuse(event)
            call.command_refused(leg, event.command_id)

    def _channel_changed(self, event: ChannelChanged) -> None:
        self._live.channel_changed(event.channel)
        name = event.channel.leg or ""
        call = self._by_leg.get(name)
        if call and name in call.legs:
            call.legs[name].channel = event.channel.number
            self._changed(call)

    # --- calls ---------------------------------------------------------------------------------------------------

    def _new_call(self, state: LegState, made: LegState | None = None) -> None:
        """A call nobody has taken. Its id follows from the leg, so that taking it twice gives one record. `made`: the leg out, of an
        emergency call that the line server made meanwhile."""
        call_id = f"{state.offered_at:%Y%m%d-%H%M%S}-{state.offered_at.microsecond // 1000:03d}-{state.channel}"
        direction = SELF if self._is_own(state) else self._extensions.direction(state)
        tag = CallTag(call_id=call_id, language=self._config.calls.language, direction=direction)
        call = Call(Leg(state), tag, self._around, self._changed)
        self._take(call, known=False)
        call.offered()
        if made:
            call.go_on_with(Leg(made), "dialled", PLACE)

    def _is_own(self, state: LegState) -> bool:
        """The box itself calls, see self_calls.py."""
        return state.group == SELF_CALL_GROUP or bool(self.own_number and state.ani == self.own_number)

    def _route(self, call: Call) -> None:
        leg = call.main
        if call.direction == SELF:
            call.route("hotline", SELF)
            return
        state = self._calendar.state(self._clock.now())
        facts = CallFacts(group=leg.group, dnis=leg.dnis, ani=leg.ani, state=state, from_set=leg.is_set)
        decision = self._extensions.decide(facts, self._routes)
        call.route(self.closing.service(decision.service), decision.route)
        log.info("call %s from %s on channel %s: %s", call.id, leg.ani or "unknown", leg.channel, decision.explain())

    def _take(self, call: Call, known: bool) -> None:
        self.calls[call.id] = call
        self._by_leg[call.main.name] = call
        self._begun.append((call, known))

    def _start_calls(self) -> None:
        """Legs are tied and live state told: let the scripts run."""
        for call, known in self._begun:
            self._changed(call)
            self._spawn(self._run(call, known), f"call {call.id}", self._call_tasks)
        self._begun.clear()

    async def _run(self, call: Call, known: bool) -> None:
        if known:
            await call.recovered()
        if not call.tag.service:
            self._route(call)
        await call.run(self._scripts.get(call.tag.service, _reject))
        self._over(call)

    def _over(self, call: Call) -> None:
        del self.calls[call.id]
        self._unflushed.pop(call, None)
        for name in [name for name, owner in self._by_leg.items() if owner is call]:
            del self._by_leg[name]
        self._live.call_gone(call.id)

    def _adopt_party(self, leg: Leg, tag: PartyTag) -> None:
        """The other party of a call: it is that call's, unless the call is done with it."""
        call = self.calls.get(tag.call_id)
        if call and leg.name in (call.tag.party_leg, call.tag.consult_leg):
            call.legs[leg.name] = leg
            self._by_leg[leg.name] = call
            return
        if leg.is_released:
            self._lines.send(Forget(leg=leg.name))
        else:
            self._stale.add(leg.name)
            self._lines.send(Release(leg=leg.name))

    def _let_go(self, state: LegState) -> None:
        """An outgoing leg that belongs to no call."""
        self._adopt_party(Leg(state), PartyTag(call_id=""))

    def _stale_event(self, name: str, event: Event) -> None:
        """A leg no call wants is forgotten as soon as it is idle; what else comes of it is late audio."""
        if name in self._stale and isinstance(event, Released):
            self._stale.discard(name)
            self._lines.send(Forget(leg=name))

    def _tag_of(self, state: LegState) -> CallTag | PartyTag | None:
        """None for a leg nobody has taken; one whose tag cannot be read is taken as such, and says so in the log."""
        try:
            return tags.decode(state.tag) if state.tag else None
        except CallError as error:
            log.error("leg %s on channel %d: %s", state.leg, state.channel, error)
            return None

    def _changed(self, call: CallCore) -> None:
        """Something about the call is new: tell the live state, see that its events get to disk."""
        if not isinstance(call, Call) or self.calls.get(call.id) is not call:
            return
        for name in call.legs:
            self._by_leg[name] = call
        if call.direction != SELF:
            self._live.call_changed(call.live())
        if call.tag.unstored:
            self._unflushed[call] = None
            self._appended.set()

    async def _flush_all(self) -> None:
        """Events on disk need not ride along in the tags."""
        while True:
            await self._appended.wait()
            await asyncio.sleep(FLUSH_EVERY_S)
            self._appended.clear()
            for call in tuple(self._unflushed):
                call.tell()
            waiting = [(call, call.tag.seq) for call in self._unflushed]
            self._unflushed.clear()
            try:
                await self._store.flush()
            except CarelineError as error:
                log.error("events wait for the disk: %s", error)
                self._unflushed.update(dict.fromkeys(call for call, _ in waiting))
                self._appended.set()
                continue
            for call, seq in waiting:
                call.stored(seq)

    async def _reconcile(self, before: datetime, alive: frozenset[str]) -> None:
        """Records of calls that the line server does not know any more get their end, as soon as the store works."""
        while True:
            await self._store.mended()
            try:
                return await self._reconcile_now(before, alive)
            except CarelineError as error:
                log.error("records are not reconciled: %s", error)

    async def _reconcile_now(self, before: datetime, alive: frozenset[str]) -> None:
        """Raises: StoreError."""
        recordings_dir = self._config.paths.recordings_dir
        for lost in await self._store.read(lambda: reconcile.unfinished(before, alive)):
            log.error("APP-007: call %s was lost with the line server; its record is closed", lost.call_id)
            for event in reconcile.closing_events(lost, recordings_dir):
                self._store.append(event)
        days = [self._calendar.local(before - ago).date() for ago in (timedelta(0), timedelta(days=1))]
        rows = await self._store.read(lambda: reconcile.recent_rows(before - reconcile.LOOK_BACK))
        self.difference = reconcile.compare(recordings_dir, days, rows)

    def _drop_all(self) -> None:
        """Leave the calls as they stand: nothing is sent, nothing is decided."""
        for task in self._call_tasks:
            task.cancel()
        self.calls.clear()
        self._by_leg.clear()
        self._unflushed.clear()
        self._begun.clear()
        self._stale.clear()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str, among: set[asyncio.Task[None]]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        among.add(task)
        task.add_done_callback(among.discard)
        task.add_done_callback(_log_failure)
        return task

    # --- asked by the control socket -----------------------------------------------------------------------------

    async def hang_up_call(self, call_id: str, by: str) -> None:
        """Raises: CarelineError for a call that is not there, or without a connection."""
        self._must_be_connected()
        call = self.calls.get(call_id)
        if call is None:
            raise CallError("APP-011", f"there is no call {call_id}", "It is over; look into the call list")
        log.info("call %s hung up by %s", call_id, by)
        for leg in call.legs.values():
            if not leg.is_released and not leg.absent:
                self._lines.send(Release(leg=leg.name))

    async def music(self, request: MusicRequest) -> MusicTold:
        """Raises: MusicError."""
        return await self._music.serve(request)

    def _must_be_connected(self) -> None:
        if self._lines.fault:
            raise self._lines.fault


async def _reject(call: Call) -> None:
    call.release_cause = Cause.REJECTED


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception():
        log.error("APP-012: %s failed", task.get_name(), exc_info=task.exception())
