"""Many calls one after another and over one another, of random length, ended by either side: none lost, no channel stuck."""

import asyncio
import random
import time
from pathlib import Path

from appliance.control.client import ControlClient
from appliance.control.messages import HangUpCall
from tests.lab import product
from tests.lab.exchange import Exchange, Line
from tests.lab.product import Box, box
from tests.lab.records import finished_records
from tests.lab.scenario import Report, scenario
from tests.lab.sound import prompt

FOLDER = Path("/tmp/exchange")
SHORT_RUN, LONG_RUN = 72, 300
LENGTH_S = (0.2, 6.0)
BY_THE_BOX = 0.3
KEYS = "1249*#58"


class Load:
    """Callers who take the next call of `calls` until all were made; `made`: keys of each call of a line, and who ended it."""

    def __init__(self, calls: int) -> None:
        self._left = calls
        self._random = random.Random(3)
        self.made: dict[int, list[tuple[str, str]]] = {}

    async def live(self, line: Line) -> None:
        """One line's share, with pauses of its own."""
        own = random.Random(self._random.random())
        while self._left > 0:
            self._left -= 1
            await asyncio.sleep(own.uniform(0, 1))
            await self._call(line, own)

    async def _call(self, line: Line, own: random.Random) -> None:
        began_s = time.time()
        await line.ring()
        keys = "".join(own.choice(KEYS) for _ in range(own.randrange(3)))
        await asyncio.sleep(own.uniform(*LENGTH_S))
        if keys:
            await line.press(keys)
        by_box = own.random() < BY_THE_BOX
        await (self._box_ends(line, began_s) if by_box else line.hang_up())
        self.made.setdefault(line.number, []).append((keys, "box" if by_box else "caller"))

    async def _box_ends(self, line: Line, began_s: float) -> None:
        call_id = next(record.call_id for record in product.cdrs(began_s - 1) if record.line == line.number and not record.ended_s)
        await asyncio.to_thread(_hang_up, call_id)
        await line.box_hangs_up()


def _hang_up(call_id: str) -> None:
    with ControlClient(product.PATHS.control_socket, "lab") as control:
        control.request(HangUpCall(call_id=call_id, by="lab"))


@scenario(limit_s=900)
def calls_72(report: Report) -> None:
    """72 calls on 24 lines."""
    with box() as running:
        asyncio.run(_load(report, running, SHORT_RUN))


@scenario(limit_s=900, soak=True)
def calls_300(report: Report) -> None:
    """300 calls on 24 lines."""
    with box() as running:
        asyncio.run(_load(report, running, LONG_RUN))


async def _load(report: Report, running: Box, calls: int) -> None:
    began_s = time.time()
    async with Exchange(product.EXCHANGE_LINES, (), FOLDER) as exchange:
        load = Load(calls)
        await exchange.together(load.live)
        records = await finished_records(began_s, calls)
        for line in exchange.lines:
            own = [(record.digits, record.ended_by) for record in records if record.line == line.number]
            assert own == load.made[line.number], f"line {line.number} made {load.made[line.number]}, records say {own}"
        lost = sum(product.recording(record.call_id)[2] for record in records)
        report.figure("calls", len(records))
        report.figure("seconds", round(time.time() - began_s))
        report.figure("lost_samples", lost)
        await asyncio.sleep(1)
        assert not running.legs(), running.legs()
        await exchange.together(_works)
    assert lost == 0


async def _works(line: Line) -> None:
    """The line takes one more call."""
    await line.ring()
    await line.hears(prompt("greeting"))
    await line.hang_up()
