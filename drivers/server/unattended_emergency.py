"""Emergency calls of sets while no call agent is there: the line server makes them itself. Line server's event loop only.

The leg out is named after the set's; a call agent that connects meanwhile finds both in the snapshot and goes on.
"""

import asyncio
import logging

from drivers.errors import CarelineError
from drivers.protocol import Cause, Destination, Direction, LegPhase, LegState, NumberKind, Seize, emergency_leg
from drivers.server.bridges import Bridges
from drivers.server.calls import Calls
from drivers.server.lines import Lines

log = logging.getLogger("careline.lines")

GRACE_S = 2.0  # a call agent that is being restarted is back by then
LOOK_S = 0.2
NO_ANSWER_MS = 120_000


class UnattendedEmergency:
    def __init__(self, lines: Lines, calls: Calls, bridges: Bridges) -> None:
        self._lines, self._calls, self._bridges = lines, calls, bridges
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._groups_tried: dict[str, int] = {}

    def takes(self, leg: str) -> bool:
        """True when the call of that leg is for an emergency number; it is seen to."""
        if self._leads_to(self._lines.book.state(leg)) is None:
            return False
        self._later(leg, GRACE_S)
        return True

    def agent_here(self) -> None:
        """The call agent goes on."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._groups_tried.clear()

    def _later(self, leg: str, after_s: float) -> None:
        self._timers[leg] = asyncio.get_running_loop().call_later(after_s, self._look, leg)

    def _look(self, leg: str) -> None:
        del self._timers[leg]
        try:
            if leg in self._lines.book and self._go_on(self._lines.book.state(leg)):
                self._later(leg, LOOK_S)
        except CarelineError as error:
            log.error("%s emergency call of leg %s: %s. %s", error.code, leg, error.what, error.remedy)

    def _go_on(self, caller: LegState) -> bool:
        """One look at the two legs; False when the call is over."""
        leads_to = self._leads_to(caller)
        called = self._called(caller, leads_to) if leads_to else None
        if caller.phase is LegPhase.RELEASED or leads_to is None:
            self._release(called, Cause.NORMAL)
            return False
        if called is None:
            return self._call_out(caller, leads_to)
        if called.phase is LegPhase.ANSWERED:
            self._join(caller, called)
        return True

    def _leads_to(self, caller: LegState) -> Destination | None:
        """Only what a set dialled."""
        found = self._lines.number_plan.destination(caller.dnis or "") if caller.direction is Direction.INBOUND else None
        channel = self._lines.channels.get(caller.channel)
        return found if found and found.kind is NumberKind.EMERGENCY and channel and channel.set else None

    def _called(self, caller: LegState, leads_to: Destination) -> LegState | None:
        """The leg out, ours or the lost call agent's."""
        mine = emergency_leg(caller.leg)
        for state in self._lines.book.states():
            out = state.direction is Direction.OUTBOUND and state.phase is not LegPhase.RELEASED
            if out and state.dnis == leads_to.number and (state.leg == mine or caller.bridged_with in (None, state.leg)):
                return state
        return None

    def _call_out(self, caller: LegState, leads_to: Destination) -> bool:
        """By the next group of lines; when all were tried, or it was over once, the caller is let go."""
        groups, tried = self._lines.number_plan.emergency_groups, self._groups_tried.get(caller.leg, 0)
        over = emergency_leg(caller.leg) in self._lines.book
        if over:
            self._lines.book.forget(emergency_leg(caller.leg))
        if tried >= len(groups) or caller.phase is LegPhase.ANSWERED:
            self._release(caller, Cause.NORMAL if caller.phase is LegPhase.ANSWERED else Cause.NO_CHANNEL)
            return False
        self._groups_tried[caller.leg] = tried + 1
        log.warning("LIN-095 leg %s: emergency call to %s made without a call agent. Start careline-calls", caller.leg, leads_to.number)
        self._lines.port_of(caller.leg).tone("ringback")
        self._calls.seize(
            Seize(
                leg=emergency_leg(caller.leg),
                group=groups[tried],
                number=leads_to.number,
                caller=caller.ani,
                no_answer_ms=NO_ANSWER_MS,
            )
        )
        return True

    def _join(self, caller: LegState, called: LegState) -> None:
        if caller.phase is LegPhase.OFFERED:
            self._lines.port_of(caller.leg).tone("")
            self._lines.channel_of(caller.leg).answer()
        elif caller.bridged_with is None:
            self._bridges.join(caller.leg, called.leg, native=True)

    def _release(self, leg: LegState | None, cause: Cause) -> None:
        if leg is not None and leg.phase is not LegPhase.RELEASED and leg.channel:
            self._lines.channel_of(leg.leg).release(cause)
