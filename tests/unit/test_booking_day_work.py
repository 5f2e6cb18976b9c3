"""The call agent's task that ends days and passes offers on, on a virtual clock."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.config import load
from appliance.hospital.booking import rules, waitlist
from appliance.hospital.booking.booking import book
from appliance.hospital.booking.changes import cancel
from appliance.hospital.booking.day_work import DayWork
from appliance.hospital.ledger import closing
from appliance.store.booking_tables import Booking, BookingRules, DayEnd, Waiting
from appliance.store.hospital_tables import Card
from appliance.store.money_tables import LedgerAccount
from appliance.store.place import StorePlace
from drivers.clock import VirtualClock, run_virtual
from drivers.errors import ConfigError
from tests.unit.booking_rig import CAUSE, TOMORROW, agent, at, balance, booked, clinic, doctors_clinic, pay, places, rich
from tests.unit.hospital_rig import NOW, ZONE, department, patient
from tests.unit.task_rig import working

NIGHT = at("01:28", TOMORROW + timedelta(days=1))


def sell_many() -> list[Card]:
    """More bookings for tomorrow than one step ends."""
    made = doctors_clinic(places=45)
    cards = [rich(f"人{number}") for number in range(45)]
    for place, card in zip(places(made), cards, strict=True):
        booked(pay(place, card, f"k{place}"))
    return cards


def test_a_day_is_ended_when_it_is_over_and_the_next_call_agent_does_not_end_it_again(store_place: StorePlace) -> None:
    async def main(clock: VirtualClock) -> None:
        async with working(store_place, clock, DayWork) as store:
            cards = await store.run(sell_many)
            await asyncio.sleep(70)
            assert await store.read(lambda: {row.state for row in Booking.select()}) == {"booked"}
            await asyncio.sleep(70)
            assert await store.read(lambda: {row.state for row in Booking.select()}) == {"no_show"}
            assert await store.read(lambda: {balance(card) for card in cards}) == {10_000}
            sheet = await store.read(lambda: closing.kept(TOMORROW))
            assert sheet is not None
            assert (sheet.balances, {line.kind: line.number for line in sheet.movements}["refund"]) == (True, 45)
        async with working(store_place, clock, DayWork) as store:
            await asyncio.sleep(70)
            assert await store.read(lambda: DayEnd.get(DayEnd.day == TOMORROW).no_shows) == 45

    run_virtual(main, VirtualClock(NIGHT))


def test_a_call_agent_that_was_off_at_the_end_of_the_day_ends_it_when_it_starts(store_place: StorePlace) -> None:
    async def main(clock: VirtualClock) -> None:
        async with working(store_place, clock, DayWork) as store:
            await store.run(sell_many)
        clock.step_wall(timedelta(hours=5))
        async with working(store_place, clock, DayWork) as store:
            await asyncio.sleep(1)
            assert await store.read(lambda: {row.state for row in Booking.select()}) == {"no_show"}

    run_virtual(main, VirtualClock(NIGHT))


def test_a_sheet_that_does_not_balance_is_told(store_place: StorePlace, caplog: pytest.LogCaptureFixture) -> None:
    async def main(clock: VirtualClock) -> None:
        async with working(store_place, clock, DayWork) as store:
            await store.run(lambda: LedgerAccount.create(kind="card", code="card 1", balance_fen=1))
            await asyncio.sleep(140)

    run_virtual(main, VirtualClock(NIGHT))
    told = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert [text[:34] for text in told] == ["HOS-102: the sheet of 2026-03-08 d", "HOS-102: the sheet of 2026-03-09 d"]


def test_whatever_goes_wrong_the_day_is_ended_as_soon_as_it_can_be(store_place: StorePlace, caplog: pytest.LogCaptureFixture) -> None:
    async def main(clock: VirtualClock) -> None:
        async with working(store_place, clock, DayWork) as store:
            await store.run(sell_many)
            await store.run(lambda: rules.save(rules.Rules(), None, "boss", NOW))
            await store.run(lambda: BookingRules.update(rules="{").execute())
            await asyncio.sleep(140)
            await store.run(lambda: BookingRules.update(rules="{}").execute())
            await asyncio.sleep(70)
            assert await store.read(lambda: {row.state for row in Booking.select()}) == {"no_show"}

    run_virtual(main, VirtualClock(NIGHT))
    assert {record.message[:7] for record in caplog.records if record.levelname == "ERROR"} == {"HOS-103"}


def test_offers_nobody_takes_are_passed_on(store_place: StorePlace) -> None:
    def offer_one() -> None:
        department()
        made = clinic(minutes=60)
        first = booked(book(places(made)[0], agent(), "first", NOW, ZONE))
        for name in ("李娜", "王芳"):
            waitlist.join(made.id, patient(name).id, "1", NOW)
        cancel(first.booking, NOW, ZONE, CAUSE)

    async def main(clock: VirtualClock) -> None:
        async with working(store_place, clock, DayWork) as store:
            await store.run(offer_one)
            clock.step_wall(timedelta(minutes=30))
            await asyncio.sleep(70)
            assert await store.read(lambda: [row.state for row in Waiting.select()]) == ["gone", "offered"]

    run_virtual(main, VirtualClock(NOW))


def test_a_time_that_ends_no_day_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "careline.toml"
    for text in ("00:00", "11:59"):
        file.write_text(f"[hospital]\nday_end = '{text}'")
        assert load(file).hospital.day_end == text
    for text in ("12:00", "1:30", "24:00", "noon"):
        file.write_text(f"[hospital]\nday_end = '{text}'")
        with pytest.raises(ConfigError, match="day_end"):
            load(file)
