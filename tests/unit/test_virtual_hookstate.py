"""The kernel's hook behaviour, row by row: what is done to a line at which millisecond, and which events come when."""

import asyncio
from collections.abc import Sequence

import pytest

from drivers.clock import VirtualClock, run_virtual
from drivers.errors import LineError
from drivers.io import Hook, LineEvent, Signalling
from drivers.virtual.hookstate import ALLOWED_IN, HookState, RxSig, TxSig, TxState

CADENCE_MS = (1000, 4000)
E, R, T = LineEvent, RxSig, TxSig
Script = Sequence[tuple[int, Hook | RxSig]]


class Bench:
    """Plays a script to one HookState and notes what it says, with the time in ms."""

    def __init__(self, signalling: Signalling) -> None:
        self.events: list[tuple[int, LineEvent]] = []
        self.sent: list[tuple[int, TxSig]] = []
        self.hook = HookState(7, signalling, CADENCE_MS, self._sent, self._reported)

    def _ms(self) -> int:
        return round(asyncio.get_running_loop().time() * 1000)

    def _sent(self, sig: TxSig) -> None:
        self.sent.append((self._ms(), sig))

    def _reported(self, event: LineEvent) -> None:
        self.events.append((self._ms(), event))

    async def play(self, script: Script, until_ms: int) -> None:
        loop = asyncio.get_running_loop()
        for at_ms, act in script:
            if isinstance(act, Hook):
                loop.call_at(at_ms / 1000, self.hook.order, act)
            else:
                loop.call_at(at_ms / 1000, self.hook.receive, act)
        await asyncio.sleep(until_ms / 1000)


def played(signalling: Signalling, script: Script, until_ms: int = 20_000) -> Bench:
    async def main(clock: VirtualClock) -> Bench:
        bench = Bench(signalling)
        await bench.play(script, until_ms)
        return bench

    bench: Bench = run_virtual(main)
    return bench


FXSKS_ROWS: list[tuple[str, Script, list[tuple[int, LineEvent]]]] = [
    ("one ring burst", [(100, R.RING), (1100, R.OFFHOOK)], [(100, E.RINGBEGIN), (1150, E.RINGOFFHOOK)]),
    (
        "two bursts",
        [(100, R.RING), (1100, R.OFFHOOK), (5100, R.RING), (6100, R.OFFHOOK)],
        [(100, E.RINGBEGIN), (1150, E.RINGOFFHOOK), (5100, E.RINGBEGIN), (6150, E.RINGOFFHOOK)],
    ),
    (
        "a gap under 50 ms does not end the burst",
        [(100, R.RING), (600, R.OFFHOOK), (640, R.RING), (1100, R.OFFHOOK)],
        [(100, E.RINGBEGIN), (640, E.RINGBEGIN), (1150, E.RINGOFFHOOK)],
    ),
    ("answer tells nothing by itself", [(100, Hook.OFF)], []),
    (
        "answer inside a burst, the exchange trips the ring",
        [(100, R.RING), (400, Hook.OFF), (400, R.OFFHOOK)],
        [(100, E.RINGBEGIN), (450, E.RINGOFFHOOK)],
    ),
    ("battery drop while talking", [(100, Hook.OFF), (3000, R.ONHOOK), (3500, R.OFFHOOK)], [(3000, E.ONHOOK)]),
    ("battery drop over before debounce is lost", [(100, Hook.OFF), (150, R.ONHOOK), (650, R.OFFHOOK)], []),
    ("battery drop at debounce's end is told as a ring", [(100, Hook.OFF), (650, R.ONHOOK), (1150, R.OFFHOOK)], [(1950, E.RINGOFFHOOK)]),
    ("battery drop just after debounce", [(100, Hook.OFF), (701, R.ONHOOK)], [(701, E.ONHOOK)]),
    ("battery drop on-hook is nothing", [(100, R.ONHOOK), (600, R.OFFHOOK)], []),
    (
        "two drops are two events",
        [(0, Hook.OFF), (1000, R.ONHOOK), (1500, R.OFFHOOK), (4000, R.ONHOOK)],
        [(1000, E.ONHOOK), (4000, E.ONHOOK)],
    ),
    ("the same signal again is no change", [(100, R.RING), (200, R.RING)], [(100, E.RINGBEGIN)]),
    ("deaf to rings for 2 s after hanging up", [(0, Hook.OFF), (1000, Hook.ON), (2000, R.RING), (2900, R.OFFHOOK)], []),
    (
        "a burst that outlasts the deafness is told at its end",
        [(0, Hook.OFF), (1000, Hook.ON), (2500, R.RING), (3500, R.OFFHOOK)],
        [(3550, E.RINGOFFHOOK)],
    ),
    (
        "after the deafness all is told",
        [(0, Hook.OFF), (1000, Hook.ON), (3001, R.RING), (4001, R.OFFHOOK)],
        [(3001, E.RINGBEGIN), (4051, E.RINGOFFHOOK)],
    ),
    ("deaf after a battery drop too", [(0, Hook.OFF), (1000, R.ONHOOK), (1500, R.OFFHOOK), (2500, R.RING)], [(1000, E.ONHOOK)]),
    ("seizing completes after start and pause", [(100, Hook.START)], [(2100, E.HOOKCOMPLETE)]),
    ("ringing an exchange is seizing", [(100, Hook.RING)], [(2100, E.HOOKCOMPLETE)]),
    ("flash", [(0, Hook.OFF), (1000, Hook.FLASH)], [(1800, E.HOOKCOMPLETE)]),
    ("wink", [(100, Hook.WINK)], [(300, E.HOOKCOMPLETE)]),
    ("hang up in the middle of seizing", [(100, Hook.START), (500, Hook.ON)], []),
]


@pytest.mark.parametrize(("name", "script", "events"), FXSKS_ROWS, ids=[row[0] for row in FXSKS_ROWS])
def test_port_towards_an_exchange(name: str, script: Script, events: list[tuple[int, LineEvent]]) -> None:
    assert played(Signalling.FXSKS, script).events == events


FXOKS_ROWS: list[tuple[str, Script, list[tuple[int, LineEvent]]]] = [
    ("set picks up", [(100, R.OFFHOOK)], [(100, E.RINGOFFHOOK)]),
    ("set hangs up: known after the flash time", [(100, R.OFFHOOK), (2000, R.ONHOOK)], [(100, E.RINGOFFHOOK), (3250, E.ONHOOK)]),
    (
        "flash",
        [(100, R.OFFHOOK), (2000, R.ONHOOK), (2500, R.OFFHOOK)],
        [(100, E.RINGOFFHOOK), (2500, E.WINKFLASH)],
    ),
    (
        "the longest flash",
        [(100, R.OFFHOOK), (2000, R.ONHOOK), (3249, R.OFFHOOK)],
        [(100, E.RINGOFFHOOK), (3249, E.WINKFLASH)],
    ),
    (
        "longer than a flash: hung up and picked up",
        [(100, R.OFFHOOK), (2000, R.ONHOOK), (3300, R.OFFHOOK)],
        [(100, E.RINGOFFHOOK), (3250, E.ONHOOK), (3300, E.RINGOFFHOOK)],
    ),
    (
        "a dial pulse",
        [(100, R.OFFHOOK), (2000, R.ONHOOK), (2060, R.OFFHOOK)],
        [(100, E.RINGOFFHOOK), (2060, E.PULSE_START), (2310, E.PULSE_1)],
    ),
    (
        "two pulses of one digit begin once",
        [(100, R.OFFHOOK), (2000, R.ONHOOK), (2060, R.OFFHOOK), (2100, R.ONHOOK), (2160, R.OFFHOOK)],
        [(100, E.RINGOFFHOOK), (2060, E.PULSE_START), (2410, E.PULSE_2)],
    ),
    (
        "the next digit begins anew",
        [(100, R.OFFHOOK), (2000, R.ONHOOK), (2060, R.OFFHOOK), (2700, R.ONHOOK), (2760, R.OFFHOOK)],
        [(100, E.RINGOFFHOOK), (2060, E.PULSE_START), (2310, E.PULSE_1), (2760, E.PULSE_START), (3010, E.PULSE_1)],
    ),
    ("a contact that bounces", [(100, R.OFFHOOK), (2000, R.ONHOOK), (2010, R.OFFHOOK)], [(100, E.RINGOFFHOOK)]),
    ("ring cadence", [(0, Hook.RING)], [(1000, E.RINGEROFF), (5000, E.RINGERON), (6000, E.RINGEROFF), (10_000, E.RINGERON)]),
    ("ringing stops on order", [(0, Hook.RING), (1500, Hook.RING_OFF)], [(1000, E.RINGEROFF)]),
    (
        "rung set answers and the box takes it",
        [(0, Hook.RING), (1500, R.OFFHOOK), (1520, Hook.OFF)],
        [(1000, E.RINGEROFF), (1500, E.RINGOFFHOOK)],
    ),
    (
        "box hangs up, the set follows during the drop",
        [(0, R.OFFHOOK), (20, Hook.OFF), (3000, Hook.ON), (3200, R.ONHOOK)],
        [(0, E.RINGOFFHOOK), (3500, E.HOOKCOMPLETE), (3800, E.ONHOOK)],
    ),
    (
        "box hangs up, the set follows later",
        [(0, R.OFFHOOK), (20, Hook.OFF), (3000, Hook.ON), (6000, R.ONHOOK)],
        [(0, E.RINGOFFHOOK), (3500, E.HOOKCOMPLETE), (7250, E.ONHOOK)],
    ),
    (
        "box hangs up after the set: no drop",
        [(0, R.OFFHOOK), (20, Hook.OFF), (3000, R.ONHOOK), (5000, Hook.ON)],
        [(0, E.RINGOFFHOOK), (4250, E.ONHOOK)],
    ),
    (
        "set gone on-hook during debounce is told later",
        [(0, R.OFFHOOK), (20, Hook.OFF), (300, R.ONHOOK)],
        [(0, E.RINGOFFHOOK), (1870, E.ONHOOK)],
    ),
    ("set that never was off-hook, hung up by the box", [(0, Hook.RING), (500, Hook.ON)], []),
]


@pytest.mark.parametrize(("name", "script", "events"), FXOKS_ROWS, ids=[row[0] for row in FXOKS_ROWS])
def test_port_with_a_set(name: str, script: Script, events: list[tuple[int, LineEvent]]) -> None:
    assert played(Signalling.FXOKS, script, until_ms=10_500).events == events


LOOP_START_ROWS: list[tuple[str, Signalling, Script, list[tuple[int, LineEvent]]]] = [
    ("no supervision from a loop-start exchange", Signalling.FXSLS, [(0, Hook.OFF), (2000, R.ONHOOK), (2500, R.OFFHOOK)], []),
    ("it rings all the same", Signalling.FXSLS, [(0, R.RING), (1000, R.OFFHOOK)], [(0, E.RINGBEGIN), (1050, E.RINGOFFHOOK)]),
    ("a loop-start set picks up", Signalling.FXOLS, [(0, R.OFFHOOK)], [(0, E.RINGOFFHOOK)]),
    ("no battery drop towards a loop-start set", Signalling.FXOLS, [(0, R.OFFHOOK), (20, Hook.OFF), (2000, Hook.ON)], [(0, E.RINGOFFHOOK)]),
]


@pytest.mark.parametrize(("name", "signalling", "script", "events"), LOOP_START_ROWS, ids=[row[0] for row in LOOP_START_ROWS])
def test_loop_start(name: str, signalling: Signalling, script: Script, events: list[tuple[int, LineEvent]]) -> None:
    assert played(signalling, script).events == events


SENT_ROWS: list[tuple[str, Signalling, Script, list[tuple[int, TxSig]]]] = [
    ("answer", Signalling.FXSKS, [(0, Hook.OFF)], [(0, T.OFFHOOK), (600, T.OFFHOOK)]),
    ("seize", Signalling.FXSKS, [(0, Hook.START)], [(0, T.START), (1500, T.OFFHOOK), (2000, T.OFFHOOK)]),
    ("hang up", Signalling.FXSKS, [(0, Hook.OFF), (1000, Hook.ON)], [(0, T.OFFHOOK), (600, T.OFFHOOK), (1000, T.ONHOOK)]),
    (
        "flash opens the loop for 750 ms",
        Signalling.FXSKS,
        [(0, Hook.OFF), (1000, Hook.FLASH)],
        [(0, T.OFFHOOK), (600, T.OFFHOOK), (1000, T.OFFHOOK), (1050, T.ONHOOK), (1800, T.OFFHOOK)],
    ),
    ("ring", Signalling.FXOKS, [(0, Hook.RING)], [(0, T.START), (1000, T.OFFHOOK), (5000, T.START), (6000, T.OFFHOOK), (10_000, T.START)]),
    (
        "drop the battery on hanging up",
        Signalling.FXOKS,
        [(0, R.OFFHOOK), (0, Hook.OFF), (2000, Hook.ON)],
        [(0, T.OFFHOOK), (600, T.OFFHOOK), (2000, T.KEWL), (2500, T.ONHOOK), (2800, T.ONHOOK)],
    ),
    ("nothing to drop while the set is on-hook", Signalling.FXOKS, [(0, Hook.RING), (10, Hook.ON)], [(0, T.START), (10, T.ONHOOK)]),
]


@pytest.mark.parametrize(("name", "signalling", "script", "sent"), SENT_ROWS, ids=[row[0] for row in SENT_ROWS])
def test_what_is_done_to_the_line(name: str, signalling: Signalling, script: Script, sent: list[tuple[int, TxSig]]) -> None:
    assert played(signalling, script, until_ms=10_500).sent == sent


@pytest.mark.parametrize("hook", list(Hook), ids=lambda hook: hook.name)
@pytest.mark.parametrize("state", list(TxState), ids=lambda state: state.name)
@pytest.mark.parametrize("signalling", [Signalling.FXSKS, Signalling.FXOKS], ids=lambda each: each.value)
def test_order_in_every_state(signalling: Signalling, state: TxState, hook: Hook) -> None:
    async def main(clock: VirtualClock) -> None:
        bench = Bench(signalling)
        bench.hook.state = state
        if state in ALLOWED_IN[hook]:
            bench.hook.order(hook)
            assert bench.sent
            await asyncio.sleep(3)
        else:
            with pytest.raises(LineError, match="LIN-071.*channel 7.*" + hook.name):
                bench.hook.order(hook)
            assert not bench.sent
            assert bench.hook.state is state

    run_virtual(main)


@pytest.mark.parametrize(
    ("signalling", "sig", "active"),
    [
        (Signalling.FXSKS, R.OFFHOOK, False),
        (Signalling.FXSKS, R.RING, True),
        (Signalling.FXSKS, R.ONHOOK, False),
        (Signalling.FXOKS, R.OFFHOOK, True),
        (Signalling.FXOKS, R.ONHOOK, False),
    ],
)
def test_far_end_active(signalling: Signalling, sig: RxSig, active: bool) -> None:
    assert played(signalling, [(10, sig)], until_ms=20).hook.far_active is active


def closed_after(script: Script, close_ms: int, open_ms: int | None = None) -> Bench:
    """Channel 7 with a set, closed and perhaps opened again."""

    async def main(clock: VirtualClock) -> Bench:
        bench = Bench(Signalling.FXOKS)
        loop = asyncio.get_running_loop()
        loop.call_at(close_ms / 1000, bench.hook.closed)
        if open_ms is not None:
            loop.call_at(open_ms / 1000, bench.hook.opened)
        await bench.play(script, 10_000)
        return bench

    bench: Bench = run_virtual(main)
    return bench


def test_closing_drops_the_battery_of_a_set_that_is_off_hook() -> None:
    bench = closed_after([(0, R.OFFHOOK), (20, Hook.OFF)], close_ms=2000)
    assert bench.sent[-3:] == [(2000, T.KEWL), (2500, T.ONHOOK), (2800, T.ONHOOK)]
    assert bench.hook.state is TxState.ONHOOK


def test_closing_forgets_a_flash_under_way() -> None:
    bench = closed_after([(0, R.OFFHOOK), (20, Hook.OFF), (1900, R.ONHOOK)], close_ms=2000)
    assert E.ONHOOK not in [event for _, event in bench.events]


def test_opening_within_the_drop_begins_it_anew() -> None:
    bench = closed_after([(0, R.OFFHOOK), (20, Hook.OFF)], close_ms=2000, open_ms=2300)
    assert bench.sent[-4:] == [(2000, T.KEWL), (2300, T.KEWL), (2800, T.ONHOOK), (3100, T.ONHOOK)]


def test_opening_a_line_makes_it_deaf_to_rings() -> None:
    async def main(clock: VirtualClock) -> Bench:
        bench = Bench(Signalling.FXSKS)
        bench.hook.opened()
        await bench.play([(500, R.RING), (1500, R.OFFHOOK), (5500, R.RING), (6500, R.OFFHOOK)], 10_000)
        return bench

    assert run_virtual(main).events == [(5500, E.RINGBEGIN), (6550, E.RINGOFFHOOK)]
