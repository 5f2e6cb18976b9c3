"""Alarms in the store and what goes out of them: once each, also after a death, also while the store does not work."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from peewee import Database

from appliance.health.journal import Journal, Letter
from appliance.health.judge import Cleared, Raised
from appliance.health.looks import Finding, Key
from appliance.health.storing import Storing
from appliance.store import alarms
from appliance.store.alarm_rules import Severity
from appliance.store.alarms import AlarmTest, Receiver, Receivers
from appliance.store.database import open_store
from appliance.store.models import Alarm
from appliance.store.outgoing import OutgoingMessage
from drivers.clock import VirtualClock

RED = Key("span", 1, "red")
WEB = Key("box", 0, "web_down")
CHIEF = Receiver(name="chief", kind="email", to="chief@hospital.example", level=2, language="en")
DUTY = Receiver(name="duty", kind="email", to="duty@hospital.example", language="en")
PHONE = Receiver(name="phone", kind="sms", to="13800001111", least=Severity.CRITICAL)
STATION = Receiver(name="nms", kind="snmp", to="192.0.2.9:162", least=Severity.NOTICE, rules=("span_down",))


def raised(key: Key = RED, rule: str = "span_down", severity: Severity = Severity.CRITICAL) -> Raised:
    return Raised(rule, Finding(key, "E1/1: red"), severity, 3.0)


class Bench:
    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock()
        self.file = folder / "careline.db"
        self.database: Database = open_store(self.file)
        self.direct: list[Letter] = []
        self.relay = True
        self.journal = self.another()

    def another(self) -> Journal:
        """As a process that starts."""
        journal = Journal("示范医院", ZoneInfo("Asia/Shanghai"), self.clock, self.direct.append, lambda: self.relay)
        journal.read_settings()
        return journal

    def receivers(self, *all_: Receiver) -> None:
        alarms.save("receivers", Receivers(all=all_), "wang", self.clock.now())
        self.journal.read_settings()

    def happens(self, *changes: Raised | Cleared) -> None:
        self.journal.note(changes)
        self.journal.write()

    def later(self, minutes: float) -> None:
        end_s = self.clock.monotonic_s() + minutes * 60
        while self.clock.monotonic_s() < end_s:
            self.clock.advance(None)

    def sent(self) -> list[tuple[str, str, str]]:
        return [(row.channel, row.to, row.text.splitlines()[0]) for row in OutgoingMessage.select().order_by(OutgoingMessage.id)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.database.close()


def test_told_when_it_begins_and_ends_to_whom_it_concerns(bench: Bench) -> None:
    bench.receivers(DUTY, PHONE, STATION, CHIEF)
    bench.happens(raised(), raised(WEB, "web_down", Severity.WARNING))
    bench.happens(Cleared("span_down", RED))
    row = Alarm.get(Alarm.rule == "span_down")
    assert row.began_at == row.raised_at - timedelta(seconds=3)
    assert row.ended_at is not None
    channels = [(channel, to) for channel, to, _ in bench.sent()]
    duty, phone, nms = ("email", DUTY.to), ("sms", PHONE.to), ("snmp", STATION.to)
    assert channels == [duty, phone, nms, duty, duty, phone, nms]
    assert bench.sent()[0][2] == "[示范医院] ALARM (critical): A span is in alarm, span 1"
    assert bench.sent()[1][2] == "示范医院 告警 (严重): 中继告警, 中继 1 E1/1: red"
    assert [message.urgent for message in OutgoingMessage.select().where(OutgoingMessage.channel == "sms")] == [True, True]


def test_the_row_of_the_call_agent_is_the_alarm(bench: Bench) -> None:
    theirs = Alarm.create(subject="span", number=1, alarm="red", began_at=bench.clock.now())
    bench.happens(raised())
    assert Alarm.select().count() == 1
    Alarm.update(ended_at=bench.clock.now()).execute()
    bench.receivers(DUTY)
    bench.happens(Cleared("span_down", RED))
    assert [text for _, _, text in bench.sent()] == ["[示范医院] over (critical): A span is in alarm, span 1"]
    assert Alarm.get_by_id(theirs.id).rule == "span_down"


def test_a_row_made_anew_while_it_lasts_goes_on_as_the_alarm(bench: Bench) -> None:
    bench.receivers(DUTY)
    bench.happens(raised())
    alarms.acknowledge(Alarm.get().id, "wang", bench.clock.now())
    Alarm.update(ended_at=bench.clock.now()).execute()
    fresh = Alarm.create(subject="span", number=1, alarm="red", began_at=bench.clock.now())
    bench.journal.look_after([("span_down", RED)])
    row = Alarm.get_by_id(fresh.id)
    assert (row.rule, row.acknowledged_by, row.raised_at is not None) == ("span_down", "wang", True)
    assert len(bench.sent()) == 1


def test_nothing_is_doubled_by_a_process_that_died(bench: Bench) -> None:
    bench.receivers(DUTY, PHONE)
    bench.happens(raised())
    before = bench.sent()
    bench.journal = bench.another()
    assert bench.journal.left_open() == [("span_down", RED)]
    bench.happens(raised())
    assert bench.sent() == before
    assert Alarm.select().count() == 1
    bench.happens(Cleared("span_down", RED), Cleared("span_down", RED))
    assert len(bench.sent()) == 2 * len(before)


def test_an_end_that_came_while_nobody_watched_is_told(bench: Bench) -> None:
    bench.receivers(DUTY)
    bench.happens(raised())
    Alarm.update(ended_at=bench.clock.now()).execute()  # by the call agent
    bench.journal = bench.another()
    assert bench.journal.left_open() == [("span_down", RED)]
    bench.happens(Cleared("span_down", RED))
    assert [text.split()[1] for _, _, text in bench.sent()] == ["ALARM", "over"]
    assert bench.another().left_open() == []


def test_escalated_once_when_nobody_acknowledged_and_its_end_is_told_there_too(bench: Bench) -> None:
    bench.receivers(DUTY, CHIEF)
    bench.happens(raised())
    bench.later(29)
    bench.journal.look_after([("span_down", RED)])
    assert len(bench.sent()) == 1
    bench.later(2)
    for _ in range(3):
        bench.journal.look_after([("span_down", RED)])
    assert bench.sent()[1:] == [("email", CHIEF.to, "[示范医院] NOT ACKNOWLEDGED (critical): A span is in alarm, span 1")]
    bench.happens(Cleared("span_down", RED))
    assert [to for _, to, _ in bench.sent()[2:]] == [DUTY.to, CHIEF.to]


def test_not_escalated_when_somebody_did(bench: Bench) -> None:
    bench.receivers(DUTY, CHIEF)
    bench.happens(raised())
    alarms.acknowledge(Alarm.get().id, "wang", bench.clock.now())
    bench.later(100)
    bench.journal.look_after([("span_down", RED)])
    bench.happens(Cleared("span_down", RED))
    assert [to for _, to, _ in bench.sent()] == [DUTY.to, DUTY.to]


def test_told_directly_while_the_store_does_not_work_and_not_again_after(bench: Bench) -> None:
    bench.receivers(DUTY, PHONE)
    bench.journal.note([raised()])
    bench.journal.tell_directly()
    bench.journal.tell_directly()
    assert [letter.receiver.name for letter in bench.direct] == ["duty", "phone"]
    bench.journal.write()
    states = {row.channel: row.state for row in OutgoingMessage.select()}
    assert states == {"email": "sent", "sms": "waiting"}, "text messages go by the store only"
    assert len(bench.direct) == 2


def test_a_test_is_sent_and_its_outcome_told(bench: Bench) -> None:
    bench.receivers(DUTY)
    for name in ("duty", "nobody", "contact"):
        alarms.try_receiver(name, "wang", bench.clock.now())
    bench.journal.look_after([])
    bench.journal.look_after([])
    assert [(row.receiver, row.state) for row in AlarmTest.select()] == [("duty", "waiting"), ("nobody", "failed"), ("contact", "sent")]
    OutgoingMessage.update(error="mail: refused").execute()
    bench.journal.look_after([])
    first = AlarmTest.get(AlarmTest.receiver == "duty")
    assert (first.state, first.error) == ("failed", "mail: refused")
    assert len(bench.sent()) == 1


def test_a_text_message_that_did_not_go_is_a_fault(bench: Bench) -> None:
    bench.receivers(PHONE)
    bench.happens(raised())
    bench.journal.look_after([])
    assert bench.journal.sms_fault == ""
    bench.later(4)
    bench.journal.look_after([])
    assert bench.journal.sms_fault == "not sent"
    OutgoingMessage.update(state="sent").execute()
    bench.journal.look_after([])
    assert bench.journal.sms_fault == ""


def test_a_store_that_cannot_be_opened_is_told_of_and_opened_when_it_can(tmp_path: Path) -> None:
    broken = tmp_path / "careline.db"
    broken.write_bytes(b"this is no database, and longer than a header of one is" * 40)
    direct: list[Letter] = []
    left: list[list[tuple[str, Key]]] = []
    journal = Journal("x", ZoneInfo("UTC"), VirtualClock(), direct.append, lambda: False)
    storing = Storing(broken, journal, list, lambda _, found: left.append(found))
    storing.take([raised(WEB, "web_down")])
    storing.step()
    assert storing.fault.startswith("STO-002")
    broken.unlink()
    storing.step()
    assert (storing.fault, left) == ("", [[]])
    assert [row.rule for row in Alarm.select()] == ["web_down"]
