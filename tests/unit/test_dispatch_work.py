"""The call agent's task that drives work items and complaints, on a virtual clock."""

import asyncio
from datetime import timedelta
from pathlib import Path

from appliance.config import HospitalConfig
from appliance.hospital.dispatch.desk_work import DeskWork
from appliance.hospital.dispatch.items import State
from appliance.hospital.dispatch.limits import DispatchLimits
from appliance.store.case_tables import Complaint, WorkItem
from appliance.store.place import StorePlace
from appliance.store.writer import Store
from drivers.clock import VirtualClock, run_virtual
from tests.unit.cases_rig import account, complaint, desk, item
from tests.unit.hospital_rig import NOW
from tests.unit.task_rig import working


def test_what_comes_is_offered_within_a_second(store_place: StorePlace) -> None:
    async def main(clock: VirtualClock) -> None:
        async with working(store_place, clock, DeskWork) as store:
            await store.run(lambda: (desk("1"), item("a")))
            await asyncio.sleep(1.5)
            assert await store.read(lambda: WorkItem.get().state) == State.OFFERED

    run_virtual(main, VirtualClock(NOW))


def test_overdue_complaints_go_up_though_nobody_looks(store_place: StorePlace) -> None:
    async def main(clock: VirtualClock) -> None:
        async with working(store_place, clock, DeskWork) as store:
            await store.run(lambda: (account("li"), account("zhao"), complaint()))
            await store.run(lambda: Complaint.update(due_at=NOW + timedelta(seconds=30)).execute())
            await asyncio.sleep(29)
            assert await store.read(lambda: Complaint.get().escalation) == 0
            await asyncio.sleep(61)
            assert await store.read(lambda: Complaint.get().escalation) == 1

    run_virtual(main, VirtualClock(NOW))


def test_a_store_that_cannot_be_opened_is_waited_for(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        (tmp_path / "careline.db").write_bytes(b"not a database" * 100)
        async with working(tmp_path / "careline.db", clock, DeskWork) as store:
            await asyncio.sleep(30)
            assert store.fault is not None
            assert "DeskWork" in {task.get_name() for task in asyncio.all_tasks()}

    run_virtual(main, VirtualClock(NOW))


def test_what_nobody_takes_is_told(store_place: StorePlace) -> None:
    async def main(clock: VirtualClock) -> None:
        store = Store(store_place, clock)
        store.start()
        hospital = HospitalConfig(dispatch=DispatchLimits(patience_s=5))
        work = DeskWork(store, clock, hospital)
        task = asyncio.create_task(work.run())
        await store.run(lambda: item("a"))
        await asyncio.sleep(4)
        assert work.dead == 0
        await asyncio.sleep(3)
        assert work.dead == 1
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        store.close()

    run_virtual(main, VirtualClock(NOW))
