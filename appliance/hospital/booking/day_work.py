"""What drives registration: days are ended and their sheets made, and offers of the waitlist that nobody took go on to the next, every
minute.

One task of the call agent's event loop; the work itself runs in the store's transactions, in steps so small that no caller waits for it.
It alone of this package reads a clock.
"""

import asyncio
import logging
from datetime import date

from msgspec import MsgspecError
from peewee import PeeweeException

from appliance.calendar import Calendar
from appliance.config import HospitalConfig
from appliance.hospital.booking import day_end, waitlist
from appliance.hospital.ledger import closing
from appliance.store.errors import StoreError
from appliance.store.writer import Store
from drivers.clock import Clock
from drivers.errors import CarelineError

log = logging.getLogger("careline.booking")

EVERY_S = 60.0
CLOSING_LIMIT_S = 120.0  # every posting there is is looked at once: half a second for 400 000
PAUSE_S = 0.1  # between two steps: whoever else wants to write (the web) looks every 100 ms whether it can


class DayWork:
    """`run` until cancelled. It begins with the last day that is over, so nothing is lost where the box was off or killed in the middle;
    a store that does not work is waited for."""

    def __init__(self, store: Store, clock: Clock, hospital: HospitalConfig) -> None:
        self._store = store
        self._clock = clock
        self._zone = Calendar(hospital.calendar).zone
        self._ends_at = hospital.day_end
        self._ended: date | None = None
        self.unbalanced: date | None = None

    async def run(self) -> None:
        while True:
            await self._store.mended()
            try:
                await self._once()
            except StoreError as error:  # told as the store's own fault
                log.info("the day is ended later: %s", error)
            except (CarelineError, PeeweeException, MsgspecError, ValueError):  # of the run, the tables, rules that cannot be read
                log.exception("HOS-103: the day could not be ended; it is tried again every minute")
            await asyncio.sleep(EVERY_S)

    async def _once(self) -> None:
        now = self._clock.now()
        await self._store.run(lambda: waitlist.pass_on(now, self._zone), lasting=False)
        day = day_end.day_over(now, self._zone, self._ends_at)
        if self._ended is None or day > self._ended:
            await self._end(day)
            await self._close(day)
            self._ended = day

    async def _end(self, day: date) -> None:
        no_shows, done = 0, False
        while not done:
            step = await self._step(day)
            no_shows, done = no_shows + step.no_shows, step.done
            await asyncio.sleep(PAUSE_S)
        log.info("%s has ended: %d did not come", day, no_shows)

    async def _close(self, day: date) -> None:
        """The day's sheet, unless somebody has closed it by hand."""
        now = self._clock.now()
        sheet = await self._store.run(lambda: closing.close(day, now, "day end"), CLOSING_LIMIT_S, lasting=False)
        if isinstance(sheet, closing.Sheet) and not sheet.balances:
            log.error("HOS-102: the sheet of %s does not balance: see the ledger; first: %s", day, (*sheet.faults, *sheet.lines)[0])
        self.unbalanced = await self._store.read(closing.unbalanced)

    async def _step(self, day: date) -> day_end.Step:
        now = self._clock.now()
        return await self._store.run(lambda: day_end.step(day, now, self._zone), lasting=False)
