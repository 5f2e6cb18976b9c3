"""CPU of our processes for 24 calls: the box plays prompts, detects keys and records; the exchange records what it hears."""

import asyncio
import os
import time
from pathlib import Path

from tests.lab import cards, product
from tests.lab.exchange import Exchange, Line
from tests.lab.product import Box, box
from tests.lab.records import finished_records
from tests.lab.scenario import Report, scenario
from tests.lab.sound import prompt

FOLDER = Path("/tmp/exchange")
WINDOW_S = 30.0
AHEAD_S = 2.0
GREETED_S = 3.0
INTRODUCTION = prompt("hospital_introduction")
INFORMATION_S = (len(INTRODUCTION) + len(prompt("after_item"))) / 8000


class Meter:
    """CPU seconds of each process since it was made."""

    def __init__(self, running: Box) -> None:
        self._pids = {**running.pids, "exchange": os.getpid()}
        self._began = {name: cards.cpu_seconds(pid) for name, pid in self._pids.items()}
        self._began_s = time.monotonic()

    def ms_per_call_second(self, calls: int) -> dict[str, float]:
        """By process."""
        seconds = (time.monotonic() - self._began_s) * calls
        return {name: (cards.cpu_seconds(pid) - self._began[name]) * 1000 / seconds for name, pid in self._pids.items()}


@scenario(limit_s=900)
def speed(report: Report) -> None:
    """30 s of 24 calls from the greeting on, keys pressed, both sides recording; every prompt arrives without a dropped sample."""
    with box() as running:
        asyncio.run(_speed(report, running))


async def _speed(report: Report, running: Box) -> None:
    began_s = time.time()
    async with Exchange(product.EXCHANGE_LINES, (), FOLDER) as exchange:
        await exchange.together(_call_before, exchange.lines[:1])
        await exchange.together(_begin)
        exchange.engine.reset_stats()
        meter = Meter(running)
        window = asyncio.create_task(asyncio.sleep(WINDOW_S))
        listening = asyncio.create_task(exchange.together(_listen_twice))
        await window
        used = meter.ms_per_call_second(len(exchange.lines))
        await listening
        whole = sum(line.ear is not None and line.ear.heard().count(INTRODUCTION) == 2 for line in exchange.lines)
        await exchange.together(Line.hang_up)
        await finished_records(began_s, len(exchange.lines) + 1)
    for name, figure in used.items():
        report.figure(f"{name}_cpu_ms_per_call_s", round(figure, 2))
    report.figure("lab_cpu_ms_per_call_s", round(sum(used.values()), 2))
    report.figure("lines_with_every_sample", whole)
    assert whole == len(exchange.lines)


async def _call_before(line: Line) -> None:
    """The first caller of a box that has just started: prompts come from the disk. Not measured."""
    await line.ring()
    await _listen_twice(line)
    await line.hang_up()


async def _begin(line: Line) -> None:
    """Into the greeting."""
    await line.ring()
    await asyncio.sleep(GREETED_S)


async def _listen_twice(line: Line) -> None:
    """Ask for the introduction, and once more after it; sleeping, so that this side costs what recording costs."""
    await line.press("2")
    await asyncio.sleep(AHEAD_S)
    await line.press("1")
    await asyncio.sleep(INFORMATION_S + 1)
    await line.press("*")
    await asyncio.sleep(INFORMATION_S + 1)
