"""A card is pulled from the running box and plugged in again: its call ends, and its lines are answered again without a restart."""

import asyncio
import time
from pathlib import Path

from drivers.dahdi.configure import configure
from tests.lab import cards, product
from tests.lab.exchange import Exchange, Line
from tests.lab.product import Box, box
from tests.lab.records import finished_records
from tests.lab.scenario import Report, scenario
from tests.lab.sound import prompt

FOLDER = Path("/tmp/exchange")
CARD = 1
LOOK_S = 0.2
LIMIT_S = 60.0
UNCONFIGURED_S = 3.0
"""Between plugging the card in and applying its setup."""


@scenario(limit_s=900)
def pulled_and_back(report: Report) -> None:
    """The span of the 24 lines goes in a call and comes back; line server and call agent are the same processes before and after."""
    with box() as running:
        try:
            asyncio.run(_pulled_and_back(report, running))
        except BaseException:
            running.kill("lines")  # the next scenario begins with a fresh one
            raise


async def _pulled_and_back(report: Report, running: Box) -> None:
    began_s, before = time.time(), dict(running.pids)
    async with Exchange(product.EXCHANGE_LINES[:2], (), FOLDER) as exchange:
        first, second = exchange.lines
        await first.ring()
        await first.hears(prompt("greeting"))
        pulled = await _pull(running)
        await first.rest()
        await _plug(report, running, pulled)
        for line in (first, second):
            await _call(line)
        records = await finished_records(began_s, 3)
    assert [record.channel for record in records] == [1, 1, 2], records
    assert all(product.is_alive(pid) for pid in before.values()), "a daemon ended"
    assert not running.legs(), running.legs()
    report.figure("calls_after", len(records) - 1)


async def _pull(running: Box) -> cards.Pulled:
    known = _told(running, "alarm removed")
    pulled = await asyncio.to_thread(cards.pull_span, CARD)
    await _until(running, "alarm removed", known + len(product.LINES))
    return pulled


async def _plug(report: Report, running: Box, pulled: cards.Pulled) -> None:
    known = _told(running, "alarm cleared")
    await asyncio.to_thread(cards.plug_span, pulled)
    await asyncio.sleep(UNCONFIGURED_S)
    assert _told(running, "alarm cleared") == known, "a channel was taken before it was configured"
    began_s = time.monotonic()
    await asyncio.to_thread(configure, product.card_setup(), cards.SYSTEM_CONF)
    await _until(running, "alarm cleared", known + len(product.LINES))
    report.figure("lines_back_s", round(time.monotonic() - began_s, 1))


async def _call(line: Line) -> None:
    await line.quiet()
    await line.ring()
    await line.hears(prompt("greeting"))
    await line.hang_up()


def _told(running: Box, what: str) -> int:
    """How often the line server said so of a channel."""
    return sum("LIN-064" in line and line.endswith(what) for line in running.log("lines").read_text(errors="replace").splitlines())


async def _until(running: Box, what: str, times: int) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while (told := _told(running, what)) < times:
        assert time.monotonic() < deadline_s, f"{told} of {times} channels: {what}"
        await asyncio.sleep(LOOK_S)
