"""The exchange and its telephones: calls to the box, told and heard from both ends."""

from drivers.io import Hook, LineEvent
from drivers.media import Tone
from drivers.virtual.handset import Phase
from drivers.virtual.telephone import OutsideTelephone
from drivers.virtual.trunk import TrunkState
from tests.contract.rig import Rig, run_rig
from tests.unit.exchange_rig import BOX, CONFIG, phases, talking


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
