"""What a printer is offered comes out once, or goes to another one, or is a dead letter that somebody looks into."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from peewee import Database

from appliance.config import HospitalConfig
from appliance.hospital.dispatch import items, offering, sources
from appliance.hospital.dispatch.items import State
from appliance.hospital.slips import wire
from appliance.printing.work import PrinterWork
from appliance.store.booking_tables import Booking
from appliance.store.case_tables import Desk, WorkItem
from appliance.store.database import open_store
from appliance.store.place import StorePlace
from drivers.clock import VirtualClock
from tests.unit.cases_rig import LIMITS, desk, item
from tests.unit.fake_printer import FakePrinter, printer
from tests.unit.hospital_rig import NOW
from tests.unit.test_slips import booking


@pytest.fixture(name="database")
def _database(store_place: StorePlace) -> Iterator[Database]:
    opened = open_store(store_place)
    yield opened
    opened.close()


def at_printer(fake: FakePrinter, name: str = "p") -> Desk:
    return desk(name, printer="yes", address=fake.address, columns="32")


def work(database: Database, of: Desk) -> PrinterWork:
    return PrinterWork(database, of.id, HospitalConfig(), VirtualClock(NOW))


def offer(after_s: int = 0) -> None:
    offering.offer_waiting(LIMITS, NOW + timedelta(seconds=after_s))


def test_a_booking_comes_out_once_and_is_done(database: Database) -> None:
    with printer() as fake:
        of = at_printer(fake)
        sources.booking(booking(), NOW)
        offer()
        printing = work(database, of)
        assert [printing.step() for _ in range(3)] == [True, False, False]
        assert [paper.codes for paper in fake.papers] == [["00412233"]]
    assert (WorkItem.get().state, Booking.get().printed) == ("done", 1)


def test_items_come_out_in_order(database: Database) -> None:
    with printer() as fake:
        of = at_printer(fake)
        for n in range(5):
            item(f"task {n}", n)
        offer()
        printing = work(database, of)
        while printing.step():
            pass
        assert [paper.codes for paper in fake.papers] == [[f"task {n}"] for n in range(5)]


def test_an_english_patient_gets_an_english_slip(database: Database) -> None:
    with printer() as fake:
        of, row = at_printer(fake), booking()
        assert row.patient is not None
        row.patient.language = "en"
        row.patient.save()
        sources.booking(row, NOW)
        offer()
        work(database, of).step()
        assert "Careline Demo Hospital" in fake.papers[0].text.replace("\n", "")


def test_a_printer_that_is_gone_says_why_and_its_items_go_to_another(database: Database) -> None:
    with printer() as other:
        with printer() as fake:
            first = at_printer(fake)
        second = at_printer(other, "q")
        item("a")
        offer()
        assert work(database, first).step() is False
        assert Desk.get_by_id(first.id).fault.startswith("HOS-230")
        offer()
        assert work(database, second).step() is True
        assert [paper.codes for paper in other.papers] == [["a"]]


def test_a_printer_that_is_well_again_is_there_again(database: Database) -> None:
    with printer() as fake:
        of = at_printer(fake)
        printing = work(database, of)
        fake.paper_status = 0x72
        printing.step()
        assert (Desk.get().seen_at, Desk.get().fault[:7]) == (None, "HOS-231")
        fake.paper_status = 0x12
        printing.step()
        assert (Desk.get().seen_at, Desk.get().fault) == (NOW, "")


def test_in_doubt_it_is_a_dead_letter_and_sent_again_it_is_a_copy(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PRINT_S", 0.2)
    with printer(dies_after=60) as fake:
        of = at_printer(fake)
        sources.booking(booking(), NOW)
        offer()
        printing = work(database, of)
        assert printing.step() is False
        assert [letter.fault[:7] for letter in items.dead_letters()] == ["HOS-234"]
        fake.dies_after = None
        items.resend(WorkItem.get().id, "li", NOW)
        printing.step()
        offer()
        assert printing.step() is True
        assert "补打" in fake.papers[-1].text


def test_what_a_process_that_was_killed_had_taken_is_a_dead_letter(database: Database) -> None:
    with printer() as fake:
        of = at_printer(fake)
        a = item("a")
        offer()
        items.take(a.id, of.id, "printer", NOW)
        printing = work(database, of)
        printing.begin()
        assert printing.step() is False
    assert [letter.fault[:7] for letter in items.dead_letters()] == ["HOS-236"]


def test_a_closed_printer_prints_nothing(database: Database) -> None:
    with printer() as fake:
        of = at_printer(fake)
        item("a")
        offer()
        Desk.update(closed=True).execute()
        assert work(database, of).step() is False
        assert fake.papers == []


def test_bookings_at_two_printers_one_of_which_is_pulled_all_come_out_once(database: Database) -> None:
    with printer() as first, printer() as second:
        desks = [at_printer(first, "1"), at_printer(second, "2")]
        works = [work(database, of) for of in desks]
        for n in range(40):
            item(f"task {n}", n)
        for turn in range(60):
            offer()
            if turn == 10:
                first.close()
            for each in works:
                each.step()
        codes = [code for fake in (first, second) for paper in fake.papers for code in paper.codes]
    assert sorted(codes) == sorted(f"task {n}" for n in range(40))
    assert items.counts()[State.DONE] == 40
