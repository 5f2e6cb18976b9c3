"""The kiosk: only where it was set up, card or number, the slip once and then as a copy, nothing left behind."""

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.hospital.registry import card_password
from appliance.store.booking_tables import Booking
from appliance.store.hospital_tables import Card
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from drivers.clock import VirtualClock
from drivers.errors import ConfigError
from tests.unit.fake_printer import FakePrinter, printer
from tests.web import prepared
from tests.web.at_home import PASSWORD, bookings, csrf, give_password, page, send
from tests.web.conftest import HTML, NOW, pass_time, signed_in, text_of
from webui import store
from webui.app import create_app
from webui.settings import load_config

SECRET = "blue-heron-on-the-pond"
DAY_S = 86_400.0
HOSTILE = ("", "0", "9" * 5000, "😀", "<script>alert(1)</script>", "' or 1=1")


@pytest.fixture
def fake() -> Iterator[FakePrinter]:
    with printer() as running:
        yield running


@pytest.fixture
def hall(place: prepared.Place, clock: VirtualClock) -> Flask:
    """The application of a hospital with two kiosks; the browser of one prints by itself."""
    return app_with(place, clock, "")


def app_with(place: prepared.Place, clock: VirtualClock, address: str) -> Flask:
    kiosks = f'[[web.kiosks]]\nname = "hall-1"\nsecret = "{SECRET}"\nprinter = "{address}"\n'
    kiosks += '[[web.kiosks]]\nname = "hall-2"\nsecret = "another-secret-of-one"\n'
    place.config.write_text(place.config.read_text() + kiosks)
    return create_app(load_config(place.config), clock=clock)


def kiosk(app: Flask, secret: str = SECRET) -> FlaskClient:
    client = app.test_client()
    assert send(client, "/kiosk/set-up", {"secret": secret}, "/kiosk").headers["Location"] == "/kiosk"
    return client


def with_card(client: FlaskClient, password: str = PASSWORD, patient: int = 1) -> int:
    return send(client, "/kiosk/card", {"card_number": give_password(patient), "password": password}, "/kiosk").status_code


def touch_print(client: FlaskClient, printed: int = 0, number: int = 1) -> str:
    answer = send(client, "/kiosk/slip", {"booking": str(number), "printed": str(printed)}, "/kiosk")
    assert answer.status_code == 303
    return text_of(client.get(answer.headers["Location"], headers=HTML).text)


def row() -> Booking:
    return bookings()[0]


def test_only_where_it_was_set_up(hall: Flask) -> None:
    for client in (hall.test_client(), signed_in(hall, "administrator")):
        for address in ("/kiosk", "/kiosk/card", "/kiosk/code", "/kiosk/bookings", "/kiosk/slip", "/kiosk/leave"):
            assert client.get(address, headers=HTML).status_code == 403, address
        assert send(client, "/kiosk/card", {"card_number": "1", "password": "1"}, "/kiosk").status_code == 403
    for wrong in ("", "blue-heron", "😀", "x" * 5000):
        assert send(hall.test_client(), "/kiosk/set-up", {"secret": wrong}, "/kiosk").status_code == 422
    assert kiosk(hall).get("/kiosk", headers=HTML).status_code == 200


def test_secrets_are_not_found_by_trying(hall: Flask) -> None:
    tries = [send(hall.test_client(), "/kiosk/set-up", {"secret": str(number)}, "/kiosk").status_code for number in range(7)]
    assert tries[-1] == 429


def test_another_secret_in_the_configuration_ends_it(hall: Flask, place: prepared.Place, clock: VirtualClock) -> None:
    cookie = kiosk(hall).get_cookie("careline_device", path="/kiosk")
    assert cookie is not None
    place.config.write_text(place.config.read_text().replace(SECRET, "an-entirely-new-one"))
    client = create_app(load_config(place.config), clock=clock).test_client()
    client.set_cookie("careline_device", cookie.value, path="/kiosk")
    assert client.get("/kiosk", headers=HTML).status_code == 403


@pytest.mark.parametrize("wrong", ['printer = "not an address"', 'name = "hall-1"'])
def test_configuration_that_will_not_do(place: prepared.Place, wrong: str) -> None:
    name = "" if "name" in wrong else 'name = "hall-2"\n'
    kiosks = f'[[web.kiosks]]\nname = "hall-1"\nsecret = "{SECRET}"\n[[web.kiosks]]\n{name}secret = "{SECRET}2"\n{wrong}\n'
    place.config.write_text(place.config.read_text() + kiosks)
    with pytest.raises(ConfigError, match="CFG-017"):
        load_config(place.config)


@pytest.mark.parametrize(
    ("language", "words"), [("zh", ("自助取号", "挂号单", "补打")), ("en", ("Take your slip", "Registration slip", "COPY"))]
)
def test_card_to_slip_to_copy(hall: Flask, clock: VirtualClock, language: str, words: tuple[str, ...]) -> None:
    pass_time(clock, DAY_S)
    client = kiosk(hall)
    send(client, "/kiosk/language", {"language": language}, "/kiosk")
    assert words[0] in page(client, "/kiosk")
    assert with_card(client) == 303
    page(client, "/kiosk/bookings")
    slip = touch_print(client)
    assert words[1] in slip
    assert row().code in slip
    assert words[2] not in slip
    assert (row().state, row().printed) == ("arrived", 1)
    assert words[2] in touch_print(client, 1)
    assert row().printed == 2


def test_by_the_number_that_was_spoken(hall: Flask, clock: VirtualClock) -> None:
    pass_time(clock, DAY_S)
    client = kiosk(hall)
    code = row().code
    assert send(client, "/kiosk/code", {"code": f" {code[:4]} {code[4:]} "}, "/kiosk").status_code == 303
    shown = page(client, "/kiosk/bookings")
    assert "李娜" not in shown
    assert "李娜" in touch_print(client)


def test_touched_twice_it_comes_out_once(hall: Flask, clock: VirtualClock) -> None:
    pass_time(clock, DAY_S)
    client = kiosk(hall)
    with_card(client)
    touch_print(client)
    assert "补打" not in touch_print(client)
    assert row().printed == 1
    for text in ("", "😀", "-1", "9" * 40, "<b>"):
        assert send(client, "/kiosk/slip", {"booking": "1", "printed": text}, "/kiosk").status_code == 400
    touch_print(client, 99_999_999)
    assert row().printed == 1


def test_before_the_day_a_slip_but_no_arrival(hall: Flask) -> None:
    client = kiosk(hall)
    with_card(client)
    assert "就诊当天" in touch_print(client)
    assert row().state == "booked"


def test_the_browser_prints_only_when_told(hall: Flask) -> None:
    client = kiosk(hall)
    with_card(client)
    answer = send(client, "/kiosk/slip", {"booking": "1", "printed": "0"}, "/kiosk", follow_redirects=True)
    assert "data-print" in answer.text
    assert "data-print" not in page(client, "/kiosk/slip")


def test_on_paper(place: prepared.Place, clock: VirtualClock, fake: FakePrinter) -> None:
    client = kiosk(app_with(place, clock, fake.address))
    pass_time(clock, DAY_S)
    with_card(client)
    assert "data-print" not in touch_print(client)
    touch_print(client, 1)
    first, copy = fake.papers
    assert row().code in first.text
    assert "补打" not in first.text
    assert "补打" in copy.text


def test_a_printer_that_is_off_is_told_and_the_next_is_no_copy(place: prepared.Place, clock: VirtualClock) -> None:
    client = kiosk(app_with(place, clock, "127.0.0.1:9"))
    pass_time(clock, DAY_S)
    with_card(client)
    assert "没有打印" in touch_print(client)
    assert (row().state, row().printed) == ("arrived", 0)


def test_wrong_passwords_lock_the_card_never_the_kiosk(hall: Flask) -> None:
    client = kiosk(hall)
    number = give_password()
    for _ in range(3):
        answer = send(client, "/kiosk/card", {"card_number": number, "password": "000111"}, "/kiosk")
        assert answer.status_code == 422
    assert "锁住" in answer.text
    with store.connection():
        assert Card.get(Card.number == number).state == "locked"
    assert with_card(client, patient=2) == 303
    assert with_card(client) == 422


def test_from_everywhere_at_once_the_card_is_locked_at_the_limit(hall: Flask) -> None:
    """Twelve wrong passwords at once: at the kiosk, at home, on the telephone. Three are counted, and the right one is refused then."""
    number, at_home, client = give_password(), hall.test_client(), kiosk(hall)
    form = {"card_number": number, "password": "000111"}
    tokens = {"/p": csrf(at_home), "/kiosk": csrf(client, "/kiosk")}
    cookies = client.get_cookie("careline_device", path="/kiosk"), client.get_cookie("careline_kiosk", path="/kiosk")
    home = at_home.get_cookie("careline_patient", path="/p")
    results: list[str] = []

    def by_page(address: str, area: str) -> None:
        browser = hall.test_client()
        for cookie in (*cookies, home):
            assert cookie is not None
            browser.set_cookie(cookie.key, cookie.value, path=cookie.path)
        results.append(str(browser.post(address, data=form | {"csrf": tokens[area]}, headers=HTML).status_code))

    def by_telephone() -> None:
        with store.connection():
            begun = card_password.begin(number)
            right = card_password.is_right(begun, "333444")
            with write_transaction(database):
                results.append(card_password.finish(begun, right, NOW).result)

    ways = ((by_page, ("/p", "/p")), (by_page, ("/kiosk/card", "/kiosk")), (by_telephone, ()))
    tries = [threading.Thread(target=way, args=where) for way, where in ways * 4]
    for each in tries:
        each.start()
    for each in tries:
        each.join(60.0)
    assert (len(results), results.count("422")) == (12, 8)
    with store.connection():
        card = Card.get(Card.number == number)
    assert (card.state, card.wrong_count) == ("locked", 3)
    assert with_card_number(client, number) == 422


def with_card_number(client: FlaskClient, number: str) -> int:
    return send(client, "/kiosk/card", {"card_number": number, "password": PASSWORD}, "/kiosk").status_code


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_card_and_no_number(hall: Flask, text: str) -> None:
    client = kiosk(hall)
    for kind, form in (("card", {"card_number": text, "password": text}), ("code", {"code": text})):
        answer = send(client, f"/kiosk/{kind}", form, "/kiosk")
        assert answer.status_code == 422
        assert "<script>alert" not in answer.text
        assert 'http-equiv="refresh"' in answer.text


def test_numbers_are_not_found_by_trying(hall: Flask, clock: VirtualClock) -> None:
    client = kiosk(hall)
    answers = [send(client, "/kiosk/code", {"code": str(10_000_000 + number)}, "/kiosk") for number in range(21)]
    assert "太多" in answers[-1].text
    assert with_card(client) == 303
    pass_time(clock, 61.0)
    assert send(client, "/kiosk/code", {"code": row().code}, "/kiosk").status_code == 303


def test_nothing_is_left_behind(hall: Flask) -> None:
    """No patient in an address, nothing kept by the browser, after a minute the start; there everything is forgotten."""
    client = kiosk(hall)
    with_card(client)
    answer = client.get("/kiosk/bookings", headers=HTML)
    assert 'content="60; url=/kiosk/leave"' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    answer = client.get("/kiosk/leave", headers=HTML)
    assert "language=;" in answer.headers["Set-Cookie"]
    page(client, "/kiosk")
    for address in ("/kiosk/bookings", "/kiosk/slip"):
        assert client.get(address, headers=HTML).headers["Location"] == "/kiosk"
    assert send(client, "/kiosk/slip", {"booking": "1", "printed": "0"}, "/kiosk").headers["Location"] == "/kiosk"
    assert row().printed == 0


def test_a_page_left_open_knows_nobody_after_five_minutes(hall: Flask, clock: VirtualClock) -> None:
    client = kiosk(hall)
    with_card(client)
    pass_time(clock, 301.0)
    assert client.get("/kiosk/bookings", headers=HTML).headers["Location"] == "/kiosk"


def test_nobody_elses_slip(hall: Flask) -> None:
    client = kiosk(hall)
    with_card(client, patient=2)
    for number in ("1", "999", "😀", ""):
        assert send(client, "/kiosk/slip", {"booking": number, "printed": "0"}, "/kiosk").status_code == 404
    assert row().printed == 0


def test_what_is_over_or_cancelled_has_no_slip(hall: Flask, clock: VirtualClock) -> None:
    client, code = kiosk(hall), row().code
    pass_time(clock, 2 * DAY_S)
    assert send(client, "/kiosk/code", {"code": code}, "/kiosk").status_code == 422
    with_card(client)
    assert "没有今天或以后的预约" in page(client, "/kiosk/bookings")


def test_a_kiosk_is_no_way_into_a_patients_pages(hall: Flask) -> None:
    client = kiosk(hall)
    with_card(client)
    assert client.get("/p/account", headers=HTML).status_code == 303
    assert csrf(client, "/kiosk") != csrf(client, "/p")
