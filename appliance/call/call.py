"""A call from its first ring to its record: who runs the script, who cancels it, and what is done after the release.

    offered --script--> (answered, talking, bridged) --released or script over--> closing --on disk--> forgotten

The script is cancelled by the caller's release; what must be done then is done here, not in the script.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import msgspec

from appliance.call import tag as tags
from appliance.call.core import CallCore, Surroundings
from appliance.call.leg import Leg
from appliance.call.tag import CallTag, PartyTag, Step
from appliance.call.work import Working
from appliance.control.messages import LiveCall
from appliance.errors import CallError
from appliance.events import (
    AnyHappened,
    CallOffered,
    CallRecovered,
    CallReleased,
    CallRouted,
    PlaceEntered,
    RecordingGapped,
    TransferStarted,
)
from drivers.errors import CarelineError
from drivers.protocol import Cause, Event, Forget, LegPhase, RecordingGap, Release, SetTag, Sides

log = logging.getLogger("careline.call")

RELEASE_LIMIT_S = 5.0
STORE_RETRY_S = 5.0

Script = Callable[["Call"], Awaitable[None]]


class Call(Working):
    """One call. `run` is its task; everything else is called from that task or from the switchboard."""

    def __init__(self, main: Leg, tag: CallTag, around: Surroundings, changed: Callable[[CallCore], None]) -> None:
        super().__init__(main, tag, around, changed)
        self.release_cause = Cause.NORMAL
        self._recording_command = 0
        self._ending = False

    @property
    def direction(self) -> str:
        """inbound, outbound, or internal."""
        return self.tag.direction or self.main.direction

    def _is_recorded(self) -> bool:
        return self.direction in self.config.record

    # --- beginnings ----------------------------------------------------------------------------------------------

    def offered(self) -> None:
        """A call nobody has taken yet: its first events and its first tag."""
        leg = self.main
        offered = CallOffered(
            leg=leg.name,
            group=leg.group,
            channel=leg.channel or 0,
            direction=self.direction,
            ani=leg.ani,
            presentation=leg.caller.presentation.value if leg.caller else "",
            ani_source=leg.caller.source.value if leg.caller else "",
            dnis=leg.dnis,
            language=self.tag.language,
            **self.here(leg.offered_at),
        )
        self.commit(offered, *([self.recording_started(self.id, Sides.BOTH)] if self._is_recorded() else []))

    def go_on_with(self, leg: Leg, service: str, place: str) -> None:
        """A transfer that somebody else has begun: the script of that place finds it rung already."""
        self.legs[leg.name] = leg
        started = TransferStarted(leg=leg.name, to=leg.dnis or "", group=leg.group, **self.here(leg.offered_at))
        events = (CallRouted(service=service, rule="made without us", **self.here()), PlaceEntered(place=place, **self.here()), started)
        steps = (Step("begin_transfer", leg.name),)
        self.commit(*events, service=service, place=place, steps=steps, rung=1, party_leg=leg.name)
        self.send(SetTag(leg=leg.name, tag=tags.encode(PartyTag(call_id=self.id))))

    async def recovered(self) -> None:
        """A call another process had in hand."""
        self.append_again()
        self.recover_secret()
        self.tag = msgspec.structs.replace(self.tag, seq=max(self.tag.seq, await self._last_stored()))
        if not self.main.is_released:
            self.commit(CallRecovered(place=self.tag.place, **self.here()))
        self.keep_music()

    async def _last_stored(self) -> int:
        try:
            return await self._around.store.last_seq(self.id)
        except CarelineError as error:
            log.error("call %s: the store does not answer, the call goes on: %s", self.id, error)
            return 0

    # --- the task ------------------------------------------------------------------------------------------------

    async def run(self, script: Script) -> None:
        """Until the call is over and its record on disk. The outer border of a call: nothing leaves it."""
        try:
            if not self.is_over():
                await self._run_script(script)
            await self._close()
        except Exception:  # the outer border of a call task: other calls go on
            log.exception("APP-008: call %s failed after its release", self.id)

    async def _run_script(self, script: Script) -> None:
        if self._is_recorded():
            self._recording_command = self.begin_recording(self.id, Sides.BOTH)
        task = asyncio.create_task(self._guarded(script), name=f"script {self.id}")
        task.add_done_callback(lambda _: self.main.wake())
        try:
            await self.main.wait(lambda _: self.is_over() or task.done(), self.config.call_limit_min * 60)
        finally:
            task.cancel()
            await asyncio.wait({task})
        await self._release()

    async def _guarded(self, script: Script) -> None:
        try:
            await script(self)
        except CarelineError as error:
            await self._apologise(error)
        except Exception:  # the outer border of a script: the caller hears that it is our fault
            log.exception("APP-009: the script of call %s failed at %s", self.id, self.tag.place)
            await self._apologise(
                CallError("APP-009", f"the script failed at {self.tag.place or 'its start'}", "See the log of careline-calls")
            )

    async def _apologise(self, error: CarelineError) -> None:
        """Say that it is our fault, if the line still carries a word."""
        self.commit(self.fault(error))
        if self.main.phase is LegPhase.ANSWERED:
            await self._say(("technical_fault",), "")

    async def _release(self) -> None:
        self._ending = True
        self._changed(self)
        if self.main.is_released:
            return
        self.send(Release(leg=self.main.name, cause=self.release_cause))
        if not await self.main.wait(lambda leg: leg.is_released, RELEASE_LIMIT_S):
            self.commit(
                self.fault(CallError("APP-006", f"channel {self.main.channel} did not release", "Look at the card; block the channel"))
            )

    # --- the end -------------------------------------------------------------------------------------------------

    async def _close(self) -> None:
        """Write the record, then let the line server forget the legs: a crash in between does it once more, with
        the same event numbers, so nothing is lost and nothing doubled."""
        self._ending = True
        parties = [leg for leg in self.legs.values() if leg is not self.main]
        for leg in parties:
            await self.release_party(leg)
        if not self.tag.closed:
            await self._commit_end()
        await self._flush()
        for leg in [*parties, self.main]:
            if not leg.absent:
                self.send(Forget(leg=leg.name))

    async def _commit_end(self) -> None:
        leg = self.main
        events: list[AnyHappened] = []
        if leg.answered_at and not self.tag.answered:
            events.append(self.answered_event())
        events += [*self.pressed(leg.digits), *self.secret_left()]
        events += self.transfer_abandoned()
        ended, settled = await self.settle_recordings(self.config.message_min_ms)
        released = CallReleased(
            cause=leg.cause if leg.cause is not None else Cause.TEMPORARY_FAILURE,
            ended_by=self._ended_by(),
            **self.here(leg.released_at),
        )
        changes = {**settled, **self.consumed(leg.digits)}
        self.commit(*events, *ended, released, closed=True, answered=leg.answered_at is not None, **changes)

    def _ended_by(self) -> str:
        if self.tag.party_left and not self.handed_on:
            return "operator"
        return "caller" if self.main.by_far_end else "box"

    async def _flush(self) -> None:
        """The record must be on disk; a full disk is waited for, the released leg is kept meanwhile."""
        waits = False
        self.tell()
        while True:
            try:
                return await self._around.store.flush()
            except CarelineError as error:
                if not waits:
                    log.error("call %s is over but not stored: %s", self.id, error)
                waits = True
                await asyncio.sleep(STORE_RETRY_S)

    # --- what the switchboard sees -------------------------------------------------------------------------------

    def observe(self, leg: Leg, event: Event) -> None:
        """An event of one of the call's legs. Raises: CallError APP-002 when it has no row in the leg's table."""
        leg.apply(event)
        if leg is self.main and leg.is_released:
            self.hand_on_shared()
        if leg is not self.main:
            self.main.wake()  # who waits for several legs waits there
        if leg is self.main and isinstance(event, RecordingGap):
            self.commit(
                RecordingGapped(recording_id=event.recording_id, lost_samples=event.lost_samples, reason=event.reason, **self.here())
            )
        self._changed(self)

    def command_refused(self, leg: Leg, command_id: int) -> None:
        """A command failed; only that the whole call cannot be recorded is nobody's verb to notice."""
        if leg is self.main and command_id and command_id == self._recording_command:
            fault = self.recording_refused(command_id)
            if fault:
                self.commit(fault)

    def live(self) -> LiveCall:
        """The call as the web shows it."""
        party = self.legs.get(self.tag.party_leg)
        recording = self.main.recordings.get(self.id)
        return LiveCall(
            call_id=self.id,
            direction=self.direction,
            phase=self._phase(),
            group=self.main.group,
            channel=self.main.channel or 0,
            ani=self.main.ani,
            dnis=self.main.dnis,
            started_at=self.main.offered_at,
            answered_at=self.main.answered_at,
            language=self.tag.language,
            place=self.tag.place,
            digits=self.tag.keys,
            operator_channel=party.channel if party else None,
            recording=recording is not None and not recording.stopped,
            came=self.tag.came,
            edition=self.tag.edition,
        )

    def _phase(self) -> str:
        if self._ending or self.is_over():
            return "ending"
        if self.main.bridged_with or self.main.is_released:
            return "bridged"
        return "talking" if self.main.phase is LegPhase.ANSWERED else "ringing"
