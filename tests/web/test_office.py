"""Scratch cards, bans, waitlists and the ends of days on the staff's pages: each step done once, told at its field when it cannot be."""

import re
from datetime import timedelta

import pytest
from flask import Flask

from appliance.hospital.booking import booking, day_end
from appliance.hospital.booking.booking import Payment
from appliance.hospital.booking.channel import Channel
from appliance.hospital.ledger import closing, deposits
from appliance.hospital.ledger.posting import Cause
from appliance.store.booking_tables import Ban, Slot, Waiting
from appliance.store.hospital_tables import Card
from appliance.store.models import Audit, database
from appliance.store.money_tables import CardSecret, LedgerAccount, SecretBatch
from appliance.store.transaction import write_transaction
from tests.web.at_home import PAID
from tests.web.conftest import HTML, NOW, SignIn, post, text_of
from tests.web.prepared_hospital import ZONE
from tests.web.test_patient_family import fill, somebody_cancels, waiting
from webui import store

SECRET = re.compile(r"\d{4} \d{4} \d{4} \d{4}")
MADE = {"count": "3", "value": "50", "note": "春节", "once": "k1", "as": "print"}
HOSTILE = ("", "0", "-1", "1.5", "abc", "9" * 40, "😀", "<script>alert(1)</script>", "１ ２")


def of(code: str) -> int:
    with store.connection():
        row = LedgerAccount.get_or_none(LedgerAccount.code == code)
        return int(row.balance_fen) if row else 0


def audited(action: str) -> list[str]:
    with store.connection():
        return [row.detail for row in Audit.select().where(Audit.action == action).order_by(Audit.id)]


def states() -> list[str]:
    with store.connection():
        return [row.state for row in CardSecret.select().order_by(CardSecret.serial)]


def test_secrets_are_given_out_once(sign_in: SignIn) -> None:
    client = sign_in("supervisor")
    made = post(client, "/money/scratch-cards", MADE)
    secrets = SECRET.findall(made.text)
    assert len(set(secrets)) == 3
    again = post(client, "/money/scratch-cards", MADE, follow_redirects=True)
    assert "不会再次显示" in text_of(again.text)
    assert states() == ["unsold"] * 3
    for address in ("/money/scratch-cards", "/money/scratch-cards/1"):
        shown = client.get(address, headers=HTML).text
        assert not SECRET.search(shown)
        assert "0000000001" in shown
    assert audited("scratch_cards_made") == ["3 x 50.00"]


def test_a_batch_as_a_file_for_spreadsheets(sign_in: SignIn) -> None:
    made = post(sign_in("supervisor"), "/money/scratch-cards", MADE | {"as": "file"})
    lines = made.data.decode("utf-8-sig").split()
    assert made.headers["Content-Disposition"].endswith("scratch-cards-0000000001-0000000003.csv")
    assert lines[0] == "序号,充值密码,面值（元）"
    assert lines[1].startswith("0000000001,")


def test_sold_for_cash_used_once_voided_never(sign_in: SignIn) -> None:
    made = post(sign_in("supervisor"), "/money/scratch-cards", MADE)
    secret = SECRET.findall(made.text)[0].replace(" ", "")
    cashier = sign_in("cashier")
    two = {"first_serial": "1", "last_serial": "0000000002", "once": "s"}
    assert "已售出 2 张，收 100.00 元" in post(cashier, "/money/scratch-cards/1/sold", two, follow_redirects=True).text
    assert "都已售出" in post(cashier, "/money/scratch-cards/1/sold", two | {"once": "t"}, follow_redirects=True).text
    assert (of("cash qian"), of("card secrets")) == (-10_000, 10_000)
    with store.connection(), write_transaction(database):
        topped = deposits.by_secret(1, deposits.digest_of(secret), (), "x", NOW, Cause(by="ivr"))
        assert isinstance(topped, deposits.Topped)
        assert closing.faults() == ()
    assert of("card secrets") == 5_000
    whole = {"first_serial": "1", "last_serial": "3"}
    assert "已作废 2 张" in post(sign_in("supervisor"), "/money/scratch-cards/1/voided", whole, follow_redirects=True).text
    assert states() == ["used", "void", "void"]


@pytest.mark.parametrize("field", ["count", "value"])
@pytest.mark.parametrize("value", HOSTILE)
def test_no_batch_of_nonsense(sign_in: SignIn, field: str, value: str) -> None:
    answer = post(sign_in("supervisor"), "/money/scratch-cards", MADE | {field: value})
    if field == "value" and value == "1.5":
        assert answer.status_code == 200
        return
    assert answer.status_code == 422
    assert f'id="f-{field}-fault"' in answer.text
    assert states() == []


@pytest.mark.parametrize("value", [*HOSTILE, "4", "0000000009"])
def test_no_serials_beyond_the_batch(sign_in: SignIn, value: str) -> None:
    client = sign_in("administrator")
    post(client, "/money/scratch-cards", MADE)
    for step in ("sold", "voided"):
        answer = post(client, f"/money/scratch-cards/1/{step}", {"first_serial": "1", "last_serial": value, "once": "s"})
        assert answer.status_code == 422, value
        assert f'id="{step}-last_serial-fault"' in answer.text
    assert states() == ["unsold"] * 3


def test_batches_follow_one_another(sign_in: SignIn) -> None:
    client = sign_in("supervisor")
    for once in ("a", "b"):
        post(client, "/money/scratch-cards", MADE | {"once": once})
    with store.connection():
        assert [row.first_serial for row in SecretBatch.select().order_by(SecretBatch.id)] == ["0000000001", "0000000004"]


def test_barred_by_hand_and_lifted_with_a_reason(sign_in: SignIn) -> None:
    client = sign_in("supervisor")
    assert post(client, "/patients/1/bans", {"days": "30", "reason": "倒号"}).status_code == 303
    for address in ("/bans", "/patients/1/bans"):
        assert "倒号" in text_of(client.get(address, headers=HTML).text)
    assert post(client, "/bans/1/lifted", {"reason": ""}).status_code == 422
    assert post(client, "/bans/1/lifted", {"reason": "误会 <3"}).status_code == 303
    assert "误会 &lt;3" in client.get("/patients/1/bans", headers=HTML).text
    assert "之前已经解除" in post(client, "/bans/1/lifted", {"reason": "x"}, follow_redirects=True).text
    assert "没有停约的患者" in client.get("/bans", headers=HTML).text
    assert "倒号" in client.get("/bans?all=1", headers=HTML).text
    assert audited("ban_lifted") == ["误会 <3"]


@pytest.mark.parametrize(("field", "value"), [*(("days", value) for value in HOSTILE), ("reason", ""), ("reason", "x" * 201)])
def test_no_ban_of_nonsense(sign_in: SignIn, field: str, value: str) -> None:
    answer = post(sign_in("supervisor"), "/patients/1/bans", {"days": "3", "reason": "x"} | {field: value})
    assert answer.status_code == 422
    assert f'id="ban-{field}-fault"' in answer.text
    with store.connection():
        assert Ban.select().count() == 0


def test_a_waitlist_in_its_order(sign_in: SignIn, app: Flask) -> None:
    fill(PAID)
    client = sign_in("registrar")
    with store.connection():
        numbers = [row.patient.number for row in Card.select().order_by(Card.id)]
    for number in (numbers[0], numbers[2]):
        assert post(client, f"/waitlist/{PAID}", {"holder": number, "phone": ""}).status_code == 303
    client.get(f"/waitlist/{PAID}", headers=HTML)  # what was told is told once
    shown = text_of(client.get(f"/waitlist/{PAID}", headers=HTML).text)
    assert shown.index("李娜") < shown.index("欧阳建国")
    assert "138****8000" in shown
    assert "2026-03-10" in client.get("/waitlist", headers=HTML).text
    first, second = waiting()
    assert "已约满" in post(client, f"/waitlist/{PAID}/{second.id}/offered", {}, follow_redirects=True).text
    post(client, f"/waitlist/{PAID}/{first.id}/removed", {})
    somebody_cancels(PAID)
    assert [row.state for row in waiting()] == ["gone", "offered"]


def test_a_place_is_offered_out_of_turn(sign_in: SignIn) -> None:
    fill(PAID)
    with store.connection(), write_transaction(database):
        for patient in (1, 3):
            Waiting.create(clinic=PAID, patient=patient, phone="", asked_at=NOW + timedelta(seconds=patient))
        Slot.update(state="free").where(Slot.clinic == PAID, Slot.number == 2).execute()
    client = sign_in("registrar")
    assert "保留一个号到" in post(client, f"/waitlist/{PAID}/2/offered", {}, follow_redirects=True).text
    assert [row.state for row in waiting()] == ["waiting", "offered"]
    assert "没有这个号" in post(client, f"/waitlist/{PAID}/2/offered", {}, follow_redirects=True).text
    assert post(client, "/waitlist/1/2/offered", {}).status_code == 404


@pytest.mark.parametrize(("field", "value"), [*(("holder", value) for value in HOSTILE), ("phone", "abc"), ("phone", "<b>")])
def test_nobody_waits_by_nonsense(sign_in: SignIn, field: str, value: str) -> None:
    answer = post(sign_in("registrar"), f"/waitlist/{PAID}", {"holder": "6001000014", "phone": ""} | {field: value})
    assert answer.status_code == 422
    assert f'id="f-{field}-fault"' in answer.text
    assert waiting() == []


def test_what_the_end_of_a_day_gave_back(sign_in: SignIn) -> None:
    with store.connection(), write_transaction(database):
        slot = Slot.select().where(Slot.clinic == PAID, Slot.state == "free").order_by(Slot.number).first()
        visitor = booking.Visitor(name="李娜", channel=Channel.WEB, patient=1)
        assert isinstance(booking.book(slot.id, visitor, "x", NOW, ZONE, Payment(1, 5_000)), booking.Booked)
        later = NOW + timedelta(days=3)
        assert day_end.step(later.date() - timedelta(days=1), later, ZONE).done
    client = sign_in("cashier")
    assert "50.00" in client.get("/money/day-ends", headers=HTML).text
    shown = text_of(client.get("/money/day-ends/2026-03-10", headers=HTML).text)
    assert "李娜" in shown
    assert "退回 50.00 元" in shown
    for day in ("2026-03-01", "x", "99999"):
        assert client.get(f"/money/day-ends/{day}", headers=HTML).status_code == 404
