"""The patients' log-in: what is asked, what is refused and how, when it ends."""

from datetime import UTC, datetime

import pytest
from flask import Flask

from appliance.hospital.registry import cards
from appliance.hospital.registry.cards import CardStep
from appliance.store.hospital_tables import Card
from appliance.store.models import Audit
from drivers.clock import VirtualClock
from tests.web.at_home import PASSWORD, give_password, log_in, page, send
from tests.web.conftest import HTML, pass_time, signed_in, text_of
from webui import store
from webui.patient_session import IDLE_S, LONGEST_S

NOW = datetime(2026, 3, 8, 2, 10, tzinfo=UTC)
HOSTILE = ("", "x" * 5000, "😀😀", "<script>alert(1)</script>", "6001000014' or 1=1", "\x00", "１２３４５６")


def card_of(patient: int = 1) -> Card:
    with store.connection():
        return Card.get(Card.patient == patient)


@pytest.mark.parametrize(("language", "words"), [("zh", "就诊卡号"), ("en", "Card number")])
def test_pages_in_both_languages(app: Flask, language: str, words: str) -> None:
    client = app.test_client()
    client.set_cookie("language", language)
    assert words in page(client, "/p")
    inside = log_in(app, language=language)
    for address in (
        "/p/bookings",
        "/p/bookings/1",
        "/p/bookings/1/cancel",
        "/p/book",
        "/p/book/1",
        "/p/book/1/1",
        "/p/account",
        "/p/password",
    ):
        shown = page(inside, address)
        assert "<script" not in shown, address
        assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in shown


def test_language_is_switched_and_leads_back(app: Flask) -> None:
    client = log_in(app)
    answer = send(client, "/p/language", {"language": "en", "next": "/p/account"})
    assert answer.headers["Location"] == "/p/account"
    assert "Balance" in page(client, "/p/account")
    for elsewhere in ("//evil.example/p/", "/calls", "/p/\\evil", "https://evil.example"):
        assert send(client, "/p/language", {"language": "zh", "next": elsewhere}).headers["Location"] == "/p"
    assert send(client, "/p/language", {"language": "fr"}).status_code == 400


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_card_is_told_and_never_echoed_as_markup(app: Flask, text: str) -> None:
    give_password()
    for form in ({"card_number": text, "password": PASSWORD}, {"card_number": "6001000014", "password": text}, {}):
        answer = send(app.test_client(), "/p", form)
        assert answer.status_code == 422
        assert "<script>alert" not in answer.text
        assert "不对" in answer.text


@pytest.mark.parametrize("written", ["6001 0000 14", " 6001-0000-14 ", "６００１００００１４", "６００１　００００　１４"])
def test_a_card_is_known_however_its_number_is_written(app: Flask, written: str) -> None:
    assert give_password() == "6001000014"
    wide = PASSWORD.translate({ord(digit): ord(digit) - ord("0") + ord("０") for digit in "0123456789"})
    for password in (PASSWORD, wide):
        assert send(app.test_client(), "/p", {"card_number": written, "password": password}).status_code == 303


def test_unknown_cards_and_wrong_passwords_look_the_same(app: Flask) -> None:
    number = give_password()
    wrong = send(app.test_client(), "/p", {"card_number": number, "password": "000000"})
    unknown = send(app.test_client(), "/p", {"card_number": "6001009999", "password": "000000"})
    assert text_of(wrong.text) == text_of(unknown.text)


def test_a_card_that_is_not_in_use_says_what_to_do(app: Flask) -> None:
    number = give_password()
    assert "窗口" in send(app.test_client(), "/p", {"card_number": card_of(2).number, "password": PASSWORD}).text
    for step, words in ((CardStep.FREEZE, "冻结"), (CardStep.LOSE, "挂失")):
        with store.connection():
            cards.step(card_of().id, step, NOW, "test")
        assert words in send(app.test_client(), "/p", {"card_number": number, "password": PASSWORD}).text


def test_tries_of_one_address_are_limited(app: Flask, clock: VirtualClock) -> None:
    statuses = [send(app.test_client(), "/p", {"card_number": "1", "password": "1"}).status_code for _ in range(21)]
    assert statuses == [422] * 20 + [429]
    pass_time(clock, 61.0)
    assert send(app.test_client(), "/p", {"card_number": "1", "password": "1"}).status_code == 422


def test_the_session_ends_by_itself(app: Flask, clock: VirtualClock) -> None:
    client = log_in(app)
    pass_time(clock, IDLE_S - 60.0)
    page(client, "/p/bookings")
    pass_time(clock, IDLE_S - 60.0)
    page(client, "/p/bookings")
    pass_time(clock, IDLE_S + 1.0)
    answer = client.get("/p/bookings", headers=HTML)
    assert answer.headers["Location"] == "/p"
    assert "已结束" in page(client, "/p")
    again = log_in(app)
    for _ in range(LONGEST_S // 600 + 1):
        pass_time(clock, 600.0)
        status = again.get("/p/bookings", headers=HTML).status_code
    assert status == 303


def test_out_is_out(app: Flask) -> None:
    client = log_in(app)
    assert send(client, "/p/out", {}).headers["Location"] == "/p"
    assert client.get("/p/account", headers=HTML).status_code == 303


def test_a_new_password_ends_other_sessions(app: Flask) -> None:
    one, other = log_in(app), log_in(app)
    form = {"current": PASSWORD, "password": "739164", "again": "739164"}
    assert send(one, "/p/password", form).status_code == 303
    assert one.get("/p/account", headers=HTML).status_code == 200
    assert other.get("/p/account", headers=HTML).status_code == 303
    assert send(app.test_client(), "/p", {"card_number": card_of().number, "password": "739164"}).status_code == 303


@pytest.mark.parametrize("password", ["123456", "111111", "12345", "abcdef", "😀😀😀😀😀😀", "<b>1</b>", "１２３４５６", ""])
def test_new_passwords_that_will_not_do(app: Flask, password: str) -> None:
    client, before = log_in(app), card_of().password_hash
    answer = send(client, "/p/password", {"current": PASSWORD, "password": password, "again": password})
    assert answer.status_code == 422
    assert 'id="f-password-fault"' in answer.text
    assert card_of().password_hash == before


def test_the_present_password_is_asked_and_counts(app: Flask) -> None:
    client = log_in(app)
    for _ in range(3):
        answer = send(client, "/p/password", {"current": "000111", "password": "739164", "again": "739164"})
    assert answer.status_code == 422
    assert card_of().state == "locked"
    assert client.get("/p/account", headers=HTML).status_code == 303


def test_a_stopped_card_ends_the_session(app: Flask) -> None:
    client = log_in(app)
    with store.connection():
        cards.step(card_of().id, CardStep.LOSE, NOW, "telephone")
    assert client.get("/p/bookings", headers=HTML).status_code == 303


def test_sessions_of_patients_and_staff_never_meet(app: Flask) -> None:
    """Neither cookie is worth anything on the other side, not even under the other's name."""
    client = log_in(app)
    assert client.get("/patients", headers=HTML).status_code == 303
    staff = signed_in(app, "administrator")
    assert staff.get("/p/bookings", headers=HTML).status_code == 303
    cookie = client.get_cookie("careline_patient", path="/p")
    assert cookie is not None
    thief = app.test_client()
    thief.set_cookie("careline", cookie.value)
    assert thief.get("/me", headers=HTML).status_code == 303
    stolen = staff.get_cookie("careline")
    assert stolen is not None
    thief.set_cookie("careline_patient", stolen.value, path="/p")
    assert thief.get("/p/account", headers=HTML).status_code == 303


def test_nothing_is_kept_by_browsers_and_no_secret_anywhere(app: Flask) -> None:
    client = log_in(app)
    answer = client.get("/p/account", headers=HTML)
    assert answer.headers["Cache-Control"] == "no-store"
    assert PASSWORD not in answer.text
    with store.connection():
        assert not [row for row in Audit.select() if PASSWORD in f"{row.subject}{row.detail}"]


def test_forms_without_the_token_are_refused_in_plain_words(app: Flask) -> None:
    client = log_in(app)
    answer = client.post("/p/bookings/1/cancel", data={"csrf": "wrong"}, headers=HTML)
    assert answer.status_code == 400
    assert "patients.css" in answer.text
