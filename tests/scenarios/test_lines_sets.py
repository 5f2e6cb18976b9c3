"""Telephone sets on the virtual card, through line server and protocol: ringing, caller id, lamp, left off-hook, alarm."""

import asyncio
import re
from pathlib import Path

import pytest

from drivers.media import Tone
from drivers.protocol import Alerting, Answered, Cause, ChannelChanged, Offered, Presentation, Released, Seize, ShowMessages
from tests.scenarios.lines_rig import Rig, recorded, run_rig
from tests.scenarios.set_rig import SET, TONES, Bell, Display, lines


@pytest.mark.parametrize(
    ("ring", "lengths_ms", "pauses_ms"),
    [
        ("internal", [400, 400, 400], [200, 4000]),
        ("recall", [300, 300, 300], [200, 200]),
        ("external", [1000, 1000, 1000], [4000, 4000]),
        ("", [1000, 1000, 1000], [4000, 4000]),
    ],
)
def test_kind_of_call_is_heard_from_the_ring(folder: Path, ring: str, lengths_ms: list[int], pauses_ms: list[int]) -> None:
    async def main(rig: Rig) -> None:
        bell = Bell(rig.world, SET)
        rig.agent.send(Seize(leg="a", channel=SET, ring=ring))
        await asyncio.sleep(14)
        assert (bell.lengths_ms()[:3], bell.pauses_ms()[:2]) == (lengths_ms, pauses_ms)

    run_rig(folder, main)


@pytest.mark.parametrize(("standard", "ring"), [("fsk", "external"), ("fsk", "internal"), ("fsk", "recall"), ("v23", "external")])
@pytest.mark.parametrize("number", ["13800138000", "8002", None])
def test_set_is_told_who_calls_between_the_rings(folder: Path, standard: str, ring: str, number: str | None) -> None:
    async def main(rig: Rig) -> None:
        display, bell = Display(rig, SET), Bell(rig.world, SET)
        rig.agent.send(Seize(leg="a", channel=SET, ring=ring, caller=number))
        await asyncio.sleep(12)
        (shown,) = display.shown
        wanted = (number or "", Presentation.ALLOWED if number else Presentation.UNAVAILABLE)
        assert (shown.number, shown.presentation) == wanted
        assert len(bell.bursts) >= 2

    run_rig(folder, main, lines(caller_id=standard))


def test_set_is_told_who_calls_by_keys_before_the_first_ring(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        display, bell = Display(rig, SET), Bell(rig.world, SET)
        rig.agent.send(Seize(leg="a", channel=SET, caller="13800138000"))
        await rig.agent.told(Alerting, leg="a")
        assert "13800138000" in display.keys
        await asyncio.sleep(6)
        assert bell.lengths_ms()[0] == 1000

    run_rig(folder, main, lines(caller_id="dtmf"))


def test_set_lifted_while_it_is_told_who_calls_hears_no_more_of_it(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        telephone = rig.world.sets[SET]
        rig.agent.send(Seize(leg="a", channel=SET, caller="13800138000"))
        await asyncio.sleep(1.8)  # the first ring is over for 0.8 s
        telephone.pick_up()
        await rig.agent.told(Answered, leg="a")
        await asyncio.sleep(0.1)
        telephone.listen(folder / "heard.wav")
        await asyncio.sleep(2)
        telephone.stop_listening()
        await asyncio.sleep(1)

    run_rig(folder, main)
    assert set(recorded(folder / "heard.wav")[0]) == {0xD5}


def test_message_waiting(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        telephone = rig.world.sets[SET]
        rig.agent.send(ShowMessages(channel=SET))
        await asyncio.sleep(0.1)
        assert telephone._wire.message_waiting
        telephone.pick_up()
        telephone.listen(folder / "heard.wav")
        await asyncio.sleep(2)
        telephone.hang_up()
        rig.agent.send(ShowMessages(channel=SET, waiting=False))
        await asyncio.sleep(1)
        assert not telephone._wire.message_waiting

    run_rig(folder, main)
    assert [len(pause) for pause in re.findall(b"\xd5{100,}", recorded(folder / "heard.wav")[0][4000:12000])] == [321, 321]


def test_set_left_off_hook_is_howled_at_told_of_and_left_alone(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        telephone = rig.world.sets[SET]
        telephone.pick_up()
        telephone.detect("cn", TONES)
        telephone.listen(folder / "heard.wav")
        await asyncio.sleep(15 + 40 + 2)
        assert telephone.heard_tones[:2] == [Tone.DIAL, Tone.BUSY]
        assert rig.channel_state(SET).alarms == ("offhook",)
        assert any(changed.channel.alarms == ("offhook",) for changed in rig.agent.heard(ChannelChanged))
        assert rig.channel_state(SET).state == "howler"
        await asyncio.sleep(60)
        assert rig.channel_state(SET).state == "parked"
        rig.agent.send(Seize(leg="a", channel=SET))
        assert (await rig.agent.told(Released, leg="a")).cause == Cause.CHANNEL_NOT_AVAILABLE
        telephone.hang_up()
        await asyncio.sleep(3)
        assert rig.channel_state(SET).alarms == ()
        rig.agent.send(Seize(leg="b", channel=SET))
        await rig.agent.told(Alerting, leg="b")
        assert not rig.agent.heard(Offered)

    run_rig(folder, main)
    heard = recorded(folder / "heard.wav")[0]
    loudest = [max(abs((sample ^ 0x55) & 0x7F) for sample in heard[8000 * second : 8000 * second + 4000]) for second in (57, 59, 61, 63)]
    assert loudest == sorted(loudest)
    assert loudest[0] < loudest[-1]
    assert set(heard[8000 * 116 : 8000 * 116 + 800]) == {0xD5}


def test_set_is_in_alarm_and_back(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        telephone = rig.lift(SET, "8002")
        leg = await rig.offered()
        rig.card.set_span_alarm(2, "red")
        assert (await rig.agent.told(Released, leg=leg)).cause == Cause.NETWORK_OUT_OF_ORDER
        await asyncio.sleep(5)
        rig.card.set_span_alarm(2)
        await asyncio.sleep(3)
        telephone.press("8002")
        assert (await rig.agent.told(Offered)).state.dnis == "8002"

    run_rig(folder, main)
