"""Verbs towards a set that talks with somebody else: knock by a beep, be taken by a flash, take turns with who was there first.

The set's leg stays its own call's; only when that call's caller leaves does it change hands. Flashes of a leg that has a `sharer` are this
module's, not `appliance.extensions.flash`'s. `taker`: the sharer while the set talks with it.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from appliance.call import tag as tags
from appliance.call.consult import Consulting, Want
from appliance.call.core import Finished
from appliance.call.leg import Leg
from appliance.call.outcome import Transferred
from appliance.call.tag import PartyTag
from appliance.call.transfer import SETTLE_LIMIT_S
from appliance.errors import CallError
from appliance.events import CallBridged, CallUnbridged, TransferAnswered
from drivers.protocol import Bridge, PlayTone, SetTag, StopPlay, Unbridge

LOOK_S = 0.05


class Talks(Protocol):
    """Who talks where, whichever call it is."""

    def at_channel(self, channel: int) -> "tuple[Waiting, Leg] | None":
        """Two who talk, one of them a set on that channel that nobody else knocks at."""

    def of_leg(self, leg: str) -> "tuple[Waiting, Leg] | None":
        """The call that has this leg."""


class Waiting(Consulting):
    """The caller, and a set that is taken. `handed_on`: this call's own set went to another call, after its caller had gone."""

    handed_on = False

    async def knock(self, channel: int, talks: Talks, limit_ms: int) -> Transferred:
        """Beep into the conversation of the set on that channel until it flashes, then talk with it, in turns with the other.

        Comes back when the set was put down, or never took the call; no_channel when it was put down before, so that it can be rung.
        """
        outcome, name = await self.step("knock", lambda: self._knock(channel, talks, limit_ms / 1000))
        if outcome != Transferred.ANSWERED:
            return Transferred(outcome)
        await self.answer()
        await self.step("take_turns", lambda: self._take_turns(name, talks))
        return Transferred.ANSWERED

    async def _knock(self, channel: int, talks: Talks, limit_s: float) -> Finished:
        talk = talks.at_channel(channel)
        if talk is None:
            return Finished([Transferred.BUSY, ""])
        leg = talk[1]
        taken = await self._beep(leg, limit_s)
        if not taken:
            return Finished([Transferred.NO_CHANNEL if leg.is_released else Transferred.NO_ANSWER, ""])
        answered = TransferAnswered(leg=leg.name, channel=leg.channel, **self.here())
        return Finished([Transferred.ANSWERED, leg.name], [answered])

    async def _beep(self, leg: Leg, limit_s: float) -> bool:
        """True when the set flashed; it is shared from then on."""
        seen, taken = leg.flashes, False
        leg.sharer = self
        self.send(PlayTone(leg=leg.name, tone="waiting"))
        self.send(PlayTone(leg=self.main.name, tone="ringback"))
        try:
            await leg.wait(lambda leg: leg.flashes > seen or leg.is_released, limit_s)
            taken = leg.flashes > seen and not leg.is_released
        finally:
            leg.sharer = self if taken else None
            for each in (leg, self.main):
                if not each.is_released:
                    self.send(PlayTone(leg=each.name, tone=""))
        return taken

    async def _take_turns(self, name: str, talks: Talks) -> Finished:
        """Until the set is put down; a caller who leaves gives the set back to the other."""
        found = talks.of_leg(name)
        if found is None:
            return Finished(None, (), {"party_left": True})
        leg = found[1]
        leg.sharer = self
        try:
            await self._turns(leg, talks)
        finally:
            self._give_back(leg, talks)
        return Finished(None, [CallUnbridged(leg=name, **self.here(leg.released_at))], {"party_left": True})

    async def _turns(self, leg: Leg, talks: Talks) -> None:
        if self.main.bridged_with == leg.name:
            leg.taker = self  # a call agent before this one joined them
        else:
            await self._turn_to_me(leg, talks)
        while not leg.is_released:
            seen = leg.flashes
            await leg.wait(_flashed_or_gone(seen), self.config.talk_limit_min * 60)
            if leg.flashes > seen:
                await (self._turn_to_other(leg, talks) if leg.taker is self else self._turn_to_me(leg, talks))

    async def _turn_to_me(self, leg: Leg, talks: Talks) -> None:
        """The other one hears music; nothing when there is no other any more, or it is about something else."""
        found = talks.of_leg(leg.name)
        if found is None or found[0] is self:
            return
        other = found[0]
        try:
            other.ask(Want.HOLD, leg.name)
        except CallError:
            return
        await _until(lambda: bool(other.tag.held) or leg.is_released)
        if self.main.play and self.main.play.end is None:
            self.send(StopPlay(leg=self.main.name))
        self.send(Bridge(leg=self.main.name, other=leg.name))
        await self.main.wait(lambda main: main.bridged_with == leg.name or leg.is_released, SETTLE_LIMIT_S)
        leg.taker = self
        self.commit(CallBridged(leg=leg.name, native=self.main.native, **self.here()))

    async def _turn_to_other(self, leg: Leg, talks: Talks) -> None:
        found = talks.of_leg(leg.name)
        if found is None or found[0] is self:
            return
        leg.taker = None
        self.send(Unbridge(leg=self.main.name))
        await self.main.wait(lambda main: main.bridged_with is None, SETTLE_LIMIT_S)
        self.commit(CallUnbridged(leg=leg.name, **self.here()), **self._play_music(self.main.name))
        self._ask_back(found[0], leg)

    def _give_back(self, leg: Leg, talks: Talks) -> None:
        """This call has done with the set."""
        found = talks.of_leg(leg.name)
        if leg.taker is self and found and found[0] is not self and not leg.is_released:
            self._ask_back(found[0], leg)
        leg.sharer = leg.taker = None

    def _ask_back(self, other: "Waiting", leg: Leg) -> None:
        try:
            other.ask(Want.BACK, leg.name)
        except CallError:
            return  # who was there first has gone meanwhile

    # --- the set's leg changes hands ---------------------------------------------------------------------------------

    def hand_on_shared(self) -> None:
        """This call's caller has gone: a set that takes turns stays with the other call's."""
        for leg in [leg for leg in self.legs.values() if leg is not self.main and isinstance(leg.sharer, Waiting)]:
            if leg.sharer.main.answered_at:  # a call that still beeps cannot take it
                self.handed_on = True
                del self.legs[leg.name]
                leg.sharer.take_over(leg)

    def take_over(self, leg: Leg) -> None:
        """The leg is this call's party from now on."""
        self.legs[leg.name] = leg
        if leg.taker is not self:
            leg.taker = self
            self.send(StopPlay(leg=self.main.name))
            self.send(Bridge(leg=self.main.name, other=leg.name))
        self.send(SetTag(leg=leg.name, tag=tags.encode(PartyTag(call_id=self.id))))
        changes: dict[str, Any] = {"party_leg": leg.name, "party_answered": True, "party_left": False}
        self.commit(**changes)


def _flashed_or_gone(seen: int) -> Callable[[Leg], bool]:
    return lambda leg: leg.flashes > seen or leg.is_released


async def _until(holds: Callable[[], bool]) -> None:
    """Something that no leg tells of; looked at again and again for as long as a verb settles."""
    for _ in range(round(SETTLE_LIMIT_S / LOOK_S)):
        if holds():
            return
        await asyncio.sleep(LOOK_S)
