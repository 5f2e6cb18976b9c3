"""The line server on 24 FXO ports of the kernel, wired to 24 ports on which an exchange of our own stands. Guest only, one process.

The exchange's end of each line is played by a script: it rings and tells who calls, takes digits, sounds tones, and knows hook flash.
"""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from drivers.config import GroupConfig, LinesConfig
from drivers.io import Hook, LineEvent
from drivers.media import EngineConfig, Tone, zone_tone
from drivers.media.line_signals import Fsk
from drivers.protocol import Caller
from drivers.signalling import callerid
from drivers.signalling.fxo_profile import LineProfile
from drivers.tone_cadence import cadence_of
from tests.lab import cards
from tests.lab.exchange import WRITE_AHEAD, Exchange, Line
from tests.lab.server_rig import ServerRig
from tests.lab.steady import steady_machine

PAIRS = 24
OURS, FAR = range(1, PAIRS + 1), range(PAIRS + 1, 2 * PAIRS + 1)
ID_PAUSE_S = 0.6
KEY_MS = 70
BATTERY_BACK_S = 1.0
FOLDER = Path("/tmp/fxo")


class BoxLines(ServerRig):
    """The line server and its agent."""

    def __init__(self, profile: LineProfile, folder: Path) -> None:
        lines = LinesConfig(card="dahdi", groups=(GroupConfig(name="trunk", channels=f"1-{PAIRS}"),), analog=profile)
        super().__init__(lines, folder, EngineConfig(max_ports=2 * PAIRS, max_lines=1, max_recordings=8), WRITE_AHEAD)


class SwitchLine:
    """The exchange's end of one line."""

    def __init__(self, line: Line, exchange: Exchange) -> None:
        self.line, self.exchange = line, exchange
        self.channel = line.number - PAIRS

    # --- it calls the box ----------------------------------------------------------------------------------------------

    async def ring(self, caller: Caller, standard: str) -> None:
        """Ring, tell who calls after the first burst by "bell202", "v23" or "dtmf", and wait until the box answers."""
        line, since = self.line, len(self.line.seen)
        await line.quiet()
        line.io.attach(line.port)
        await line.hook(Hook.RING)
        await line.event(LineEvent.RINGEROFF, since)
        await asyncio.sleep(ID_PAUSE_S)
        if standard == "dtmf":
            self.exchange.engine.send_digits(line.port, callerid.to_dtmf(caller), KEY_MS, KEY_MS)
        else:
            self.exchange.engine.send_caller_id(line.port, callerid.to_message(caller), Fsk[standard.upper()])
        await line.event(LineEvent.RINGOFFHOOK, since)
        await line.hook(Hook.OFF)

    # --- the box calls ---------------------------------------------------------------------------------------------------

    async def seized(self, since: int, dial_tone: bool = True) -> None:
        """Wait for the box to take the line, and give dial tone."""
        await self.line.event(LineEvent.RINGOFFHOOK, since)
        self.line.io.attach(self.line.port)
        await self.line.hook(Hook.OFF)
        if dial_tone:
            self.await_digits()

    def await_digits(self) -> None:
        self.line.keys = ""
        self.exchange.engine.detect_digits(self.line.port)
        self.tone(Tone.DIAL)

    async def dialled(self, length: int) -> str:
        """The number; dial tone stops with its first digit."""
        await self.line.until("first digit", lambda: bool(self.line.keys))
        self.tone(None)
        await self.line.until(f"{length} digits", lambda: len(self.line.keys) >= length)
        return self.line.keys

    async def flashed(self, since: int) -> None:
        await self.line.event(LineEvent.WINKFLASH, since)

    def tone(self, tone: Tone | None) -> None:
        self.exchange.engine.tone(self.line.port, zone_tone("cn", tone) if tone else None)

    def sound(self, text: str) -> None:
        """A tone that is no country's, as "400/500,0/500"."""
        self.exchange.engine.tone(self.line.port, cadence_of(text))

    async def box_hangs_up(self, since: int) -> None:
        await self.line.event(LineEvent.ONHOOK, since)
        await self.rest()

    async def drop_battery(self) -> None:
        """The kewl-start way."""
        await self.line.hook(Hook.ON)
        await asyncio.sleep(BATTERY_BACK_S)

    async def rest(self) -> None:
        self.tone(None)
        await self.line.rest()


@contextlib.asynccontextmanager
async def fxo_box(profile: LineProfile, name: str) -> AsyncIterator[tuple[BoxLines, list[SwitchLine]]]:
    """Cards loaded afresh, line server and exchange on them."""
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    cards.install(cards.analogue_pairs(PAIRS))
    with steady_machine():
        async with Exchange(FAR, (), folder / "far") as exchange, BoxLines(profile, folder) as box:
            await asyncio.sleep(3)  # both sides hung up as they were opened: batteries drop, rings are not told
            yield box, [SwitchLine(line, exchange) for line in exchange.lines]
