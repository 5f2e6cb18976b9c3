"""A primary rate span as a signaller: libpri between D-channel frames and the calls on its B-channels. Line server's event loop only.

Frames and libpri's timer belong to the D-channel's number, calls and their timers to the B-channels'. Of what one step brings about,
frames and timers come first: news of a call may make the owner call in again, and frames must leave in the order libpri numbered them.
The rows of calls are in `calls`; here is what concerns channels and the link. Source: Q.931 clauses 5.5 (restart), 5.7 (glare), 5.8.9.
"""

import logging
from collections.abc import Mapping
from math import ceil

from drivers.clock import Clock
from drivers.protocol import Cause, LegPhase
from drivers.signalling import (
    Action,
    BlockWanted,
    CallOffered,
    CallReleased,
    CallWanted,
    ChannelIdle,
    EventUnexpected,
    FrameReceived,
    Input,
    LineFailed,
    LinkChanged,
    SendFrame,
    StartTimer,
    Step,
    StopTimer,
    TimerFired,
)
from drivers.signalling.pri import numbers, restarts
from drivers.signalling.pri.binding import Call, Event, Kind, Stack
from drivers.signalling.pri.calls import TABLE, TIMERS, CallRecord, State
from drivers.signalling.pri.causes import to_wire
from drivers.signalling.pri.config import PriConfig
from drivers.signalling.pri.guard import shown
from drivers.signalling.pri.restarts import Restarts
from drivers.signalling.pri.service import Service

log = logging.getLogger("careline.lines")

SABME, POLL = 0x6F, 0x10  # the far side sets the link up anew. Source: Q.921 table 5


class PriSpan:
    """`slots`: timeslot of every B-channel by its number; `law`: "alaw" or "ulaw"."""

    def __init__(self, config: PriConfig, slots: Mapping[int, int], clock: Clock, law: str = "alaw") -> None:
        self.config = config
        self.link_up = False
        self._slots = dict(slots)
        self._numbers = {slot: number for number, slot in slots.items()}
        self._law = law
        self._calls: dict[Call, CallRecord] = {}
        self._on: dict[int, CallRecord] = {}
        self._settling: set[int] = set()
        self._restarts = Restarts(config.d_channel, slots if config.restart else (), self._send_restart, self._emit_link)
        self._service = Service(config, lambda number, status: self.stack.serve(self._slots[number], status), self.emit)
        self._due_s: float | None = None
        self._clock = clock
        self._timers: list[Step] = []
        self._news: list[Step] = []
        self.stack = Stack(config.side, config.switch, clock.monotonic_s)
        self._set_up(config)

    def _set_up(self, config: PriConfig) -> None:
        self.stack.set_up(config.overlap_send, self._service.used, config.transfer)
        for name, value in {"T309": config.keep_calls_ms, **config.timers}.items():
            self.stack.set_timer(name, value)

    # --- the seam ----------------------------------------------------------------------------------------------------

    def channels(self) -> tuple[int, ...]:
        return tuple(self._slots)

    def start(self) -> tuple[Step, ...]:
        """What the link begins with."""
        return self._finish()

    def handle(self, channel: int, event: Input) -> tuple[Step, ...]:
        if channel == self.config.d_channel:
            self._link_event(event)
        else:
            self._channel_event(channel, event)
        return self._finish()

    def is_idle(self, channel: int) -> bool:
        taken = channel in self._on or channel in self._settling or channel in self._service.far_blocked
        return self.link_up and not taken and not self._restarts.under_way(channel)

    def state_name(self, channel: int) -> str:
        if call := self._on.get(channel):
            return call.state.value
        if not self.link_up:
            return "link down"
        if self._restarts.under_way(channel):
            return "restarting"
        return "blocked" if channel in self._service.far_blocked else "idle"

    def adopt(self, channel: int, phase: LegPhase) -> tuple[Step, ...]:
        """libpri's state died with its process: the call has ended, and RESTART tells the far side so."""
        return ((channel, CallReleased(Cause.TEMPORARY_FAILURE, False)), (channel, ChannelIdle()))

    # --- for the rows of calls ---------------------------------------------------------------------------------------

    def emit(self, channel: int, action: Action) -> None:
        timer = isinstance(action, StartTimer | StopTimer | SendFrame)
        (self._timers if timer else self._news).append((channel, action))

    def offer(self, call: CallRecord) -> None:
        offered: CallOffered = call.offer
        self.emit(call.channel, CallOffered(offered.caller, call.digits or None, offered.rdnis))
        if self.config.alert_after_ms:
            self.emit(call.channel, StartTimer("alert", self.config.alert_after_ms))

    def is_known(self, call: CallRecord) -> bool:
        """Has the owner heard of this call?"""
        return call.state is not State.COLLECTING

    def call_on(self, channel: int) -> CallRecord | None:
        return self._on.get(channel)

    # --- one channel -------------------------------------------------------------------------------------------------

    def _channel_event(self, channel: int, event: Input) -> None:
        match event:
            case TimerFired(name="settled"):
                self._settled(channel)
            case CallWanted():
                self._call_out(channel, event)
            case BlockWanted(blocked=blocked):
                self._service.block(channel, blocked, self.link_up)
            case _:
                if call := self._on.get(channel):
                    self._walk(call, self._trigger(event), event)

    def _trigger(self, event: Input) -> str:
        match event:
            case TimerFired(name=name):
                return f"timer {name}"
            case LineFailed(cause=Cause.NETWORK_OUT_OF_ORDER, gone=False):
                return "LineFailed kept"
        return type(event).__name__

    def _walk(self, call: CallRecord, trigger: str, event: object) -> None:
        row = TABLE.get((call.state, trigger))
        if row is None:
            self.emit(call.channel, EventUnexpected(call.state.value, trigger))
            row = TABLE[call.state, "LineFailed"]
            event = LineFailed(Cause.INTERWORKING)
        row[0](self, call, event)
        self._enter(call, row[1])

    def _enter(self, call: CallRecord, state: State) -> None:
        for name in TIMERS[call.state]:
            if name not in TIMERS[state]:
                self.emit(call.channel, StopTimer(name))
        call.state = state
        if not self.stack.knows(call.handle):
            self._gone(call)

    def _gone(self, call: CallRecord) -> None:
        """libpri has forgotten the call: the channel is free once the owner has heard all of it."""
        if call.state is not State.CLEARING and self.is_known(call):
            self.emit(call.channel, CallReleased(Cause.TEMPORARY_FAILURE, True))
        for name in TIMERS[call.state]:
            self.emit(call.channel, StopTimer(name))
        self._calls.pop(call.handle, None)
        if self._on.get(call.channel) is call:
            del self._on[call.channel]
            self._settling.add(call.channel)
            self.emit(call.channel, StartTimer("settled", 0))

    def _settled(self, channel: int) -> None:
        if channel in self._settling:
            self._settling.discard(channel)
            self.emit(channel, ChannelIdle())

    def _call_out(self, channel: int, wanted: CallWanted) -> None:
        if not self.is_idle(channel):
            self.emit(channel, CallReleased(Cause.CHANNEL_NOT_AVAILABLE, False))
            return
        first, rest = wanted.number, ""
        if self.config.overlap_send:
            first, rest = wanted.number[: self.config.first_digits], wanted.number[self.config.first_digits :]
        setup = numbers.setup(self.config, self._slots[channel], self._law, first, wanted.caller, complete=not rest)
        handle = self.stack.setup(setup) if numbers.can_be_dialled(wanted.number) else None
        if handle is None:
            self.emit(channel, CallReleased(Cause.INVALID_NUMBER, False))
            return
        call = CallRecord(handle=handle, channel=channel, slot=self._slots[channel], state=State.DIALLING, digits=rest)
        call.reference = self.stack.reference(handle)
        self._add(call)
        self.emit(channel, StartTimer("no_answer", wanted.no_answer_ms))

    def _add(self, call: CallRecord) -> None:
        self._calls[call.handle] = call
        self._on[call.channel] = call

    # --- the link ----------------------------------------------------------------------------------------------------

    def _link_event(self, event: Input) -> None:
        match event:
            case FrameReceived(frame=frame):
                known = {call.reference for call in self._calls.values()}
                if happened := self.stack.receive(shown(frame, known, self._service.used)):
                    self._happened(happened)
                if self.link_up and len(frame) == 3 and frame[2] & ~POLL == SABME:
                    self._compare_calls()
            case TimerFired(name="libpri"):
                self._due_s = None
            case TimerFired(name=restarts.TIMER):
                self._restarts.unanswered()
        for happened in self.stack.run():
            self._happened(happened)

    def _happened(self, event: Event) -> None:
        log.debug("D-channel %d: %s channel %s cause %d", self.config.d_channel, event.kind.name, event.channel, event.cause)
        match event.kind:
            case Kind.DCHAN_UP | Kind.DCHAN_DOWN:
                self._link_changed(event.kind is Kind.DCHAN_UP)
            case Kind.RING:
                self._ring(event)
            case Kind.RESTART:
                self._restarted(event.channel)
            case Kind.RESTART_ACK:
                if (number := self._numbers.get(event.channel or 0)) is not None:
                    self._service.restarted(number)
                self._restarts.acknowledged()
            case Kind.SERVICE:
                if (number := self._numbers.get(event.channel or 0)) is not None:
                    self._service.told(number, event.status)
            case Kind.CONFIG_ERR:
                log.error("LIN-151 D-channel %d: %s. Set side to the other value", self.config.d_channel, event.text)
            case _:
                self._call_event(event)
        self._sweep()

    def _call_event(self, event: Event) -> None:
        if call := self._calls.get(event.call):
            self._walk(call, self._call_trigger(call, event), event)
        elif event.call is not None and self.stack.knows(event.call):
            self.stack.hang_up(event.call, to_wire(event.cause))

    def _call_trigger(self, call: CallRecord, event: Event) -> str:
        dialling = call.state in (State.DIALLING, State.PROCEEDING, State.ALERTING)
        match event.kind:
            case Kind.INFO_RECEIVED if call.state is State.COLLECTING:
                call.digits += event.called
                return "DIGITS_COMPLETE" if self._is_complete(call, event) else "INFO_RECEIVED"
            case Kind.PROCEEDING | Kind.RINGING | Kind.ANSWER | Kind.SETUP_ACK if dialling and event.channel not in (None, 0, call.slot):
                return "CHANNEL_TAKEN"
            case Kind.PROGRESS if event.cause > 0 and event.cause not in (Cause.NORMAL, Cause.NORMAL_UNSPECIFIED, Cause.INTERWORKING):
                return "PROGRESS failed"
        return event.kind.name

    def _sweep(self) -> None:
        """Calls can end inside libpri without a word."""
        for call in tuple(self._calls.values()):
            if not self.stack.knows(call.handle):
                self._gone(call)

    def _link_changed(self, up: bool) -> None:
        """libpri does not tell every break, but when the link is set up anew."""
        changed = up != self.link_up
        self.link_up = up
        if changed:
            self.emit(self.config.d_channel, LinkChanged(up))
        if up:
            self._compare_calls()
        if up and changed:
            self._restarts.begin()
            self._service.link_up()

    def _compare_calls(self) -> None:
        """After a break of the link one side may have given up calls that the other still has."""
        for call in tuple(self._calls.values()):
            if call.state is not State.CLEARING:
                self.stack.tell_state(call.reference)

    # --- calls that come in ------------------------------------------------------------------------------------------

    def _ring(self, event: Event) -> None:
        self._calls.pop(event.call, None)
        number = Cause.FACILITY_NOT_IMPLEMENTED if event.without_channel else self._channel_for(event)
        if isinstance(number, Cause):
            self.stack.hang_up(event.call, number)
            return
        call = CallRecord(handle=event.call, channel=number, slot=self._slots[number], state=State.COLLECTING, digits=event.called)
        call.reference = event.reference
        call.offer = CallOffered(numbers.caller(event, self.config), None, numbers.rdnis(event, self.config))
        self._settling.discard(number)
        self._add(call)
        self._begin(call, event)

    def _begin(self, call: CallRecord, event: Event) -> None:
        if self._is_complete(call, event) or not self.config.overlap_receive:
            self._walk(call, "DIGITS_COMPLETE", event)
            return
        self.stack.ask_for_digits(call.handle, call.slot)
        self.emit(call.channel, StartTimer("digits", self.config.digit_wait_ms))

    def _is_complete(self, call: CallRecord, event: Event) -> bool:
        wanted = self.config.dnis_digits
        return event.complete or (wanted > 0 and len(call.digits) >= wanted)

    def _channel_for(self, event: Event) -> int | Cause:
        """The channel of a call that comes in, or why it cannot come in."""
        if event.channel in (None, 0):
            return self._any_channel()
        number = self._numbers.get(event.channel or 0)
        if number is None:
            return Cause.CHANNEL_DOES_NOT_EXIST
        if not self._make_room(number):
            return self._any_channel() if event.flexible else Cause.CHANNEL_NOT_AVAILABLE
        return number

    def _any_channel(self) -> int | Cause:
        """Chosen from the end opposite to the one where calls out begin."""
        return next((number for number in sorted(self._slots, reverse=True) if self.is_idle(number)), Cause.NO_CHANNEL)

    def _make_room(self, number: int) -> bool:
        """May a call come in on this channel? The network knows best which is free, so the user side gives way: what it is clearing
        there is forgotten, and its own SETUP tried elsewhere."""
        there = self._on.get(number)
        if there is None:
            return True
        if self.config.side == "network":
            return False
        if there.state is State.CLEARING:
            self.stack.forget(there.handle)
        elif there.state is State.DIALLING:
            log.info("channel %d: glare, the network's call is taken", number)
            self.emit(number, CallReleased(Cause.CHANNEL_NOT_AVAILABLE, True))
            self.stack.hang_up(there.handle, Cause.CHANNEL_NOT_AVAILABLE)
            self.stack.forget(there.handle)
        else:
            return False
        for name in TIMERS[there.state]:
            self.emit(number, StopTimer(name))
        self._calls.pop(there.handle, None)
        del self._on[number]
        return True

    # --- restart and service -----------------------------------------------------------------------------------------

    def _send_restart(self, number: int) -> None:
        self.stack.restart(self._slots[number])

    def _emit_link(self, action: Action) -> None:
        self.emit(self.config.d_channel, action)

    def _restarted(self, slot: int | None) -> None:
        """The far side has cleared these channels: whatever call there was has ended."""
        numbers_meant = self._slots if slot is None else [self._numbers.get(slot, -1)]
        for number in numbers_meant:
            self._service.restarted(number)
            if call := self._on.get(number):
                self.stack.forget(call.handle)
                self._gone(call)

    # --- what comes of a step ----------------------------------------------------------------------------------------

    def _finish(self) -> tuple[Step, ...]:
        d_channel = self.config.d_channel
        frames: list[Step] = [(d_channel, SendFrame(frame)) for frame in self.stack.frames()]
        self._set_timer()
        self.stack.write_log()
        steps = (*frames, *self._timers, *self._news)
        self._timers, self._news = [], []
        return steps

    def _set_timer(self) -> None:
        wait_s = self.stack.next_s()
        due_s = None if wait_s is None else self._clock.monotonic_s() + wait_s
        if wait_s is None or due_s is None:
            if self._due_s is not None:
                self.emit(self.config.d_channel, StopTimer("libpri"))
        elif self._due_s is None or abs(due_s - self._due_s) > 0.0005:
            self.emit(self.config.d_channel, StartTimer("libpri", ceil(wait_s * 1000)))
        self._due_s = due_s
