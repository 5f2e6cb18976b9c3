"""Alarms of a whole box in real processes: the cable of an E1 is pulled, and it is told on the page and by mail within ten seconds; the
process that watches is killed meanwhile, and nothing is told twice.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from appliance.control.client import ControlClient
from appliance.control.messages import RunSelfCall, SelfCallEnd
from appliance.store import alarms
from appliance.store.alarm_rules import BY_NAME, RuleSetting
from appliance.store.alarms import MailSettings, Receiver, Receivers
from appliance.store.models import Alarm, CallRecord
from appliance.store.outgoing import OutgoingMessage
from drivers.clock import RealClock
from tests.daemons import daemon
from tests.unit.health_peers import MailBox, free_port, until
from tests.web import prepared
from tests.web.conftest import signed_in
from webui import store
from webui.app import create_app
from webui.settings import load_config

LINES = """
[[lines.virtual.spans]]
kind = "pri"

[[lines.virtual.spans]]
kind = "fxs"
channels = 1
[health]
web = false
[health.self_call]
every_min = 0
"""
TOLD_WITHIN_S = 10.0


class Watcher:
    """`careline health`, killed and started anew."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._log = (config.parent / "health.log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "appliance.health", "--config", str(self._config)]
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)

    def kill(self) -> None:
        assert self._process
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(20)
        self._log.close()


class Whole:
    def __init__(self, place: prepared.Place, lines_pid: int, watcher: Watcher, mail: MailBox, client: FlaskClient) -> None:
        self._began = datetime.now(UTC)
        self.place, self.lines_pid, self.watcher, self.mail, self.client = place, lines_pid, watcher, mail, client

    def cable(self, pulled: bool) -> float:
        os.kill(self.lines_pid, signal.SIGUSR1 if pulled else signal.SIGUSR2)
        return time.monotonic()

    def rows(self) -> list[tuple[str, bool, bool]]:
        """Rule, told of, lasting: of every alarm of the span since the box runs."""
        with store.connection():
            found = Alarm.select().where(Alarm.subject == "span", Alarm.alarm == "red", Alarm.began_at >= self._began).order_by(Alarm.id)
            return [(row.rule, row.raised_at is not None, row.ended_at is None) for row in found]

    def waits(self) -> int:
        with store.connection():
            return int(OutgoingMessage.select().where(OutgoingMessage.state == "waiting", OutgoingMessage.channel == "email").count())


@pytest.fixture
def whole(day: Path, tmp_path: Path) -> Iterator[Whole]:
    place = prepared.make_place(tmp_path / "box", template=day)
    place.config.write_text(place.config.read_text() + LINES)
    port = free_port()
    with ExitStack() as stack:
        lines = stack.enter_context(daemon("tests.cable", place.config, place.run_dir / "handset.sock"))
        stack.enter_context(daemon("appliance.main", place.config, place.run_dir / "control.sock"))
        app = create_app(load_config(place.config), clock=RealClock())
        _set_up(port)
        mail = stack.enter_context(MailBox(port))
        watcher = Watcher(place.config)
        stack.callback(watcher.close)
        watcher.start()
        yield Whole(place, lines, watcher, mail, signed_in(app, "technician"))


def _set_up(port: int) -> None:
    now = datetime.now(UTC)
    duty = Receiver(name="duty", kind="email", to="duty@hospital.example", language="en")
    with store.connection():
        alarms.save("receivers", Receivers(all=(duty,)), "test", now)
        alarms.save("mail", MailSettings(host="127.0.0.1", port=port, security="none", sender="box@hospital.example"), "test", now)
        for rule in BY_NAME:  # this machine, and the prepared day, may well have others
            alarms.change_rule(rule, RuleSetting(on=rule == "span_down"), "test", now)
        alarms.change_rule("span_down", RuleSetting(hold_off_s=2), "test", now)


@contextmanager
def _live(client: FlaskClient) -> Iterator[Callable[[], str]]:
    """The page's stream: the next part that was pushed."""
    answer = client.get("/alarms/live", headers={"Accept": "text/event-stream"})
    chunks: Any = iter(answer.response)

    def pushed() -> str:
        while "event: live" not in (text := _text(next(chunks))):
            pass
        return text

    yield pushed
    answer.close()


def _text(chunk: Any) -> str:
    return chunk.decode() if isinstance(chunk, bytes) else str(chunk)


def test_a_pulled_cable_is_told_on_the_page_and_by_mail_and_so_is_its_end(whole: Whole) -> None:
    time.sleep(4)  # the watcher has looked
    with _live(whole.client) as pushed:
        assert "没有告警" in pushed()
        pulled_s = whole.cable(pulled=True)
        assert "红色告警" in pushed()
        on_page_s = time.monotonic() - pulled_s
        until(lambda: whole.mail.mails, TOLD_WITHIN_S)
        by_mail_s = time.monotonic() - pulled_s
        assert max(on_page_s, by_mail_s) <= TOLD_WITHIN_S, (on_page_s, by_mail_s)
        assert whole.rows() == [("span_down", True, True)]
        back_s = whole.cable(pulled=False)
        assert "没有告警" in pushed()
        until(lambda: len(whole.mail.mails) == 2, TOLD_WITHIN_S)
        assert time.monotonic() - back_s <= TOLD_WITHIN_S
    print(f"on the page after {on_page_s:.1f} s, by mail after {by_mail_s:.1f} s")
    assert whole.mail.subjects() == [f"[示范医院] {word} (critical): A span is in alarm, span 1" for word in ("ALARM", "over")]
    assert whole.rows() == [("span_down", True, False)]


def test_killed_again_and_again_while_it_lasts_tells_nothing_twice(whole: Whole) -> None:
    time.sleep(4)
    whole.cable(pulled=True)
    for round_ in range(5):
        time.sleep(0.7 * round_)
        whole.watcher.kill()
        whole.watcher.start()
    until(lambda: whole.mail.mails, 20.0)
    time.sleep(4)
    assert whole.rows() == [("span_down", True, True)]
    whole.watcher.kill()
    whole.cable(pulled=False)
    time.sleep(1)
    whole.watcher.start()
    until(lambda: len(whole.mail.mails) >= 2 and not whole.waits(), 20.0)
    time.sleep(3)
    assert [subject.split()[1] for subject in whole.mail.subjects()] == ["ALARM", "over"]
    assert len({mail["Message-ID"] for mail in whole.mail.mails}) == 2
    assert whole.rows() == [("span_down", True, False)]


def test_the_box_calls_itself_through_real_processes(whole: Whole) -> None:
    with ControlClient(whole.place.run_dir / "control.sock", "test") as client:
        told = client.run_self_call(RunSelfCall(by="test"))
    assert told.end is SelfCallEnd.HEARD, told
    print(f"answered after {told.answered_ms} ms, heard after {told.heard_ms} ms")
    record = until(lambda: _self_calls(whole))
    assert record == [("self", "self-call")]


def _self_calls(_whole: Whole) -> list[tuple[str, str]]:
    with store.connection():
        rows = CallRecord.select().where(CallRecord.direction == "self", CallRecord.ended_at.is_null(False))
        return [(row.direction, row.group) for row in rows]
