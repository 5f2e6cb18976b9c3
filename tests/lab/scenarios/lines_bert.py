"""A bit-error test on the kernel's E1 through a loop that somebody made at the far end, and one without it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from appliance.control.client import ControlClient
from appliance.control.messages import LiveTestChanged, RunLineTest
from drivers.dahdi.card import DahdiCard
from drivers.media import Engine, EngineConfig, Law
from drivers.protocol import LineTest, LineTestKind, LineTestPhase
from tests.lab.exchange import WRITE_AHEAD
from tests.lab.pri_box import FAR_OFFSET, pri_box
from tests.lab.product import PATHS
from tests.lab.scenario import Report, scenario

LOOPED, OPEN = 1, 2
SECONDS = 10


@scenario(limit_s=600)
def through_a_loop(report: Report) -> None:
    """Channel 1 is looped at the far end and shows no error in 10 s; channel 2 is not and is told so."""
    with pri_box():
        looped, open_ = asyncio.run(_both())
    figures = {figure.name: figure.value for figure in looped.figures}
    report.figure("bits", figures["bits"])
    report.figure("errors", figures["errors"])
    report.figure("sync_losses", figures["sync_losses"])
    assert (looped.phase, looped.reason) == (LineTestPhase.PASSED, "no_bit_errors"), looped
    assert (open_.phase, open_.reason) == (LineTestPhase.FAILED, "no_pattern"), open_


async def _both() -> tuple[LineTest, LineTest]:
    async with _loop(LOOPED + FAR_OFFSET):
        looped = await asyncio.to_thread(_test, LOOPED)
        return looped, await asyncio.to_thread(_test, OPEN)


@contextlib.asynccontextmanager
async def _loop(number: int) -> AsyncIterator[None]:
    """That channel sends back what it receives."""
    engine = Engine(EngineConfig(max_ports=1, max_lines=1, max_recordings=1))
    card = DahdiCard(engine, write_ahead=WRITE_AHEAD)
    engine.start()
    channel = card.open(number)
    port = engine.port_new(Law.ALAW)
    channel.attach(port)
    engine.echo(port, True)
    try:
        yield
    finally:
        channel.close()
        card.close()
        engine.close()


def _test(channel: int) -> LineTest:
    with ControlClient(PATHS.control_socket) as watching, ControlClient(PATHS.control_socket) as asking:
        changes = watching.subscribe()
        next(changes)
        asking.request(RunLineTest(test_id=f"bert-{channel}", channel=channel, kind=LineTestKind.BERT, limit_ms=1000 * SECONDS, by="lab"))
        for change in changes:
            if isinstance(change, LiveTestChanged) and change.test.phase is not LineTestPhase.RUNNING:
                return change.test
    raise AssertionError("the iterator ends only by raising")
