"""The store on a disk that is full: the reserve first, then the queue; opened when it can be; nothing lost. The disk is a real one."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from appliance.events import CallOffered
from appliance.store.database import connect, open_store
from appliance.store.errors import StoreError
from appliance.store.models import CallRecord
from appliance.store.reserve import PIECE_BYTES, RESERVE_BYTES, Reserve, held_bytes, lacks_room, path_of
from appliance.store.writer import Store
from drivers.clock import RealClock
from tests.small_disk import SmallDisk, small_disk
from tests.unit.test_store_writer import T0

KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from drivers.clock import RealClock
from appliance.store.writer import Store
from tests.unit.test_store_full_disk import offered
async def main():
    store = Store(Path(sys.argv[1]), RealClock())
    store.start()
    store.append(offered(1))
    await store.flush()
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", size_mb=24) as made:
        yield made


@contextlib.contextmanager
def opened(disk: SmallDisk) -> Iterator[Store]:
    store = Store(disk.folder / "s.db", RealClock())
    store.start()
    try:
        yield store
    finally:
        store.close()


def offered(number: int) -> CallOffered:
    return CallOffered(
        call_id=f"c{number}", seq=1, at=T0, leg="L1", group="trunk", channel=3, direction="inbound", ani="13800000000", dnis="96120"
    )


def count(disk: SmallDisk) -> int:
    database = open_store(disk.folder / "s.db")
    try:
        return int(CallRecord.select().count())
    finally:
        database.close()


def killed_store(disk: SmallDisk) -> None:
    """A store with one record, left behind by SIGKILL: its write-ahead log still to be read."""
    script = [sys.executable, "-c", KILLED, str(disk.folder / "s.db")]
    assert subprocess.run(script, check=False, timeout=60, cwd=Path(__file__).parents[2]).returncode == -9


def test_the_reserve_is_given_in_pieces_and_made_anew(disk: SmallDisk) -> None:
    reserve = Reserve(disk.folder / "s.db")
    assert not reserve.is_whole
    reserve.fill()
    assert reserve.is_whole
    disk.fill()
    assert reserve.give()
    assert (reserve.is_whole, disk.free_bytes()) == (False, PIECE_BYTES)
    reserve.fill()
    assert disk.free_bytes() == PIECE_BYTES
    assert sum(iter(reserve.give, False)) == RESERVE_BYTES // PIECE_BYTES - 1
    disk.empty()
    reserve.fill()
    assert Reserve(disk.folder / "s.db").is_whole


def test_a_disk_too_small_has_no_reserve(tmp_path: Path) -> None:
    with small_disk(tmp_path / "tiny", size_mb=8) as tiny:
        reserve = Reserve(tiny.folder / "s.db")
        reserve.fill()
        assert (reserve.is_whole, reserve.give(), held_bytes(reserve.path)) == (False, False, 0)


def test_on_a_full_disk_records_are_written_into_the_reserve(disk: SmallDisk) -> None:
    async def main() -> None:
        with opened(disk) as store:
            await store.flush()
            assert store.has_reserve
            disk.fill()
            for number in range(1200):
                store.append(offered(number))
            await store.flush()
            assert (store.fault, store.has_reserve) == (None, False)
            disk.empty()
            await store.flush()
            assert store.has_reserve

    asyncio.run(main())
    assert count(disk) == 1200


def test_when_the_reserve_is_used_up_records_wait(disk: SmallDisk) -> None:
    async def main() -> None:
        with opened(disk) as store:
            await store.flush()
            path_of(disk.folder / "s.db").write_bytes(b"")
            disk.fill()
            for number in range(1200):
                store.append(offered(number))
            with pytest.raises(StoreError, match="STO-004"):
                await store.flush(limit_s=1.5)
            with pytest.raises(StoreError, match="STO-004"):
                await store.read(CallRecord.select().count)
            disk.empty()
            await store.mended()
            await store.flush()
            assert store.fault is None

    asyncio.run(main())
    assert count(disk) == 1200


def test_a_full_disk_keeps_no_store_from_being_opened_after_a_kill(disk: SmallDisk) -> None:
    killed_store(disk)
    disk.fill()

    async def main() -> None:
        with opened(disk) as store:
            assert store.fault is None
            store.append(offered(2))
            await store.flush()
            assert not store.has_reserve

    asyncio.run(main())
    disk.empty()
    assert count(disk) == 2


def test_what_cannot_be_opened_is_opened_when_there_is_room(disk: SmallDisk) -> None:
    killed_store(disk)
    path_of(disk.folder / "s.db").unlink()
    (disk.folder / "s.db-shm").unlink()
    disk.fill()

    async def main() -> None:
        with opened(disk) as store:
            assert store.fault is not None
            assert store.fault.code == "STO-001"
            began_s = time.monotonic()
            with pytest.raises(StoreError, match="STO-001"):
                await store.last_seq("c1")
            assert time.monotonic() - began_s < 0.5
            store.append(offered(2))
            disk.empty()
            await store.mended()
            await store.flush()
            assert await store.last_seq("c1") == 1
            assert store.has_reserve

    asyncio.run(main())
    assert count(disk) == 2


def test_a_disk_that_was_read_only_is_written_when_it_is_not(disk: SmallDisk) -> None:
    killed_store(disk)
    disk.mount_again("ro")

    async def main() -> None:
        with opened(disk) as store:
            store.append(offered(2))
            with pytest.raises(StoreError, match=r"STO-00[14].*readonly"):
                await store.flush(limit_s=1.5)
            disk.mount_again("rw")
            await store.mended()
            await store.flush()

    asyncio.run(main())
    assert count(disk) == 2


def test_jobs_nobody_waits_for_do_not_pile_up(disk: SmallDisk) -> None:
    killed_store(disk)
    path_of(disk.folder / "s.db").unlink()
    (disk.folder / "s.db-shm").unlink()
    disk.fill()
    done: list[str] = []

    async def main() -> None:
        with opened(disk) as store:
            for job, lasting in (("answer", False), ("record", True)):
                with pytest.raises(StoreError):
                    await store.run(partial(done.append, job), 0.01, lasting=lasting)
            disk.empty()
            await store.mended()
            await store.flush()

    asyncio.run(main())
    assert done == ["record"]


def test_a_fault_does_not_outlast_the_jobs_that_met_it(tmp_path: Path) -> None:
    """A locked store and a reader that has gone: nothing is pending, and still it is tried again."""

    async def main() -> None:
        store = Store(tmp_path / "s.db", RealClock())
        store.start()
        blocker = connect(tmp_path / "s.db")
        blocker.execute_sql("begin immediate")
        with pytest.raises(StoreError):
            await store.read(CallRecord.select().count, limit_s=0.1)
        async with asyncio.timeout(10):
            while store.fault is None:  # noqa: ASYNC110  # set by the store's own thread, after BUSY_LIMIT_MS
                await asyncio.sleep(0.05)
        blocker.execute_sql("rollback")
        blocker.close()
        async with asyncio.timeout(10):
            await store.mended()
        store.close()

    asyncio.run(main())


def test_only_want_of_room_costs_reserve(tmp_path: Path) -> None:
    (tmp_path / "s.db").write_bytes(b"not a database " * 500)
    with pytest.raises(StoreError) as caught:
        connect(tmp_path / "s.db")
    assert not lacks_room(caught.value)
