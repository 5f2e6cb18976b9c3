"""The pages of text messages and of the switch's call records: what is shown to whom, what is decided, what a spreadsheet gets."""

import csv
import io
from datetime import timedelta

import pytest
from flask import Flask

from appliance.store.models import Audit
from appliance.store.outgoing import OutgoingMessage, enqueue
from appliance.store.peripheral_tables import PeripheralState, SmsPart, SmsReceived, SwitchRecord
from tests.web.conftest import HTML, NOW, SignIn, post, signed_in
from webui import store

FACTS = (
    '{"condition":{"name":"Acme Sim900","sim":"READY","registered":true,"operator":"SIMNET","signal_dbm":-71},'
    '"device":"/dev/ttyUSB2","held":"quiet","today":7,"messages":{"unclear":1}}'
)
LINE = "08.03.2610:15:30  1   12300:0500:01:2313800138000"


def message(state: str, error: str = "") -> int:
    """An outgoing message with one part in that state."""
    with store.connection():
        enqueue("sms", "13800138000", "您预约的<b>内科</b>", f"test {state}", NOW)
        row = OutgoingMessage.get(OutgoingMessage.once_key == f"test {state}")
        OutgoingMessage.update(state=state, error=error).where(OutgoingMessage.id == row.id).execute()
        SmsPart.create(message=row, number=1, count=1, concat=1, state=state, attempts=5, due_at=NOW, sent_at=NOW, error=error)
        return int(row.id)


def state_of(number: int) -> tuple[str, str]:
    with store.connection():
        return OutgoingMessage.get_by_id(number).state, SmsPart.get(SmsPart.message == number).state


def record(line: str = LINE, **fields: object) -> None:
    told = {"source": "pbx", "received_at": NOW, "line": line, "state": "read", "station": "123", "number": "13800138000", **fields}
    with store.connection():
        SwitchRecord.create(**told)


def tell(name: str, facts: str, *, ago: timedelta = timedelta(0), code: str = "") -> None:
    with store.connection():
        fault = {"code": code, "what": "in other words", "remedy": "do"} if code else {}
        PeripheralState.insert(name=name, at=NOW - ago, well=not code, facts=facts, **fault).execute()


def test_without_a_modem_the_page_says_how_to_have_one(sign_in: SignIn) -> None:
    page = sign_in("administrator").get("/sms", headers=HTML).text
    assert "未启用" in page
    assert "[sms]" in page


def test_how_the_modem_is(sign_in: SignIn) -> None:
    tell("sms", FACTS)
    page = sign_in("administrator").get("/sms", headers=HTML).text
    for told in ("Acme Sim900", "SIMNET", "-71 dBm", "夜间只发紧急短信"):
        assert told in page


@pytest.mark.parametrize(
    ("ago", "code", "told"), [(timedelta(minutes=5), "", "没有消息"), (timedelta(0), "SMS-008", "PIN 码只剩最后一次机会")]
)
def test_what_is_wrong_with_it(sign_in: SignIn, ago: timedelta, code: str, told: str) -> None:
    tell("sms", FACTS, ago=ago, code=code)
    assert told in sign_in("administrator").get("/sms", headers=HTML).text


def test_messages_out_and_what_came_of_them(sign_in: SignIn) -> None:
    message("unclear", "SMS-023: sending was broken off; it may have gone")
    message("delivered")
    client = sign_in("administrator")
    page = client.get("/sms", headers=HTML).text
    assert "13800138000" in page
    assert "&lt;b&gt;内科" in page
    assert "不知道是否已发出" in page
    assert "不知道是否已发出" not in client.get("/sms?state=delivered", headers=HTML).text


def test_what_is_unclear_is_sent_again_or_left(sign_in: SignIn) -> None:
    unclear, failed = message("unclear"), message("failed")
    client = sign_in("administrator")
    post(client, f"/sms/{failed}/again", {})
    assert state_of(failed) == ("waiting", "planned")
    post(client, f"/sms/{unclear}/leave", {})
    assert state_of(unclear) == ("failed", "failed")
    assert "已经改变" in post(client, f"/sms/{unclear}/leave", {}, follow_redirects=True).text
    assert "已经改变" in post(client, f"/sms/{failed}/again", {}, follow_redirects=True).text
    with store.connection():
        assert {row.action for row in Audit.select()} >= {"sms_again", "sms_left"}


def test_a_test_message_waits_before_all_others(sign_in: SignIn) -> None:
    client = sign_in("administrator")
    assert "等待发送" in post(client, "/sms/test", {"to": "138 0013 8000", "text": "好"}, follow_redirects=True).text
    with store.connection():
        row = OutgoingMessage.get(OutgoingMessage.text == "好")
    assert (row.to, row.urgent, row.state) == ("13800138000", True, "waiting")


@pytest.mark.parametrize(("to", "text"), [("", "好"), ("13800138000", ""), ("abc", "好"), ("1" * 24, "好"), ("13800138000", "长" * 301)])
def test_a_test_message_that_cannot_be(sign_in: SignIn, to: str, text: str) -> None:
    answer = post(sign_in("administrator"), "/sms/test", {"to": to, "text": text})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_messages_in_are_read_once(sign_in: SignIn) -> None:
    with store.connection():
        SmsReceived.create(sender="+8613800138000", text="<i>改约", count=2, have=1, received_at=NOW)
    client = sign_in("administrator")
    page = client.get("/sms?box=in", headers=HTML).text
    assert "&lt;i&gt;改约" in page
    assert "1/2 段" in page
    post(client, "/sms/in/1/read", {})
    with store.connection():
        assert SmsReceived.get().read_by == "chen"
    assert post(client, "/sms/in/99/read", {}).status_code == 404


def test_records_are_filtered(sign_in: SignIn) -> None:
    record()
    record(line="GARBAGE", state="unread", error="'GARBAGE' is no date", station="", number="")
    record(station="456", double_of=1)
    client = sign_in("administrator")
    assert "2 条" in client.get("/switch-records", headers=HTML).text
    for query, count in (
        ("station=123", 1),
        ("number=138", 1),
        ("state=unread", 1),
        ("source=no", 0),
        ("doubles=1", 3),
        ("since=2030-01-01T00:00", 0),
    ):
        page = client.get(f"/switch-records?{query}", headers=HTML).text
        assert (f"{count} 条" in page) is bool(count), query


@pytest.mark.parametrize(("role", "whole"), [("administrator", True), ("supervisor", True), ("technician", False), ("inspector", False)])
def test_numbers_are_whole_only_for_who_may_see_them(app: Flask, role: str, whole: bool) -> None:
    record()
    client = signed_in(app, role)
    page = client.get("/switch-records", headers=HTML).text
    cells = client.get("/switch-records/export.csv").get_data(as_text=True)
    assert ("13800138000" in page) is ("13800138000" in cells) is whole
    assert ("138****8000" in page) is not whole


def test_a_spreadsheet_gets_no_formula(sign_in: SignIn) -> None:
    record(line="=cmd|' /C calc'!A0", station="=1+1", duration_s=83, ended_at=NOW)
    answer = sign_in("administrator").get("/switch-records/export.csv?station=1")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert answer.mimetype == "text/csv"
    assert [(row["station"], row["line"], row["duration_s"]) for row in rows] == [("'=1+1", "'=cmd|' /C calc'!A0", "83")]
    with store.connection():
        assert Audit.select().where(Audit.action == "records_exported").count() == 1


@pytest.mark.parametrize(("source", "told"), [("pbx", "1 行将重新解读"), ("none", "0 行"), ("x" * 5_000, "0 行"), ("\x00'", "0 行")])
def test_lines_are_read_anew(sign_in: SignIn, source: str, told: str) -> None:
    tell("smdr pbx", '{"where":"/dev/ttyS1","table":"hicom112","today":1,"unread":0}')
    record()
    client = sign_in("administrator")
    assert 'action="/switch-records/read-anew"' in client.get("/switch-records", headers=HTML).text
    assert told in post(client, "/switch-records/read-anew", {"source": source}, follow_redirects=True).text
    with store.connection():
        assert SwitchRecord.get().state == ("raw" if source == "pbx" else "read")


@pytest.mark.parametrize("hostile", ["%00", "9" * 40, "'; drop table", "%F0%9F%98%80", "..%2F"])
def test_hostile_questions(sign_in: SignIn, hostile: str) -> None:
    record()
    client = sign_in("administrator")
    names = ("station", "number", "source", "state", "since", "until", "page", "doubles")
    for name in names:
        assert client.get(f"/switch-records?{name}={hostile}", headers=HTML).status_code == 200
        assert client.get(f"/sms?{name}={hostile}&box={hostile}", headers=HTML).status_code == 200
