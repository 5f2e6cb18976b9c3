"""One line: the hook of the box's port at the near end, somebody of the world at the far end, and what is wrong in between.

Signals cross at once, audio crosses in the media core (one virtual line each). Used from the event loop only.
"""

from typing import Protocol

from drivers.io import LineEvent
from drivers.media import End, Engine
from drivers.virtual.faults import AUDIO_FAULTS, Fault
from drivers.virtual.hookstate import HookState, RxSig, TxSig
from drivers.virtual.timer import Timer

BATTERY_ALARM_MS = 1000  # an FXO port without battery this long is in alarm. Source: dahdi-linux wctdm.c, battalarm


class FarEnd(Protocol):
    """Whoever is at the far end of a line: a circuit of the exchange, or a set."""

    def line_signal(self, sig: TxSig) -> None:
        """The box's port changed what it does to the line."""


class Nobody:
    """The far end of a line that nothing was connected to."""

    def line_signal(self, sig: TxSig) -> None:
        """Nobody looks."""


class Wire:
    """A line between `hook` (the box's port) and `far`. `line` is its number in the media core.

    `box_reversed`, `message_waiting`: what the box does to a set's loop and lamp.
    """

    def __init__(self, engine: Engine, hook: HookState, has_battery_alarm: bool) -> None:
        self.line = engine.line_new()
        self.far: FarEnd = Nobody()
        self.faults: set[Fault] = set()
        self._engine, self._hook = engine, hook
        self._idle = hook.seen
        self._world, self._box = hook.seen, TxSig.ONHOOK
        self._told_far = TxSig.ONHOOK
        self._has_battery_alarm = has_battery_alarm
        self._no_battery = Timer(lambda: self.set_alarm(True))
        self.in_alarm = False
        self.box_reversed = self.message_waiting = False
        self._world_reversed = False

    @property
    def usable(self) -> bool:
        """Whether the exchange would put a call on it."""
        return not self.faults & {Fault.CUT, Fault.FREEZE} and not self.in_alarm

    def from_box(self, sig: TxSig) -> None:
        self._box = sig
        self._tell_far()

    def from_world(self, sig: RxSig) -> None:
        self._world = sig
        self._tell_box()

    def reverse(self, reversed_: bool) -> None:
        """The exchange turns the polarity round, or back."""
        if reversed_ is not self._world_reversed:
            self._world_reversed = reversed_
            if not self.faults & {Fault.CUT, Fault.FREEZE}:
                self._hook.tell(LineEvent.POLARITY)

    def set_fault(self, fault: Fault, on: bool, value: float, ends: tuple[End, ...]) -> None:
        """Put a fault on the line or take it away; signals that waited behind it arrive now."""
        (self.faults.add if on else self.faults.discard)(fault)
        for end in ends:
            if fault in AUDIO_FAULTS:
                self._engine.line_fault(self.line, end, AUDIO_FAULTS[fault], on, value)
        if fault is Fault.CUT:
            self._battery_lost(on)
        if fault is Fault.ALARM:
            self.set_alarm(on)
        self._tell_box()
        self._tell_far()

    def set_alarm(self, on: bool) -> None:
        if on is not self.in_alarm:
            self.in_alarm = on
            self._hook.tell(LineEvent.ALARM if on else LineEvent.NOALARM)

    def _battery_lost(self, lost: bool) -> None:
        self._no_battery.stop()
        if lost and self._has_battery_alarm:
            self._no_battery.start(BATTERY_ALARM_MS)
        elif not lost and Fault.ALARM not in self.faults:
            self.set_alarm(False)

    def _tell_box(self) -> None:
        if Fault.CUT in self.faults:
            self._hook.receive(RxSig.ONHOOK)
        elif Fault.FREEZE in self.faults or self._hangup_is_lost():
            return
        else:
            self._hook.receive(self._world)

    def _hangup_is_lost(self) -> bool:
        return Fault.LOST_HANGUP in self.faults and self._world is RxSig.ONHOOK

    def _tell_far(self) -> None:
        if Fault.FREEZE in self.faults:
            return
        sig = self._cut_signal() if Fault.CUT in self.faults else self._box
        if sig is not self._told_far:
            self._told_far = sig
            self.far.line_signal(sig)

    def _cut_signal(self) -> TxSig:
        """What the far end of a cut line sees: an exchange an open loop, a set no battery."""
        return TxSig.ONHOOK if self._idle is RxSig.OFFHOOK else TxSig.KEWL
