"""Verbs between the caller and a person: ring an extension, join the two, part them.

The extension's leg is named after the call and the count of rings, so a new call agent finds it, or finds that it was
never dialled. It is forgotten only after the caller's tag says what came of it.
"""

import logging

from appliance.call import tag as tags
from appliance.call.core import Finished
from appliance.call.leg import Leg
from appliance.call.message import MessageTaking
from appliance.call.outcome import BridgeEnd, Rung
from appliance.call.tag import PartyTag
from appliance.config import Extension
from appliance.errors import CallError
from appliance.events import (
    AnyHappened,
    CallBridged,
    CallFailed,
    CallUnbridged,
    OperatorAnswered,
    OperatorMissed,
    OperatorRung,
)
from drivers.protocol import Bridge, Cause, Forget, LegPhase, PlayTone, Release, Seize, Unbridge

log = logging.getLogger("careline.call")

SETTLE_LIMIT_S = 5.0
BUSY_CAUSES = {Cause.USER_BUSY, Cause.NO_CHANNEL, Cause.CHANNEL_NOT_AVAILABLE}
UNANSWERED_CAUSES = {Cause.NO_ANSWER, Cause.NO_USER_RESPONSE, Cause.NORMAL}


class Connecting(MessageTaking):
    """The caller and another party."""

    async def ring_operator(self, extension: Extension) -> Rung:
        """Ring the extension while the caller hears ringback. Answered: the caller is to be bridged next."""

        async def begin() -> Finished:
            number = self.tag.rung + 1
            leg = f"{self.id}-p{number}"
            rung = OperatorRung(leg=leg, group=extension.group, **self.here())
            return Finished(leg, [rung], {"rung": number, "operator_leg": leg})

        name: str = await self.step("begin_ring", begin)
        rung = Rung(await self.step("ring", lambda: self._ring(name, extension)))
        if rung is not Rung.ANSWERED:
            self._forget(name)
        return rung

    async def _ring(self, name: str, extension: Extension) -> Finished:
        command_id = 0
        if name not in self.legs:
            command_id = self._seize(name, extension)
        leg = self.legs[name]
        self.send(PlayTone(leg=self.main.name, tone="ringback"))
        await leg.wait(
            lambda leg: leg.phase in (LegPhase.ANSWERED, LegPhase.RELEASED) or command_id in leg.refused,
            extension.ring_ms / 1000 + SETTLE_LIMIT_S,
        )
        self.send(PlayTone(leg=self.main.name, tone=""))
        pressed = list(self.main.digits)
        rung, event = await self._rung(leg, command_id)
        party = name if rung is Rung.ANSWERED else ""
        return Finished(rung, [*self.pressed(pressed), event], {"operator_leg": party, **self.consumed(pressed)})

    def _seize(self, name: str, extension: Extension) -> int:
        self.legs[name] = Leg.dialled(name, extension.group, self._around.clock.now())
        self._changed(self)
        return self.send(Seize(
            leg=name,
            group="" if extension.channel is not None else extension.group,
            channel=extension.channel,
            number=extension.number,
            caller=self.main.ani,
            no_answer_ms=extension.ring_ms,
            tag=tags.encode(PartyTag(call_id=self.id)),
        ))

    async def _rung(self, leg: Leg, command_id: int) -> tuple[Rung, AnyHappened]:
        if leg.answered_at:
            return Rung.ANSWERED, OperatorAnswered(leg=leg.name, channel=leg.channel, **self.here(leg.answered_at))
        refusal = leg.refused.get(command_id)
        if refusal:
            leg.absent = True
            log.error("call %s: %s %s. %s", self.id, refusal.code, refusal.what, refusal.remedy)
            return Rung.FAILED, OperatorMissed(leg=leg.name, outcome=Rung.FAILED, **self.here())
        rung = _missed(leg.cause) if leg.is_released else Rung.NO_ANSWER
        await self.release_party(leg)
        return rung, OperatorMissed(leg=leg.name, outcome=rung, cause=leg.cause, **self.here())

    async def bridge(self) -> BridgeEnd:
        """Join the caller with the extension that answered, until one of them hangs up or the limit is reached."""
        name = self.tag.operator_leg
        unjoined: str = await self.step("join", lambda: self._join(name))
        end = BridgeEnd(unjoined or await self.step("talk", lambda: self._talk(name)))
        await self.step("part", lambda: self._part(name, bool(unjoined)))
        self._forget(name)
        return end

    async def _join(self, name: str) -> Finished:
        """The result is empty, or why they were not joined."""
        leg = self.legs.get(name)
        if leg is None:
            return Finished(BridgeEnd.OPERATOR_LEFT)
        command_id = 0
        if self.main.bridged_with != name and not leg.is_released:
            command_id = self.send(Bridge(leg=self.main.name, other=name))
        await self.main.wait(
            lambda main: main.bridged_with == name or leg.is_released or command_id in main.refused, SETTLE_LIMIT_S
        )
        if self.main.bridged_with == name:
            return Finished("", [CallBridged(leg=name, native=self.main.native, **self.here())])
        if leg.is_released:
            return Finished(BridgeEnd.OPERATOR_LEFT)
        return Finished(BridgeEnd.FAILED, [self._not_joined(name, command_id)])

    def _not_joined(self, name: str, command_id: int) -> CallFailed:
        refusal = self.main.refused.get(command_id)
        what = refusal.what if refusal else f"legs {self.main.name} and {name} were not joined in time"
        return self.fault(CallError("APP-005", what, "See the log of careline-lines"))

    async def _talk(self, name: str) -> Finished:
        leg = self.legs.get(name)
        if leg is None:
            return Finished(BridgeEnd.OPERATOR_LEFT, (), {"operator_left": True})
        over = await leg.wait(lambda leg: leg.is_released, self.config.talk_limit_min * 60)
        return Finished(BridgeEnd.OPERATOR_LEFT if over else BridgeEnd.LIMIT, (), {"operator_left": over})

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
        return Finished(None, events, {"operator_leg": "", **self.consumed(pressed)})

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


def _missed(cause: int | None) -> Rung:
    if cause in BUSY_CAUSES:
        return Rung.BUSY
    return Rung.NO_ANSWER if cause in UNANSWERED_CAUSES else Rung.FAILED
