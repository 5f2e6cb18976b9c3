"""A patient books for the family, and waits where all is booked: on the page, without script; nothing for or of anybody else."""

import pytest
from flask import Flask

from appliance.hospital.booking import bans, booking, changes, waitlist
from appliance.hospital.booking.channel import Channel
from appliance.hospital.ledger.posting import Cause
from appliance.hospital.registry import patients
from appliance.store.booking_tables import Booking, Slot, Waiting
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from drivers.clock import VirtualClock
from tests.web.at_home import PAID, PASSWORD, balance_fen, bookings, free_place, hidden, kept_place, log_in, page, send
from tests.web.conftest import NOW, pass_time, text_of
from tests.web.prepared_hospital import ZONE
from webui import store

HOSTILE = ("", "0", "-1", "4", "9" * 40, "1.5", "😀", "<script>alert(1)</script>", "１")
RELATIVE = 2


def fill(clinic: int) -> None:
    """Every free place of the clinic is somebody's."""
    with store.connection(), write_transaction(database):
        for slot in list(Slot.select().where(Slot.clinic == clinic, Slot.state == "free")):
            visitor = booking.Visitor(name="别人", channel=Channel.AGENT)
            assert isinstance(booking.book(slot.id, visitor, f"fill {slot.id}", NOW, ZONE), booking.Booked)


def somebody_cancels(clinic: int) -> int:
    with store.connection(), write_transaction(database):
        row = Booking.select().join(Slot, on=Booking.slot).where(Slot.clinic == clinic, Booking.name == "别人").order_by(Booking.id).first()
        assert isinstance(changes.cancel(row.id, NOW, ZONE, Cause(by="x"), by_hospital=True), changes.Cancelled)
        return int(row.slot_id)


def waiting() -> list[Waiting]:
    with store.connection():
        return list(Waiting.select().order_by(Waiting.id))


def test_a_visit_of_the_daughter_paid_from_the_card(app: Flask) -> None:
    client = log_in(app)
    assert "女儿" in text_of(page(client, "/p/family"))
    assert send(client, "/p/family", {"visitor": str(RELATIVE)}).headers["Location"] == "/p/book"
    for address in ("/p/book", "/p/book/1", "/p/book/1/1?day=2026-03-10"):
        assert "为 赵敏 预约" in text_of(page(client, address))
    form = kept_place(client, free_place(PAID, NOW))
    assert "为 赵敏 预约" in text_of(page(client, "/p/book/confirm"))
    assert send(client, "/p/book/confirm", form | {"password": PASSWORD}).status_code == 303
    made = bookings(RELATIVE)[-1]
    assert (made.name, made.phone, made.paid_fen) == ("赵敏", "13800138000", 5_000)
    assert balance_fen() == 15_000
    assert "赵敏" in page(client, "/p/bookings")
    assert send(client, f"/p/bookings/{made.id}/cancel", {}).status_code == 303
    assert balance_fen() == 20_000


@pytest.mark.parametrize("who", HOSTILE)
def test_nobody_else_is_chosen(app: Flask, who: str) -> None:
    client = log_in(app)
    assert send(client, "/p/family", {"visitor": who}).status_code == 404
    form = kept_place(client, free_place(PAID, NOW))
    assert send(client, "/p/book/confirm", form | {"visitor": who}).status_code in (400, 404)
    assert bookings(4) == []


def test_a_relative_taken_off_is_no_choice_any_more(app: Flask) -> None:
    client = log_in(app)
    send(client, "/p/family", {"visitor": str(RELATIVE)})
    form = kept_place(client, free_place(PAID, NOW))
    with store.connection():
        patients.remove_relative(1, RELATIVE)
    assert send(client, "/p/book/confirm", form).status_code == 404
    assert "为 赵敏" not in text_of(page(client, "/p/book"))
    assert bookings(RELATIVE) == []


def test_the_relation_goes_one_way(app: Flask) -> None:
    client = log_in(app, RELATIVE)
    assert send(client, "/p/family", {"visitor": "1"}).status_code == 404
    assert page(client, f"/p/bookings/{bookings(1)[0].id}", 404)


def test_waiting_for_a_place_and_taking_it(app: Flask) -> None:
    fill(PAID)
    client = log_in(app)
    assert "候补 03-10 13:00" in text_of(page(client, "/p/book/1/1"))
    for _ in range(2):
        assert send(client, "/p/waiting", {"clinic": str(PAID)}).status_code == 303
    assert [(row.patient_id, row.phone, row.state) for row in waiting()] == [(1, "13800138000", "waiting")]
    assert "排在第 1 位" in text_of(page(client, "/p/waiting"))
    assert "候补中：1" in text_of(page(client, "/p/bookings"))
    slot = somebody_cancels(PAID)
    assert "为您保留到" in text_of(page(client, "/p/waiting"))
    assert send(client, f"/p/waiting/{waiting()[0].id}/taken", {}).headers["Location"] == "/p/book/confirm"
    confirm = page(client, "/p/book/confirm")
    assert "这个号为您保留到" in text_of(confirm)
    assert send(client, "/p/book/confirm", hidden(confirm) | {"password": PASSWORD}).status_code == 303
    assert bookings()[-1].slot_id == slot
    assert waiting()[0].state == "served"


def test_who_leaves_gives_the_place_to_the_next(app: Flask) -> None:
    fill(PAID)
    with store.connection(), write_transaction(database):
        waitlist.join(PAID, 1, "", NOW)
        waitlist.join(PAID, 3, "01065551234", NOW)
    somebody_cancels(PAID)
    client = log_in(app)
    number = waiting()[0].id
    assert send(client, f"/p/waiting/{number}/left", {}).status_code == 303
    assert [row.state for row in waiting()] == ["gone", "offered"]
    assert send(client, f"/p/waiting/{number}/taken", {}, follow_redirects=True).status_code == 200
    assert "没有候补" in text_of(page(client, "/p/waiting"))


def test_an_offer_that_is_over_is_told(app: Flask, clock: VirtualClock) -> None:
    fill(PAID)
    client = log_in(app)
    send(client, "/p/waiting", {"clinic": str(PAID)})
    somebody_cancels(PAID)
    with store.connection():
        Waiting.update(offered_until=NOW).execute()
    pass_time(clock, 5.0)
    answer = send(client, f"/p/waiting/{waiting()[0].id}/taken", {}, follow_redirects=True)
    assert "已过保留时间" in text_of(answer.text)


@pytest.mark.parametrize("clinic", [*HOSTILE[:3], *HOSTILE[4:]])
def test_no_clinic_no_waiting(app: Flask, clinic: str) -> None:
    assert send(log_in(app), "/p/waiting", {"clinic": clinic}).status_code == 404
    assert waiting() == []


def test_nobody_waits_where_there_are_places(app: Flask) -> None:
    assert send(log_in(app), "/p/waiting", {"clinic": str(PAID)}).status_code == 409
    assert waiting() == []


def test_who_may_not_book_does_not_wait(app: Flask) -> None:
    fill(PAID)
    with store.connection():
        bans.ban(1, NOW.date(), 30)
    answer = send(log_in(app), "/p/waiting", {"clinic": str(PAID)})
    assert answer.status_code == 409
    assert waiting() == []


def test_what_others_wait_for_is_not_there(app: Flask) -> None:
    fill(PAID)
    with store.connection(), write_transaction(database):
        waitlist.join(PAID, 3, "", NOW)
    client = log_in(app)
    for step in ("left", "taken"):
        assert send(client, f"/p/waiting/{waiting()[0].id}/{step}", {}).status_code == 404
    assert waiting()[0].state == "waiting"
