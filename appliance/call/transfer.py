"""Verbs between the caller and another party: transfer the caller to it, join the two, part them.

A transfer is one verb of several steps: begun, rung, joined, talked, parted. The party's leg is named after the call and the
count of rings, so a new call agent finds it, or finds that it was never dialled. It is forgotten only after the caller's tag
says what came of it.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from appliance.call import tag as tags
from appliance.call.core import Finished
from appliance.call.leg import Leg
from appliance.call.message import MessageTaking
from appliance.call.outcome import BridgeEnd, Transferred
from appliance.call.tag import PartyTag
from appliance.config import Destination
from appliance.errors import CallError
from appliance.events import (
    AnyHappened,
    CallBridged,
    CallFailed,
    CallUnbridged,
    TransferAnswered,
    TransferFailed,
    TransferStarted,
)
from drivers.protocol import (
    Bridge,
    Cause,
    Forget,
    LegPhase,
    PlayTone,
    Release,
    Seize,
    StopPlay,
    TransferByFlash,
    TransferInSwitch,
    TransferOutcome,
    Unbridge,
)

log = logging.getLogger("careline.call")

SETTLE_LIMIT_S = 5.0
SAID_LIMIT_S = 60.0  # longer rings nobody while he is greeted
HANDING_LIMIT_S = 60.0  # flash, tone, digits and the way back take a while
UNKNOWN_CODES = {"LIN-033", "LIN-042"}  # no such group or channel; a number that cannot be dialled. Source: drivers/server/commands.py

OUTCOMES: Mapping[int, Transferred] = {
    Cause.USER_BUSY: Transferred.BUSY,
    Cause.NO_CHANNEL: Transferred.NO_CHANNEL,
    Cause.CHANNEL_NOT_AVAILABLE: Transferred.NO_CHANNEL,
    Cause.SWITCH_CONGESTION: Transferred.NO_CHANNEL,
    Cause.RESOURCE_UNAVAILABLE: Transferred.NO_CHANNEL,
    Cause.NO_ANSWER: Transferred.NO_ANSWER,
    Cause.NO_USER_RESPONSE: Transferred.NO_ANSWER,
    Cause.SUBSCRIBER_ABSENT: Transferred.NO_ANSWER,
    Cause.NORMAL: Transferred.NO_ANSWER,
    Cause.NORMAL_UNSPECIFIED: Transferred.NO_ANSWER,
    Cause.INVALID_NUMBER: Transferred.UNKNOWN_DESTINATION,
    Cause.UNALLOCATED_NUMBER: Transferred.UNKNOWN_DESTINATION,
    Cause.NUMBER_CHANGED: Transferred.UNKNOWN_DESTINATION,
    Cause.NO_ROUTE: Transferred.UNKNOWN_DESTINATION,
}
"""Of a leg released before its answer; every other cause is a failure."""

SWITCH_SAYS: Mapping[TransferOutcome, Transferred] = {
    TransferOutcome.BUSY: Transferred.BUSY,
    TransferOutcome.CONGESTION: Transferred.NO_CHANNEL,
    TransferOutcome.NO_ANSWER: Transferred.NO_ANSWER,
    TransferOutcome.REFUSED: Transferred.UNKNOWN_DESTINATION,
}
"""Of a transfer by hook flash after which the caller is here again; every other outcome is a failure."""


def _rings_no_more(command_id: int) -> Callable[[Leg], bool]:
    return lambda leg: leg.phase in (LegPhase.ANSWERED, LegPhase.RELEASED) or command_id in leg.refused


class Transferring(MessageTaking):
    """The caller and another party. `ring`: how a set rings for this call, other than for a call from a set or from outside."""

    ring = ""

    async def transfer(self, to: Destination, answering: bool = False, said: Sequence[str] = ()) -> Transferred:
        """Blind transfer: ring `to` for as long as it allows, the caller hearing `said` and then ringback, and join the two. `answering`: a
        call that is still offered is answered when the party does, so that its record tells when they talked.

        Comes back when they are parted or never were: the caller is the script's again. A caller who hangs up cancels the script.
        """
        if to.how == "flash":
            return await self._hand_on(to)
        outcome = await self._ring(to, tuple(said))
        if outcome is not Transferred.ANSWERED:
            return outcome
        if answering:
            await self.answer()
        end = await self.bridge(ask_switch=to.how == "switch")
        return Transferred.FAILED if end is BridgeEnd.FAILED else Transferred.ANSWERED

    async def _ring(self, to: Destination, said: tuple[str, ...] = ()) -> Transferred:
        """Answered: the party waits to be bridged."""

        async def begin() -> Finished:
            number = self.tag.rung + 1
            leg = f"{self.id}-p{number}"
            started = TransferStarted(leg=leg, to=to.label, group=to.group, **self.here())
            return Finished(leg, [started], {"rung": number, "party_leg": leg, "party_left": False})

        name: str = await self.step("begin_transfer", begin)
        outcome = Transferred(await self.step("ring", lambda: self._rung(name, to, said)))
        if outcome is not Transferred.ANSWERED:
            self._forget(name)
        return outcome

    async def _rung(self, name: str, to: Destination, said: tuple[str, ...]) -> Finished:
        command_id = 0
        if name not in self.legs:
            command_id = self._seize(name, to)
        leg = self.legs[name]
        heard = await self._said_meanwhile(leg, command_id, said) if said else Finished()
        await self._ring_out(leg, command_id, to.ring_ms / 1000 + SETTLE_LIMIT_S)
        pressed = list(self.main.digits)
        outcome, events = await self._outcome(leg, command_id)
        answered = outcome is Transferred.ANSWERED
        changes = {**heard.changes, "party_leg": name if answered else "", "party_answered": answered}
        return Finished(outcome, [*heard.events, *self.pressed(pressed), *events], {**changes, **self.consumed(pressed)})

    async def _said_meanwhile(self, leg: Leg, command_id: int, prompts: tuple[str, ...]) -> Finished:
        """The caller hears that to its end, or until there is an outcome."""
        saying = asyncio.ensure_future(self._say(prompts, ""))
        ringing = asyncio.ensure_future(leg.wait(_rings_no_more(command_id), SAID_LIMIT_S))
        try:
            await asyncio.wait({saying, ringing}, return_when=asyncio.FIRST_COMPLETED)
            if not saying.done():
                self.send(StopPlay(leg=self.main.name))
            return await saying
        finally:
            saying.cancel()
            ringing.cancel()

    async def _ring_out(self, leg: Leg, command_id: int, limit_s: float, hears: str = "") -> None:
        """Ringback for the caller, or for that leg, until the leg is answered, released or refused."""
        over = _rings_no_more(command_id)
        if not over(leg):
            self.send(PlayTone(leg=hears or self.main.name, tone="ringback"))
            await leg.wait(over, limit_s)
        self.send(PlayTone(leg=hears or self.main.name, tone=""))  # also one that a call agent before this one began

    def _seize(self, name: str, to: Destination) -> int:
        self.legs[name] = Leg.dialled(name, to.group, self._around.clock.now())
        self._changed(self)
        return self.send(
            Seize(
                leg=name,
                group="" if to.channel is not None else to.group,
                channel=to.channel,
                number=to.number,
                caller=self.main.ani,
                no_answer_ms=to.ring_ms,
                ring=self.ring or ("internal" if self.main.is_set else "external"),
                tag=tags.encode(PartyTag(call_id=self.id)),
            )
        )

    async def _outcome(self, leg: Leg, command_id: int) -> tuple[Transferred, list[AnyHappened]]:
        if leg.answered_at:
            answered = TransferAnswered(leg=leg.name, channel=leg.channel, **self.here(leg.answered_at))
            return Transferred.ANSWERED, [answered]
        if refusal := leg.refused.get(command_id):
            leg.absent = True
            outcome = Transferred.UNKNOWN_DESTINATION if refusal.code in UNKNOWN_CODES else Transferred.FAILED
            fault = self.fault(CallError(refusal.code, refusal.what, refusal.remedy))
            return outcome, [fault, self._failed(leg.name, outcome)]
        outcome = _outcome_of(leg.cause) if leg.is_released else Transferred.NO_ANSWER
        await self.release_party(leg)
        return outcome, [self._failed(leg.name, outcome, leg.cause)]

    def _failed(self, leg: str, outcome: Transferred, cause: int | None = None, at: datetime | None = None) -> TransferFailed:
        return TransferFailed(leg=leg, outcome=outcome, cause=cause, **self.here(at))

    def transfer_abandoned(self) -> list[TransferFailed | TransferAnswered]:
        """After the release: what came of a transfer that was still ringing. A switch that has the caller releases the line as asked."""
        ended: list[TransferFailed | TransferAnswered] = []
        ringing = ((self.tag.party_leg, self.tag.party_answered), (self.tag.consult_leg, self.tag.consult_answered))
        for leg, answered in ringing:
            if leg and not answered:
                ended.append(self._failed(leg, Transferred.ABANDONED, at=self.main.released_at))
        if self.tag.handing and not self.main.by_far_end:
            ended.append(TransferAnswered(leg=self.main.name, **self.here(self.main.released_at)))
        elif self.tag.handing:
            ended.append(self._failed(self.main.name, Transferred.ABANDONED, at=self.main.released_at))
        return ended

    # --- by the switch -----------------------------------------------------------------------------------------------

    async def _hand_on(self, to: Destination) -> Transferred:
        """Behind a switch: by hook flash. A caller who was handed on is released, and the call with it."""

        async def begin() -> Finished:
            started = TransferStarted(leg=self.main.name, to=to.label, group=self.main.group, **self.here())
            return Finished(None, [started], {"handing": to.label, "transfers": self.tag.transfers + 1})

        await self.step("begin_transfer", begin)
        return Transferred(await self.step("hand_on", lambda: self._handed_on(to)))

    async def _handed_on(self, to: Destination) -> Finished:
        number = self.tag.transfers
        command_id = self.send(TransferByFlash(leg=self.main.name, number=to.number, transfer_id=number, no_answer_ms=to.ring_ms))
        switch = await self._switch_says(number, command_id, to.ring_ms / 1000 + HANDING_LIMIT_S)
        outcome = SWITCH_SAYS.get(switch, Transferred.FAILED) if switch else Transferred.FAILED
        faults: list[AnyHappened] = []
        if refusal := self.main.refused.get(command_id):
            faults = [self.fault(CallError(refusal.code, refusal.what, refusal.remedy))]
        return Finished(outcome, [*faults, self._failed(self.main.name, outcome)], {"handing": ""})

    async def _ask_switch(self, name: str) -> Finished:
        """The two talk already; a switch that joins them releases both legs, and one that does not leaves them to us."""
        number = self.tag.transfers + 1
        self.send(TransferInSwitch(leg=self.main.name, other=name, transfer_id=number))
        return Finished(None, (), {"transfers": number})

    async def _switch_says(self, number: int, command_id: int, limit_s: float) -> TransferOutcome | None:
        """None when it says nothing, or could not be asked. The release of a caller it has taken ends the script meanwhile."""

        def said(main: Leg) -> TransferOutcome | None:
            current = main.transfer
            return current.outcome if current and current.transfer_id == number else None

        await self.main.wait(lambda main: said(main) not in (None, TransferOutcome.TRANSFERRED) or command_id in main.refused, limit_s)
        return said(self.main)

    async def bridge(self, ask_switch: bool = False) -> BridgeEnd:
        """Join the caller with the party that answered, until one of them hangs up or the limit is reached."""
        name = self.tag.party_leg
        unjoined: str = await self.step("join", lambda: self._join(name))
        if ask_switch and not unjoined:
            await self.step("ask_switch", lambda: self._ask_switch(name))
        end = BridgeEnd(unjoined) if unjoined else await self._talk_on()
        last = self.tag.party_leg or name
        await self.step("part", lambda: self._part(last, bool(unjoined)))
        self._forget(last)
        return end

    async def _talk_on(self) -> BridgeEnd:
        """Until one of the two leaves or the limit is reached."""
        raise NotImplementedError

    async def _join(self, name: str) -> Finished:
        """The result is empty, or why they were not joined."""
        leg = self.legs.get(name)
        if leg is None:
            return Finished(BridgeEnd.PARTY_LEFT)
        command_id = 0
        if self.main.bridged_with != name and not leg.is_released:
            command_id = self.send(Bridge(leg=self.main.name, other=name))
        await self.main.wait(lambda main: main.bridged_with == name or leg.is_released or command_id in main.refused, SETTLE_LIMIT_S)
        if self.main.bridged_with == name:
            return Finished("", [CallBridged(leg=name, native=self.main.native, **self.here())])
        if leg.is_released:
            return Finished(BridgeEnd.PARTY_LEFT)
        return Finished(BridgeEnd.FAILED, [self._not_joined(name, command_id), self._failed(name, Transferred.FAILED)])

    def _not_joined(self, name: str, command_id: int) -> CallFailed:
        refusal = self.main.refused.get(command_id)
        what = refusal.what if refusal else f"legs {self.main.name} and {name} were not joined in time"
        return self.fault(CallError("APP-005", what, "See the log of careline-lines"))

    async def _part(self, name: str, never_joined: bool) -> Finished:
        """Take the two apart; keys pressed while they talked were not for us."""
        leg = self.legs.get(name)
        if leg:
            await self.release_party(leg)
        if self.main.bridged_with:
            self.send(Unbridge(leg=self.main.name))
            await self.main.wait(lambda main: main.bridged_with is None, SETTLE_LIMIT_S)
        pressed = list(self.main.digits)
        events: list[AnyHappened] = [*self.pressed(pressed)]
        if not never_joined:
            events.append(CallUnbridged(leg=name, **self.here(leg.released_at if leg else None)))
        return Finished(None, events, {"party_leg": "", "party_answered": False, **self.consumed(pressed)})

    async def release_party(self, leg: Leg) -> None:
        """Hang up on the other party and see that the line is idle."""
        if leg.is_released or leg.absent:
            return
        self.send(Release(leg=leg.name))
        if not await leg.wait(lambda leg: leg.is_released, SETTLE_LIMIT_S):
            log.error("APP-006: leg %s did not release in %.0f s", leg.name, SETTLE_LIMIT_S)

    def _forget(self, name: str) -> None:
        """The caller's tag says what came of this leg; the line server need not keep it."""
        leg = self.legs.pop(name, None)
        if leg and not leg.absent:
            self.send(Forget(leg=name))


def _outcome_of(cause: int | None) -> Transferred:
    return Transferred.FAILED if cause is None else OUTCOMES.get(cause, Transferred.FAILED)
