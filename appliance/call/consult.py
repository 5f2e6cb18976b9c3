"""Verbs while two talk: hold with music, an attended transfer, three in one conversation.

What is wanted comes by `ask`: from a set's hook flash, from whoever looks at the call. It ends the talk's step, and what follows is steps
again, so a new call agent goes on where this one was. Who asks is the holder, the other one hears music. A caller who hangs up meanwhile
leaves the two others together; the call ends with them.
"""

from enum import StrEnum
from typing import Any

import msgspec

from appliance.call.core import Finished
from appliance.call.leg import Leg
from appliance.call.outcome import BridgeEnd, Transferred
from appliance.call.transfer import SETTLE_LIMIT_S, Transferring
from appliance.config import Destination
from appliance.errors import CallError
from appliance.events import AnyHappened, CallBridged, CallConferred, CallHandedOver, CallHeld, CallUnheld, TransferStarted
from drivers.protocol import Bridge, Clip, Confer, LegPhase, Play, PlayEnd, PlayState, StopPlay, Unbridge


class Want(StrEnum):
    """What can be asked for. consult: hold the other one and ring a third; confer: all three together; back: end that."""

    HOLD = "hold"
    CONSULT = "consult"
    CONFER = "confer"
    BACK = "back"


class Wish(msgspec.Struct, frozen=True):
    """`by`: the leg that asks."""

    want: Want
    by: str = ""
    to: Destination | None = None


class Consulting(Transferring):
    """Two who talk, and a third."""

    _wish: Wish | None = None

    def ask(self, want: Want, by: str = "", to: Destination | None = None) -> None:
        """Raises: CallError APP-110 while nobody talks, or for a leg that is not one of the two."""
        by = by or self.tag.party_leg
        if not self.tag.party_leg or by not in (self.main.name, self.tag.party_leg):
            raise CallError("APP-110", f"leg {by or '-'} talks with nobody in call {self.id}", "Ask while two are joined")
        self._wish = Wish(want, by, to)
        self.main.wake()

    def _granted(self, *wants: Want) -> Wish | None:
        """The wish, taken, if it is one of these; any other means nothing now and is dropped."""
        wish, self._wish = self._wish, None
        return wish if wish and wish.want in wants else None

    # --- the talk ----------------------------------------------------------------------------------------------------

    async def _talk_on(self) -> BridgeEnd:
        """Until one of the two leaves or the limit is reached, with all that is asked for meanwhile."""
        while True:
            end = await self.step("talk", self._talk)
            if isinstance(end, str):
                return BridgeEnd(end)
            want, by, to = end
            held = self._other(by)
            if not await self._on_hold(held, by, msgspec.convert(to, Destination) if want == Want.CONSULT else None):
                return BridgeEnd.PARTY_LEFT

    async def _talk(self) -> Finished:
        leg = self.legs.get(self.tag.party_leg)
        if leg is None:
            return Finished(BridgeEnd.PARTY_LEFT, (), {"party_left": True})
        asked: list[Wish] = []

        def over(_: Leg) -> bool:
            wish = self._granted(Want.HOLD, Want.CONSULT) if self._wish and not leg.is_released else None
            asked.extend([wish] if wish else [])
            return bool(asked) or (leg.is_released and not self.main.is_released)  # both at once: a switch has taken the call

        ended = await self.main.wait(over, self.config.talk_limit_min * 60)
        if asked:
            return Finished(_kept(asked[0]))
        return Finished(BridgeEnd.PARTY_LEFT if ended else BridgeEnd.LIMIT, (), {"party_left": ended})

    def _other(self, leg: str) -> str:
        return self.main.name if leg == self.tag.party_leg else self.tag.party_leg

    # --- hold --------------------------------------------------------------------------------------------------------

    async def _on_hold(self, held: str, by: str, to: Destination | None) -> bool:
        """False when one of the two left meanwhile and nobody is there to go on with."""
        await self.step("hold", lambda: self._hold(held))
        while True:
            if to is not None and await self._consult(held, by, to):
                return True
            end = await self.step("held", lambda: self._held(held, by))
            to = msgspec.convert(end[2], Destination) if isinstance(end, list) else None
            if to is None:
                if end == "back":
                    await self.step("unhold", lambda: self._unhold(held))
                return bool(end == "back")

    async def _hold(self, held: str) -> Finished:
        """Part the two; music for the one, quiet for the other."""
        if self.main.bridged_with:
            self.send(Unbridge(leg=self.main.name))
            await self.main.wait(lambda main: main.bridged_with is None, SETTLE_LIMIT_S)
        changes = self._play_music(held)
        if held == self.main.name and not self.config.record_hold:
            await self.pause_recording()
        return Finished(None, [CallHeld(leg=held, **self.here())], {**changes, "held": held})

    def _play_music(self, held: str) -> dict[str, Any]:
        """Once, whoever asks for it; the tag's change, so that the next prompt has a number of its own."""
        leg = self.legs.get(held)
        if leg is None or leg.is_released:
            return {}
        last = leg.play.play_id if leg.play else 0
        if not (leg.play and leg.play.end is None):
            last = max(last, self.tag.play_id if leg is self.main else 0) + 1
            self.send(Play(leg=held, play_id=last, clips=(Clip(path=str(self._around.music())),), loops=0))
            leg.play = PlayState(last)
        return {"play_id": last} if leg is self.main else {}

    def keep_music(self) -> None:
        """What a line server that was started anew could not go on with."""
        leg = self.legs.get(self.tag.held)
        if leg and leg.phase is LegPhase.ANSWERED and leg.play and leg.play.end is PlayEnd.FAILED:
            self.commit(**self._play_music(leg.name))

    async def _held(self, held: str, by: str) -> Finished:
        """Until the holder wants something, or one of the two leaves."""
        asked: list[Wish] = []

        def over(_: Leg) -> bool:
            wish = self._granted(Want.BACK, Want.HOLD, Want.CONSULT) if self._wish else None
            asked.extend([wish] if wish else [])
            return bool(asked) or not (self._is_up(held) and self._is_up(by))

        await self.main.wait(over, self.config.talk_limit_min * 60)
        if not (self._is_up(held) and self._is_up(by)):
            return Finished(BridgeEnd.PARTY_LEFT, (), {"party_left": not self._is_up(self.tag.party_leg), "held": ""})
        return Finished(_kept(asked[0]) if asked and asked[0].want is Want.CONSULT else "back")

    async def _unhold(self, held: str) -> Finished:
        """The two together again."""
        await self._end_music(held)
        await self._bridge_to(self.tag.party_leg)
        return Finished(None, [CallUnheld(leg=held, **self.here())], {"held": ""})

    async def _end_music(self, held: str) -> None:
        leg = self.legs.get(held)
        if leg and leg.play and leg.play.end is None and not leg.is_released:
            self.send(StopPlay(leg=held))
            await self.main.wait(lambda _: leg.play is None or leg.play.end is not None or leg.is_released, SETTLE_LIMIT_S)
        if held == self.main.name and not self.config.record_hold:
            self.continue_recording()

    async def _bridge_to(self, name: str) -> bool:
        """Join the caller with that leg; False when that does not come about."""
        leg = self.legs.get(name)
        if leg is None or leg.is_released:
            return False
        command_id = 0
        if self.main.bridged_with != name:
            command_id = self.send(Bridge(leg=self.main.name, other=name))
        await self.main.wait(lambda main: main.bridged_with == name or leg.is_released or command_id in main.refused, SETTLE_LIMIT_S)
        return self.main.bridged_with == name

    # --- the third ---------------------------------------------------------------------------------------------------

    async def _consult(self, held: str, by: str, to: Destination) -> bool:
        """Ring a third for the holder, let the two talk. True: two are joined again; False: the holder is alone, the other on hold."""

        async def begin() -> Finished:
            number = self.tag.rung + 1
            leg = f"{self.id}-p{number}"
            started = TransferStarted(leg=leg, to=to.label, group=to.group, **self.here())
            return Finished(leg, [started], {"rung": number, "consult_leg": leg, "consult_answered": False})

        name: str = await self.step("begin_consult", begin)
        outcome = Transferred(await self.step("ring_consult", lambda: self._ring_third(name, by, to)))
        if outcome is not Transferred.ANSWERED:
            self._forget(name)
            return False
        left = await self.step("consult", lambda: self._consult_talk(name, held, by))
        conferred = left == Want.CONFER
        if conferred:
            left = await self._conference(name, held, by)
        if left == "others":
            await self.step("join_others", lambda: self._join_others(name))
            await self.step("others", lambda: self._others_talk(name))
            return False
        if left == "target":
            await self.step("end_consult", lambda: self._end_consult(name))
            self._forget(name)
            return bool(conferred)
        self._forget(await self.step("hand_over", lambda: self._hand_over(name, held)))
        return True

    async def _ring_third(self, name: str, by: str, to: Destination) -> Finished:
        command_id = 0
        if name not in self.legs:
            command_id = self._seize(name, to)
        leg = self.legs[name]
        await self._ring_out(leg, command_id, to.ring_ms / 1000 + SETTLE_LIMIT_S, hears=by)
        outcome, events = await self._outcome(leg, command_id)
        answered = outcome is Transferred.ANSWERED
        return Finished(outcome, events, {"consult_leg": name if answered else "", "consult_answered": answered})

    async def _consult_talk(self, name: str, held: str, by: str) -> Finished:
        """Result: who left ("by", "held", "target"; back: the holder wants no more of it), "others" without the caller, or confer."""
        if self._is_up(by) and self._is_up(name) and self.legs[by].bridged_with != name:
            self.send(Bridge(leg=by, other=name))
        asked: list[Wish] = []

        def over(_: Leg) -> bool:
            wish = self._granted(Want.BACK, Want.CONFER) if self._wish else None
            asked.extend([wish] if wish else [])
            return bool(asked) or not all(self._is_up(leg) for leg in (name, held, by))

        await self.main.wait(over, self.config.talk_limit_min * 60)
        if self.others_are_left():
            return Finished("others")
        if self._is_up(name) and not (asked and asked[0].want is Want.BACK):
            for leg, who in ((by, "by"), (held, "held")):
                if not self._is_up(leg):
                    return Finished(who)
            if asked:
                return Finished(Want.CONFER)
        return Finished("target")

    async def _conference(self, name: str, held: str, by: str) -> str:
        """All three, until one of them leaves; result as of `_consult_talk`. The line server joins those who are left."""
        await self.step("confer", lambda: self._confer(name, held, by))
        return str(await self.step("conference", lambda: self._conference_talk(name, held, by)))

    async def _confer(self, name: str, held: str, by: str) -> Finished:
        await self._end_music(held)
        if not self.main.conference and self._is_up(held):
            self.send(Confer(leg=held, other=by))
            await self.main.wait(lambda main: bool(main.conference) or not self._is_up(held), SETTLE_LIMIT_S)
        return Finished(None, [CallConferred(legs=(self.main.name, self.tag.party_leg, name), **self.here())], {"held": ""})

    async def _conference_talk(self, name: str, held: str, by: str) -> Finished:
        legs = {"target": name, "by": by, "held": held}
        await self.main.wait(
            lambda _: not all(self._is_up(leg) for leg in legs.values()) or bool(self._wish and self._granted(Want.BACK)),
            self.config.talk_limit_min * 60,
        )
        if self.others_are_left():
            return Finished("others")
        return Finished(next((who for who, leg in legs.items() if not self._is_up(leg)), "target"))

    async def _end_consult(self, name: str) -> Finished:
        """The third goes."""
        if leg := self.legs.get(name):
            await self.release_party(leg)
        return Finished(None, (), {"consult_leg": "", "consult_answered": False})

    async def _hand_over(self, name: str, held: str) -> Finished:
        """The caller and the third are the two now; result: who is not any more."""
        gone = self.tag.party_leg
        if leg := self.legs.get(gone):
            await self.release_party(leg)
        await self._end_music(held)
        await self._bridge_to(name)
        events: list[AnyHappened] = [
            CallHandedOver(leg=name, before=gone, **self.here()),
            CallBridged(leg=name, native=self.main.native, **self.here()),
        ]
        changes = {"party_leg": name, "party_answered": True, "consult_leg": "", "consult_answered": False, "held": ""}
        return Finished(gone, events, changes)

    # --- without the caller --------------------------------------------------------------------------------------------

    def is_over(self) -> bool:
        """The caller has gone, and no two others are left to talk."""
        return self.main.is_released and not self.others_are_left()

    def others_are_left(self) -> bool:
        """The caller has gone from three, or from a third who still rings for the one he held."""
        party, third = self.legs.get(self.tag.party_leg), self.legs.get(self.tag.consult_leg)
        if not self.main.is_released or party is None or third is None or party.is_released or third.is_released:
            return False
        return self.tag.consult_answered or self.tag.held == party.name

    async def _join_others(self, name: str) -> Finished:
        party = self.tag.party_leg
        await self._end_music(party)
        if self._is_up(party) and self._is_up(name) and self.legs[party].bridged_with != name:
            self.send(Bridge(leg=party, other=name))
            await self.main.wait(lambda _: self.legs[party].bridged_with == name or not self.others_are_left(), SETTLE_LIMIT_S)
        return Finished(None, [CallHandedOver(leg=name, before=self.main.name, **self.here())], {"held": ""})

    async def _others_talk(self, name: str) -> Finished:
        await self.main.wait(lambda _: not self.others_are_left(), self.config.talk_limit_min * 60)
        for leg in (self.legs.get(self.tag.party_leg), self.legs.get(name)):
            if leg:
                await self.release_party(leg)
        return Finished(None)

    def _is_up(self, name: str) -> bool:
        leg = self.legs.get(name)
        return leg is not None and not leg.is_released and leg.phase is LegPhase.ANSWERED


def _kept(wish: Wish) -> list[Any]:
    """As a step's result."""
    return [wish.want, wish.by, msgspec.to_builtins(wish.to) if wish.to else None]
