"""One of the call agent's tasks at work on a store, on a virtual clock."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from appliance.config import HospitalConfig
from appliance.store.place import StorePlace
from appliance.store.writer import Store
from drivers.clock import Clock, VirtualClock


class Work(Protocol):
    async def run(self) -> None:
        """Until cancelled."""


@contextlib.asynccontextmanager
async def working(
    place: StorePlace, clock: VirtualClock, made: Callable[[Store, Clock, HospitalConfig], Work], hospital: HospitalConfig | None = None
) -> AsyncIterator[Store]:
    """A store, and the task that `made` makes at work on it; the task has that name."""
    store = Store(place, clock)
    store.start()
    task = asyncio.create_task(made(store, clock, hospital or HospitalConfig()).run(), name=getattr(made, "__name__", "work"))
    try:
        yield store
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        store.close()
