"""What the contract suites of E1 spans (link_suite, bits_suite, span_suite) stand on: the bench, and steps they share.

The cases are plain coroutines with asserts, no test runner needed: here they run on the virtual card (test_e1.py), in the lab guest on the
kernel's loopback spans (scenarios link_contract and bits_contract). Waits go through the bench, whose time may be virtual.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from drivers.io import ChannelIO, LineEvent, LinkIO
from tests.contract.e1_end import E1End

LIMIT_MS = 10_000  # of every wait
SOON_MS = 200  # by then a signal has surely crossed
E = LineEvent


class E1Bench(Protocol):
    """A PRI span and a CAS span between `box` and `far`, both started, nothing open."""

    box: E1End
    far: E1End
    pri_span: int
    cas_span: int

    async def pass_ms(self, ms: int) -> None:
        """Let so much time pass."""

    async def until(self, reached: Callable[[], bool], limit_ms: int = LIMIT_MS) -> bool:
        """Let time pass until this is so; False when it was not in time."""

    def cut_link(self, cut: bool) -> None:
        """Frames vanish both ways, or pass again; both ends have the D-channel open."""

    async def spoil(self, event: LineEvent) -> list[LineEvent]:
        """Let a frame with a bad check sum (BADFCS), or one that breaks off (ABORT), arrive at the box; what its D-channel told."""

    async def far_goes(self) -> None:
        """The far end of the PRI span is cut off: the box hears nothing of it."""

    async def far_returns(self) -> None:
        """It is back, with nothing open."""

    async def pull(self) -> None:
        """The box's end of the PRI span is unplugged."""

    async def plug(self) -> None:
        """It is back and configured."""


Case = Callable[[E1Bench], Awaitable[None]]


async def send_all(bench: E1Bench, link: LinkIO, frames: list[bytes]) -> None:
    """As fast as there is room."""
    for frame in frames:
        assert await bench.until(partial(link.send, frame)), "no room for a frame in time"


def both(bench: E1Bench, at: int = 0) -> tuple[ChannelIO, ChannelIO]:
    return bench.box.open(bench.box.cas[at]), bench.far.open(bench.far.cas[at])


async def sent(bench: E1Bench, channel: ChannelIO, bits: int, other: ChannelIO) -> None:
    channel.set_bits(bits)
    assert await bench.until(lambda: other.bits() == bits), f"sent {bits:04b}, there arrived {other.bits():04b}"
