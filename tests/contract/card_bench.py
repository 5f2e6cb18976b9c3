"""What a case of the contract of cards stands on: the bench, how cases are listed, and steps that many of them begin with."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from drivers.io import Card, ChannelIO, Hook, LineEvent

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

    def far_dialled(self, number: int) -> str:
        """Digits by pulses that the far end of a seized trunk counted."""

    # the far end of a set's port

    def set_rings(self, number: int) -> bool:
        """The set is being rung; true through the pauses of the cadence."""

    def set_picks_up(self, number: int) -> None: ...

    def set_puts_down(self, number: int) -> None: ...

    def set_flashes(self, number: int) -> None:
        """The loop opens for 500 to 750 ms."""

    def set_dials_pulses(self, number: int, digits: str) -> None: ...

    # audio, in DTMF, which any far end can send and detect

    def say(self, number: int, digits: str) -> None:
        """The box's port sends digits towards the far end."""

    def far_says(self, number: int, digits: str) -> None:
        """The far end sends digits towards the box."""

    def heard(self, number: int) -> str:
        """Digits the box's port heard."""

    def far_heard(self, number: int) -> str:
        """Digits the far end heard."""


class Case(Protocol):
    """One thing that every card must do."""

    __name__: str

    def __call__(self, bench: CardBench) -> Awaitable[None]: ...


Cases = dict[str, Case]


def listed_in(cases: Cases) -> Callable[[Case], Case]:
    """A decorator that lists a case by its name."""

    def listed(case: Case) -> Case:
        cases[case.__name__] = case
        return case

    return listed


async def seen(bench: CardBench, number: int, event: LineEvent, times: int = 1) -> None:
    """Wait for the event; the assert tells what came instead."""
    found = await bench.until(lambda: bench.events(number).count(event) >= times)
    assert found, f"channel {number}: no {event.name} (x{times}); there came {[each.name for each in bench.events(number)]}"


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
