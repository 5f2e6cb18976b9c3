"""What a hook flash at a set means while it talks: hold and dial tone, three together, back. Runs in the call agent's event loop.

    talking --flash--> held, dial tone --number--> consulting --flash--> three together --flash--> talking
                          `--flash--> talking          `--put down--> the held one and the third are joined

The verbs are the call's own (`appliance.call.consult`); where a call stands is read from its tag, so a new call agent goes on.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

from appliance.call import Call
from appliance.call.consult import Want
from appliance.call.leg import Leg
from appliance.errors import CallError
from appliance.extensions.session import Extensions
from appliance.extensions.stage import Stage, stage_of
from drivers.protocol import CollectNumber, Command, Event, HookFlashed, NumberDialled, PlayTone, Release, Released

log = logging.getLogger("careline.call")

BUSY_AFTER_S = 0.5  # the verb that rang the third ends its ringback first


class Flashes:
    """Told of every event of a set's leg, after the leg has taken it."""

    def __init__(self, extensions: Extensions, send: Callable[[Command], int]) -> None:
        self._extensions = extensions
        self._send = send
        self._rows: Mapping[Stage, Callable[[Call, Leg], None]] = {
            Stage.TALKING: self._hold,
            Stage.HELD: self._back,
            Stage.RINGING: self._give_up,
            Stage.CONSULTING: self._three_together,
            Stage.TOGETHER: self._part_third,
        }

    def event(self, call: Call, leg: Leg, event: Event) -> None:
        """A flash, a second number, or a third who cannot be reached."""
        match event:
            case HookFlashed():
                self._flashed(call, leg)
            case NumberDialled():
                self._dialled(call, leg, event)
            case Released() if leg.name == call.tag.consult_leg and not call.tag.consult_answered:
                asyncio.get_running_loop().call_later(BUSY_AFTER_S, self._busy, call)

    def _flashed(self, call: Call, leg: Leg) -> None:
        stage = stage_of(call)
        if stage is Stage.NONE or leg.name not in (call.main.name, call.tag.party_leg):
            log.info("call %s: a flash of leg %s means nothing now", call.id, leg.name)
            return
        if call.tag.held == leg.name or leg.sharer is not None:
            return  # who is on hold waits; who is beeped at switches (appliance.call.waiting)
        try:
            self._rows[stage](call, leg)
        except CallError as error:
            log.info("call %s: %s", call.id, error)

    def _hold(self, call: Call, leg: Leg) -> None:
        call.ask(Want.HOLD, leg.name)
        self._send(CollectNumber(leg=leg.name))

    def _back(self, call: Call, leg: Leg) -> None:
        self._send(PlayTone(leg=leg.name))
        call.ask(Want.BACK, leg.name)

    def _give_up(self, call: Call, leg: Leg) -> None:
        call.ask(Want.BACK, leg.name)
        self._send(Release(leg=call.tag.consult_leg))

    def _three_together(self, call: Call, leg: Leg) -> None:
        call.ask(Want.CONFER, leg.name)

    def _part_third(self, call: Call, leg: Leg) -> None:
        call.ask(Want.BACK, leg.name)

    def _dialled(self, call: Call, leg: Leg, event: NumberDialled) -> None:
        """By whom the other one is held; a number that leads nowhere is told by its tone until the next flash."""
        if stage_of(call) is not Stage.HELD:
            return
        to = self._extensions.places(event.number) if event.valid else ()
        if to:
            call.ask(Want.CONSULT, leg.name, to[0])
        elif event.number:
            self._send(PlayTone(leg=leg.name, tone="congestion"))

    def _busy(self, call: Call) -> None:
        """The holder is alone: busy tone until the next flash."""
        if stage_of(call) is Stage.HELD:
            self._send(PlayTone(leg=_holder(call), tone="busy"))


def _holder(call: Call) -> str:
    return call.main.name if call.tag.held == call.tag.party_leg else call.tag.party_leg
