"""The exchange and its telephones, with the box played by the test: calls in, calls out, tones, hunting, supervision."""

import pytest

from drivers.io import Hook, LineEvent
from drivers.media import Tone
from drivers.virtual.config import Answering, Hunting, NumberConfig, SpanConfig, SpanKind, TelephoneConfig, VirtualConfig
from drivers.virtual.handset import Phase
from drivers.virtual.telephone import OutsideTelephone
from drivers.virtual.trunk import TrunkState
from drivers.virtual.wire import Fault
from tests.contract.rig import Rig, run_rig

BOX = "88886666"
FRIEND, BUSY_ONE, NEVER_ONE = "1380001", "1380002", "1380003"
CONFIG = VirtualConfig(
    spans=(SpanConfig(kind=SpanKind.FXO, channels=3), SpanConfig(kind=SpanKind.FXS, channels=1)),
    numbers=(NumberConfig(number=BOX, spans=(1,)),),
    telephones=(
        TelephoneConfig(number=FRIEND, after_ms=3000),
        TelephoneConfig(number=BUSY_ONE, answering=Answering.BUSY),
        TelephoneConfig(number=NEVER_ONE, answering=Answering.NEVER),
    ),
    ring_limit_ms=30_000,
)


def phases(telephone: OutsideTelephone) -> list[str]:
    """Every phase from now on."""
    seen: list[str] = []
    telephone.on_state.append(lambda each: seen.append(each.phase.value))
    return seen


async def talking(rig: Rig, number: int = 1) -> OutsideTelephone:
    rig.answers(number)
    caller = rig.caller()
    caller.dial(BOX)
    await caller.reached(Phase.TALKING)
    await rig.pass_ms(700)
    return caller


async def seized(rig: Rig, digits: str, number: int = 1) -> None:
    """The box goes off-hook, waits for the dial tone and dials."""
    rig.open(number).set_hook(Hook.START)
    assert await rig.until(lambda: (Tone.DIAL, True) in rig.tones[number]), "no dial tone"
    rig.say(number, digits)


# --- calls to the box ---


def test_call_in_tells_each_phase() -> None:
    async def main(rig: Rig) -> list[str]:
        rig.answers(1)
        caller = rig.caller()
        seen = phases(caller)
        caller.dial(BOX)
        await caller.reached(Phase.TALKING)
        caller.hang_up()
        return seen

    assert run_rig(CONFIG, main) == ["dialling", "ringing", "talking", "idle"]


def test_caller_hears_ringback_until_the_box_answers() -> None:
    async def main(rig: Rig) -> OutsideTelephone:
        rig.answers(1, bursts=3)
        caller = rig.caller()
        caller.dial(BOX)
        await caller.reached(Phase.TALKING)
        return caller

    caller = run_rig(CONFIG, main)
    assert caller.heard_tones
    assert set(caller.heard_tones) == {Tone.RINGBACK}


def test_caller_hangs_up_the_box_gets_a_drop_and_then_busy_tone() -> None:
    async def main(rig: Rig) -> None:
        caller = await talking(rig)
        rig.timed.clear()
        at_ms = rig.now_ms()
        caller.hang_up()
        await rig.pass_ms(4000)
        assert rig.timed == [(at_ms, 1, "ONHOOK")]
        assert (Tone.BUSY, True) in rig.tones[1]

    run_rig(CONFIG, main)


def test_box_hangs_up_the_caller_hears_busy() -> None:
    async def main(rig: Rig) -> None:
        caller = await talking(rig)
        rig.channel(1).set_hook(Hook.ON)
        await caller.reached(Phase.ENDED, limit_s=1)
        await rig.pass_ms(3000)
        assert caller.heard_tones[-1] is Tone.BUSY
        assert caller.detail == "the other side hung up"
        caller.hang_up()
        assert caller.phase is Phase.IDLE

    run_rig(CONFIG, main)


def test_caller_gives_up_while_it_rings() -> None:
    async def main(rig: Rig) -> None:
        rig.open(1)
        caller = rig.caller()
        caller.dial(BOX)
        await rig.until(lambda: LineEvent.RINGBEGIN in rig.events[1])
        caller.hang_up()
        await rig.pass_ms(10_000)
        assert rig.events[1] == [LineEvent.RINGBEGIN, LineEvent.RINGOFFHOOK]
        assert rig.world.trunks[1].is_free()

    run_rig(CONFIG, main)


def test_nobody_answers() -> None:
    async def main(rig: Rig) -> None:
        caller = rig.caller()
        caller.dial(BOX)
        await caller.reached(Phase.RINGING)
        started_ms = rig.now_ms()
        await caller.reached(Phase.NO_ANSWER, limit_s=40)
        assert rig.now_ms() - started_ms == 30_000
        await rig.pass_ms(3000)
        assert caller.heard_tones[-1] is Tone.BUSY
        assert rig.world.trunks[1].state is TrunkState.IDLE

    run_rig(CONFIG, main)


def test_wrong_number() -> None:
    async def main(rig: Rig) -> None:
        caller = rig.caller()
        caller.dial("999")
        await caller.reached(Phase.ENDED, limit_s=1)
        await rig.pass_ms(5000)
        assert caller.detail == "no such number"
        assert set(caller.heard_tones) <= {Tone.CONGESTION, Tone.BUSY}  # in some countries one sounds as the other
        assert caller.heard_tones

    run_rig(CONFIG, main)


def test_all_lines_busy() -> None:
    async def main(rig: Rig) -> None:
        callers = [rig.caller() for _ in range(4)]
        for caller in callers:
            caller.dial(BOX)
        await rig.pass_ms(3000)
        assert [caller.phase for caller in callers] == [Phase.RINGING] * 3 + [Phase.BUSY]
        assert callers[3].heard_tones[-1] is Tone.BUSY

    run_rig(CONFIG, main)


def test_dialling_again_hangs_up_first() -> None:
    async def main(rig: Rig) -> None:
        caller = await talking(rig)
        rig.open(2)
        caller.dial(BOX)
        await caller.reached(Phase.RINGING)
        assert rig.events[1][-1] is LineEvent.ONHOOK

    run_rig(CONFIG, main)


# --- hunting ---


def rung(rig: Rig) -> list[int]:
    return [number for number, trunk in rig.world.trunks.items() if trunk.state is TrunkState.RINGING]


def test_first_free_line_is_rung() -> None:
    async def main(rig: Rig) -> None:
        first = rig.caller()
        first.dial(BOX)
        await rig.pass_ms(500)
        assert rung(rig) == [1]
        rig.caller().dial(BOX)
        await rig.pass_ms(500)
        assert rung(rig) == [1, 2]
        first.hang_up()
        await rig.pass_ms(500)
        rig.caller().dial(BOX)
        await rig.pass_ms(500)
        assert rung(rig) == [1, 2]

    run_rig(CONFIG, main)


def test_longest_free_line_is_rung() -> None:
    config = VirtualConfig(spans=CONFIG.spans, numbers=CONFIG.numbers, hunting=Hunting.LONGEST_FREE)

    async def main(rig: Rig) -> list[int]:
        order = []
        for _ in range(5):
            caller = rig.caller()
            caller.dial(BOX)
            await rig.pass_ms(500)
            order += rung(rig)
            caller.hang_up()
            await rig.pass_ms(500)
        return order

    assert run_rig(config, main) == [1, 2, 3, 1, 2]


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.FREEZE, Fault.ALARM], ids=lambda fault: fault.value)
def test_faulty_lines_are_passed_over(fault: Fault) -> None:
    async def main(rig: Rig) -> None:
        rig.card.set_fault(1, fault)
        rig.caller().dial(BOX)
        await rig.pass_ms(500)
        assert rung(rig) == [2]

    run_rig(CONFIG, main)


def test_a_line_the_box_holds_is_passed_over() -> None:
    async def main(rig: Rig) -> None:
        rig.open(1).set_hook(Hook.START)
        rig.caller().dial(BOX)
        await rig.pass_ms(500)
        assert rung(rig) == [2]

    run_rig(CONFIG, main)


# --- calls from the box ---


def test_box_dials_out_and_talks() -> None:
    async def main(rig: Rig) -> None:
        await seized(rig, FRIEND)
        friend = rig.world.telephones[FRIEND]
        friend.on_state.append(lambda each: each.detect("cn"))
        await friend.reached(Phase.RINGING, limit_s=5)
        assert friend.detail == BOX
        await rig.until(lambda: (Tone.RINGBACK, True) in rig.tones[1])
        await friend.reached(Phase.TALKING, limit_s=5)
        rig.digits[1] = ""
        await rig.pass_ms(300)
        rig.say(1, "135")
        friend.press("246")
        assert await rig.until(lambda: friend.heard_digits == "135")
        assert await rig.until(lambda: rig.digits[1] == "246")

    run_rig(CONFIG, main)


def test_called_telephone_hangs_up() -> None:
    async def main(rig: Rig) -> None:
        await seized(rig, FRIEND)
        friend = rig.world.telephones[FRIEND]
        await friend.reached(Phase.TALKING, limit_s=20)
        friend.hang_up()
        assert await rig.until(lambda: LineEvent.ONHOOK in rig.events[1])
        assert await rig.until(lambda: (Tone.BUSY, True) in rig.tones[1])
        rig.channel(1).set_hook(Hook.ON)
        assert friend.phase is Phase.IDLE
        assert rig.world.trunks[1].is_free()

    run_rig(CONFIG, main)


def test_box_hangs_up_on_a_called_telephone() -> None:
    async def main(rig: Rig) -> None:
        await seized(rig, FRIEND)
        friend = rig.world.telephones[FRIEND]
        await friend.reached(Phase.TALKING, limit_s=20)
        rig.channel(1).set_hook(Hook.ON)
        await friend.reached(Phase.ENDED, limit_s=1)
        await friend.reached(Phase.IDLE, limit_s=2)

    run_rig(CONFIG, main)


def test_box_gives_up_while_the_telephone_rings() -> None:
    async def main(rig: Rig) -> None:
        await seized(rig, NEVER_ONE)
        telephone = rig.world.telephones[NEVER_ONE]
        await telephone.reached(Phase.RINGING, limit_s=5)
        rig.channel(1).set_hook(Hook.ON)
        assert telephone.phase is Phase.IDLE
        assert telephone.detail == "the caller gave up"

    run_rig(CONFIG, main)


@pytest.mark.parametrize(
    ("number", "tones", "within_ms"),
    [(BUSY_ONE, {Tone.BUSY}, 6000), (NEVER_ONE, {Tone.BUSY}, 40_000), ("999", {Tone.CONGESTION, Tone.BUSY}, 6000)],
    ids=["busy", "no answer", "no such number"],
)
def test_box_hears_why_a_call_failed(number: str, tones: set[Tone], within_ms: int) -> None:
    async def main(rig: Rig) -> None:
        await seized(rig, number)
        heard = rig.tones[1]
        assert await rig.until(lambda: any((tone, True) in heard for tone in tones), within_ms)
        rig.channel(1).set_hook(Hook.ON)
        assert rig.world.trunks[1].is_free()

    run_rig(CONFIG, main)


def test_dial_tone_ends_at_the_first_digit() -> None:
    async def main(rig: Rig) -> None:
        await seized(rig, "1")
        assert await rig.until(lambda: (Tone.DIAL, False) in rig.tones[1], 1000)

    run_rig(CONFIG, main)


@pytest.mark.parametrize(("digits", "limit_ms"), [("", 15_000), ("138", 4_000)], ids=["no digit", "too few digits"])
def test_the_exchange_loses_patience(digits: str, limit_ms: int) -> None:
    async def main(rig: Rig) -> None:
        rig.open(1).set_hook(Hook.START)
        await rig.pass_ms(2000)
        if digits:
            rig.say(1, digits)
        assert await rig.until(lambda: rig.world.trunks[1].state is TrunkState.ENDED, limit_ms + 2000)

    run_rig(CONFIG, main)


def test_a_number_that_begins_another_waits_for_more() -> None:
    config = VirtualConfig(
        spans=CONFIG.spans, numbers=CONFIG.numbers, telephones=(TelephoneConfig(number="12"), TelephoneConfig(number="123"))
    )

    async def main(rig: Rig) -> None:
        await seized(rig, "12")
        await rig.pass_ms(3000)
        assert rig.world.telephones["12"].phase is Phase.IDLE
        await rig.world.telephones["12"].reached(Phase.RINGING, limit_s=3)

    run_rig(config, main)


def test_box_calls_itself_over_two_lines() -> None:
    async def main(rig: Rig) -> None:
        rig.answers(2)
        await seized(rig, BOX)
        assert await rig.until(lambda: rig.world.trunks[2].state is TrunkState.TALKING)
        rig.digits.clear()
        await rig.pass_ms(300)
        rig.say(1, "147")
        rig.say(2, "369")
        assert await rig.until(lambda: (rig.digits[2], rig.digits[1]) == ("147", "369"))
        rig.channel(1).set_hook(Hook.ON)
        assert await rig.until(lambda: LineEvent.ONHOOK in rig.events[2])

    run_rig(CONFIG, main)


def test_telephones_call_each_other() -> None:
    async def main(rig: Rig) -> None:
        friend = rig.world.telephones[FRIEND]
        friend.on_state.append(lambda each: each.detect("cn"))
        caller = rig.caller("1390000")
        caller.dial(FRIEND)
        await caller.reached(Phase.TALKING, limit_s=10)
        caller.press("12")
        friend.press("89")
        await friend.heard("12", limit_s=2)
        await caller.heard("89", limit_s=2)
        friend.hang_up()
        await caller.reached(Phase.ENDED, limit_s=1)

    run_rig(CONFIG, main)


def test_a_rung_telephone_that_hangs_up_refuses() -> None:
    async def main(rig: Rig) -> None:
        caller = rig.caller()
        caller.dial(NEVER_ONE)
        await caller.reached(Phase.RINGING, limit_s=1)
        rig.world.telephones[NEVER_ONE].hang_up()
        await caller.reached(Phase.BUSY, limit_s=1)

    run_rig(CONFIG, main)


# --- many, and always the same ---


def test_thirty_calls_at_once_on_an_e1() -> None:
    config = VirtualConfig(spans=(SpanConfig(kind=SpanKind.E1),), numbers=(NumberConfig(number=BOX, spans=(1,)),))

    async def main(rig: Rig) -> None:
        for number in config.span_channels(1):
            rig.answers(number)
        callers = [rig.caller() for _ in range(30)]
        for caller in callers:
            caller.dial(BOX)
        for caller in callers:
            await caller.reached(Phase.TALKING, limit_s=10)
        await rig.pass_ms(300)
        for index, caller in enumerate(callers):
            caller.press(f"{index:02}", 60, 60)
        await rig.pass_ms(2000)
        assert sorted(rig.digits.values()) == [f"{index:02}" for index in range(30)]
        for caller in callers:
            caller.hang_up()
        await rig.pass_ms(100)
        assert sum(events[-1] is LineEvent.ONHOOK for events in rig.events.values()) == 30

    run_rig(config, main)


def _a_busy_minute() -> list[tuple[int, int, str]]:
    async def main(rig: Rig) -> list[tuple[int, int, str]]:
        for number in (1, 2, 3):
            rig.answers(number, bursts=number)
        callers = [rig.caller() for _ in range(3)]
        for at, caller in enumerate(callers):
            caller.dial(BOX)
            await rig.pass_ms(1234 * at)
        await rig.pass_ms(20_000)
        for caller in callers:
            caller.press("123", 50, 50)
            await rig.pass_ms(777)
            caller.hang_up()
        await rig.pass_ms(20_000)
        return [*rig.timed, *((0, number, heard) for number, heard in rig.digits.items())]

    return run_rig(CONFIG, main)


def test_the_same_every_time() -> None:
    first = _a_busy_minute()
    assert len(first) > 15
    assert _a_busy_minute() == first


def test_two_hundred_calls_one_after_another_leave_nothing_behind() -> None:
    async def main(rig: Rig) -> None:
        rig.answers(1)
        used = []
        for _ in range(200):
            caller = rig.caller()
            caller.dial(BOX)
            await caller.reached(Phase.TALKING, limit_s=10)
            await rig.pass_ms(700)
            rig.world.dismiss(caller)
            await rig.pass_ms(100)
            rig.channel(1).set_hook(Hook.ON)
            await rig.pass_ms(2500)
            used.append(rig.engine.stats().ports_active)
        assert used[-1] == used[1], "ports of the far side are not used again"

    run_rig(CONFIG, main)
