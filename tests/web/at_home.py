"""Patients before their own pages and at the kiosk: a browser of theirs, their cards with a password, what the store has afterwards."""

import re
from datetime import datetime
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.hospital.registry import card_password
from appliance.store.booking_tables import Booking, Slot
from appliance.store.hospital_tables import Card
from appliance.store.money_tables import LedgerAccount
from tests.web.conftest import HTML
from webui import store

PASSWORD = "482915"
PAID, FREE = 7, 5  # clinics of the prepared day: the day after tomorrow, 50 yuan; tomorrow, without a fee


def give_password(patient: int = 1, password: str = PASSWORD) -> str:
    """The number of the patient's card, which has that password now."""
    with store.connection():
        card = Card.get(Card.patient == patient)
        if not card_password.is_right(card_password.begin(card.number), password):
            card_password.set_password(card.id, card_password.hashed(password))
        return str(card.number)


def send(client: FlaskClient, address: str, form: dict[str, str], area: str = "/p", **more: Any) -> TestResponse:
    """A form sent as a browser would."""
    return client.post(address, data={**form, "csrf": csrf(client, area)}, headers=HTML, **more)


def csrf(client: FlaskClient, area: str = "/p") -> str:
    """The token of this client's session in that area; a page is asked for when there is none yet."""
    with client.session_transaction(area) as session:
        if "csrf" in session:
            return str(session["csrf"])
    client.get("/p" if area == "/p" else "/kiosk/set-up", headers=HTML, follow_redirects=True)
    with client.session_transaction(area) as session:
        return str(session["csrf"])


def log_in(app: Flask, patient: int = 1, password: str = PASSWORD, language: str = "zh") -> FlaskClient:
    """A patient who has logged in with the card, which gets that password before."""
    number = give_password(patient, password)
    client = app.test_client()
    client.set_cookie("language", language)
    assert send(client, "/p", {"card_number": number, "password": password}).status_code == 303
    return client


def page(client: FlaskClient, address: str, status: int = 200) -> str:
    answer = client.get(address, headers=HTML)
    assert answer.status_code == status, (address, answer.status_code)
    return answer.text


def hidden(html: str) -> dict[str, str]:
    """The hidden fields of a page's forms."""
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html))


def free_place(clinic: int, now: datetime) -> int:
    """The first place of a clinic that nobody has."""
    with store.connection():
        free = (Slot.clinic == clinic) & ((Slot.state == "free") | (Slot.held_until < now))
        return int(Slot.select().where(free).order_by(Slot.number).get().id)


def kept_place(client: FlaskClient, slot: int, **more: str) -> dict[str, str]:
    """What the page that asks for confirmation would send."""
    assert send(client, "/p/book/place", {"slot": str(slot), "instead": "0", **more}).status_code == 303
    return hidden(page(client, "/p/book/confirm"))


def bookings(patient: int = 1) -> list[Booking]:
    with store.connection():
        return list(Booking.select().where(Booking.patient == patient).order_by(Booking.id))


def balance_fen(patient: int = 1) -> int:
    with store.connection():
        return int(LedgerAccount.get_by_id(Card.get(Card.patient == patient).account_id).balance_fen)
