"""Cases of the contract of cards: audio to and fro, and the native bridge."""

from tests.contract.card_bench import CardBench, Cases, answered, listed_in, taken

CASES: Cases = {}
case = listed_in(CASES)


@case
async def audio_goes_both_ways(bench: CardBench) -> None:
    number = bench.trunks[0]
    await answered(bench, number)
    bench.say(number, "147A")
    assert await bench.until(lambda: bench.far_heard(number) == "147A"), bench.far_heard(number)
    bench.far_says(number, "2580")
    assert await bench.until(lambda: bench.heard(number) == "2580"), bench.heard(number)


@case
async def audio_of_a_set_goes_both_ways(bench: CardBench) -> None:
    number = bench.sets[0]
    await taken(bench, number)
    bench.say(number, "369#")
    assert await bench.until(lambda: bench.far_heard(number) == "369#"), bench.far_heard(number)
    bench.far_says(number, "0*")
    assert await bench.until(lambda: bench.heard(number) == "0*"), bench.heard(number)


@case
async def a_detached_channel_is_silent_and_can_be_attached_again(bench: CardBench) -> None:
    number = bench.trunks[0]
    channel = await answered(bench, number)
    channel.detach()
    await bench.pass_ms(200)
    bench.far_says(number, "1")
    await bench.pass_ms(1000)
    assert bench.heard(number) == ""
    channel.attach(bench.port(number))
    await bench.pass_ms(200)
    bench.far_says(number, "2")
    assert await bench.until(lambda: bench.heard(number) == "2"), bench.heard(number)


@case
async def a_native_bridge_joins_and_parts(bench: CardBench) -> None:
    trunk, station = bench.trunks[0], bench.sets[0]
    first = await answered(bench, trunk)
    second = await taken(bench, station)
    assert first.native_peer() is None
    assert first.native_bridge(second)
    assert (first.native_peer(), second.native_peer()) == (station, trunk)
    await bench.pass_ms(200)
    bench.far_says(trunk, "123")
    assert await bench.until(lambda: bench.far_heard(station) == "123"), bench.far_heard(station)
    bench.far_says(station, "456")
    assert await bench.until(lambda: bench.far_heard(trunk) == "456"), bench.far_heard(trunk)
    first.native_unbridge()
    assert first.native_peer() is None
    assert second.native_peer() is None


@case
async def the_box_hears_natively_bridged_channels(bench: CardBench) -> None:
    trunk, station = bench.trunks[0], bench.sets[0]
    first, second = await answered(bench, trunk), await taken(bench, station)
    assert first.native_bridge(second)
    await bench.pass_ms(200)
    bench.far_says(trunk, "789")
    assert await bench.until(lambda: bench.heard(trunk) == "789"), bench.heard(trunk)


@case
async def after_unbridging_the_box_is_heard_again(bench: CardBench) -> None:
    trunk, station = bench.trunks[0], bench.sets[0]
    first, second = await answered(bench, trunk), await taken(bench, station)
    assert first.native_bridge(second)
    await bench.pass_ms(200)
    first.native_unbridge()
    await bench.pass_ms(200)
    bench.say(trunk, "11")
    bench.say(station, "22")
    assert await bench.until(lambda: (bench.far_heard(trunk), bench.far_heard(station)) == ("11", "22"))


@case
async def closing_a_bridged_channel_frees_the_other(bench: CardBench) -> None:
    trunk, station = bench.trunks[0], bench.sets[0]
    first, second = await answered(bench, trunk), await taken(bench, station)
    assert first.native_bridge(second)
    first.close()
    await bench.pass_ms(200)
    assert second.native_peer() is None
    bench.say(station, "5")
    assert await bench.until(lambda: bench.far_heard(station) == "5")
