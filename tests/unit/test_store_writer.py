"""The store: events in, records out; nothing twice, nothing lost."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from peewee import DatabaseError

from appliance.cdr import Cdr, fold
from appliance.events import (
    CallAnswered,
    CallOffered,
    CallReleased,
    DigitPressed,
    Happened,
    LanguageChosen,
    MessageLeft,
    PlaceEntered,
    RecordingEnded,
    RecordingStarted,
    TransferAnswered,
    TransferFailed,
    TransferStarted,
)
from appliance.store import models
from appliance.store.database import connect, open_store
from appliance.store.errors import StoreError
from appliance.store.models import CallEvent, CallRecord, Recording, VoiceMessage
from appliance.store.place import StorePlace
from appliance.store.projections import fold_call
from appliance.store.transaction import write_transaction
from appliance.store.writer import Store
from drivers.clock import RealClock, VirtualClock, run_virtual

T0 = datetime(2026, 3, 8, 2, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def offered(call_id: str = "c1", seq: int = 1) -> CallOffered:
    return CallOffered(
        call_id=call_id,
        seq=seq,
        at=T0,
        leg="L1",
        group="trunk",
        channel=3,
        direction="inbound",
        ani="13800000000",
        dnis="96120",
    )


A_CALL: tuple[Happened, ...] = (
    offered(),
    RecordingStarted(call_id="c1", seq=2, at=T0, recording_id="r1", path="2026/c1.wav", sides="both"),
    CallAnswered(call_id="c1", seq=3, at=at(2)),
    PlaceEntered(call_id="c1", seq=4, at=at(2), place="greeting"),
    PlaceEntered(call_id="c1", seq=5, at=at(8), place="menu"),
    DigitPressed(call_id="c1", seq=6, at=at(9), digit="9", leg="L1", leg_seq=1),
    LanguageChosen(call_id="c1", seq=7, at=at(9), language="en"),
    DigitPressed(call_id="c1", seq=8, at=at(12), digit="3", leg="L1", leg_seq=2),
    MessageLeft(
        call_id="c1",
        seq=9,
        at=at(30),
        reference="100001",
        recording_id="m1",
        path="m.wav",
        duration_ms=9000,
        language="en",
    ),
    CallReleased(call_id="c1", seq=10, at=at(33.5), cause=16, ended_by="caller"),
    RecordingEnded(call_id="c1", seq=11, at=at(33.5), recording_id="r1", path="2026/c1.wav", samples=268000),
)

A_RECORD = Cdr(
    call_id="c1",
    direction="inbound",
    group="trunk",
    channel=3,
    ani="13800000000",
    dnis="96120",
    started_at=T0,
    answered_at=at(2),
    ended_at=at(33.5),
    duration_ms=33500,
    talk_ms=31500,
    cause=16,
    ended_by="caller",
    outcome="message",
    language="en",
    path="greeting>menu",
    digits="93",
)


def folded(*events: Happened) -> Cdr | None:
    cdr: Cdr | None = None
    for event in events:
        cdr = fold(cdr, event)
    return cdr


def test_the_fold_gives_the_record() -> None:
    assert folded(*A_CALL) == A_RECORD


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ((), "abandoned"),
        ((CallAnswered(call_id="c1", seq=2, at=at(1)),), "completed"),
        (
            (
                CallAnswered(call_id="c1", seq=2, at=at(1)),
                TransferAnswered(call_id="c1", seq=3, at=at(5), leg="L2", channel=30),
            ),
            "operator",
        ),
        (
            (
                CallAnswered(call_id="c1", seq=2, at=at(1)),
                TransferFailed(call_id="c1", seq=3, at=at(5), leg="L2", outcome="busy"),
            ),
            "operator_missed",
        ),
    ],
)
def test_the_outcome_follows_from_what_happened(events: tuple[Happened, ...], outcome: str) -> None:
    record = folded(offered(), *events, CallReleased(call_id="c1", seq=9, at=at(9), cause=16, ended_by="caller"))
    assert record is not None
    assert record.outcome == outcome


def started(to: str, leg: str = "p1") -> TransferStarted:
    return TransferStarted(call_id="c1", seq=3, at=at(4), leg=leg, to=to, group="sets")


def taken(leg: str = "p1") -> TransferAnswered:
    return TransferAnswered(call_id="c1", seq=4, at=at(5), leg=leg, channel=30)


def missed(outcome: str, leg: str = "p1") -> TransferFailed:
    return TransferFailed(call_id="c1", seq=4, at=at(5), leg=leg, outcome=outcome)


@pytest.mark.parametrize(
    ("events", "to", "came_to", "outcome"),
    [
        ((), "", "", ""),
        ((started("sets"),), "sets", "", ""),
        ((started("sets"), taken()), "sets", "answered", "operator"),
        ((started("62345678"), missed("busy")), "62345678", "busy", "operator_missed"),
        ((started("sets"), missed("abandoned")), "sets", "abandoned", "operator_missed"),
        ((started("sets"), missed("busy"), started("trunk", "p2")), "trunk", "", "operator_missed"),
        ((started("sets"), missed("busy"), started("trunk", "p2"), taken("p2")), "trunk", "answered", "operator"),
        ((started("sets"), taken(), started("trunk", "p2"), missed("no_answer", "p2")), "trunk", "no_answer", "operator"),
        ((started("sets"), taken(), missed("failed")), "sets", "failed", "operator_missed"),
    ],
)
def test_a_record_says_to_whom_and_what_came_of_it(events: tuple[Happened, ...], to: str, came_to: str, outcome: str) -> None:
    record = folded(offered(), *events)
    assert record is not None
    assert (record.transferred_to, record.transfer_outcome, record.outcome) == (to, came_to, outcome)


def test_no_record_without_an_offer() -> None:
    assert folded(CallAnswered(call_id="c1", seq=1, at=T0)) is None


def write(place: StorePlace, events: tuple[Happened, ...]) -> None:
    async def main(clock: VirtualClock) -> None:
        store = Store(place, clock)
        store.start()
        for event in events:
            store.append(event)
        await store.flush()
        store.close()

    run_virtual(main)


def test_events_become_rows(store_place: StorePlace) -> None:
    write(store_place, A_CALL)
    open_store(store_place)
    assert fold_call("c1") == A_RECORD
    stored = CallRecord.get()
    assert {name: getattr(stored, name) for name in Cdr.__struct_fields__} == {
        name: getattr(A_RECORD, name) for name in Cdr.__struct_fields__
    }
    assert Recording.get().samples == 268000
    assert VoiceMessage.get().reference == "100001"


@pytest.mark.parametrize("again", range(1, len(A_CALL) + 1))
def test_events_told_again_after_a_crash_change_nothing(store_place: StorePlace, again: int) -> None:
    write(store_place, A_CALL[:again])
    write(store_place, A_CALL)
    open_store(store_place)
    assert CallEvent.select().count() == len(A_CALL)
    assert fold_call("c1") == A_RECORD


def test_an_agent_that_counts_on_from_an_older_number_loses_nothing(store_place: StorePlace) -> None:
    write(store_place, A_CALL[:7])
    write(store_place, (PlaceEntered(call_id="c1", seq=4, at=at(40), place="message"),))
    open_store(store_place)
    record = fold_call("c1")
    assert record is not None
    assert record.path == "greeting>menu>message"


def test_a_full_disk_keeps_events_until_there_is_space(store_place: StorePlace) -> None:
    async def main() -> None:
        store = Store(store_place, RealClock())
        store.start()
        blocker = connect(store_place)
        with write_transaction(blocker):
            store.append(offered())
            with pytest.raises(StoreError, match="STO-004"):
                await store.flush(limit_s=0.1)
        await store.flush()
        store.close()
        blocker.close()

    asyncio.run(main())
    open_store(store_place)
    assert CallRecord.select().count() == 1


def test_a_full_disk_is_called_by_its_name(tmp_path: Path) -> None:
    """SQLite undoes the transaction by itself then; that it cannot be undone twice is not what is wrong."""

    async def main() -> str:
        store = Store(tmp_path / "s.db", RealClock())
        store.start()
        await store.flush()

        def overfill() -> None:
            models.database.execute_sql("pragma max_page_count = 1")  # the least it can be: the pages there are
            models.database.execute_sql("create table filling (bytes blob)")
            models.database.execute_sql("insert into filling values (zeroblob(1000000))")

        with pytest.raises(StoreError) as caught:
            await store.run(overfill, limit_s=0.2, lasting=False)
        store.close()
        return caught.value.what

    assert "full" in asyncio.run(main())


def test_a_damaged_store_says_so(tmp_path: Path) -> None:
    (tmp_path / "s.db").write_bytes(os.urandom(8192))
    with pytest.raises(StoreError, match=r"STO-002.*restore"):
        open_store(tmp_path / "s.db")


def test_a_store_damaged_inside_says_so(tmp_path: Path) -> None:
    write(tmp_path / "s.db", A_CALL)
    with (tmp_path / "s.db").open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(40_960))
    with pytest.raises(StoreError, match=r"STO-002.*restore"):
        open_store(tmp_path / "s.db")


def test_a_store_found_damaged_keeps_what_it_is_given(tmp_path: Path) -> None:
    async def main() -> None:
        store = Store(tmp_path / "s.db", RealClock())
        store.start()
        damage = [DatabaseError("database disk image is malformed")]

        def touch_damage() -> None:
            if damage:
                raise damage.pop()

        store.append(offered())
        with pytest.raises(StoreError, match=r"STO-002.*restore"):
            await store.run(touch_damage, limit_s=0.1)
        await store.flush()
        store.close()

    asyncio.run(main())
    open_store(tmp_path / "s.db")
    assert CallRecord.select().count() == 1


def test_a_store_of_the_first_version_learns_of_transfers(store_place: StorePlace) -> None:
    write(store_place, A_CALL)
    database = open_store(store_place)
    for column in ("transferred_to", "transfer_outcome", "presentation", "ani_source"):
        database.execute_sql(f"alter table call_record drop column {column}")
    database.execute_sql("update schema_version set version = 1")
    database.close()
    write(store_place, (offered("c2"), msgspec.structs.replace(started("sets"), call_id="c2")))
    open_store(store_place)
    assert [(row.call_id, row.transferred_to) for row in CallRecord.select().order_by(CallRecord.call_id)] == [("c1", ""), ("c2", "sets")]


def test_a_store_of_a_newer_version_is_refused(store_place: StorePlace) -> None:
    database = open_store(store_place)
    database.execute_sql("update schema_version set version = 99")
    database.close()
    with pytest.raises(StoreError, match="STO-003"):
        open_store(store_place)


def test_a_job_that_fails_is_told_and_harms_no_other(store_place: StorePlace) -> None:
    def broken() -> None:
        raise ValueError("no")

    async def main() -> None:
        store = Store(store_place, RealClock())
        store.start()
        store.append(offered())
        with pytest.raises(ValueError, match="no"):
            await store.run(broken)
        assert await store.last_seq("c1") == 1
        store.close()

    asyncio.run(main())
