"""DAHDI's hook state machine of one channel, as the kernel runs it: what an order does to the line, which events come back, and when.

Pure but for timers on the running loop. Knows neither audio nor what is at the far end: `send` carries what this end does to
the line, `receive` takes what the far end does to it. Wants changing? Change the tables.
Source: dahdi-linux drivers/dahdi/dahdi-base.c (`__dahdi_hooksig_pvt`, `__rbs_otimer_expire`, `dahdi_hangup`, DAHDI_HOOK,
`initialize_channel`, `close_channel`) and include/dahdi/kernel.h for the times. tests/contract/hook_suite.py plays the same
scripts to this and, in the line lab, to the kernel.
"""

from collections.abc import Callable
from enum import Enum, StrEnum
from typing import NamedTuple

from drivers.errors import LineError
from drivers.io import Hook, LineEvent, Signalling
from drivers.virtual.timer import Timer

DEBOUNCE_MS = 600  # after going off-hook the far end's changes are not looked at; a channel can be given another time
START_MS, AFTER_START_MS = 1500, 500
PRE_FLASH_MS, FLASH_MS = 50, 750
PRE_WINK_MS, WINK_MS = 50, 150
KEWL_MS, AFTER_KEWL_MS = 500, 300  # battery drop, and the pause after it
PULSE_BREAK_MS, PULSE_MAKE_MS, AFTER_PULSES_MS = 50, 50, 750
FAR_FLASH_MS = 1250  # loop open shorter than this is a flash, longer is a hang-up
FAR_PULSE_MS = 200  # and shorter than this a dial pulse
FAR_BOUNCE_MS = 15  # and shorter than this nothing
PULSE_PAUSE_MS = FAR_PULSE_MS + 50  # a pulsed digit is over when no pulse came for this long
RING_TRAILER_MS = 50  # a ring burst is over when it has been gone this long
RING_DEAF_MS = 2000  # after hanging up no ring is believed for this long

PULSE_DIGITS = (*(LineEvent[f"PULSE_{digit}"] for digit in (1, 2, 3, 4, 5, 6, 7, 8, 9, 0)), LineEvent.PULSE_STAR, LineEvent.PULSE_HASH)

FXS_SIGNALLED = frozenset({Signalling.FXSKS, Signalling.FXSLS})


class RxSig(StrEnum):
    """What this end sees. fxs signalling: battery (OFFHOOK), ringing, no battery (ONHOOK); fxo: loop closed or open."""

    ONHOOK = "onhook"
    OFFHOOK = "offhook"
    RING = "ring"


class TxSig(StrEnum):
    """What this end does. fxs signalling: loop open, closed, closed (START); fxo: battery, battery, ringing (START), no battery (KEWL)."""

    ONHOOK = "onhook"
    OFFHOOK = "offhook"
    START = "start"
    KEWL = "kewl"


class TxState(Enum):
    ONHOOK = "onhook"
    DEBOUNCE = "debounce"
    OFFHOOK = "offhook"
    START = "start"
    AFTER_START = "after start"
    PRE_WINK = "pre wink"
    WINK = "wink"
    PRE_FLASH = "pre flash"
    FLASH = "flash"
    RING_ON = "ring on"
    RING_OFF = "ring off"
    KEWL = "kewl"
    AFTER_KEWL = "after kewl"
    PULSE_BREAK = "pulse break"
    PULSE_MAKE = "pulse make"
    AFTER_PULSES = "after pulses"


class Step(NamedTuple):
    """Go into `state` with `sig` on the line for `for_ms` (0: for good); `event` is reported on entering."""

    state: TxState
    sig: TxSig
    for_ms: int = 0
    event: LineEvent | None = None


S, T = TxState, TxSig

ORDERS: dict[Hook, Step] = {
    Hook.OFF: Step(S.DEBOUNCE, T.OFFHOOK, DEBOUNCE_MS),
    Hook.START: Step(S.START, T.START, START_MS),
    Hook.WINK: Step(S.PRE_WINK, T.ONHOOK, PRE_WINK_MS),
    Hook.FLASH: Step(S.PRE_FLASH, T.OFFHOOK, PRE_FLASH_MS),
    Hook.RING_OFF: Step(S.ONHOOK, T.ONHOOK),
    Hook.ON: Step(S.ONHOOK, T.ONHOOK),
}
"""What an order begins. RING of an fxo-signalled channel follows the cadence, ON of a kewl-started one may drop the battery first."""

ALLOWED_IN: dict[Hook, frozenset[TxState]] = {
    Hook.OFF: frozenset(TxState) - {S.KEWL, S.AFTER_KEWL},
    Hook.START: frozenset({S.ONHOOK}),
    Hook.RING: frozenset({S.ONHOOK}),
    Hook.WINK: frozenset({S.ONHOOK}),
    Hook.FLASH: frozenset({S.OFFHOOK}),
    Hook.RING_OFF: frozenset(TxState),
    Hook.ON: frozenset(TxState),
}
"""Any other state: the kernel answers EBUSY."""

EXPIRY: dict[TxState, Step] = {
    S.START: Step(S.AFTER_START, T.OFFHOOK, AFTER_START_MS),
    S.AFTER_START: Step(S.OFFHOOK, T.OFFHOOK, 0, LineEvent.HOOKCOMPLETE),
    S.PRE_WINK: Step(S.WINK, T.OFFHOOK, WINK_MS),
    S.WINK: Step(S.ONHOOK, T.ONHOOK, 0, LineEvent.HOOKCOMPLETE),
    S.PRE_FLASH: Step(S.FLASH, T.ONHOOK, FLASH_MS),
    S.FLASH: Step(S.OFFHOOK, T.OFFHOOK, 0, LineEvent.HOOKCOMPLETE),
    S.DEBOUNCE: Step(S.OFFHOOK, T.OFFHOOK),
    S.KEWL: Step(S.AFTER_KEWL, T.ONHOOK, AFTER_KEWL_MS, LineEvent.HOOKCOMPLETE),
    S.AFTER_KEWL: Step(S.ONHOOK, T.ONHOOK),
    S.PULSE_BREAK: Step(S.PULSE_MAKE, T.OFFHOOK, PULSE_MAKE_MS),
    S.AFTER_PULSES: Step(S.OFFHOOK, T.OFFHOOK),
}
"""What follows when a state's time is up."""

PULSE = Step(S.PULSE_BREAK, T.ONHOOK, PULSE_BREAK_MS)

UNSTABLE = frozenset({S.DEBOUNCE, S.KEWL, S.AFTER_KEWL})


class HookState:
    """One channel's hook. `cadence_ms` rings a set; `send` puts a signal on the line; `report` tells an event."""

    def __init__(
        self,
        number: int,
        signalling: Signalling,
        cadence_ms: tuple[int, ...],
        send: Callable[[TxSig], None],
        report: Callable[[LineEvent], None],
        debounce_ms: int = DEBOUNCE_MS,
    ) -> None:
        self._debounce_ms = debounce_ms
        self._number, self._signalling, self._cadence_ms = number, signalling, cadence_ms
        self._send, self._report = send, report
        self._is_fxs = signalling in FXS_SIGNALLED
        self.state = TxState.ONHOOK
        self.seen = RxSig.OFFHOOK if self._is_fxs else RxSig.ONHOOK
        self._country_cadence_ms = cadence_ms
        self.flash_limit_ms = FAR_FLASH_MS
        self._cadence_at = 0
        self._told_offhook = False
        self._hung_up_during_kewl = False
        self._sent = TxSig.ONHOOK
        self._pulses_left: list[int] = []
        self._order_time = Timer(self._order_time_up)
        self._far_open = Timer(self._far_hung_up)
        self._ring_trailer = Timer(self._ring_burst_over)
        self._ring_deaf = Timer(_nothing)
        self._far_pulses = 0
        self._pulse_pause = Timer(self._far_dialled)

    def become(self, signalling: Signalling) -> None:
        """Kewl start or loop start from now on."""
        self._signalling = signalling

    @property
    def far_active(self) -> bool:
        """The far end rings (fxs signalling) or holds the loop closed (fxo)."""
        return self.seen is (RxSig.RING if self._is_fxs else RxSig.OFFHOOK)

    def tell(self, event: LineEvent) -> None:
        """Report an event that does not come of hook or ring (alarms)."""
        self._report(event)

    # --- orders of this end ---

    def order(self, hook: Hook) -> None:
        """Raises: LineError LIN-071 when the line is in a state that does not allow it (the kernel's EBUSY)."""
        if self.state not in ALLOWED_IN[hook]:
            raise LineError(
                "LIN-071",
                f"channel {self._number} cannot do {hook.name} while its hook is in state `{self.state.value}`",
                "Wait until the line is at rest and try again",
            )
        self._pulses_left = []
        if hook is Hook.ON:
            self._hang_up()
        elif hook is Hook.RING and not self._is_fxs:
            self._ring_step(0)
        else:
            self._enter(ORDERS[Hook.START if hook is Hook.RING else hook])

    def dial(self, digits: str) -> None:
        """Digits by pulses; DIALCOMPLETE at the end, at once when this end does not hold the loop."""
        self._pulses_left = [int(digit) or 10 for digit in digits]
        self._next_digit()

    def opened(self) -> None:
        """The channel was opened: hung up, so deaf to rings at first; what was under way before is forgotten."""
        self._forget()
        self._hang_up()

    def closed(self) -> None:
        """The channel was closed: hung up, a battery drop goes its way; all else is at rest."""
        self._hang_up()
        self._forget()

    def _forget(self) -> None:
        self._pulses_left = []
        for timer in (self._far_open, self._ring_trailer, self._ring_deaf, self._pulse_pause):
            timer.stop()
        self._told_offhook = self._hung_up_during_kewl = False

    def _hang_up(self) -> None:
        self._hung_up_during_kewl = False
        if self._is_fxs:
            self._ring_deaf.start(RING_DEAF_MS)
        if self._drops_battery():
            self._enter(Step(TxState.KEWL, TxSig.KEWL, KEWL_MS))
        else:
            self._enter(ORDERS[Hook.ON])

    def _drops_battery(self) -> bool:
        """Not when there is nothing to end, or the far end is on-hook already."""
        far_gone = self.seen is RxSig.ONHOOK and not self._far_open.running
        return self._signalling is Signalling.FXOKS and self.state is not TxState.ONHOOK and not far_gone

    def _enter(self, step: Step) -> None:
        self.state = step.state
        self._order_time.stop()
        if step.for_ms:
            self._order_time.start(self._debounce_ms if step.state is TxState.DEBOUNCE else step.for_ms)
        self._sent = step.sig
        self._send(step.sig)
        if step.event is not None:
            self._report(step.event)

    def _order_time_up(self) -> None:
        was = self.state
        if was in (TxState.RING_ON, TxState.RING_OFF):
            self._ring_step(self._cadence_at + 1)
            return
        if was is TxState.PULSE_MAKE:
            self._next_pulse()
            return
        self._enter(EXPIRY[was])
        if was is TxState.AFTER_PULSES:
            self._next_digit()
        if was is TxState.DEBOUNCE and self.seen is RxSig.ONHOOK:
            self._far_open.start(self.flash_limit_ms)
        if was is TxState.AFTER_KEWL:
            self._kewl_over()

    def _kewl_over(self) -> None:
        if self._hung_up_during_kewl:
            self._report(LineEvent.ONHOOK)
        self._told_offhook = False

    def _next_digit(self) -> None:
        if self._pulses_left and self._sent is TxSig.OFFHOOK:
            self._enter(PULSE)
        else:
            self._pulses_left = []
            self._report(LineEvent.DIALCOMPLETE)

    def _next_pulse(self) -> None:
        self._pulses_left[0] -= 1
        if self._pulses_left[0]:
            self._enter(PULSE)
        else:
            self._pulses_left.pop(0)
            self._enter(Step(TxState.AFTER_PULSES, TxSig.OFFHOOK, AFTER_PULSES_MS))

    def _ring_step(self, position: int) -> None:
        first = position == 0
        self._cadence_at = position % len(self._cadence_ms)
        for_ms = self._cadence_ms[self._cadence_at]
        if self._cadence_at % 2:
            self._enter(Step(TxState.RING_OFF, TxSig.OFFHOOK, for_ms, LineEvent.RINGEROFF))
        else:
            self._enter(Step(TxState.RING_ON, TxSig.START, for_ms, None if first else LineEvent.RINGERON))

    def set_cadence(self, cadence_ms: tuple[int, ...]) -> None:
        """How it rings from the next order on; empty: as the country does."""
        self._cadence_ms = cadence_ms or self._country_cadence_ms

    # --- what the far end does ---

    def receive(self, sig: RxSig) -> None:
        """The far end changed the line; the same signal again is no change."""
        if sig is self.seen:
            return
        before, self.seen = self.seen, sig
        if self._is_fxs:
            self._exchange_did(before, sig)
        elif sig is RxSig.OFFHOOK:
            self._far_closed_loop()
        else:
            self._far_opened_loop()

    def _exchange_did(self, before: RxSig, sig: RxSig) -> None:
        if sig is RxSig.RING:
            self._ring_trailer.stop()
            if not self._ring_deaf.running:
                self._report(LineEvent.RINGBEGIN)
        elif before is RxSig.RING:
            self._ring_trailer.start(RING_TRAILER_MS)
        # A drop during the debounce time after answering is not told as such, as in the kernel: the busy tone must tell.
        if sig is RxSig.ONHOOK and self.state is TxState.OFFHOOK and self._signalling is Signalling.FXSKS:
            self._ring_deaf.start(RING_DEAF_MS)
            self._ring_trailer.stop()
            self._report(LineEvent.ONHOOK)

    def _ring_burst_over(self) -> None:
        if not self._ring_deaf.running:
            self._report(LineEvent.RINGOFFHOOK)

    def _far_closed_loop(self) -> None:
        self._hung_up_during_kewl = False
        if self._far_open.running:
            open_ms = self._far_open.elapsed_ms()
            self._far_open.stop()
            self._loop_was_open(open_ms)
        elif not self._told_offhook:
            self._told_offhook = True
            self._report(LineEvent.RINGOFFHOOK)

    def _loop_was_open(self, open_ms: float) -> None:
        if open_ms > FAR_PULSE_MS:
            self._report(LineEvent.WINKFLASH)
        elif open_ms >= FAR_BOUNCE_MS:
            if not self._pulse_pause.running:
                self._far_pulses = 0
                self._report(LineEvent.PULSE_START)
            self._far_pulses += 1
            self._pulse_pause.start(PULSE_PAUSE_MS)

    def _far_dialled(self) -> None:
        """A digit is complete: as many pulses as its value, ten for 0, eleven and twelve for * and #."""
        if self._far_pulses <= len(PULSE_DIGITS):
            self._report(PULSE_DIGITS[self._far_pulses - 1])

    def _far_opened_loop(self) -> None:
        if self.state not in UNSTABLE:
            self._far_open.start(self.flash_limit_ms)
        if self.state is TxState.KEWL:
            self._hung_up_during_kewl = True

    def _far_hung_up(self) -> None:
        self._told_offhook = False
        # A line whose battery dropped while it settled says, long after the drop, that it rang: no mistake here, the kernel does so.
        self._report(LineEvent.RINGOFFHOOK if self._is_fxs else LineEvent.ONHOOK)


def _nothing() -> None:
    """For a timer that is only asked whether it runs."""
