"""A patient books, pays, moves and cancels on the page: once however often a form is sent, told in words when it cannot be."""

import threading

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.hospital.booking import bans, booking, slots
from appliance.hospital.booking.channel import Channel
from appliance.hospital.ledger import closing
from appliance.store.booking_tables import Booking, Clinic, Slot
from appliance.store.hospital_tables import Card
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from drivers.clock import VirtualClock
from tests.web.at_home import FREE, PAID, PASSWORD, balance_fen, bookings, free_place, kept_place, log_in, page, send
from tests.web.conftest import NOW, pass_time, text_of
from tests.web.prepared_hospital import ZONE
from webui import store

FEE_FEN, BEGAN_FEN = 5_000, 20_000
HOSTILE = ("", "-1", "9" * 40, "1.5", "😀", "<script>alert(1)</script>", "１")


def others_book(slot: int) -> None:
    with store.connection(), write_transaction(database):
        visitor = booking.Visitor(name="别人", channel=Channel.AGENT, patient=4)
        assert isinstance(booking.book(slot, visitor, f"others {slot}", NOW, ZONE), booking.Booked)  # an agent need not take money


def test_from_department_to_receipt(app: Flask) -> None:
    client = log_in(app)
    assert "内科" in page(client, "/p/book")
    assert "张伟" in text_of(page(client, "/p/book/1"))
    times = page(client, "/p/book/1/1?day=2026-03-10")
    slot = free_place(PAID, NOW)
    assert f'name="slot" value="{slot}"' in times
    form = kept_place(client, slot)
    confirm = text_of(page(client, "/p/book/confirm"))
    assert "￥50.00" in confirm
    assert "￥200.00" in confirm
    answer = send(client, "/p/book/confirm", form | {"password": PASSWORD})
    made = bookings()[-1]
    assert answer.headers["Location"] == f"/p/bookings/{made.id}"
    assert (made.channel, made.paid_fen, made.slot_id, made.phone) == ("web", FEE_FEN, slot, "13800138000")
    assert balance_fen() == BEGAN_FEN - FEE_FEN
    shown = page(client, f"/p/bookings/{made.id}")
    assert made.code in shown
    assert "余额 150.00 元" in shown
    assert "<svg" in shown
    assert "-50.00" in page(client, "/p/account")


def test_without_a_fee_no_password_is_asked(app: Flask) -> None:
    client = log_in(app, 2)
    form = kept_place(client, free_place(FREE, NOW))
    assert 'type="password"' not in page(client, "/p/book/confirm")
    assert send(client, "/p/book/confirm", form).status_code == 303
    assert [row.paid_fen for row in bookings(2)] == [0]


def test_the_same_form_sent_again_books_and_pays_once(app: Flask) -> None:
    client = log_in(app)
    form = kept_place(client, free_place(PAID, NOW)) | {"password": PASSWORD}
    first, again = (send(client, "/p/book/confirm", form) for _ in range(2))
    assert first.headers["Location"] == again.headers["Location"]
    assert len(bookings()) == 2
    assert balance_fen() == BEGAN_FEN - FEE_FEN


def test_the_same_form_sent_eight_times_at_once(app: Flask) -> None:
    client = log_in(app)
    form = kept_place(client, free_place(PAID, NOW)) | {"password": PASSWORD}
    with client.session_transaction("/p") as session:
        form["csrf"] = session["csrf"]
    cookie = client.get_cookie("careline_patient", path="/p")
    assert cookie is not None
    places: list[str] = []

    def press() -> None:
        tab = app.test_client()
        tab.set_cookie("careline_patient", cookie.value, path="/p")
        places.append(tab.post("/p/book/confirm", data=form).headers["Location"])

    tabs = [threading.Thread(target=press) for _ in range(8)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join(60.0)
    assert len(places) == 8
    assert len(set(places)) == 1
    assert len(bookings()) == 2
    assert balance_fen() == BEGAN_FEN - FEE_FEN


def test_the_wrong_password_pays_nothing_and_counts(app: Flask) -> None:
    client = log_in(app)
    form = kept_place(client, free_place(PAID, NOW))
    for status in (422, 422, 422):
        answer = send(client, "/p/book/confirm", form | {"password": "000111"})
        assert answer.status_code == status
    assert "锁住" in answer.text
    assert len(bookings()) == 1
    assert balance_fen() == BEGAN_FEN
    with store.connection():
        assert Card.get(Card.patient == 1).state == "locked"


def test_a_place_that_went_meanwhile_is_told_and_the_next_offered(app: Flask) -> None:
    client, slot = log_in(app), free_place(PAID, NOW)
    page(client, "/p/book/1/1")
    others_book(slot)
    answer = send(client, "/p/book/place", {"slot": str(slot), "instead": "0"})
    assert answer.status_code == 409
    assert "刚刚被预约" in answer.text
    offered = int(answer.text.split('name="slot" value="')[1].split('"')[0])
    form = kept_place(client, offered)
    assert send(client, "/p/book/confirm", form | {"password": PASSWORD}).status_code == 303


def test_a_place_kept_too_long_may_be_somebody_elses(app: Flask, clock: VirtualClock) -> None:
    client, slot = log_in(app, 2), free_place(FREE, NOW)
    form = kept_place(client, slot)
    pass_time(clock, 200.0)
    with store.connection():
        assert isinstance(slots.hold(slot, "somebody", clock.now()), slots.Held)
    answer = send(client, "/p/book/confirm", form)
    assert answer.status_code == 409
    assert bookings(2) == []


def test_one_place_is_kept_for_a_session(app: Flask) -> None:
    client, slot = log_in(app), free_place(PAID, NOW)
    kept_place(client, slot)
    kept_place(client, free_place(PAID, NOW))
    with store.connection():
        assert Slot.get_by_id(slot).state == "free"
        assert Slot.select().where(Slot.state == "held").count() == 1
    send(client, "/p/out", {})
    with store.connection():
        assert Slot.select().where(Slot.state == "held").count() == 0


@pytest.mark.parametrize(("language", "words"), [("zh", "余额不足"), ("en", "not enough money")])
def test_too_little_money(app: Flask, language: str, words: str) -> None:
    client = log_in(app, language=language)
    with store.connection():
        Clinic.update(fee_fen=30_000).where(Clinic.id == PAID).execute()
    answer = send(client, "/p/book/confirm", kept_place(client, free_place(PAID, NOW)) | {"password": PASSWORD})
    assert answer.status_code == 409
    assert words in answer.text
    assert "￥100.00" in answer.text
    assert balance_fen() == BEGAN_FEN


def test_another_price_than_the_one_shown(app: Flask) -> None:
    client = log_in(app)
    form = kept_place(client, free_place(PAID, NOW)) | {"password": PASSWORD}
    for price in ("1", "4999", "5001"):
        answer = send(client, "/p/book/confirm", form | {"price_fen": price})
        assert answer.status_code == 409
        assert "没有扣款" in answer.text
    assert (len(bookings()), balance_fen()) == (1, BEGAN_FEN)


def test_a_ban_is_told_with_its_day(app: Flask) -> None:
    client = log_in(app, language="en")
    with store.connection(), write_transaction(database):
        bans.ban(1, NOW.date(), 10)
    answer = send(client, "/p/book/place", {"slot": str(free_place(PAID, NOW)), "instead": "0"})
    assert answer.status_code == 409
    assert "You can book again from: 2026-03-18" in answer.text


@pytest.mark.parametrize("field", ["slot", "price_fen", "instead", "once"])
@pytest.mark.parametrize("text", HOSTILE)
def test_what_no_page_sends_is_refused(app: Flask, field: str, text: str) -> None:
    client = log_in(app)
    form = kept_place(client, free_place(PAID, NOW)) | {"password": PASSWORD, field: text}
    answer = send(client, "/p/book/confirm", form)
    assert answer.status_code == 400
    assert "<script>alert" not in answer.text
    assert (len(bookings()), balance_fen()) == (1, BEGAN_FEN)


def test_places_and_bookings_that_are_not_there(app: Flask) -> None:
    client = log_in(app)
    assert send(client, "/p/book/place", {"slot": "999999", "instead": "0"}).status_code == 404
    for address in ("/p/book/99", "/p/book/1/99", "/p/bookings/999", "/p/bookings/99999999999999999999", "/p/nothing"):
        page(client, address, 404)
    assert client.get("/p/book/1/1?day=gestern&instead=%3Cscript%3E").status_code == 200


def test_nobody_elses_booking(app: Flask) -> None:
    """Nor is another patient's once-key worth anything."""
    stranger = log_in(app, 2)
    for address in ("/p/bookings/1", "/p/bookings/1/cancel", "/p/book/1/2?instead=1"):
        page(stranger, address, 404)
    assert send(stranger, "/p/bookings/1/cancel", {}).status_code == 404
    assert bookings()[0].state == "booked"
    form = kept_place(stranger, free_place(FREE, NOW))
    owner = log_in(app)
    mine = send(owner, "/p/book/confirm", kept_place(owner, free_place(PAID, NOW)) | {"password": PASSWORD, "once": form["once"]})
    assert send(stranger, "/p/book/confirm", form).headers["Location"] != mine.headers["Location"]


def test_cancelled_with_the_fee_back(app: Flask) -> None:
    client = log_in(app)
    paid = _book(client, PAID)
    assert "50.00 元将退回" in page(client, f"/p/bookings/{paid.id}/cancel")
    for _ in range(2):
        assert send(client, f"/p/bookings/{paid.id}/cancel", {}).status_code == 303
    assert balance_fen() == BEGAN_FEN
    assert bookings()[-1].state == "cancelled"
    assert "已取消" in page(client, "/p/bookings")


def _book(client: FlaskClient, clinic: int) -> Booking:
    send(client, "/p/book/confirm", kept_place(client, free_place(clinic, NOW)) | {"password": PASSWORD})
    return bookings()[-1]


def test_too_late_to_cancel_is_told(app: Flask, clock: VirtualClock) -> None:
    client = log_in(app)
    pass_time(clock, 6 * 3600.0)  # 16:10, the deadline for tomorrow was 15:00
    client = log_in(app)
    assert client.get("/p/bookings/1/cancel").status_code == 303
    assert "可以取消或者更改的时间" in page(client, "/p/bookings/1")
    assert send(client, "/p/bookings/1/cancel", {}).status_code == 303
    assert bookings()[0].state == "booked"


def test_moved_with_what_was_paid(app: Flask) -> None:
    client = log_in(app)
    paid = _book(client, PAID)
    address = f"/p/book/1/1?instead={paid.id}"
    assert "改期" in page(client, address)
    later = free_place(PAID + 3, NOW)
    form = kept_place(client, later, instead=str(paid.id))
    assert 'type="password"' not in page(client, "/p/book/confirm")
    for _ in range(2):
        answer = send(client, "/p/book/confirm", form)
    new = bookings()[-1]
    assert answer.headers["Location"] == f"/p/bookings/{new.id}"
    assert (new.slot_id, new.paid_fen, new.state) == (later, FEE_FEN, "booked")
    assert bookings()[-2].state == "moved"
    assert balance_fen() == BEGAN_FEN - FEE_FEN


def test_not_moved_to_another_fee(app: Flask) -> None:
    client = log_in(app)
    paid = _book(client, PAID)
    form = kept_place(client, free_place(PAID + 4, NOW), instead=str(paid.id))
    assert send(client, "/p/book/confirm", form).status_code == 409
    assert bookings()[-1].state == "booked"


def test_the_books_balance_after_all_that(app: Flask) -> None:
    client = log_in(app)
    for _ in range(2):
        send(client, f"/p/bookings/{_book(client, PAID).id}/cancel", {})
    _book(client, PAID)
    with store.connection():
        assert closing.faults() == ()
    assert balance_fen() == BEGAN_FEN - FEE_FEN
