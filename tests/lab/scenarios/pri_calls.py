"""Primary rate on the kernel's E1 pair: our user side against libpri's network side in the scenario's process; every call compared."""

import asyncio
import time
from datetime import UTC, datetime

from tests.lab.pri_box import FAR_OFFSET, AgentWire, far_exchange, pri_box
from tests.lab.product import Box
from tests.lab.scenario import Report, scenario
from tests.pri_exchange import Exchange
from tests.pri_load import Load

FEW, MANY = 60, 1000
HANDS = 26  # with the calls that provoke glare, about as many as there are channels
CALL_LIMIT_S = 200.0
SETTLE_LIMIT_S = 120.0
TOLERANCE_S = 2.0  # the emulated machine is slow


@scenario(limit_s=900)
def calls_60(report: Report) -> None:
    """Both directions over one another, every ending, glare."""
    with pri_box(("lines",)) as box:
        asyncio.run(_load(report, box, FEW))


@scenario(limit_s=7200, soak=True)
def calls_1000(report: Report) -> None:
    """The same, a thousand times."""
    with pri_box(("lines",)) as box:
        asyncio.run(_load(report, box, MANY))


async def _load(report: Report, box: Box, calls: int) -> None:
    async with far_exchange() as exchange:
        wire = await AgentWire.connect()
        load = Load(exchange, wire, lambda: datetime.now(UTC))
        running = asyncio.create_task(load.agent.run())
        await load.agent.greeted.wait()
        began_s = time.monotonic()
        await load.make(calls, HANDS, CALL_LIMIT_S)
        report.figure("seconds", round(time.monotonic() - began_s))
        await _all_free(exchange, box)
        running.cancel()
        wire.close()
        seen, wrong = load.compare(TOLERANCE_S, FAR_OFFSET)
        for name, count in seen.items():
            report.figure(name, count)
        report.figure("wrong", len(wrong))
        report.figure("glares", box.log("lines").read_text(errors="replace").count("glare"))
        assert not wrong, "\n".join(wrong[:5])
        assert not exchange.unexpected, exchange.unexpected


async def _all_free(exchange: Exchange, box: Box) -> None:
    """No channel stuck, no leg left. Raises: TimeoutError."""
    await exchange.until(lambda: len(exchange.free()) == len(exchange.lines), SETTLE_LIMIT_S)
    await exchange.until(lambda: not box.legs(), SETTLE_LIMIT_S)
