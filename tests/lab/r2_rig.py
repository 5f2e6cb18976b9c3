"""The line server on a CAS span of the kernel, wired to another on which r2test stands; a call agent that notes what it is told. Guest
only."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec

from drivers.config import GroupConfig, LinesConfig
from drivers.dahdi.setup import CardSetup, ChannelGroup, DynamicSpan
from drivers.io import Signalling
from drivers.media import EngineConfig
from drivers.signalling.r2 import R2Span
from tests.lab import cards
from tests.lab.server_rig import ServerRig
from tests.lab.steady import steady_machine

OURS = tuple(slot for slot in range(1, 32) if slot != 16)
FAR_OFFSET = 31
WRITE_AHEAD = 8  # the emulated machine pauses for longer than a real one


def r2_setup() -> CardSetup:
    """Span 1 ours, span 2 the far end's: 30 channels each, timeslot 16 carries their bits."""
    return CardSetup(
        dynamic_spans=(DynamicSpan("loc", "1:0", 31), DynamicSpan("loc", "1:1", 31)),
        groups=(
            ChannelGroup("1-15,17-31", Signalling.CAS, law="alaw"),
            ChannelGroup("32-46,48-62", Signalling.CAS, law="alaw"),
        ),
    )


class R2Box(ServerRig):
    """The line server and its agent."""

    def __init__(self, settings: R2Span, folder: Path) -> None:
        lines = LinesConfig(card="dahdi", groups=(GroupConfig(name="trunk", channels="1-15,17-31"),), r2=(settings,))
        super().__init__(lines, folder, EngineConfig(max_ports=64, max_lines=1, max_recordings=8, realtime_priority=40), WRITE_AHEAD)

    def state_of(self, channel: int) -> str:
        return self.server.lines.channels[channel].state().state

    def given_up(self) -> int:
        """Calls that were refused or given up so far, for whatever reason."""
        return sum(channel.care.failures for channel in self.server.lines.channels.values())

    def stood_still_ms(self) -> float:
        """The longest time that the media core came late."""
        return self._engine.stats().tick_late_ms_max

    def states(self) -> str:
        """Those not idle."""
        found = {number: self.state_of(number) for number in OURS}
        return ", ".join(f"{number} {state}" for number, state in found.items() if state != "idle") or "all idle"

    async def until(self, reached: Callable[[], bool], what: str, limit_s: float) -> None:
        deadline_s = time.monotonic() + limit_s
        while not reached():
            assert time.monotonic() < deadline_s, f"not within {limit_s:.0f} s: {what}; {self.states()}"
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def r2_box(settings: R2Span, name: str) -> AsyncIterator[R2Box]:
    """Cards loaded afresh, the line server on them."""
    folder = Path("/tmp/r2") / name
    shutil.rmtree(folder, ignore_errors=True)
    cards.install(r2_setup())
    with steady_machine():
        async with R2Box(settings, folder) as box:
            yield box


def far_of(channel: int) -> int:
    """Number of the channel at the far end of it."""
    return channel + FAR_OFFSET


def settings_of(variant: str, **settings: object) -> R2Span:
    return msgspec.convert({"variant": variant, "dnis_length": 8, **settings}, R2Span)
