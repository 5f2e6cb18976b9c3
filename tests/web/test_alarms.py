"""The pages of alarms: listed, acknowledged, pushed; rules and receivers changed, undone, refused; tests asked for."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.control.messages import SelfCallEnd
from appliance.store import alarms
from appliance.store.alarm_rules import Severity
from appliance.store.alarms import AlarmTest, MailSettings, Receiver, Receivers
from appliance.store.models import Alarm, Audit
from tests.web import prepared
from tests.web.agent import ScriptedAgent
from tests.web.conftest import HTML, NOW, SignIn, post
from webui import store

MAIL = {"host": "mail.hospital.example", "port": "587", "security": "starttls", "sender": "box@hospital.example", "user": "box"}
MAIL |= {"password": "a-secret-word", "an_hour": "60", "verify": "yes"}
DUTY = {"name": "duty", "kind": "email", "to": "duty@hospital.example", "least": "warning", "level": "1", "language": "zh", "on": "yes"}


@pytest.fixture
def technician(app: Flask, sign_in: SignIn) -> FlaskClient:
    return sign_in("technician")


@pytest.fixture
def administrator(app: Flask, sign_in: SignIn) -> FlaskClient:
    client = sign_in("administrator")
    with client.session_transaction() as session:
        session["language"] = "en"
    return client


def happened(**more: Any) -> int:
    fields: dict[str, Any] = {"subject": "span", "number": 1, "alarm": "red", "began_at": NOW, "raised_at": NOW}
    fields |= {"rule": "span_down", "severity": "critical"}
    with store.connection():
        return int(Alarm.create(**{**fields, "detail": "E1/1: red", **more}).id)


def kept(name: str, kind: type[Any]) -> Any:
    with store.connection():
        return alarms.read(name, kind)


def shown(client: FlaskClient, address: str) -> str:
    answer = client.get(address, headers=HTML)
    assert answer.status_code == 200
    return answer.text


def told(client: FlaskClient, address: str, form: dict[str, str]) -> str:
    """What the page says after a form."""
    return post(client, address, form, follow_redirects=True).text


def test_open_and_past_ones_with_what_to_do(technician: FlaskClient) -> None:
    happened()
    happened(subject="box", number=0, alarm="disk_low /var", rule="disk_low", severity="warning", detail="/var: 12.0 %")
    happened(rule="web_down", subject="box", number=0, alarm="web_down", ended_at=NOW + timedelta(minutes=3))
    page = shown(technician, "/alarms")
    assert page.index("中继告警") < page.index("磁盘空间不足") < page.index("历史告警") < page.index("网页服务没有应答")
    assert "检查线缆和对端设备" in page
    assert "3:00" in page
    assert "alarm-bar" in shown(technician, "/dashboard")
    assert "当前有 2 条告警" in shown(technician, "/dashboard")


def test_it_is_told_when_nothing_watches(place: prepared.Place, technician: FlaskClient) -> None:
    assert "careline-health" in shown(technician, "/alarms")
    alarms.beat(place.run_dir)
    assert "careline-health" not in shown(technician, "/alarms")


def test_acknowledged_by_name_once(technician: FlaskClient, administrator: FlaskClient) -> None:
    number = happened()
    assert "已由您确认" in told(technician, f"/alarms/{number}/acknowledge", {})
    with store.connection():
        by = Alarm.get_by_id(number).acknowledged_by
        assert Audit.select().where(Audit.action == "alarm_acknowledged", Audit.subject == str(number)).count() == 1
    assert by in shown(technician, "/alarms")
    assert "Somebody sees to it already" in told(administrator, f"/alarms/{number}/acknowledge", {})
    assert "ALM-003" in told(administrator, "/alarms/999/acknowledge", {})


def test_pushed_when_something_is_new_also_without_a_call_agent(app: Flask, technician: FlaskClient) -> None:
    answer = technician.get("/alarms/live", headers={"Accept": "text/event-stream"})
    stream = iter(answer.response)
    assert b"part-alarms" in _next_event(stream)
    happened(detail="E1/1: nothing comes in")
    assert "nothing comes in" in _next_event(stream).decode()
    answer.close()


def _next_event(stream: Any) -> bytes:
    for _ in range(20):
        chunk: bytes = next(stream)
        chunk = chunk if isinstance(chunk, bytes) else str(chunk).encode()
        if b"event: live" in chunk:
            return chunk
    raise AssertionError("nothing was pushed")


def test_a_rule_is_changed_and_undone(administrator: FlaskClient) -> None:
    form = {"on": "yes", "severity": "critical", "threshold": "25.5", "hold_on_s": "7", "hold_off_s": "80", "escalate_min": "0"}
    assert "Saved" in told(administrator, "/alarms/rules/disk_low", form)
    with store.connection():
        now = alarms.rules_now()["disk_low"]
    assert (now.limit, now.severity, now.hold_on_s, now.escalate_min) == (25.5, Severity.CRITICAL, 7, 0)
    assert "under 25.5 %" in shown(administrator, "/alarms/rules")
    assert "It is so already" in told(administrator, "/alarms/rules/disk_low", form)
    assert "Saved" in told(administrator, "/alarms/rules/disk_low/undo", {})
    with store.connection():
        assert alarms.rules_now()["disk_low"].limit == 15


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("threshold", "99", "ALM-002"), ("threshold", "much", "ALM-007"), ("hold_on_s", "-1", "ALM-007"), ("severity", "bad", "ALM-007")],
)
def test_a_rule_refuses_nonsense(administrator: FlaskClient, field: str, value: str, code: str) -> None:
    form = {"on": "yes", "severity": "warning", "threshold": "20", "hold_on_s": "7", "hold_off_s": "80", "escalate_min": "0"}
    assert code in told(administrator, "/alarms/rules/disk_low", {**form, field: value})
    with store.connection():
        assert alarms.rules_now()["disk_low"].limit == 15


def test_receivers_are_added_changed_removed_and_their_secrets_stay(administrator: FlaskClient) -> None:
    assert "Saved" in told(administrator, "/alarms/receivers", DUTY)
    told(administrator, "/alarms/receivers", {**DUTY, "name": "nms", "kind": "snmp", "to": "192.0.2.9", "secret": "c0mmunity"})
    told(administrator, "/alarms/receivers", {**DUTY, "name": "nms", "kind": "snmp", "to": "192.0.2.9:1162", "secret": "", "level": "2"})
    page = shown(administrator, "/alarms/receivers")
    assert "duty@hospital.example" in page
    assert "c0mmunity" not in page
    nms = kept("receivers", Receivers).all[1]
    assert nms == Receiver(name="nms", kind="snmp", to="192.0.2.9:1162", level=2, secret="c0mmunity")
    told(administrator, "/alarms/receivers/remove", {"name": "nms"})
    assert [each.name for each in kept("receivers", Receivers).all] == ["duty"]
    told(administrator, "/alarms/receivers/undo", {})
    assert [each.name for each in kept("receivers", Receivers).all] == ["duty", "nms"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"name": "two words"}, "ALM-004"),
        ({"to": "no address"}, "ALM-005"),
        ({"kind": "sms", "to": "12"}, "ALM-005"),
        ({"kind": "pigeon"}, "ALM-007"),
        ({"level": "3"}, "ALM-007"),
    ],
)
def test_receivers_that_are_none(administrator: FlaskClient, changed: dict[str, str], code: str) -> None:
    assert code in told(administrator, "/alarms/receivers", {**DUTY, **changed})
    assert kept("receivers", Receivers).all == ()


def test_the_mail_server_keeps_its_password_and_comes_back(administrator: FlaskClient) -> None:
    assert "Saved" in told(administrator, "/alarms/mail", MAIL)
    told(administrator, "/alarms/mail", {**MAIL, "password": "", "port": "465", "security": "tls"})
    mail = kept("mail", MailSettings)
    assert (mail.port, mail.security, mail.password) == (465, "tls", "a-secret-word")
    assert "a-secret-word" not in shown(administrator, "/alarms/receivers")
    told(administrator, "/alarms/mail/undo", {})
    assert kept("mail", MailSettings).port == 587
    assert "ALM-006" in told(administrator, "/alarms/mail", {**MAIL, "sender": "nobody"})


def test_a_test_is_asked_for_and_told(administrator: FlaskClient) -> None:
    told(administrator, "/alarms/receivers", DUTY)
    assert "on its way" in told(administrator, "/alarms/tests", {"receiver": "duty"})
    told(administrator, "/alarms/tests", {"receiver": "contact"})
    assert post(administrator, "/alarms/tests", {"receiver": "nobody"}).status_code == 404
    with store.connection():
        AlarmTest.update(state="failed", error="mail: refused").where(AlarmTest.receiver == "duty").execute()
        assert [row.receiver for row in AlarmTest.select().order_by(AlarmTest.id)] == ["duty", "contact"]
    assert "mail: refused" in shown(administrator, "/alarms/receivers")


def test_the_box_calls_itself_at_a_click(agent: ScriptedAgent, technician: FlaskClient) -> None:
    page = told(technician, "/alarms/self-call", {})
    assert re.search(r"0\.9 秒应答，1\.5 秒听到语音", page)
    assert agent.asked[-1][0] == "self-call"


def test_every_end_of_a_self_call_has_words(app: Flask) -> None:
    wording = app.extensions["careline"].wording
    assert all(wording.has(f"self_call_end.{end.value}") for end in SelfCallEnd if end is not SelfCallEnd.HEARD)
