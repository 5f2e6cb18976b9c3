"""Telephone sets of the line server's rig: which channels, what a set hears and shows, and a set that talks."""

import asyncio
from typing import Any

import msgspec

from drivers.config import LinesConfig
from drivers.media import End, EventKind, MediaEvent, Tone
from drivers.protocol import Answered, Caller, Seize
from drivers.signalling import callerid
from drivers.signalling.fxs_config import SetsConfig
from drivers.virtual.handset import Phase
from drivers.virtual.hookstate import TxSig
from drivers.virtual.world import World
from tests.scenarios.lines_rig import LINES, Rig

SET = 5
TONES = (Tone.DIAL, Tone.BUSY, Tone.CONGESTION, Tone.RINGBACK)


def lines(**sets: Any) -> LinesConfig:
    """The rig's lines with these settings of `[lines.sets]`."""
    return msgspec.structs.replace(LINES, sets=SetsConfig(**sets))


class Display:
    """A caller id box on the wire of a set: hears between the rings, without going off-hook."""

    def __init__(self, rig: Rig, channel: int) -> None:
        self.shown: list[Caller] = []
        self.keys = ""
        self._engine = rig.engine
        self._port = rig.world.ports.take(self._happened)
        rig.engine.attach_line(self._port, rig.world.sets[channel]._wire.line, End.FAR)
        rig.engine.detect_caller_id(self._port, True)
        rig.engine.detect_digits(self._port, True)

    def _happened(self, event: MediaEvent) -> None:
        if event.kind is EventKind.DIGIT:
            self.keys += event.digit
        elif event.kind is EventKind.CALLER_ID and (caller := callerid.from_message(self._engine.take_caller_id(self._port))):
            self.shown.append(caller)


class Bell:
    """When a set rings, in ms since the beginning."""

    def __init__(self, world: World, channel: int) -> None:
        self.bursts: list[tuple[int, int]] = []
        self._began_s = 0.0
        wire = world.sets[channel]._wire
        self._far, wire.far = wire.far, self

    def line_signal(self, sig: TxSig) -> None:
        now_s = asyncio.get_running_loop().time()
        if sig is TxSig.START:
            self._began_s = now_s
        elif self._began_s:
            self.bursts.append((round(self._began_s * 1000), round(now_s * 1000)))
            self._began_s = 0.0
        self._far.line_signal(sig)

    def lengths_ms(self) -> list[int]:
        return [end - begin for begin, end in self.bursts]

    def pauses_ms(self) -> list[int]:
        return [later[0] - earlier[1] for earlier, later in zip(self.bursts, self.bursts[1:], strict=False)]


async def answered_set(rig: Rig, channel: int = SET) -> str:
    rig.agent.send(Seize(leg=f"set-{channel}", channel=channel))
    await rig.world.sets[channel].reached(Phase.RINGING)
    rig.world.sets[channel].pick_up()
    await rig.agent.told(Answered, leg=f"set-{channel}")
    await asyncio.sleep(2)
    return f"set-{channel}"
