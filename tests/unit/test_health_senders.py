"""What alarms go out by, against programs that are not ours: a mail server, snmptrapd, Prometheus' own parser, upsd, LCDd."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from peewee import Database
from prometheus_client.parser import text_string_to_metric_families

from appliance.health import machine
from appliance.health.config import ContactConfig, InputConfig, MetricsConfig, PanelConfig, UpsConfig
from appliance.health.contacts import ContactError, Contacts, open_line
from appliance.health.looks import Key
from appliance.health.mail import Mailer
from appliance.health.metrics import MetricsServer
from appliance.health.panel import Panel
from appliance.health.senders import AGAIN_S, Sender
from appliance.health.traps import TrapSender, engine_id, station
from appliance.health.ups import UpsProbe, of_variables
from appliance.health.words import Story
from appliance.store.alarm_rules import Severity
from appliance.store.alarms import MailSettings
from appliance.store.database import open_store
from appliance.store.outgoing import OutgoingMessage, enqueue
from drivers.clock import VirtualClock
from tests.unit.health_peers import MailBox, certificate, free_port, lcd, nut, trap_daemon, until
from tests.unit.test_health_rules import GOOD

NOW = datetime(2026, 3, 8, 2, 0, tzinfo=UTC)
STORY = Story(number=7, event="began", rule="span_down", severity=Severity.CRITICAL, key=Key("span", 1, "red"), detail="E1/1: red", at=NOW)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_store(tmp_path / "careline.db")
    opened.close()  # each look opens its own
    yield opened
    opened.close()


class Bench:
    """The sender of mails, on a virtual clock."""

    def __init__(self, database: Database, settings: MailSettings) -> None:
        self.clock, self.settings, self._database = VirtualClock(), settings, database
        mailer = Mailer(lambda: self.settings)
        self.sender = Sender("email", mailer, database, self.clock, mailer.an_hour)

    def mail(self, to: str, text: str, key: str) -> None:
        with self._database.connection_context():
            enqueue("email", to, text, key, self.clock.now())

    def states(self) -> list[str]:
        with self._database.connection_context():
            return [row.state for row in OutgoingMessage.select().order_by(OutgoingMessage.id)]

    def later(self, s: float) -> None:
        end_s = self.clock.monotonic_s() + s
        while self.clock.monotonic_s() < end_s:
            self.clock.advance(None)


def plain(port: int, **more: int) -> MailSettings:
    return MailSettings(host="127.0.0.1", port=port, security="none", sender="box@hospital.example", **more)  # type: ignore[arg-type]  # an_hour


def test_a_mail_arrives_once_in_two_languages(database: Database) -> None:
    port = free_port()
    bench = Bench(database, plain(port))
    bench.mail("duty@hospital.example", "[示范医院] 告警 (严重): 中继告警, 中继 1\n\n检查线缆和对端设备", "alarm:1:began")
    with MailBox(port) as box:
        bench.sender.step()
        bench.sender.step()
    assert box.subjects() == ["[示范医院] 告警 (严重): 中继告警, 中继 1"]
    (mail,) = box.mails
    assert "检查线缆和对端设备" in mail.get_content()
    assert mail["Auto-Submitted"] == "auto-generated"
    assert bench.states() == ["sent"]


def test_starttls_and_log_in(database: Database, tmp_path: Path) -> None:
    port, pem = free_port(), certificate(tmp_path)
    settings = MailSettings(host="127.0.0.1", port=port, user="careline", password="secret", sender="box@hospital.example", verify=False)
    bench = Bench(database, settings)
    bench.mail("duty@hospital.example", "a\n\nb", "k1")
    with MailBox(port, pem) as box:
        bench.settings = msgspec.structs.replace(settings, verify=True)
        bench.sender.step()
        assert "certificate" in bench.sender.fault.lower()
        bench.settings = msgspec.structs.replace(settings, password="wrong")
        bench.later(AGAIN_S[0] + 1)
        bench.sender.step()
        assert "535" in bench.sender.fault
        bench.settings = settings
        bench.later(AGAIN_S[1] + 1)
        bench.sender.step()
    assert (box.subjects(), bench.sender.fault, bench.states()) == (["a"], "", ["sent"])


def test_a_server_that_is_away_is_tried_again_and_an_unknown_address_holds_up_nobody(database: Database) -> None:
    port = free_port()
    bench = Bench(database, plain(port))
    for number, to in enumerate(("gone@hospital.example", "duty@hospital.example", "no address\n")):
        bench.mail(to, f"{number}\n\nb", f"k{number}")
    bench.sender.step()
    assert "refused" in bench.sender.fault.lower()
    with MailBox(port) as box:
        box.refuse.add("gone@hospital.example")
        bench.sender.step()
        assert bench.states() == ["waiting"] * 3, "not at once"
        bench.later(AGAIN_S[0] + 1)
        bench.sender.step()
    assert box.subjects() == ["1"]
    assert bench.states() == ["failed", "sent", "failed"]


def test_no_more_than_so_many_in_an_hour(database: Database) -> None:
    port = free_port()
    bench = Bench(database, plain(port, an_hour=3))
    for number in range(5):
        bench.mail("duty@hospital.example", f"{number}\n\nb", f"k{number}")
    with MailBox(port) as box:
        bench.sender.step()
        assert len(box.mails) == 3
        bench.later(3601)
        bench.sender.step()
        assert len(box.mails) == 5


def test_directly_while_the_store_does_not_work(database: Database) -> None:
    port = free_port()
    bench = Bench(database, plain(port))
    bench.sender.send_directly("duty@hospital.example", "the disk is full\n\nb", "direct:1")
    with MailBox(port) as box:
        bench.sender.step()
        bench.sender.step()
    assert box.subjects() == ["the disk is full"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pysnmp leaves a file of its own to the collector
@pytest.mark.parametrize("secret", ["public", "v3 watch authpassword privpassword"])
def test_a_trap_is_read_by_snmptrapd(tmp_path: Path, secret: str) -> None:
    user = f"createUser -e 0x{engine_id().hex()} watch SHA authpassword AES privpassword\nauthUser log watch\nauthCommunity log public\n"
    with trap_daemon(tmp_path, user) as (port, log):
        sender = TrapSender(lambda _: secret, lambda: True)
        for event in ("began", "ended"):
            told = msgspec.structs.replace(STORY, event=event)
            sender.send(f"127.0.0.1:{port}", msgspec.json.encode(told).decode(), "k")
        traps = until(lambda: len(found := [line for line in log.read_text().splitlines() if "TRAP" in line]) == 2 and found)
        sender.close()
    root = ".1.3.6.1.4.1.8072.9999.9999.7"
    assert f"OID: {root}.0.1" in traps[0]
    assert f"OID: {root}.0.2" in traps[1]
    for value in ("Gauge32: 7", '"span_down"', "INTEGER: 3", '"span 1 red"', '"2026-03-08T02:00:00+00:00"'):
        assert value in traps[0]


@pytest.mark.parametrize(
    ("to", "found"), [("nms", ("nms", 162)), ("nms:99", ("nms", 99)), ("[::1]:99", ("::1", 99)), ("::1", ("::1", 162))]
)
def test_stations(to: str, found: tuple[str, int]) -> None:
    assert station(to) == found


def test_metrics_are_read_by_prometheus_own_parser() -> None:
    server = MetricsServer(MetricsConfig(port=free_port(), token="t0ken"), lambda: GOOD, lambda: {("span_down", "critical"): 2})
    server.start()
    address = f"http://127.0.0.1:{server.port}/metrics"
    try:
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(address, timeout=5)
        assert error.value.code == 401
        error.value.close()
        asked = urllib.request.Request(address, headers={"Authorization": "Bearer t0ken"})
        with urllib.request.urlopen(asked, timeout=5) as answer:
            text = answer.read().decode()
    finally:
        server.stop()
    found = {family.name: family.samples for family in text_string_to_metric_families(text)}
    assert found["careline_alarms"][0].labels == {"rule": "span_down", "severity": "critical"}
    assert found["careline_alarms"][0].value == 2
    assert found["careline_self_call_answered_seconds"][0].value == 0.9
    assert {sample.labels["span"]: sample.value for sample in found["careline_span_up"]} == {"1": 1.0, "2": 1.0}
    assert all(name.startswith("careline_") for name in found)


def test_the_ups_of_the_real_upsd(tmp_path: Path) -> None:
    with nut(tmp_path) as upsd:
        ask = UpsProbe(UpsConfig(name="test", port=upsd.port))
        assert (ask().status, ask().charge_percent, ask().low) == (("OL",), 100.0, False)
        upsd.set("ups.status", "OB LB")
        assert until(lambda: ask().low)
        assert "UNKNOWN-UPS" in UpsProbe(UpsConfig(name="other", port=upsd.port))().fault
    assert ask().fault
    with pytest.raises(ValueError, match=r"ups\.status"):
        of_variables({})


def test_the_panel_of_the_real_lcdd(tmp_path: Path) -> None:
    texts = ["CARELINE OK", "3 calls, 30 lines", "10.0.0.2", 'a "span" \\ down, 很长的一行和更多的字']
    with lcd(tmp_path) as (port, frames):
        panel = Panel(PanelConfig(host="127.0.0.1", port=port), lambda columns: tuple(text[:columns] for text in texts))
        panel.start()
        until(lambda: "3 calls, 30 lines" in frames.read_text("latin-1"))
        texts[0] = "CARELINE 1 ALARM"
        until(lambda: "CARELINE 1 ALARM" in frames.read_text("latin-1"))
        assert panel.fault == ""
        panel.stop()
    frame = frames.read_text("latin-1")
    assert "|10.0.0.2            |" in frame
    assert "a 'span' / down" in frame


class Wire:
    """A contact's wire: `closed` as somebody else made it, `held` as we did."""

    def __init__(self) -> None:
        self.closed, self.held, self.broken = False, False, False

    def hold(self, on: bool) -> None:
        if self.broken:
            raise OSError("gone")
        self.held = on

    def is_closed(self) -> bool:
        if self.broken:
            raise OSError("gone")
        return self.closed

    def close(self) -> None:
        self.held = False


def test_contacts_tell_and_are_fail_safe() -> None:
    wires = {"out": Wire(), "door": Wire(), "fire": Wire()}
    config = ContactConfig(
        out="out", inputs=(InputConfig(name="door", line="door"), InputConfig(name="fire", line="fire", closed_is_alarm=False))
    )
    contacts = Contacts(config, lambda where, out: wires[where])
    contacts.tell(alarm=False)
    assert wires["out"].held
    contacts.tell(alarm=True)
    assert not wires["out"].held, "alarm is the released relay"
    assert contacts.look() == {"door": False, "fire": True}
    wires["door"].closed = True
    assert contacts.look()["door"]
    wires["door"].broken = wires["out"].broken = True
    assert "door" not in contacts.look()
    contacts.tell(alarm=False)
    assert contacts.fault.startswith("ALM-021")
    contacts.close()


@pytest.mark.parametrize(
    ("where", "code"), [("gpio:17", "ALM-020"), ("serial:/dev/x:cts", "ALM-020"), ("gpio:/dev/gpiochip99:1", "ALM-021")]
)
def test_contacts_that_are_none(where: str, code: str) -> None:
    with pytest.raises(ContactError) as error:
        open_line(where, out=True)
    assert error.value.code == code


def test_facts_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:  1000 kB\nMemAvailable:  120 kB\n")
    assert machine.memory_free_percent(tmp_path) == 12.0
    chip = tmp_path / "class/hwmon/hwmon0"
    chip.mkdir(parents=True)
    for name, text in (("name", "coretemp"), ("temp1_input", "71500"), ("temp1_label", "Package id 0"), ("temp2_input", "broken")):
        (chip / name).write_text(text + "\n")
    assert machine.temperatures(tmp_path) == {"coretemp Package id 0": 71.5}
    assert 29 < (machine.days_left(certificate(tmp_path), datetime.now(UTC)) or 0) < 30
    assert machine.days_left(tmp_path / "none.pem", NOW) is None
    assert machine.memory_free_percent(tmp_path / "none") is None
    (percent,) = machine.disk_free_percent((tmp_path, tmp_path / "class", tmp_path / "none")).values()
    assert 0 <= percent <= 100
    assert machine.clock_is_synchronised() in (True, False, None)


def test_a_step_of_the_clock_is_seen_and_forgotten() -> None:
    clock = VirtualClock()
    watch = machine.StepWatch(clock)
    assert watch.look() == 0.0
    clock.step_wall(NOW - datetime(2026, 3, 8, 1, 0, tzinfo=UTC))
    assert watch.look() == pytest.approx(3600)
    assert watch.look() == pytest.approx(3600)
    while clock.monotonic_s() < machine.STEP_TOLD_S + 1:
        clock.advance(None)
    assert watch.look() == 0.0
