"""Cases of the contract of cards: what channels there are, and a trunk that is called or seized."""

from drivers.io import Hook, LineEvent, Signalling
from tests.contract.card_bench import CardBench, Cases, answered, listed_in, seen
from tests.contract.refusals import refusal

CASES: Cases = {}
case = listed_in(CASES)


@case
async def channels_are_listed_with_their_signalling(bench: CardBench) -> None:
    specs = {spec.number: spec for spec in bench.card.channels()}
    assert all(specs[number].signalling is Signalling.FXSKS for number in bench.trunks)
    assert all(specs[number].signalling is Signalling.FXOKS for number in bench.sets)
    assert len(specs) == len(bench.card.channels()), "a channel number is given twice"


@case
async def every_channel_is_on_a_span_that_is_listed(bench: CardBench) -> None:
    spans = {span.number: span for span in bench.card.spans()}
    assert all(spec.span in spans and spec.timeslot >= 1 for spec in bench.card.channels())
    assert all(not span.alarms for span in spans.values())


@case
async def a_channel_that_does_not_exist_is_an_error(bench: CardBench) -> None:
    error = refusal(lambda: bench.card.open(1000))
    assert error.code.startswith("LIN-")
    assert "1000" in error.what
    assert error.remedy


@case
async def an_idle_channel_reports_nothing(bench: CardBench) -> None:
    for number in (*bench.trunks, *bench.sets):
        bench.open(number)
    await bench.pass_ms(1000)
    assert [bench.events(number) for number in (*bench.trunks, *bench.sets)] == [[], [], [], []]


# --- a trunk is called ---


@case
async def ring_begins_and_each_burst_ends(bench: CardBench) -> None:
    number = bench.trunks[0]
    bench.open(number)
    bench.far_rings(number)
    await seen(bench, number, LineEvent.RINGOFFHOOK, times=2)
    expected = [LineEvent.RINGBEGIN, LineEvent.RINGOFFHOOK] * 2
    assert bench.events(number)[:4] == expected


@case
async def no_more_rings_when_the_caller_gives_up(bench: CardBench) -> None:
    number = bench.trunks[0]
    bench.open(number)
    bench.far_rings(number)
    await seen(bench, number, LineEvent.RINGOFFHOOK)
    bench.far_gives_up(number)
    await bench.pass_ms(1000)
    told = len(bench.events(number))
    await bench.pass_ms(6000)
    assert len(bench.events(number)) == told


@case
async def answering_is_seen_at_the_far_end(bench: CardBench) -> None:
    await answered(bench, bench.trunks[0])
    assert LineEvent.ONHOOK not in bench.events(bench.trunks[0])


@case
async def hanging_up_is_seen_at_the_far_end(bench: CardBench) -> None:
    number = bench.trunks[0]
    channel = await answered(bench, number)
    channel.set_hook(Hook.ON)
    assert await bench.until(lambda: not bench.far_sees_loop(number))


@case
async def far_hangup_is_an_event(bench: CardBench) -> None:
    number = bench.trunks[0]
    await answered(bench, number)
    bench.far_hangs_up(number)
    await seen(bench, number, LineEvent.ONHOOK)


@case
async def far_hangup_right_after_the_answer_is_an_event(bench: CardBench) -> None:
    number = bench.trunks[0]
    channel = bench.open(number)
    bench.far_rings(number)
    await seen(bench, number, LineEvent.RINGBEGIN)
    channel.set_hook(Hook.OFF)
    assert await bench.until(lambda: bench.far_sees_loop(number))
    await bench.pass_ms(200)
    bench.far_hangs_up(number)
    await seen(bench, number, LineEvent.ONHOOK)


@case
async def a_line_just_opened_is_deaf_to_the_first_burst(bench: CardBench) -> None:
    number = bench.trunks[0]
    bench.open(number)
    bench.far_rings(number)
    await bench.pass_ms(3000)
    assert bench.events(number) == []
    await seen(bench, number, LineEvent.RINGBEGIN)


@case
async def closing_hangs_up(bench: CardBench) -> None:
    number = bench.trunks[0]
    channel = await answered(bench, number)
    channel.close()
    assert await bench.until(lambda: not bench.far_sees_loop(number))


@case
async def a_closed_channel_opens_again(bench: CardBench) -> None:
    number = bench.trunks[0]
    bench.open(number).close()
    bench.open(number)
    bench.far_rings(number)
    await seen(bench, number, LineEvent.RINGBEGIN)


@case
async def calls_follow_one_another(bench: CardBench) -> None:
    number = bench.trunks[0]
    channel = await answered(bench, number)
    bench.far_hangs_up(number)
    await seen(bench, number, LineEvent.ONHOOK)
    channel.set_hook(Hook.ON)
    await bench.pass_ms(3000)
    rings = bench.events(number).count(LineEvent.RINGBEGIN)
    bench.far_rings(number)
    await seen(bench, number, LineEvent.RINGBEGIN, times=rings + 1)


@case
async def two_trunks_do_not_disturb_each_other(bench: CardBench) -> None:
    first, second = bench.trunks
    await answered(bench, first)
    bench.open(second)
    bench.far_rings(second)
    await seen(bench, second, LineEvent.RINGBEGIN)
    bench.far_gives_up(second)
    await bench.pass_ms(1000)
    assert bench.far_sees_loop(first)
    assert LineEvent.ONHOOK not in bench.events(first)


@case
async def seizing_is_seen_at_the_far_end(bench: CardBench) -> None:
    number = bench.trunks[0]
    channel = bench.open(number)
    channel.set_hook(Hook.START)
    assert await bench.until(lambda: bench.far_sees_loop(number))
    await seen(bench, number, LineEvent.HOOKCOMPLETE)
    channel.set_hook(Hook.ON)
    assert await bench.until(lambda: not bench.far_sees_loop(number))
