"""What each side of a wired pair of analogue ports sees: ring, answer, hang-up from either side, flash, early hang-up, dialling."""

import time

from drivers.dahdi.device import Channel
from drivers.io import Hook, LineEvent
from tests.lab import cards
from tests.lab.event_log import EventLog
from tests.lab.scenario import Report, scenario

TRUNK, SET = 1, 2
"""One pair: channel 1 the FXO port (fxsks), channel 2 the FXS port (fxoks)."""
SETTLE_S = 2.5
"""After on-hook the driver hides a ring for 2 s (RING_DEBOUNCE_TIME)."""


class Pair:
    """A fresh pair, idle and settled."""

    def __init__(self) -> None:
        cards.install(cards.analogue_pairs(1))
        self.trunk = Channel(TRUNK)
        self.set = Channel(SET)
        self.log = EventLog([self.trunk, self.set])
        self.log.watch(SETTLE_S)
        self.log.mark()

    def answered(self) -> None:
        """Ring and answer; both sides off-hook, settled."""
        self.set.set_hook(Hook.RING)
        self.log.wait_for(TRUNK, LineEvent.RINGBEGIN)
        self.trunk.set_hook(Hook.OFF)
        self.log.wait_for(SET, LineEvent.RINGOFFHOOK)
        self.set.set_hook(Hook.OFF)
        self.log.watch(1.5)
        self.log.mark()


@scenario()
def ringing(report: Report) -> None:
    """Two ring bursts, then the ringing side gives up."""
    pair = Pair()
    pair.set.set_hook(Hook.RING)
    pair.log.watch(7.0)
    pair.set.set_hook(Hook.ON)
    pair.log.watch(2.0)
    report.remark(f"RING at 0, ON at 7000: {pair.log.text()}")
    assert pair.log.names(TRUNK) == ["RINGBEGIN", "RINGOFFHOOK", "RINGBEGIN", "RINGOFFHOOK"]


@scenario()
def answer(report: Report) -> None:
    """The FXO port goes off-hook in the first burst."""
    pair = Pair()
    pair.set.set_hook(Hook.RING)
    pair.log.wait_for(TRUNK, LineEvent.RINGBEGIN)
    pair.log.watch(0.5)
    pair.log.mark()
    pair.trunk.set_hook(Hook.OFF)
    pair.log.wait_for(SET, LineEvent.RINGOFFHOOK)
    pair.set.set_hook(Hook.OFF)
    pair.log.watch(3.0)
    report.remark(f"OFF at 0, set told OFF when it saw it: {pair.log.text()}")


@scenario()
def answer_between_rings(report: Report) -> None:
    """The FXO port goes off-hook in the pause."""
    pair = Pair()
    pair.set.set_hook(Hook.RING)
    pair.log.wait_for(TRUNK, LineEvent.RINGOFFHOOK)
    pair.log.watch(0.5)
    pair.log.mark()
    pair.trunk.set_hook(Hook.OFF)
    pair.log.wait_for(SET, LineEvent.RINGOFFHOOK)
    pair.set.set_hook(Hook.OFF)
    pair.log.watch(3.0)
    report.remark(f"OFF at 0: {pair.log.text()}")


@scenario()
def exchange_hangs_up(report: Report) -> None:
    """The FXS side hangs up an answered call (battery drop, kewl start)."""
    pair = Pair()
    pair.answered()
    pair.set.set_hook(Hook.ON)
    pair.log.wait_for(TRUNK, LineEvent.ONHOOK)
    pair.log.watch(3.0)
    report.remark(f"exchange side ON at 0, trunk still off-hook: {pair.log.text()}")
    report.remark(f"trunk {pair.trunk.params()}; set {pair.set.params()}")
    pair.log.mark()
    pair.trunk.set_hook(Hook.ON)
    pair.log.watch(2.0)
    report.remark(f"then trunk ON at 0: {pair.log.text()}")


@scenario()
def box_hangs_up(report: Report) -> None:
    """The FXO side hangs up an answered call."""
    pair = Pair()
    pair.answered()
    report.remark(f"in call: trunk {pair.trunk.params()}; set {pair.set.params()}")
    pair.trunk.set_hook(Hook.ON)
    pair.log.wait_for(SET, LineEvent.ONHOOK)
    pair.log.watch(2.0)
    report.remark(f"trunk ON at 0: {pair.log.text()}")
    pair.log.mark()
    pair.set.set_hook(Hook.ON)
    pair.log.watch(2.0)
    report.remark(f"then set side ON at 0: {pair.log.text()}")


@scenario()
def flash(report: Report) -> None:
    """The FXO side flashes in a call."""
    pair = Pair()
    pair.answered()
    pair.trunk.set_hook(Hook.FLASH)
    pair.log.watch(3.0)
    report.remark(f"FLASH at 0: {pair.log.text()}")
    assert "WINKFLASH" in pair.log.names(SET)


@scenario()
def seize_and_dial(report: Report) -> None:
    """The FXO side seizes an idle line, and the driver dials DTMF, then pulses."""
    pair = Pair()
    pair.trunk.set_hook(Hook.START)
    pair.log.watch(2.0)
    report.remark(f"START at 0: {pair.log.text()}")
    pair.set.set_hook(Hook.OFF)
    pair.log.watch(1.0)
    pair.log.mark()
    pair.trunk.dial("T123")
    dialling = pair.trunk.is_dialling()
    pair.log.wait_for(TRUNK, LineEvent.DIALCOMPLETE)
    report.remark(f"dial T123 at 0 (dialling: {dialling}): {pair.log.text()}")
    pair.log.mark()
    pair.trunk.dial("P27")
    pair.log.wait_for(TRUNK, LineEvent.DIALCOMPLETE)
    pair.log.watch(1.5)
    report.remark(f"dial P27 at 0: {pair.log.text()}")
    assert {"pulse:2", "pulse:7"} <= set(pair.log.names(SET))


@scenario()
def seize_by_offhook(report: Report) -> None:
    """Seizing with OFFHOOK instead of START, and hanging up after 1 s."""
    pair = Pair()
    pair.trunk.set_hook(Hook.OFF)
    pair.log.watch(1.0)
    report.remark(f"OFF at 0: {pair.log.text()}")
    pair.log.mark()
    pair.trunk.set_hook(Hook.ON)
    pair.log.watch(2.0)
    report.remark(f"ON at 0: {pair.log.text()}")


@scenario()
def ring_soon_after_hang_up(report: Report) -> None:
    """After a call both sides go on-hook and a new call rings at once: how long until the FXO side knows."""
    for pause_s in (1.0, 1.5, 2.2):
        pair = Pair()
        pair.answered()
        pair.set.set_hook(Hook.ON)
        pair.log.wait_for(TRUNK, LineEvent.ONHOOK)
        pair.trunk.set_hook(Hook.ON)
        time.sleep(pause_s)
        pair.log.mark()
        pair.set.set_hook(Hook.RING)
        at_ms = pair.log.wait_for(TRUNK, LineEvent.RINGBEGIN)
        report.figure(f"ring_known_ms_after_pause_{int(pause_s * 1000)}", at_ms)
        pair.set.close()
        pair.trunk.close()


@scenario()
def ring_cadence(report: Report) -> None:
    """A cadence of our own: 500 ms on, 500 ms off."""
    pair = Pair()
    pair.set.set_ring_cadence((500, 500))
    pair.set.set_hook(Hook.RING)
    pair.log.watch(4.0)
    report.remark(pair.log.text())
    assert pair.log.names(SET).count("RINGERON") >= 3
