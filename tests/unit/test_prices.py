"""Prices of two persons, batches of scratch cards and the waitlist by hand, on both databases; the pages' tests are on SQLite alone."""

import msgspec
import pytest

from appliance.hospital import prices
from appliance.hospital.booking import bans, slots, waitlist
from appliance.hospital.booking.booking import book
from appliance.hospital.booking.reasons import NotBooked
from appliance.hospital.ledger import closing, scratch_cards
from appliance.hospital.ledger.posting import Cause
from appliance.hospital.prices import Decision
from appliance.hospital.registry import doctors, drugs
from appliance.store.booking_tables import Ban, Clinic, Slot, Waiting
from appliance.store.hospital_tables import Doctor, Drug
from appliance.store.money_tables import PriceLine, PriceRequest
from tests.unit.booking_rig import TOMORROW, agent, clinic, doctors_clinic, places
from tests.unit.hospital_rig import NOW, TODAY, ZONE, department, doctor, patient, store, taken

__all__ = ["store"]
pytestmark = pytest.mark.usefixtures("store")

SECRETS = [(f"{number:016d}", f"{number:064x}") for number in range(3)]


def wants(row: Doctor, fee_fen: int, by: str = "li") -> PriceRequest:
    entry = msgspec.structs.replace(doctors.entry_of(row), fee_fen=fee_fen)
    kept, held = prices.hold_back(entry, prices.DOCTOR, row)
    saved = taken(doctors.save(kept, row.id))
    request = prices.ask(held, prices.FORM, by, NOW, saved.id)
    assert request is not None
    return request


def fee_of(row: Doctor) -> int:
    return int(Doctor.get_by_id(row.id).fee_fen)


def states() -> list[str]:
    return [line.state for line in PriceLine.select().order_by(PriceLine.id)]


@pytest.fixture
def zhang(store: None) -> Doctor:
    department()
    return doctor(fee="50")


def test_only_another_person_makes_it_hold(zhang: Doctor) -> None:
    request = wants(zhang, 8_000)
    assert fee_of(zhang) == 5_000
    assert prices.approve(request.id, "li", NOW) is Decision.SAME_PERSON
    assert prices.approve(request.id, "", NOW) is Decision.SAME_PERSON
    assert prices.approve(request.id, "wu", NOW) is Decision.APPROVED
    assert prices.approve(request.id, "wu", NOW) is Decision.DECIDED
    assert prices.refuse(request.id, "wu", NOW, "x") is Decision.DECIDED
    assert prices.approve(99, "wu", NOW) is prices.refuse(99, "wu", NOW, "x") is Decision.UNKNOWN
    assert (fee_of(zhang), states()) == (8_000, ["done"])


def test_who_asked_takes_it_back(zhang: Doctor) -> None:
    request = wants(zhang, 8_000)
    assert prices.refuse(request.id, "li", NOW, "typed wrong") is Decision.REFUSED
    assert (fee_of(zhang), states(), prices.waiting()) == (5_000, ["refused"], [])


def test_a_later_request_replaces_lines_not_others_of_the_same_request(zhang: Doctor) -> None:
    other = doctor("1002", "王芳", fee="20")
    both = prices.ask(
        [prices.Held(what="fee", item=row.number, row=row.id, before_fen=row.fee_fen, after_fen=9_000) for row in (zhang, other)],
        prices.IMPORT,
        "li",
        NOW,
    )
    assert both is not None
    wants(zhang, 7_000)
    assert states() == ["replaced", "asked", "asked"]
    prices.approve(both.id, "wu", NOW)
    assert (fee_of(zhang), fee_of(other)) == (5_000, 9_000)


def test_nothing_that_changes_nothing_is_asked_for(zhang: Doctor) -> None:
    kept, held = prices.hold_back(doctors.entry_of(zhang), prices.DOCTOR, zhang)
    assert (kept, held) == (doctors.entry_of(zhang), [])
    assert prices.ask(held, prices.FORM, "li", NOW) is None


def test_a_new_drug_has_no_price_until_then() -> None:
    entry = taken(drugs.read({"number": "7", "name_zh": "布洛芬", "name_en": "Ibuprofen", "price": "9.90"}))
    kept, held = prices.hold_back(entry, prices.DRUG, None)
    row = taken(drugs.save(kept, NOW))
    request = prices.ask(held, prices.FORM, "li", NOW, row.id)
    assert request is not None
    assert drugs.by_number("7") is None
    prices.approve(request.id, "wu", NOW)
    found = drugs.by_number("7")
    assert found is not None
    assert (found.price_fen, Drug.get_by_id(row.id).version) == (990, 2)


def test_clinics_of_another_fee_wait_and_the_others_do_not(zhang: Doctor) -> None:
    before = prices.last_clinic()
    same = clinic(doctor=zhang.id, fee_fen=5_000)
    dearer = clinic(doctor=zhang.id, fee_fen=9_000, day=TOMORROW.replace(day=TOMORROW.day + 1))
    request = prices.ask(prices.hold_clinics(before), prices.FORM, "li", NOW)
    assert request is not None
    assert [slots.free_count(each.id, NOW) for each in (same, dearer)] == [6, 0]
    prices.approve(request.id, "wu", NOW)
    assert slots.free_count(dearer.id, NOW) == 6


def test_a_batch_from_printing_to_its_end() -> None:
    made = scratch_cards.make(SECRETS, 5_000, "spring", "k", NOW, "li")
    assert made is not None
    assert scratch_cards.make(SECRETS, 5_000, "spring", "k", NOW, "li") is None
    batch, printed = made
    cause = Cause(by="qian")
    assert scratch_cards.sell(batch, printed[0].serial, printed[1].serial, "s", NOW, cause) == 2
    assert scratch_cards.sell(batch, printed[0].serial, printed[1].serial, "t", NOW, cause) == 0
    assert scratch_cards.void(batch, "0", "9" * 10) == 3
    assert scratch_cards.counted([batch])[0].counts == {"unsold": 0, "sold": 0, "used": 0, "void": 3}
    assert closing.faults() == ()
    assert scratch_cards.make([("1" * 16, "f" * 64)], 5_000, "", "l", NOW, "li") is not None


def test_a_place_for_one_who_waits_and_clinics_that_are_full() -> None:
    full = doctors_clinic(0, places=1)
    assert slots.full_clinics(Clinic.day >= TODAY, NOW, 10) == []
    book(places(full)[0], agent("甲"), "k", NOW, ZONE)
    assert slots.full_clinics(Clinic.day >= TODAY, NOW, 10) == [full]
    first, second = patient("李娜"), patient("王芳")
    for number, who in enumerate((first, second), start=1):
        joined = waitlist.join(full.id, who.id, "", NOW)
        assert not isinstance(joined, NotBooked)
        assert joined.number == number
    rows = waitlist.of_clinic(full.id)
    assert [row.patient_id for row in rows] == [first.id, second.id]
    assert isinstance(waitlist.offer(rows[1].id, NOW, ZONE), NotBooked)
    Slot.update(state=slots.FREE).execute()
    offered = waitlist.offer(rows[1].id, NOW, ZONE)
    assert isinstance(offered, Waiting)
    assert [row.patient_id for row in waitlist.of_clinic(full.id)] == [second.id, first.id]


def test_a_ban_is_lifted_with_a_reason() -> None:
    who = patient()
    made = bans.ban(who.id, TODAY, 3, by="wu", note="倒号")
    assert Ban.select().where(bans.holds(TODAY)).count() == 1
    assert bans.lift(made.id, "li", "误会")
    assert not bans.lift(made.id, "li", "again")
    (row,) = bans.of_patient(who.id)
    assert (row.by, row.note, row.lifted_by, row.lifted_why) == ("wu", "倒号", "li", "误会")
    assert Ban.select().where(bans.holds(TODAY)).count() == 0
