"""Bookings become work for the desk or printer of their department, and cease to be when they are cancelled."""

import pytest

from appliance.hospital.booking.booking import book
from appliance.hospital.booking.changes import cancel
from appliance.hospital.dispatch import offering
from appliance.store.booking_tables import Booking
from appliance.store.case_tables import WorkItem
from tests.unit.booking_rig import CAUSE, agent, booked, doctors_clinic, places
from tests.unit.cases_rig import LIMITS, desk
from tests.unit.hospital_rig import NOW, ZONE, department, store

__all__ = ["store"]
pytestmark = pytest.mark.usefixtures("store")


def a_booking(key: str = "k", place: int = 0) -> Booking:
    slots = places(doctors_clinic(fee_fen=0))
    return Booking.get_by_id(booked(book(slots[place], agent(), key, NOW, ZONE)).booking)


def test_a_booking_is_at_the_desk_of_its_department() -> None:
    desk("free")
    row = a_booking()
    own = desk("own", department=row.slot.clinic.department.code)
    offering.offer_waiting(LIMITS, NOW)
    item = WorkItem.get()
    assert (item.about, item.desk_id, item.state) == (f"booking {row.code}", own.id, "offered")
    assert "王芳" not in item.text_zh + item.text_en


def test_booked_again_under_its_key_it_is_one_item() -> None:
    desk("free")
    row = a_booking()
    assert booked(book(row.slot_id, agent(), "k", NOW, ZONE)).again
    assert WorkItem.select().count() == 1


def test_cancelled_it_is_no_work_any_more() -> None:
    desk("free")
    row = a_booking()
    cancel(row.id, NOW, ZONE, CAUSE)
    assert WorkItem.get().state == "done"


@pytest.mark.parametrize("kinds", ["", "callback"])
def test_where_no_desk_takes_bookings_they_are_no_work(kinds: str) -> None:
    department("99")
    if kinds:
        desk("calls", kinds)
    a_booking()
    assert WorkItem.select().count() == 0
