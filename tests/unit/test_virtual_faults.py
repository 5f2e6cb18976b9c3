"""Faults on demand: what the box sees and hears when a line is cut, frozen, noisy, echoing, quiet, or a whole span is in alarm."""

import math
from collections.abc import Callable

import pytest

from drivers.errors import LineError
from drivers.io import Hook, LineEvent
from drivers.media import End, Tone
from drivers.virtual.config import NumberConfig, SpanConfig, SpanKind, VirtualConfig
from drivers.virtual.faults import Fault
from drivers.virtual.handset import Phase
from drivers.virtual.telephone import OutsideTelephone
from tests.contract.rig import Rig, run_rig

E = LineEvent
BOX = "88886666"
CONFIG = VirtualConfig(
    spans=(SpanConfig(kind=SpanKind.FXO, channels=2), SpanConfig(kind=SpanKind.E1)),
    numbers=(NumberConfig(number=BOX, channels=(1,)), NumberConfig(number="2", channels=(3,))),
)


async def talking(rig: Rig, number: int = 1, dialled: str = BOX) -> OutsideTelephone:
    rig.answers(number)
    caller = rig.caller()
    caller.dial(dialled)
    await caller.reached(Phase.TALKING)
    await rig.pass_ms(1000)
    rig.events[number].clear()
    return caller


def test_cut_while_talking_is_a_hangup_and_then_an_alarm() -> None:
    async def main(rig: Rig) -> None:
        await talking(rig)
        rig.timed.clear()
        at_ms = rig.now_ms()
        rig.card.set_fault(1, Fault.CUT)
        await rig.pass_ms(3000)
        assert [(ms - at_ms, event) for ms, _, event in rig.timed] == [(0, "ONHOOK"), (1000, "ALARM")]
        rig.card.set_fault(1, Fault.CUT, on=False)
        await rig.pass_ms(3000)
        assert rig.events[1] == [E.ONHOOK, E.ALARM, E.NOALARM]

    run_rig(CONFIG, main)


def test_cut_on_hook_is_an_alarm_only() -> None:
    async def main(rig: Rig) -> None:
        rig.open(1)
        rig.card.set_fault(1, Fault.CUT)
        await rig.pass_ms(2000)
        rig.card.set_fault(1, Fault.CUT, on=False)
        await rig.pass_ms(100)
        assert rig.events[1] == [E.ALARM, E.NOALARM]

    run_rig(CONFIG, main)


def test_a_short_cut_raises_no_alarm() -> None:
    async def main(rig: Rig) -> None:
        rig.open(1)
        rig.card.set_fault(1, Fault.CUT)
        await rig.pass_ms(900)
        rig.card.set_fault(1, Fault.CUT, on=False)
        await rig.pass_ms(3000)
        assert rig.events[1] == []

    run_rig(CONFIG, main)


def test_the_far_end_of_a_cut_line_sees_a_hangup() -> None:
    async def main(rig: Rig) -> None:
        caller = await talking(rig)
        rig.card.set_fault(1, Fault.CUT)
        assert caller.phase is Phase.ENDED

    run_rig(CONFIG, main)


def test_lost_hangup_leaves_the_busy_tone() -> None:
    async def main(rig: Rig) -> None:
        caller = await talking(rig)
        rig.card.set_fault(1, Fault.LOST_HANGUP)
        caller.hang_up()
        await rig.pass_ms(4000)
        assert rig.events[1] == []
        assert (Tone.BUSY, True) in rig.tones[1]

    run_rig(CONFIG, main)


def test_lost_hangup_in_silence_leaves_nothing() -> None:
    async def main(rig: Rig) -> None:
        caller = await talking(rig)
        rig.card.set_fault(1, Fault.LOST_HANGUP)
        rig.card.set_fault(1, Fault.SILENCE)
        rig.tones.clear()
        caller.hang_up()
        await rig.pass_ms(10_000)
        assert rig.events[1] == []
        assert rig.tones[1] == []

    run_rig(CONFIG, main)


def test_frozen_far_end_tells_nothing_until_it_thaws() -> None:
    async def main(rig: Rig) -> None:
        caller = await talking(rig)
        rig.card.set_fault(1, Fault.FREEZE)
        caller.press("5")
        rig.channel(1).set_hook(Hook.ON)
        await rig.pass_ms(3000)
        assert caller.phase is Phase.TALKING
        assert rig.digits[1] == ""
        rig.card.set_fault(1, Fault.FREEZE, on=False)
        assert caller.phase is Phase.ENDED

    run_rig(CONFIG, main)


def test_one_line_in_alarm_and_out() -> None:
    async def main(rig: Rig) -> None:
        rig.open(1)
        rig.open(2)
        rig.card.set_fault(1, Fault.ALARM)
        rig.card.set_fault(1, Fault.ALARM)
        await rig.pass_ms(100)
        rig.card.set_fault(1, Fault.ALARM, on=False)
        await rig.pass_ms(100)
        assert rig.events[1] == [E.ALARM, E.NOALARM]
        assert rig.events[2] == []

    run_rig(CONFIG, main)


def test_span_in_red_alarm() -> None:
    async def main(rig: Rig) -> None:
        caller = await talking(rig, 3, "2")
        rig.open(4)
        rig.card.set_span_alarm(2, "red")
        await rig.pass_ms(100)
        assert rig.events[3] == rig.events[4] == [E.ALARM]
        assert rig.spans[-1].number == 2
        assert rig.spans[-1].alarms == ("red",)
        assert rig.card.spans()[1].alarms == ("red",)
        assert rig.card.spans()[0].alarms == ()
        caller.press("1")
        await rig.pass_ms(1000)
        assert rig.digits[3] == ""
        rig.card.set_span_alarm(2)
        await rig.pass_ms(100)
        caller.press("2")
        await rig.pass_ms(1000)
        assert rig.events[3] == [E.ALARM, E.NOALARM]
        assert rig.digits[3] == "2"
        assert rig.spans[-1].alarms == ()

    run_rig(CONFIG, main)


def test_calls_pass_over_a_span_in_alarm() -> None:
    async def main(rig: Rig) -> None:
        rig.card.set_span_alarm(2, "red")
        caller = rig.caller()
        caller.dial("2")
        await caller.reached(Phase.BUSY, limit_s=1)

    run_rig(CONFIG, main)


def test_fault_on_a_channel_that_does_not_exist() -> None:
    async def main(rig: Rig) -> None:
        with pytest.raises(LineError, match=r"LIN-070.*channel 18"):
            rig.card.set_fault(18, Fault.CUT)

    run_rig(CONFIG, main)


# --- audio faults, measured at the ears ---


def alaw_linear(code: int) -> int:
    """16-bit linear of an A-law byte. Source: ITU-T G.711 table 1a."""
    code ^= 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = (mantissa * 2 + 1) * 8 if exponent == 0 else ((mantissa * 2 + 33) << (exponent + 2))
    return magnitude if code & 0x80 else -magnitude


def dbm0(samples: bytes) -> float:
    """Level of A-law samples; 0 dBm0 is 3.14 dB below full scale of a sine."""
    mean_square = sum(alaw_linear(code) ** 2 for code in samples) / max(1, len(samples))
    full_sine = 32256**2 / 2
    return 10 * math.log10(max(mean_square, 1) / full_sine) + 3.14


async def box_level(rig: Rig, caller: OutsideTelephone, source: Callable[[], None]) -> float:
    """What the box hears of one second, in dBm0, measured on a program's stream of its port."""
    port = rig.ports[1]
    rig.engine.stream(port, True)
    source()
    await rig.pass_ms(300)
    rig.engine.stream_read(port, 16_000)
    heard = b""
    for _ in range(10):
        await rig.pass_ms(100)
        heard += rig.engine.stream_read(port, 16_000)
    assert len(heard) > 7000
    return dbm0(heard)


def level_with(fault: Fault | None, value: float, ends: tuple[End, ...] = (End.NEAR,), box_speaks: bool = False) -> float:
    async def main(rig: Rig) -> float:
        caller = await talking(rig)
        if fault is not None:
            rig.card.set_fault(1, fault, value=value, ends=ends)
        keys = "1" * 10

        def source() -> None:
            if box_speaks:
                rig.engine.send_digits(rig.ports[1], keys, 2000, 40, -9.0, -7.0)
            else:
                caller.press(keys, 2000, 40)

        return await box_level(rig, caller, source)

    return run_rig(CONFIG, main)


def test_clear_line_carries_the_level() -> None:
    expected = 10 * math.log10(10**-0.9 + 10**-0.7)
    assert level_with(None, 0.0) == pytest.approx(expected, abs=0.5)


@pytest.mark.parametrize("gain_db", [-30.0, -12.0, -6.0, 3.0])
def test_gain(gain_db: float) -> None:
    assert level_with(Fault.GAIN, gain_db) - level_with(None, 0.0) == pytest.approx(gain_db, abs=0.5)


@pytest.mark.parametrize("fault", [Fault.SILENCE, Fault.CUT], ids=["silence", "cut"])
def test_no_audio(fault: Fault) -> None:
    assert level_with(fault, 0.0) < -60


@pytest.mark.parametrize("level_dbm0", [-20.0, -35.0, -50.0])
def test_noise(level_dbm0: float) -> None:
    async def main(rig: Rig) -> float:
        caller = await talking(rig)
        rig.card.set_fault(1, Fault.NOISE, value=level_dbm0, ends=(End.NEAR,))
        return await box_level(rig, caller, lambda: None)

    assert run_rig(CONFIG, main) == pytest.approx(level_dbm0, abs=1.5)


@pytest.mark.parametrize("loss_db", [6.0, 12.0, 20.0])
def test_echo(loss_db: float) -> None:
    expected = 10 * math.log10(10**-0.9 + 10**-0.7) - loss_db
    assert level_with(Fault.ECHO, loss_db, box_speaks=True) == pytest.approx(expected, abs=1.0)


def test_no_echo_without_the_fault() -> None:
    assert level_with(None, 0.0, box_speaks=True) < -60


def test_fault_towards_the_world_only_leaves_the_box_in_peace() -> None:
    assert level_with(Fault.SILENCE, 0.0, ends=(End.FAR,)) > -10
