"""What a test of every form needs: a row behind each, who fills them in, forms that only another form leads to, values that are right."""

import io
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from appliance.hospital import prices
from appliance.hospital.booking import bans, booking, waitlist
from appliance.hospital.booking.channel import Channel
from appliance.hospital.complaints import handling
from appliance.hospital.complaints.handling import Contact
from appliance.hospital.dispatch import desks, offering
from appliance.hospital.dispatch.limits import DispatchLimits
from appliance.hospital.ledger import bank_file, corrections, deposits, scratch_cards
from appliance.hospital.ledger.accounts import FEES, Kind, account_of
from appliance.hospital.ledger.posting import Cause
from appliance.hospital.registry import cards
from appliance.hospital.registry.cards import CardStep
from appliance.ivr.reading import built_in_texts
from appliance.store import alarms, keeping
from appliance.store.alarm_rules import RuleSetting
from appliance.store.alarms import MailSettings, Receiver
from appliance.store.booking_tables import Booking, Slot
from appliance.store.case_tables import Complaint
from appliance.store.hospital_tables import Card
from appliance.store.keeping_tables import RetentionNight
from appliance.store.models import Account, Alarm, database
from appliance.store.transaction import write_transaction
from tests.web import forms, prepared, test_prompts
from tests.web.at_home import PAID, PASSWORD, free_place, give_password, log_in, page, send
from tests.web.conftest import HTML, NOW, post, signed_in, token
from tests.web.prepared_hospital import ZONE
from webui import store
from webui.subjects import SUBJECTS

KIOSK_SECRET = "blue-heron-on-the-pond"
DAY = "2026-03-10"
CODE = "60622610"
"""The booking of the prepared day."""
FULL = 10
"""A clinic that was full, for which some wait."""
BOOKED_UP = 8
"""A clinic without a free place."""
FILE = "科室编号,科室名称,英文名称\n77,眼科,Eyes\n".encode()

STAFF_PAGES = (
    *("/", "/me", "/music", "/patients?q=1&list=1", "/patients/1", "/patients/2", "/money/cards/1", "/money/corrections", "/money/bank"),
    *("/accounts", f"/desk?department=12&day={DAY}", "/clinics?day=2026-03-08", "/clinics/5", "/bookings?day=2026-03-09", "/messages"),
    *("/hospital/notices", "/hospital/vips", "/hospital/import", "/work", "/work/desks", "/complaints", "/rules", "/lines/setup", "/lines"),
    *("/channels/22", "/channels/3", "/sms"),
    *(
        "/alarms",
        "/alarms/rules",
        "/alarms/receivers",
        "/recordings/keeping",
        f"/calls/{prepared.STORY_CALL}",
        f"/calls/{prepared.LIVE_CALL}",
    ),
    *(f"/hospital/{subject}/{which}" for subject in SUBJECTS for which in ("new", "1")),
    *(f"/desk?department=12&day={DAY}&move={CODE}", f"/bookings/{CODE}"),
    *("/prices/1", "/money/scratch-cards/1", "/patients/1/bans", f"/waitlist/{FULL}", "/flows", "/prompts"),
)
PATIENT_PAGES = ("/p/book", "/p/bookings", "/p/family", "/p/waiting", "/p/account", f"/p/book/1/1?day={DAY}", "/p/book/1/2")

GOOD: dict[str, dict[str, str]] = {
    "sms.send_test": {"to": "13800138000", "text": "测试"},
    "account.check_sign_in": {"name": "chen", "password": prepared.PASSWORD},
    "account.change_password": {"current": prepared.PASSWORD, "password": "another-long-one", "again": "another-long-one"},
    "people.create": {"name": "neu", "password": "a-very-long-one", "role": "cashier"},
    "people.reset_password": {"password": "a-very-long-one"},
    "patients.make": {"name": "钱多", "phones": "13700001111"},
    "patients.add_relative": {"relative": "10000003", "relation": "父亲"},
    "patient_cards.issue": {"card_number": ""},
    "patient_cards.set_password": {"password": PASSWORD, "again": PASSWORD},
    "money.top_up": {"amount": "50"},
    "money.refund": {"amount": "50"},
    "money.correct": {"amount": "50", "reason": "更正", "change": "more", "against": "fees"},
    "ledger.assign": {"card": "6001000014"},
    "desk.book": {"visitor": "钱多", "phone": "13700001111", "holder": ""},
    "hospital.make departments": {"code": "77", "name_zh": "眼科", "name_en": "Eyes"},
    "hospital.make staff": {"code": "77", "name_zh": "丁一", "name_en": "Ding Yi", "department": "12"},
    "hospital.make doctors": {"number": "2001", "name_zh": "丁一", "name_en": "Ding Yi", "department": "12"},
    "hospital.make drugs": {"number": "77", "name_zh": "布洛芬", "name_en": "Ibuprofen", "price": "9.90"},
    "hospital.make notices": {"title_zh": "流感", "title_en": "Flu", "text_zh": "多喝水", "text_en": "Drink water"},
    "hospital.make vips": {"patient": "10000001"},
    "complaints.act": {"text": "已联系"},
    "complaints.act due": {"due_at": "2026-04-01", "text": "等检查结果"},
    "complaints.act owner": {"owner": "chen", "text": "转交"},
    "rules.save_or_try": {"do": "try", "try_day": DAY, "try_holder": ""},
    "prompts.make": {"id": "own_words", "text_zh": "您好", "text_en": "Hello"},
    "prompts.write": {"text": "您好"},
    "flow_editor.make_new": {"name": "own", "title_zh": "新", "title_en": "New"},
    "clinics.make": {"doctor": "1001", "day": "2026-03-20", "starts": "08:00", "ends": "10:00", "minutes": "15"},
    "complaints.make": {"text": "等候太久", "phone": "13700001111"},
    "work.make": {"name": "二号台", "kinds": "booking"},
    "alarm_settings.put_receiver": {"name": "duty", "kind": "email", "to": "duty@hospital.example"},
    "alarm_settings.set_mail": {"host": "mail.hospital.example", "sender": "box@hospital.example"},
    "retention.save": {"operator": "365", "box": "90", "message": "30"},
    "retention.hold": {"reason": "诉讼"},
    "retention.end": {"reason": "已结案"},
    "scratch_cards.make": {"count": "2", "value": "50"},
    "bans.make": {"days": "30", "reason": "倒号"},
    "bans.lift": {"reason": "误会"},
    "prices.refuse": {"reason": "太贵"},
    "waiting.join": {"holder": "10000004", "phone": "13700001111"},
    "patient_entry.enter": {"card_number": "6001000014", "password": PASSWORD},
    "patient_entry.change_password": {"current": PASSWORD, "password": "739164", "again": "739164"},
    "patient_booking.confirm": {"password": PASSWORD},
    "kiosk.begin": {"secret": KIOSK_SECRET},
    "kiosk.enter_code": {"code": CODE},
    "kiosk.enter_card": {"card_number": "6001000014", "password": PASSWORD},
}
"""By view, or view and kind; what is not here stands in the form already."""
FILES = {
    "prompt_audio.upload": ("a.wav", test_prompts.wave_file(test_prompts.speech())),
    "ledger.take_bank": ("b.csv", "流水号,卡号,金额\nB9,6001000014,5\n".encode()),
}
SLOWLY = ("/me/password",)
"""So many tries a minute are the most, from wherever they come."""


def fill() -> None:
    """A row behind every form, beside those of the prepared day."""
    give_password()
    with store.connection(), write_transaction(database):
        fill_tables(NOW)


def fill_tables(now: datetime) -> None:
    _money(now)
    _cards(now)
    _bookings(now)
    _work(now)
    _alarms(now)
    _keeping(now)


def _keeping(now: datetime) -> None:
    """A setting, a night that would not believe the clock, a call that is held."""
    keeping.set_retention(keeping.Retention(box=90), "qian", now)
    RetentionNight.create(at=now, state="refused", code="REC-010", fault="the clock jumped")
    keeping.hold(prepared.LIVE_CALL, "诉讼", "qian", now)


def _alarms(now: datetime) -> None:
    """One that lasts, somebody who is told, a setting that was changed."""
    fields = {"subject": "span", "number": 1, "alarm": "red", "rule": "span_down", "severity": "critical"}
    Alarm.create(began_at=now, raised_at=now, **fields)
    alarms.put_receiver(Receiver(name="chief", kind="email", to="chief@hospital.example"), "qian", now)
    alarms.set_mail(MailSettings(host="mail.hospital.example", sender="box@hospital.example"), "qian", now)
    alarms.change_rule("disk_low", RuleSetting(threshold=20), "qian", now)


def _money(now: datetime) -> None:
    account = Card.get_by_id(1).account
    assert account is not None
    corrections.ask(account, account_of(Kind.FEES, FEES), 500, "更正", "qian", now)
    prices.ask([prices.Held(what="fee", item="1001", row=1, before_fen=5_000, after_fen=8_000)], prices.FORM, "qian", now)
    secret = deposits.new_secret()
    scratch_cards.make([(secret, deposits.digest_of(secret))], 5_000, "", "x", now, "qian")
    read = bank_file.read_file("b.csv", "流水号,卡号,金额\nB2,9999,5".encode())
    assert isinstance(read, bank_file.FileRead)
    bank_file.take(read, now, Cause(by="qian"))


def _cards(now: datetime) -> None:
    """Each card in another state."""
    Card.update(state="locked").where(Card.id == 2).execute()
    cards.step(3, CardStep.FREEZE, now, "chen")
    bans.ban(2, now.date(), 30)


def _bookings(now: datetime) -> None:
    for slot in list(Slot.select().where(Slot.clinic.in_((FULL, BOOKED_UP)))):
        booking.book(slot.id, booking.Visitor(name="别人", channel=Channel.AGENT), f"fill {slot.id}", now, ZONE)
    waitlist.join(FULL, 1, "", now)
    waitlist.join(FULL, 3, "", now)
    first = waitlist.of_patient(1)[0]
    freed = Booking.get(Booking.slot == Slot.get(Slot.clinic == FULL, Slot.number == 1))
    Booking.delete().where(Booking.id == freed.id).execute()
    Slot.update(state="free").where(Slot.id == freed.slot_id).execute()
    waitlist.offer(first.id, now, ZONE)
    Slot.update(state="free").where(Slot.clinic == FULL, Slot.number == 2).execute()


def _work(now: datetime) -> None:
    """A desk somebody sits at, with an item; one that no desk was there for."""
    desk = desks.all_desks()[0]
    desks.beat(desk.id, now)
    offering.offer_waiting(DispatchLimits(), now)
    chief = Account.get(Account.name == prepared.NAMES["administrator"])
    handling.contact(Complaint.select().first().number, chief, Contact.REACHED, "已联系", now)  # none is closed without


def administrator(app: Flask) -> FlaskClient:
    """At the desk of the prepared day."""
    client = signed_in(app, "administrator")
    client.set_cookie("language", "zh")
    post(client, "/work", {"desk": "1"})
    return client


def patient(app: Flask) -> FlaskClient:
    return log_in(app)


def kiosk(app: Flask) -> FlaskClient:
    client = app.test_client()
    client.set_cookie("language", "zh")
    assert send(client, "/kiosk/set-up", {"secret": KIOSK_SECRET}, "/kiosk").status_code == 303
    return client


def speak(client: FlaskClient, language: str, path: Path) -> None:
    """In which language the next page is."""
    client.set_cookie("language", language)
    if language == "en":
        opened = sqlite3.connect(path)
        with opened:
            opened.execute("update account set language = 'en'")
        opened.close()


def _desk_confirm(client: FlaskClient) -> str:
    slot = {"slot": str(free_place(PAID, NOW)), "holder": "6001000014", "once": "k"}
    return post(client, "/desk", slot).text


def _import_tried(client: FlaskClient) -> str:
    form = {"csrf": token(client), "kind": "departments", "file": (io.BytesIO(FILE), "file.csv")}
    return client.post("/hospital/import", data=form, content_type="multipart/form-data", headers=HTML).text


def _complaint(client: FlaskClient) -> str:
    with store.connection():
        number = Complaint.select().first().number
    return client.get(f"/complaints/{number}", headers=HTML).text


def _no_desk_yet(client: FlaskClient) -> str:
    return signed_in(client.application, "registrar").get("/work", headers=HTML).text


def _flow_saved(client: FlaskClient) -> str:
    """A draft, and one that was published before."""
    text = built_in_texts()["drugs"]
    post(client, "/flows/drugs/edit", {"text": text, "note": "a", "saved": ""})
    first = client.get("/flows/drugs", headers=HTML).text
    post(client, "/flows/drugs/1/publish", {})
    post(client, "/flows/drugs/edit", {"text": text + "\n", "note": "b", "saved": ""})
    pages = ("/flows/drugs", "/flows/drugs/edit", "/flows/drugs/draw", "/flows/drugs/2", "/flows")
    return first + "".join(client.get(address, headers=HTML).text for address in pages)


def _lines_checked(client: FlaskClient) -> str:
    found, _ = forms.read("/lines/setup", client.get("/lines/setup", headers=HTML).text)
    form = next(form for form in found if form.action == "/lines/setup/check")
    return post(client, form.action, form.values).text


def _prompt_uploaded(client: FlaskClient) -> str:
    """A version that is not in use, and one asked for by telephone."""
    test_prompts.upload(client, test_prompts.wave_file(test_prompts.speech()))
    post(client, "/prompts/greeting/en/record", {})
    return client.get("/prompts/greeting", headers=HTML).text + client.get("/prompts", headers=HTML).text


STAFF_STEPS: list[Callable[[FlaskClient], str]] = [
    *(_desk_confirm, _import_tried, _complaint, _no_desk_yet, _flow_saved, _prompt_uploaded, _lines_checked),
]


def _place_kept(client: FlaskClient) -> str:
    send(client, "/p/book/place", {"slot": str(free_place(PAID, NOW)), "instead": "0"})
    return page(client, "/p/book/confirm").replace('method="post"', 'method="post" action="/p/book/confirm"')


PATIENT_STEPS: list[Callable[[FlaskClient], str]] = [_place_kept]


def _card_shown(client: FlaskClient) -> str:
    send(client, "/kiosk/card", {"card_number": give_password(), "password": PASSWORD}, "/kiosk")
    return page(client, "/kiosk/bookings")


KIOSK_STEPS: list[Callable[[FlaskClient], str]] = [_card_shown]
