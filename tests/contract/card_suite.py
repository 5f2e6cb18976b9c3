"""What every card must do, written once: `CASES` runs over a `CardBench`, which is a card with somebody at the far end of its lines.

Plain coroutines with asserts, no test runner needed: here they run on the virtual card (test_card.py), in the lab guest on real
DAHDI drivers. Only the bench knows which it is. Waits go through the bench, whose time may be virtual.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from drivers.errors import LineError
from drivers.io import Card, ChannelIO, Hook, LineEvent, Signalling

LIMIT_MS = 15_000  # of every wait; two ring periods of any country and then some


class CardBench(Protocol):
    """A started card and the far end of four of its lines. `trunks` are fxsks, `sets` fxoks, two of each, nobody on any of them."""

    card: Card
    trunks: tuple[int, int]
    sets: tuple[int, int]

    def open(self, number: int) -> ChannelIO:
        """Open a channel, with a media port attached; the bench closes what a case leaves open."""

    def port(self, number: int) -> int:
        """The media port the bench gave that channel."""

    def events(self, number: int) -> list[LineEvent]:
        """Everything the channel reported since it was opened."""

    async def pass_ms(self, ms: int) -> None:
        """Let so much time pass."""

    async def until(self, reached: Callable[[], bool], limit_ms: int = LIMIT_MS) -> bool:
        """Let time pass until this is so; False when it was not in time."""

    # the far end of a trunk

    def far_rings(self, number: int) -> None:
        """Begin to ring the trunk, with the country's cadence."""

    def far_gives_up(self, number: int) -> None:
        """Stop ringing before an answer."""

    def far_sees_loop(self, number: int) -> bool:
        """The far end of the trunk sees the loop closed."""

    def far_hangs_up(self, number: int) -> None:
        """After an answer, with a battery drop."""

    # the far end of a set's port

    def set_rings(self, number: int) -> bool:
        """The set is being rung; true through the pauses of the cadence."""

    def set_picks_up(self, number: int) -> None: ...

    def set_puts_down(self, number: int) -> None: ...

    def set_flashes(self, number: int) -> None: ...

    # audio, in DTMF, which any far end can send and detect

    def say(self, number: int, digits: str) -> None:
        """The box's port sends digits towards the far end."""

    def far_says(self, number: int, digits: str) -> None:
        """The far end sends digits towards the box."""

    def heard(self, number: int) -> str:
        """Digits the box's port heard."""

    def far_heard(self, number: int) -> str:
        """Digits the far end heard."""


Case = Callable[[CardBench], Awaitable[None]]
CASES: dict[str, Case] = {}


def case(run: Case) -> Case:
    CASES[run.__name__] = run  # type: ignore[attr-defined]
    return run


async def seen(bench: CardBench, number: int, event: LineEvent, times: int = 1) -> None:
    """Wait for the event; the assert tells what came instead."""
    found = await bench.until(lambda: bench.events(number).count(event) >= times)
    assert found, f"channel {number}: no {event.name} (x{times}); there came {[each.name for each in bench.events(number)]}"


def refusal(call: Callable[[], object]) -> LineError:
    """The LineError that the call must raise."""
    try:
        call()
    except LineError as error:
        return error
    raise AssertionError("it was done, and should have been refused")


async def answered(bench: CardBench, number: int) -> ChannelIO:
    """A trunk on which a call was answered and the debounce time is over."""
    channel = bench.open(number)
    bench.far_rings(number)
    await seen(bench, number, LineEvent.RINGBEGIN)
    channel.set_hook(Hook.OFF)
    assert await bench.until(lambda: bench.far_sees_loop(number)), "the far end does not see the answer"
    await bench.pass_ms(1500)
    return channel


async def taken(bench: CardBench, number: int) -> ChannelIO:
    """A set that picked up, and the box took it."""
    channel = bench.open(number)
    bench.set_picks_up(number)
    await seen(bench, number, LineEvent.RINGOFFHOOK)
    channel.set_hook(Hook.OFF)
    await bench.pass_ms(1500)
    return channel


# --- what there is ---


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


# --- a set ---


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


# --- audio ---


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
