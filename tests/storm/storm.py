"""One storm from the first call to the books: who rang, what was sold, what the ledger says."""

import asyncio
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from appliance.store.booking_tables import Booking, Slot
from appliance.store.database import open_store
from appliance.store.money_tables import LedgerAccount, LedgerTransaction
from tests import booking_load
from tests.scenarios.hotline_rig import half_states
from tests.storm import box
from tests.storm.board import Board
from tests.storm.box import Box
from tests.storm.callers import Callers

LINES_UP_S = 6.0  # layer 2 of primary rate, and lines that were just opened hear nothing for 2 s
QUIET_S = 4.0
OVER_LIMIT_S = 360.0  # whom the box has not heard hanging up (D-channels that were down) it says goodbye to after so long


@dataclass(frozen=True)
class Plan:
    """`calls` by as many people on `lines` lines for `places` places; the call agent is killed `kills` times, `kill_every_s` apart.

    Of the first half every `hesitates_every`-th hangs up at the price, 0: nobody; the place is kept for `hold_s` then. Nobody rings after
    `limit_s`.
    """

    calls: int
    places: int
    kills: int
    lines: int = 240
    every_s: float = 0.05
    first_kill_s: float = 8.0
    kill_every_s: float = 20.0
    hesitates_every: int = 5
    hold_s: int = 30
    limit_s: float = 3_600.0


@dataclass(frozen=True)
class Outcome:
    """`results`: what callers heard, counted. `wrong`: half states, none if all is well. `paid_unbooked`: people who heard that they have
    a place and have none."""

    calls: int
    results: dict[str, int]
    busy: int
    sold: int
    debits: int
    fees_fen: int
    places_left: int
    paid_unbooked: int
    wrong: list[str]
    lines_most: int
    took_s: float
    call_s_p50: float
    call_s_p95: float
    lives: int
    gone_s: list[float]
    peak_mb: float

    def is_well(self, plan: Plan) -> bool:
        """Every place sold once and paid once, and not a fen beside it."""
        figures = (self.sold, self.debits, self.fees_fen, self.places_left, self.paid_unbooked, self.wrong)
        return figures == (plan.places, plan.places, plan.places * booking_load.FEE_FEN, 0, 0, [])


def run(plan: Plan, folder: Path) -> Outcome:
    """In a folder of its own, which it leaves full of recordings."""
    site = box.site(folder, plan.lines)
    box.fill(site, plan.calls, plan.places, plan.hold_s)
    return asyncio.run(_run(plan, Box(site)))


async def _run(plan: Plan, running: Box) -> Outcome:
    board = Board(running.site.paths.control_socket)
    callers = Callers(running, board, plan.hesitates_every)
    with ExitStack() as stack:
        await running.run_lines(stack)
        tasks = [asyncio.create_task(running.supervise()), asyncio.create_task(board.run())]
        try:
            await running.answers()
            await asyncio.sleep(LINES_UP_S)
            began_s = time.monotonic()
            killing = asyncio.create_task(_kill(plan, running))
            calls = await callers.ring(plan.calls, plan.every_s, plan.limit_s)
            took_s = time.monotonic() - began_s
            killing.cancel()
            await board.over(OVER_LIMIT_S)
            await asyncio.sleep(QUIET_S)
        finally:
            await running.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return _looked_at(running, callers, calls, took_s)


async def _kill(plan: Plan, running: Box) -> None:
    await asyncio.sleep(plan.first_kill_s)
    for _ in range(plan.kills):
        await running.kill()
        await asyncio.sleep(plan.kill_every_s)


def _looked_at(running: Box, callers: Callers, calls: int, took_s: float) -> Outcome:
    opened = open_store(running.site.paths.database)
    try:
        booked = {row.patient_id for row in Booking.select().where(Booking.state == "booked")}
        lasted_s = sorted(callers.lasted_s)
        return Outcome(
            calls=calls,
            results=dict(callers.results),
            busy=callers.busy,
            sold=Booking.select().where(Booking.state == "booked").count(),
            debits=LedgerTransaction.select().where(LedgerTransaction.kind == "fee").count(),
            fees_fen=LedgerAccount.get(LedgerAccount.code == "fees").balance_fen,
            places_left=Slot.select().where(Slot.state != "booked").count(),
            paid_unbooked=len(callers.paid - booked),
            wrong=half_states(),
            lines_most=callers.most,
            took_s=took_s,
            call_s_p50=lasted_s[len(lasted_s) // 2],
            call_s_p95=lasted_s[len(lasted_s) * 95 // 100],
            lives=running.lives,
            gone_s=running.gone_s,
            peak_mb=max(running.peak_kb) / 1024,
        )
    finally:
        opened.close()
