"""What becomes of calls: news of the signalling into legs and events. The CallSink of all channels; line server's event loop only."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import msgspec

from drivers import signalling
from drivers.config import GroupConfig
from drivers.errors import LineError
from drivers.group_rules import overflow_order
from drivers.protocol import (
    Alerting,
    Answered,
    Cause,
    Direction,
    HookFlashed,
    LegPhase,
    LegState,
    NumberDialled,
    Offered,
    Released,
    Seize,
    TransferOutcome,
    Transferred,
    TransferState,
)
from drivers.server.bridges import Bridges
from drivers.server.emergency import EmergencyRoom
from drivers.server.lines import Lines
from drivers.server.pacing import Pacing
from drivers.server.recordings import Recordings
from drivers.server.unattended import Unattended
from drivers.signalling import CallOffered, CallWanted
from drivers.spans import Channel

log = logging.getLogger("careline.lines")

CONGESTED = (Cause.NO_CHANNEL, Cause.SWITCH_CONGESTION)
"""Told by the network, of all its channels towards that number."""


class Attempt(msgspec.Struct, frozen=True):
    """An outgoing call that may still move to another channel. `groups`: where it is tried, the first one now, of `all_groups`."""

    groups: tuple[str, ...]
    all_groups: tuple[str, ...]
    wanted: CallWanted
    urgent: bool
    tried: tuple[int, ...] = ()


class Calls:
    """Keeps the book of legs true to the lines."""

    def __init__(self, lines: Lines, recordings: Recordings, bridges: Bridges, unattended: Unattended) -> None:
        self._lines = lines
        self._recordings = recordings
        self._bridges = bridges
        self._unattended = unattended
        self._attempts: dict[str, Attempt] = {}
        self._pacing = Pacing(lines)
        self._room = EmergencyRoom(lines)

    def close(self) -> None:
        """Stop timers."""
        self._pacing.close()
        self._room.close()

    # --- out -------------------------------------------------------------------------------------------------------

    def seize(self, command: Seize) -> None:
        """Call out; no free channel is an outcome, not a fault. Raises: LineError LIN-032, LIN-033."""
        lines = self._lines
        group = lines.groups[command.group].config if command.group else lines.known_channel(command.channel or 0).group
        number = lines.numbering.normalise(command.number) if group.role == "trunk" else command.number
        lines.book.add(
            LegState(
                leg=command.leg,
                channel=0,
                group=group.name,
                direction=Direction.OUTBOUND,
                phase=LegPhase.DIALLING,
                ani=command.caller,
                dnis=number or None,
                offered_at=lines.clock.now(),
                tag=command.tag,
            )
        )
        wanted = CallWanted(number, command.caller, command.no_answer_ms, command.ring)
        if command.channel is not None:
            self._seize_exactly(command.leg, command.channel, wanted)
        else:
            groups = overflow_order(group.name, {name: each.config for name, each in lines.groups.items()})
            self._attempts[command.leg] = Attempt(groups, groups, wanted, lines.numbering.is_emergency(number))
            self._try_next(command.leg, Cause.NO_CHANNEL)

    def _seize_exactly(self, leg: str, number: int, wanted: CallWanted) -> None:
        channel = self._lines.known_channel(number)
        if channel.is_free():
            self._seize_on(leg, channel, wanted)
        else:
            self.over(leg, Cause.CHANNEL_NOT_AVAILABLE, by_far_end=False)

    def _try_next(self, leg: str, cause: int) -> None:
        """Put the call on a channel not tried yet when it is its turn, or end it with `cause`."""
        attempt = self._attempts[leg]
        if not attempt.groups:
            self._none_free(leg, cause)
            return
        group = self._lines.groups.get(attempt.groups[0])
        if group is None:  # the lines were set up anew while the call waited for its turn
            self._overflow(leg, cause)
        elif attempt.urgent:
            self._take_channel(leg, cause)
        elif group.has_free(attempt.tried):
            too_late = partial(self._overflow, leg, Cause.SWITCH_CONGESTION)
            self._pacing.await_turn(leg, group, partial(self._take_channel, leg, cause), too_late)
        else:
            self._overflow(leg, cause)

    def _none_free(self, leg: str, cause: int) -> None:
        """An emergency call takes what it can get."""
        attempt = self._attempts[leg]
        if attempt.urgent and (channel := self._room.blocked_line(attempt.all_groups, attempt.tried)):
            self._attempts[leg] = msgspec.structs.replace(attempt, tried=(*attempt.tried, channel.number))
            self._seize_on(leg, channel, attempt.wanted)
        elif not (attempt.urgent and self._room.make(leg, attempt.all_groups, partial(self._room_made, leg))):
            del self._attempts[leg]
            self.over(leg, cause, by_far_end=False)

    def _room_made(self, leg: str) -> None:
        if leg in self._attempts:
            attempt = self._attempts[leg]
            self._attempts[leg] = msgspec.structs.replace(attempt, groups=attempt.all_groups, tried=())
            self._try_next(leg, Cause.NO_CHANNEL)

    def _take_channel(self, leg: str, cause: int) -> None:
        attempt = self._attempts[leg]
        group = self._lines.groups.get(attempt.groups[0])
        channel = group.reserve(attempt.tried, attempt.urgent) if group else None
        if channel is None:
            self._overflow(leg, cause)
            return
        self._attempts[leg] = msgspec.structs.replace(attempt, tried=(*attempt.tried, channel.number))
        self._seize_on(leg, channel, attempt.wanted)

    def _overflow(self, leg: str, cause: int) -> None:
        attempt = self._attempts[leg]
        self._attempts[leg] = msgspec.structs.replace(attempt, groups=attempt.groups[1:])
        self._try_next(leg, cause)

    def give_up(self, leg: str, cause: int) -> None:
        """End a call out that has no channel yet. Raises: LineError LIN-031 when it does not wait for one."""
        self._pacing.leave(leg)
        if self._attempts.pop(leg, None) is None:
            raise LineError("LIN-031", f"leg {leg} has no channel", "Nothing to do: the call is over")
        self.over(leg, cause, by_far_end=False)

    def _seize_on(self, leg: str, channel: Channel, wanted: CallWanted) -> None:
        channel.leg = leg
        self._lines.book.update(leg, channel=channel.number, group=channel.group.name)
        self._lines.channel_changed(channel)
        if channel.group.role == "trunk":
            wanted = msgspec.structs.replace(wanted, number=self._lines.numbering.dial(wanted.number, channel.group.numbers_as))
        channel.seize(wanted)

    # --- what the signalling says ------------------------------------------------------------------------------------

    def call_offered(self, channel: Channel, offered: CallOffered) -> None:
        lines = self._lines
        offered = self._normalised(offered, channel.group)
        state = LegState(
            leg=lines.leg_name(),
            channel=channel.number,
            group=channel.group.name,
            direction=Direction.INBOUND,
            phase=LegPhase.OFFERED,
            ani=offered.caller.ani if offered.caller else None,
            dnis=offered.dnis,
            caller=offered.caller,
            rdnis=offered.rdnis,
            offered_at=lines.clock.now() - timedelta(seconds=channel.rings_for_s),
        )
        channel.leg = state.leg
        lines.book.add(state)
        lines.channel_changed(channel)
        lines.outbox.emit(Offered(state=state))
        self._unattended.offered(state.leg)

    def _normalised(self, offered: CallOffered, group: GroupConfig) -> CallOffered:
        """Numbers as they are matched and stored; those of sets are the house's own."""
        if group.role != "trunk":
            return offered
        numbering, rules = self._lines.numbering, group.numbers_as
        return msgspec.structs.replace(
            offered,
            caller=numbering.caller(offered.caller, rules),
            dnis=offered.dnis and numbering.read(offered.dnis, rules.dnis),
            rdnis=offered.rdnis and numbering.read(offered.rdnis, rules.dnis),
        )

    def call_alerting(self, channel: Channel, inband: bool) -> None:
        if channel.leg:
            self._lines.book.update(channel.leg, phase=LegPhase.ALERTING)
            self._lines.outbox.emit(Alerting(leg=channel.leg, at=self._lines.clock.now(), inband=inband))

    def call_answered(self, channel: Channel) -> None:
        if not channel.leg:
            return
        self._attempts.pop(channel.leg, None)
        now = self._lines.clock.now()
        channel.port.detect_digits(True)
        self._lines.book.update(channel.leg, phase=LegPhase.ANSWERED, answered_at=now)
        self._lines.outbox.emit(Answered(leg=channel.leg, at=now))

    def call_released(self, channel: Channel, cause: int, by_far_end: bool) -> None:
        leg, channel.leg = channel.leg, None
        if not leg:
            return
        if move_on := self._elsewhere(leg, channel, cause):
            channel.port.rest()
            self._lines.book.update(leg, phase=LegPhase.DIALLING, channel=0)
            self._lines.channel_changed(channel)
            move_on(leg, cause)
            return
        self._attempts.pop(leg, None)
        self._bridges.leg_over(leg, channel)
        self._recordings.stop_all(leg)
        channel.port.rest()
        self.over(leg, cause, by_far_end)
        self._lines.channel_changed(channel)

    def _elsewhere(self, leg: str, channel: Channel, cause: int) -> Callable[[str, int], None] | None:
        """How a call out that this channel did not carry goes on: on another one, or, where its network is full, in the next group."""
        attempt = self._attempts.get(leg)
        if attempt is None:
            return None
        if _line_was_at_fault(channel, cause):
            return self._try_next
        dialling = self._lines.book.state(leg).phase is LegPhase.DIALLING
        return self._overflow if cause in CONGESTED and dialling and len(attempt.groups) > 1 else None

    def hook_flashed(self, channel: Channel) -> None:
        if channel.leg:
            self._lines.outbox.emit(HookFlashed(leg=channel.leg, at=self._lines.clock.now()))

    def transfer_done(self, channel: Channel, outcome: TransferOutcome) -> None:
        if channel.leg:
            begun = self._lines.book.state(channel.leg).transfer or TransferState(0)
            self._lines.book.update(channel.leg, transfer=TransferState(begun.transfer_id, outcome))
            self._lines.outbox.emit(Transferred(leg=channel.leg, outcome=outcome, transfer_id=begun.transfer_id))

    def number_dialled(self, channel: Channel, dialled: signalling.NumberDialled) -> None:
        if channel.leg:
            now = self._lines.clock.now()
            self._lines.outbox.emit(NumberDialled(leg=channel.leg, number=dialled.number, valid=dialled.valid, at=now))

    def channel_changed(self, channel: Channel) -> None:
        self._lines.channel_changed(channel)

    def over(self, leg: str, cause: int, by_far_end: bool) -> None:
        now = self._lines.clock.now()
        self._room.over(leg)
        self._lines.book.update(leg, phase=LegPhase.RELEASED, released_at=now, cause=int(cause), released_by_far_end=by_far_end)
        self._lines.outbox.emit(Released(leg=leg, cause=int(cause), by_far_end=by_far_end, at=now))


def _line_was_at_fault(channel: Channel, cause: int) -> bool:
    """Glare, or nobody there: an exchange line without dial tone, bits without an answer. A network that says so itself means all of its
    channels."""
    alone = channel.line is not None or channel.bits is not None
    return cause == Cause.CHANNEL_NOT_AVAILABLE or (alone and cause == Cause.NETWORK_OUT_OF_ORDER)
