"""Cases of the contract of cards: a telephone set, and orders out of place."""

from drivers.io import Hook, LineEvent
from tests.contract.card_bench import CardBench, Cases, listed_in, seen, taken
from tests.contract.refusals import refusal

CASES: Cases = {}
case = listed_in(CASES)


@case
async def a_set_picks_up_and_puts_down(bench: CardBench) -> None:
    number = bench.sets[0]
    await taken(bench, number)
    bench.set_puts_down(number)
    await seen(bench, number, LineEvent.ONHOOK)


@case
async def a_flash_is_not_a_hangup(bench: CardBench) -> None:
    number = bench.sets[0]
    await taken(bench, number)
    bench.set_flashes(number)
    await seen(bench, number, LineEvent.WINKFLASH)
    await bench.pass_ms(2000)
    assert LineEvent.ONHOOK not in bench.events(number)


@case
async def a_set_is_rung_in_cadence(bench: CardBench) -> None:
    number = bench.sets[0]
    channel = bench.open(number)
    channel.set_hook(Hook.RING)
    assert await bench.until(lambda: bench.set_rings(number))
    await seen(bench, number, LineEvent.RINGEROFF)
    await seen(bench, number, LineEvent.RINGERON)


@case
async def ringing_a_set_stops_on_order(bench: CardBench) -> None:
    number = bench.sets[0]
    channel = bench.open(number)
    channel.set_hook(Hook.RING)
    assert await bench.until(lambda: bench.set_rings(number))
    channel.set_hook(Hook.RING_OFF)
    assert await bench.until(lambda: not bench.set_rings(number))


@case
async def a_rung_set_answers(bench: CardBench) -> None:
    number = bench.sets[0]
    channel = bench.open(number)
    channel.set_hook(Hook.RING)
    assert await bench.until(lambda: bench.set_rings(number))
    bench.set_picks_up(number)
    await seen(bench, number, LineEvent.RINGOFFHOOK)
    channel.set_hook(Hook.OFF)
    await bench.pass_ms(1000)
    assert not bench.set_rings(number)
    assert channel.is_offhook()


@case
async def off_hook_can_be_asked(bench: CardBench) -> None:
    number = bench.sets[0]
    channel = bench.open(number)
    assert not channel.is_offhook()
    bench.set_picks_up(number)
    await seen(bench, number, LineEvent.RINGOFFHOOK)
    assert channel.is_offhook()


@case
async def a_line_in_service_looks_the_same_before_and_during_a_call(bench: CardBench) -> None:
    number = bench.trunks[0]
    channel = bench.open(number)
    assert channel.is_offhook()
    bench.far_rings(number)
    await seen(bench, number, LineEvent.RINGBEGIN)
    channel.set_hook(Hook.OFF)
    await bench.pass_ms(1500)
    assert channel.is_offhook()


@case
async def an_order_out_of_place_is_an_error(bench: CardBench) -> None:
    number = bench.sets[0]
    channel = await taken(bench, number)
    error = refusal(lambda: channel.set_hook(Hook.RING))
    assert error.code.startswith("LIN-")
    assert str(number) in error.what
