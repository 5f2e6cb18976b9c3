"""The exchange and its telephones: calls from the box and among telephones, tones, patience."""

import pytest

from drivers.io import Hook, LineEvent
from drivers.media import Tone
from drivers.virtual.config import TelephoneConfig, VirtualConfig
from drivers.virtual.handset import Phase
from drivers.virtual.trunk import TrunkState
from tests.contract.rig import Rig, run_rig
from tests.unit.exchange_rig import BOX, BUSY_ONE, CONFIG, FRIEND, NEVER_ONE, seized


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
