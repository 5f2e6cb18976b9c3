"""Cases of the contract of cards: dial pulses both ways, and what a set's port can do beside ringing."""

from collections.abc import Callable

from drivers.errors import LineError
from drivers.io import ChannelIO, Hook, LineEvent
from tests.contract.card_bench import CardBench, Cases, listed_in, seen, taken
from tests.contract.refusals import refusal

CASES: Cases = {}
case = listed_in(CASES)

E = LineEvent
DIALLED = "270159"
"""A number of the far end that its digits lead to one by one."""
CANNOT = "LIN-117"


def code_of(order: Callable[[bool], None], on: bool) -> str:
    """Of the error it raises; "" when it is done."""
    try:
        order(on)
    except LineError as error:
        return error.code
    return ""


async def seized(bench: CardBench, number: int) -> ChannelIO:
    channel = bench.open(number)
    channel.set_hook(Hook.START)
    await seen(bench, number, E.HOOKCOMPLETE)
    return channel


@case
async def a_number_is_dialled_by_pulses(bench: CardBench) -> None:
    number = bench.trunks[0]
    channel = await seized(bench, number)
    channel.dial_pulses(DIALLED)
    await seen(bench, number, E.DIALCOMPLETE)
    assert await bench.until(lambda: bench.far_dialled(number) == DIALLED), bench.far_dialled(number)
    assert bench.far_sees_loop(number)
    assert bench.events(number).count(E.DIALCOMPLETE) == 1


@case
async def audio_goes_on_after_pulses(bench: CardBench) -> None:
    number = bench.trunks[0]
    channel = await seized(bench, number)
    channel.dial_pulses(DIALLED)
    await seen(bench, number, E.DIALCOMPLETE)
    await bench.pass_ms(3000)
    bench.say(number, "147A")
    assert await bench.until(lambda: bench.far_heard(number).endswith("147A")), bench.far_heard(number)
    bench.far_says(number, "258")
    assert await bench.until(lambda: bench.heard(number).endswith("258")), bench.heard(number)


@case
async def hanging_up_ends_pulse_dialling(bench: CardBench) -> None:
    number = bench.trunks[0]
    channel = await seized(bench, number)
    channel.dial_pulses("00000")
    await bench.pass_ms(1500)
    channel.set_hook(Hook.ON)
    assert await bench.until(lambda: not bench.far_sees_loop(number))
    await bench.pass_ms(8000)
    assert E.DIALCOMPLETE not in bench.events(number)


@case
async def only_digits_can_be_pulses(bench: CardBench) -> None:
    channel = await seized(bench, bench.trunks[0])
    for digits in ("", "1*", "A"):
        assert "pulses" in refusal(channel.dial_pulses, digits).what


@case
async def a_set_dials_by_pulses(bench: CardBench) -> None:
    number = bench.sets[0]
    await taken(bench, number)
    bench.set_dials_pulses(number, "307")
    await seen(bench, number, E.PULSE_7)
    digits = [event for event in bench.events(number) if event.name.startswith("PULSE_") and event is not E.PULSE_START]
    assert digits == [E.PULSE_3, E.PULSE_0, E.PULSE_7]
    assert E.ONHOOK not in bench.events(number)
    assert E.WINKFLASH not in bench.events(number)


@case
async def a_set_rings_in_a_cadence_of_its_own(bench: CardBench) -> None:
    number = bench.sets[0]
    channel = bench.open(number)
    channel.set_ring_cadence((500, 500))
    channel.set_hook(Hook.RING)
    await bench.pass_ms(6000)
    assert 4 <= bench.events(number).count(E.RINGERON) <= 7
    channel.set_hook(Hook.RING_OFF)
    channel.set_ring_cadence(())


@case
async def a_loop_open_longer_than_a_flash_may_be_is_a_hangup(bench: CardBench) -> None:
    number = bench.sets[0]
    channel = await taken(bench, number)
    channel.set_flash_limit(300)
    bench.set_flashes(number)
    await seen(bench, number, E.ONHOOK)
    assert E.WINKFLASH not in bench.events(number)
    channel.set_flash_limit(1250)


@case
async def polarity_and_lamp_work_or_are_refused_clearly(bench: CardBench) -> None:
    number = bench.sets[0]
    channel = bench.open(number)
    for on in (True, False):
        for order in (channel.set_polarity, channel.show_message_waiting):
            assert code_of(order, on) in ("", CANNOT)
    bench.set_picks_up(number)
    await seen(bench, number, E.RINGOFFHOOK)


@case
async def what_a_trunk_has_not_is_refused(bench: CardBench) -> None:
    channel = bench.open(bench.trunks[0])
    for refused in (
        lambda: channel.set_polarity(True),
        lambda: channel.show_message_waiting(True),
        lambda: channel.set_ring_cadence((500, 500)),
        lambda: channel.set_bits(0),
        channel.bits,
    ):
        assert "fxsks" in refusal(refused).what
