"""What drives the cases: work items are offered every second, complaints that are overdue go up every minute, and
what callers stated before they hung up is filed.

One task of the call agent's event loop; the work itself runs in the store's transactions. It alone of this package reads a clock.
"""

import asyncio
import logging
from datetime import datetime, timedelta

from appliance.calendar import Calendar
from appliance.config import HospitalConfig
from appliance.hospital.complaints.escalation import escalate
from appliance.hospital.complaints.statements import file_left
from appliance.hospital.dispatch.items import standing
from appliance.hospital.dispatch.offering import Run, offer_waiting
from appliance.store.writer import Store
from drivers.clock import Clock
from drivers.errors import CarelineError

log = logging.getLogger("careline.cases")

OFFER_EVERY_S = 1.0
IDLE_EVERY_S = 15.0  # without desks and items: callers wait for the same writer of the store
ESCALATE_EVERY = timedelta(minutes=1)


class DeskWork:
    """`run` until cancelled. A store that does not work is waited for; what was to be done then is done afterwards. `dead`: how many work
    items are on the list of dead letters."""

    def __init__(self, store: Store, clock: Clock, hospital: HospitalConfig) -> None:
        self._store = store
        self._clock = clock
        self._rules, self._limits = hospital.complaints, hospital.dispatch
        self._calendar = Calendar(hospital.calendar)
        self._escalated_at: datetime | None = None
        self.dead = 0
        self._is_busy = False

    async def run(self) -> None:
        while True:
            await self._store.mended()
            try:
                await self._once(self._clock.now())
            except CarelineError as error:  # told as the store's own fault
                log.info("work items stay where they are: %s", error)
            await asyncio.sleep(OFFER_EVERY_S if self._is_busy else IDLE_EVERY_S)

    def _offer(self, now: datetime) -> Run:
        found = standing()
        self._is_busy = bool(found.desks or found.waiting)
        done = offer_waiting(self._limits, now) if found.waiting or found.at_desks else Run(offered=0, recalled=0, dead=0)
        self.dead = found.dead + done.dead
        return done

    async def _once(self, now: datetime) -> None:
        done = await self._store.run(lambda: self._offer(now), lasting=False)
        if done.dead:
            log.warning("HOS-223: nobody could take %d work items; they are on the list of dead letters", done.dead)
        if self._escalated_at is None or not timedelta(0) <= now - self._escalated_at < ESCALATE_EVERY:
            await self._escalate(now)

    async def _escalate(self, now: datetime) -> None:
        left = await self._store.run(lambda: file_left(self._rules, self._calendar, now), lasting=False)
        if left:
            log.info("%d callers hung up after their statement; filed all the same: %s", len(left), ", ".join(left))
        numbers = await self._store.run(lambda: escalate(self._rules, self._calendar, now), lasting=False)
        self._escalated_at = now
        if numbers:
            log.info("%d complaints are overdue and went up: %s", len(numbers), ", ".join(numbers))
