"""The registration desk: booked for anybody, paid from a card, warned of doubles, moved, cancelled, arrived."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.hospital.registry import card_password
from appliance.store.booking_tables import Booking, Clinic, Slot
from appliance.store.hospital_tables import Card
from appliance.store.money_tables import LedgerAccount
from tests.web.conftest import HTML, NOW, SignIn, post, text_of
from webui import store

FREE, PAID = 5, 4  # clinics of tomorrow: Wang Fang without a fee, Zhang Wei for 50 yuan
SECRET = "482915"


def slots(clinic: int) -> list[int]:
    with store.connection():
        return [row.id for row in Slot.select().where(Slot.clinic == clinic, Slot.state == "free").order_by(Slot.number)]


def book(client: FlaskClient, slot: int, **more: str) -> TestResponse:
    form = {"slot": str(slot), "visitor": "王小明", "phone": "", "holder": "", "once": "k1", "department": "12", "day": ""}
    return post(client, "/desk", form | more)


def rows(**fields: Any) -> list[Booking]:
    with store.connection():
        query = Booking.select()
        for name, value in fields.items():
            query = query.where(getattr(Booking, name) == value)
        return list(query.order_by(Booking.id))


def prepared() -> Booking:
    return rows(once_key="prepared booking")[0]


def with_password() -> Card:
    with store.connection():
        card: Card = Card.get_by_id(1)
        card_password.set_password(card.id, card_password.hashed(SECRET))
        return card


def balance(card: Card) -> int:
    with store.connection():
        return int(LedgerAccount.get_by_id(card.account_id).balance_fen)


def test_the_page_shows_tomorrows_places(sign_in: SignIn) -> None:
    shown = text_of(sign_in("registrar").get("/desk", headers=HTML).text)
    assert "王芳" in shown
    assert "13:00" in shown
    assert "李娜" in shown  # who has one of them
    assert "¥50.00" in shown


def test_booked_by_name_and_time_in_one_step(sign_in: SignIn) -> None:
    answer = book(sign_in("registrar"), slots(FREE)[0])
    made = rows(name="王小明")
    assert answer.headers["Location"] == f"/bookings/{made[0].code}"
    assert (made[0].channel, made[0].made_by, made[0].patient_id) == ("agent", "huang", None)


def test_sent_twice_it_books_once(sign_in: SignIn) -> None:
    client, slot = sign_in("registrar"), slots(FREE)[0]
    first = book(client, slot).headers["Location"]
    assert book(client, slot, sure="1").headers["Location"] == first
    assert len(rows(name="王小明")) == 1


def test_by_card_it_is_the_patients(sign_in: SignIn) -> None:
    assert book(sign_in("registrar"), slots(FREE)[2], holder="6001000030", visitor="").status_code == 303
    assert rows(patient=3)[0].name == "欧阳建国"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("visitor", bad) for bad in ("", "x" * 65, "李😀", "<script>alert(1)</script>")),
        *(("phone", bad) for bad in ("abc", "1" * 40)),
        *(("holder", bad) for bad in ("999", "😀", "-1")),
    ],
)
def test_bad_fields_are_told_and_nothing_is_booked(sign_in: SignIn, field: str, value: str) -> None:
    before = len(rows())
    answer = book(sign_in("registrar"), slots(FREE)[0], **{field: value})
    assert answer.status_code == 422
    assert f'id="f-{field}-fault"' in answer.text
    assert "<script>alert" not in answer.text
    assert len(rows()) == before


@pytest.mark.parametrize("slot", ["", "x", "-1", "99999", "9" * 40])
def test_a_place_that_is_none(sign_in: SignIn, slot: str) -> None:
    answer = post(sign_in("registrar"), "/desk", {"visitor": "王小明", "slot": slot})
    assert answer.status_code == 422


def test_a_place_that_is_taken_is_told(sign_in: SignIn) -> None:
    answer = book(sign_in("registrar"), prepared().slot_id)
    assert answer.status_code == 422
    assert "已被预约" in answer.text


def test_doubles_are_warned_of_and_booked_all_the_same(sign_in: SignIn) -> None:
    client, slot = sign_in("registrar"), slots(FREE)[3]
    warned = book(client, slot, visitor="李娜")
    assert warned.status_code == 200
    assert prepared().code in warned.text
    assert len(rows(name="李娜")) == 1
    assert book(client, slot, visitor="李娜", sure="1").status_code == 303
    assert len(rows(name="李娜")) == 2


def test_paid_from_the_card(sign_in: SignIn) -> None:
    client, card, slot = sign_in("registrar"), with_password(), slots(PAID)[5]
    asked = book(client, slot, holder=card.number)
    assert asked.status_code == 200
    assert "¥50.00" in asked.text
    pay = {"sure": "1", "pay": "card", "card": "1", "price": "5000", "holder": card.number}
    wrong = book(client, slot, **pay, password="111111")
    assert wrong.status_code == 422
    assert "还可以试 2 次" in wrong.text
    assert balance(card) == 20_000
    assert book(client, slot, **pay, password=SECRET).status_code == 303
    assert balance(card) == 15_000
    assert SECRET not in book(client, slot, **pay, password=SECRET).text


def test_a_card_is_locked_at_the_third_wrong_password(sign_in: SignIn) -> None:
    client, card, slot = sign_in("registrar"), with_password(), slots(PAID)[5]
    pay = {"sure": "1", "pay": "card", "card": "1", "price": "5000", "holder": card.number}
    answers = [book(client, slot, **pay, password="111111").text for _ in range(3)]
    assert "卡已锁定" in answers[2]
    assert "卡已锁定" in book(client, slot, **pay, password=SECRET).text
    assert rows(patient=1, paid_fen=5_000) == []


def test_somebody_elses_card_does_not_pay(sign_in: SignIn) -> None:
    client, card = sign_in("registrar"), with_password()
    pay = {"sure": "1", "pay": "card", "card": str(card.id), "price": "5000", "password": SECRET}
    answer = book(client, slots(PAID)[5], holder="10000004", **pay)
    assert answer.status_code == 422
    assert balance(card) == 20_000


def test_booked_unpaid_when_the_rules_allow(sign_in: SignIn) -> None:
    client, slot = sign_in("registrar"), slots(PAID)[0]
    assert "到院再付费" in book(client, slot).text
    assert book(client, slot, sure="1", pay="later").status_code == 303
    assert rows(name="王小明")[0].paid_fen == 0


def test_moved(sign_in: SignIn) -> None:
    client, row, slot = sign_in("registrar"), prepared(), slots(FREE)[4]
    assert f"改期 {row.code}" in client.get(f"/desk?move={row.code}", headers=HTML).text
    answer = post(client, f"/bookings/{row.code}/moved", {"slot": str(slot), "once": "m1"})
    new = rows(slot=slot)[0]
    assert answer.headers["Location"] == f"/bookings/{new.code}"
    assert prepared().state == "moved"
    for bad in ("", "x", "999999"):
        assert post(client, f"/bookings/{new.code}/moved", {"slot": bad}).status_code == 400


def test_cancelled_once(sign_in: SignIn) -> None:
    client, row = sign_in("registrar"), prepared()
    assert post(client, f"/bookings/{row.code}/cancelled", {}, follow_redirects=True).status_code == 200
    assert prepared().state == "cancelled"
    assert row.slot_id in slots(FREE)
    post(client, f"/bookings/{row.code}/cancelled", {})


def test_arrives_on_the_day_only(sign_in: SignIn) -> None:
    client, row = sign_in("registrar"), prepared()
    assert "不是今天" in post(client, f"/bookings/{row.code}/arrived", {}, follow_redirects=True).text
    with store.connection():
        Booking.update(day=(NOW + timedelta(hours=8)).date()).where(Booking.id == row.id).execute()
    listed = client.get("/bookings", headers=HTML).text
    assert "李娜" in listed
    assert "已到诊" in post(client, f"/bookings/{row.code}/arrived", {"from": "list"}, follow_redirects=True).text
    assert prepared().state == "arrived"


def test_the_list_is_searched(sign_in: SignIn) -> None:
    client = sign_in("registrar")
    assert "李娜" in client.get(f"/bookings?q={prepared().code}", headers=HTML).text
    assert "李娜" not in client.get("/bookings?department=15&day=2026-03-09", headers=HTML).text.split("<main")[1]
    assert client.get("/bookings?day=never&state=<b>&page=x", headers=HTML).status_code == 200
    assert client.get("/bookings/nothing", headers=HTML).status_code == 404


def test_without_departments_the_page_says_so(sign_in: SignIn) -> None:
    with store.connection():
        Clinic.update(cancelled=True).execute()
    assert "已停诊" in sign_in("registrar").get("/desk", headers=HTML).text
