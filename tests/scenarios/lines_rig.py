"""The line server with the virtual card on a virtual clock, and a call agent that is nothing but a list of what it was told."""

import asyncio
import itertools
import random
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from drivers.clock import VirtualClock, run_virtual
from drivers.config import LinesConfig
from drivers.media import Engine, EngineConfig
from drivers.protocol import VERSION, Answer, Answered, ChannelState, Command, Event, Hello, LegState, Offered, Welcome
from drivers.server import LineServer
from drivers.settings import Paths
from drivers.virtual.card import VirtualCard
from drivers.virtual.config import NumberConfig, SpanConfig, SpanKind, TelephoneConfig, VirtualConfig
from drivers.virtual.handset import Phase
from drivers.virtual.telephone import OutsideTelephone, WiredSet

E = TypeVar("E", bound=Event)
R = TypeVar("R")

BOX = "01088886666"
OUTSIDE = "13800138000"
BOX_PORTS = 32
DEAF_S = 2.1  # lines just opened hear no ring for 2 s

WORLD = VirtualConfig(
    spans=(SpanConfig(kind=SpanKind.FXO, channels=4), SpanConfig(kind=SpanKind.FXS, channels=2)),
    numbers=(NumberConfig(number=BOX, spans=(1,)),),
    telephones=(TelephoneConfig(number=OUTSIDE),),
)
LINES = LinesConfig(virtual=WORLD)


class Agent:
    """Connects, keeps every event, and waits for the one it wants."""

    def __init__(self, server: LineServer) -> None:
        self._server = server
        self._link: Any = None
        self._reading: asyncio.Task[None] | None = None
        self._ids = itertools.count(1)
        self._woken = asyncio.Event()
        self.events: list[Event] = []

    async def connect(self, version: int = VERSION) -> None:
        self._link = await self._server.connect()
        self._reading = asyncio.create_task(self._read())
        self._link.send(Hello(version=version, client="test"))

    async def welcome(self) -> Welcome:
        await self.connect()
        return await self.told(Welcome)

    def die(self) -> None:
        assert self._reading is not None
        self._reading.cancel()
        self._link.close()

    def send(self, command: Command) -> int:
        """Send it with a fresh id, which is answered."""
        command_id = next(self._ids)
        self._link.send(msgspec.structs.replace(command, command_id=command_id))
        return command_id

    async def told(self, kind: type[E], limit_s: float = 20.0, **fields: object) -> E:
        """The first such event not yet taken; taken with everything before it of the same kind that did not match kept."""

        async with asyncio.timeout(limit_s):
            while True:
                for event in self.events:
                    if isinstance(event, kind) and all(getattr(event, name) == wanted for name, wanted in fields.items()):
                        self.events.remove(event)
                        return event
                self._woken.clear()
                await self._woken.wait()

    def heard(self, kind: type[E]) -> list[E]:
        """Such events that wait."""
        return [event for event in self.events if isinstance(event, kind)]

    async def _read(self) -> None:
        while (event := await self._link.receive()) is not None:
            self.events.append(event)
            self._woken.set()


def wav(path: Path, samples: bytes) -> Path:
    """Write A-law samples as a mono WAV file."""
    fmt = struct.pack("<HHIIHH", 6, 1, 8000, 8000, 1, 8)
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", len(samples)) + samples
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def speech_like(seconds: float, seed: int) -> bytes:
    """A-law noise that is the same each time and not the same as another seed's."""
    return random.Random(seed).randbytes(round(8000 * seconds))


def recorded(path: Path) -> tuple[bytes, bytes]:
    """Left and right of a stereo recording of the media core."""
    content = path.read_bytes()
    data = content[content.index(b"data") + 8 :]
    return data[::2], data[1::2]


class Rig:
    """Everything in one event loop; `agent` is not connected yet."""

    def __init__(self, clock: VirtualClock, folder: Path, lines: LinesConfig) -> None:
        self.clock = clock
        self.folder = folder
        self.paths = Paths(run_dir=str(folder / "run"), data_dir=str(folder / "data"))
        world = lines.virtual
        ports = min(1024, BOX_PORTS + world.ports_needed())
        self.engine = Engine(EngineConfig(max_ports=ports, max_lines=world.lines_needed(), max_recordings=64))
        self.card = VirtualCard(world, self.engine)
        self.world = self.card.world
        self.server = LineServer(lines, self.paths, self.card, self.engine, clock)
        self.agent = Agent(self.server)
        clock.every_frame(self.engine.step)

    def call_in(self, number: str = BOX, caller: str = "") -> OutsideTelephone:
        """A telephone outside rings the box."""
        telephone = self.world.visitor(caller)
        telephone.dial(number)
        return telephone

    def lift(self, channel: int, number: str = "0") -> WiredSet:
        """Lift a set of the box and dial."""
        telephone = self.world.sets[channel]
        telephone.pick_up()
        telephone.press(f"w{number}")
        return telephone

    async def offered(self) -> str:
        """The leg of the next call offered."""
        return (await self.agent.told(Offered)).state.leg

    async def answered(self, caller: OutsideTelephone | None = None) -> tuple[OutsideTelephone, str]:
        """A call that was offered and answered: the telephone outside, and the leg."""
        caller = caller or self.call_in()
        leg = await self.offered()
        self.agent.send(Answer(leg=leg))
        await self.agent.told(Answered, leg=leg)
        await caller.reached(Phase.TALKING)
        return caller, leg

    def leg(self, leg: str) -> LegState:
        return self.server.lines.book.state(leg)

    def channel_state(self, number: int) -> ChannelState:
        return self.server.lines.channels[number].state()


def run_rig(
    folder: Path,
    main: Callable[[Rig], Awaitable[R]],
    lines: LinesConfig = LINES,
    connected: bool = True,
    before: Callable[[Rig], object] = lambda rig: None,
) -> R:
    """Run `main(rig)` in virtual time, with the call agent welcomed unless `connected` is False; `before` the line server starts."""

    async def within(clock: VirtualClock) -> R:
        rig = Rig(clock, folder, lines)
        faults: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(str(context)))
        try:
            before(rig)
            rig.server.start()
            await asyncio.sleep(DEAF_S)
            if connected:
                await rig.agent.welcome()
            return await main(rig)
        finally:
            await rig.server.stop()
            rig.card.close()
            rig.engine.close()
            assert not faults

    result: R = run_virtual(within)
    return result
