"""Every form there is, found on the pages, with every hostile value in every field, the others as they should be.

The answer is a refusal, told at a field or on the page in the reader's language, or it is accepted and then shown as text; never a fault of
the program, and never half saved: what is refused leaves the store as it was. A form that no page shows, and that is not made by a step
named here, makes the test fail.
"""

import hashlib
import io
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.control.messages import MusicEntry
from drivers.clock import VirtualClock
from tests.web import form_steps, forms, prepared
from tests.web.agent import ScriptedAgent
from tests.web.conftest import HTML, pass_time
from tests.web.forms import PageForm
from tests.web.test_access import routes
from webui.app import POSTS_A_MINUTE
from webui.sessions import area_of

SCRIPT = "<script>alert(1)</script>"
HOSTILE = (
    *("", "   ", "0", "-1", "1e309", "9" * 40, "１２", "99999999999999999999.99", "2026-99-99", "25:61"),
    *("长" * 5_000, "😀" * 3, SCRIPT, '"><img src=x onerror=alert(1)>', "{{ 7 * 191 }}", "=cmd|' /C calc'!A0"),
    *("'; drop table patient; --", "\x00\x07", "\u202egnp", "\ufffe", "../../etc/passwd", "a\r\nSet-Cookie: x=1"),
)
FILES = (b"", b"\x00\xff\x00", SCRIPT.encode() + b",x\n1,2", b"PK\x03\x04 no spreadsheet", b"RIFF\xff\xff\xff\xffWAVEfmt ")
RAW = (SCRIPT, "<img src=x", "1337")
ALERT = re.compile(r'(?:role="alert"|class="invalid-feedback[^"]*")[^>]*>(.*?)</(?:div|p|ul)>', re.S)
CHINESE = re.compile("[\u4e00-\u9fff]")
COUNTED = {"card_entry": {"card"}, "account": {"account"}}
"""What a refusal may change: it is counted."""
COUNTING = {
    **dict.fromkeys(("patient_entry.enter", "kiosk.enter_card", "patient_booking.confirm", "patient_entry.change_password"), "card_entry"),
    "desk.book": "card_entry",
    "account.check_sign_in": "account",
}
MANY_FIELDS = 3
EVERY = 4
"""Of a form with more fields than that, or of one more kind of a form, each field gets every fourth value only, all of them in turn."""
UNSEEN = {"audit"}
ELSEWHERE = {
    "cards.load": "has no field: test_cards.py",
    "cards.remove": "stands beside a file that is kept: test_cards.py",
    "setup.make_first": "the page of the very first start has gone once there is an account: test_sign_in.py",
    "line_setup.settle": "stands on the pages while a set-up of the lines is tried: test_line_setup.py",
    "prompts.use_ready": "has no field: test_prompts.py",
    "work.resend": "has no field: test_work.py",
    **{
        f"network.{name}": "wants the box service and a network of its own: test_network.py"
        for name in ("edit_again", "check", "apply", "undo", "settle", "release", "look", "confirm")
    },
    **dict.fromkeys(("sms.send_again", "sms.leave", "sms.have_read", "smdr.read_anew"), "have no field: test_peripherals.py"),
    **dict.fromkeys(
        (f"update.{name}" for name in ("check", "install", "discard", "restart", "cancel", "go_back", "stay", "settle_left")),
        "needs the box service: test_update.py",
    ),
    **dict.fromkeys((f"setup_restore.{name}" for name in ("check_code", "take")), "of a box without accounts: test_backup.py"),
    **dict.fromkeys(
        (
            *(f"backup.{name}" for name in ("make", "verify", "cancel", "restore", "recordings", "confirm", "undo", "remove", "download")),
            *(f"backup_places.{name}" for name in ("remove", "set_password", "probe", "eject", "undo")),
        ),
        "needs the box service: test_backup.py",
    ),
}
"""Forms that no page of this world shows, and where they are tested."""


Files = dict[str, tuple[str, bytes]]


@dataclass
class Store:
    """The store's file: what is in it, and back to how it was."""

    path: Path

    def __post_init__(self) -> None:
        self._open = sqlite3.connect(self.path)
        self._first = sqlite3.connect(":memory:")
        self._open.backup(self._first)
        self.before = self.tables()
        self._version = self._moved()

    def _moved(self) -> int:
        return int(self._open.execute("pragma data_version").fetchone()[0])

    def changed(self) -> set[str]:
        """Names of the tables that are not what they were."""
        if self._moved() == self._version:
            return set()
        now = self.tables()
        return {name for name in now if now[name] != self.before[name]} - UNSEEN

    def tables(self) -> dict[str, str]:
        names = [row[0] for row in self._open.execute("select name from sqlite_master where type = 'table' order by name")]
        return {name: hashlib.sha256(repr(self._open.execute(f"select * from {name}").fetchall()).encode()).hexdigest() for name in names}

    def restore(self) -> None:
        if self._moved() != self._version:
            back = sqlite3.connect(self.path)
            self._first.backup(back)
            back.close()
            self._version = self._moved()


class Trial:
    """One client with its session, sent back to how it was after every form."""

    def __init__(self, app: Flask, client: FlaskClient, store: Store) -> None:
        self.app, self.client, self.store = app, client, store
        self.clock: VirtualClock = app.extensions["careline"].clock
        self.wrong: list[str] = []
        self.covered: set[str] = set()
        self._variants: set[str] = set()
        self._in_both: set[tuple[str, str]] = set()
        self._cookies = dict(client._cookies or {})  # werkzeug's jar has no other way back
        self._sent = 0

    def every_value(self, form: PageForm) -> None:
        endpoint, kind = forms.view_of(self.app, form.action)
        variant = f"{endpoint} {kind}".strip()
        if not endpoint or variant in self._variants:
            return
        again = endpoint in self.covered
        self.covered.add(endpoint)
        self._variants.add(variant)
        given = form_steps.GOOD.get(variant, form_steps.GOOD.get(endpoint, {}))
        good = {**form.buttons, **form.values, **given, "csrf": self._token(form)}
        self._as_it_should_be(variant, form, good)
        names = sorted(set(good) - {"csrf"})
        for place, name in enumerate(names):
            for value in HOSTILE if len(names) <= MANY_FIELDS and not again else HOSTILE[place % EVERY :: EVERY]:
                self._one(endpoint, form, {**good, name: value}, {}, f"{name}={value[:24]!r}", value)
        for name in form.files:
            for content in FILES:
                self._one(endpoint, form, good, {name: ("list.csv", content)}, f"{name}={content[:16]!r}", "")

    def _token(self, form: PageForm) -> str:
        with self.client.session_transaction(area_of(form.action) or "/") as session:
            return str(session["csrf"])

    def _as_it_should_be(self, endpoint: str, form: PageForm, good: dict[str, str]) -> None:
        """Otherwise what hostile values are beside would be refused already."""
        files = dict.fromkeys(form.files, form_steps.FILES.get(endpoint, ("list.csv", form_steps.FILE)))
        answer = self._send(form, good, files, "zh")
        if answer.status_code >= 400:
            self.wrong.append(f"{endpoint}: {answer.status_code} for what should do: {good}: {ALERT.findall(answer.text)[:3]}")
        answer.close()
        self._back()

    def _back(self) -> None:
        self.store.restore()
        self.client._cookies = dict(self._cookies)

    def _one(self, endpoint: str, form: PageForm, sent: dict[str, str], files: Files, told: str, value: str) -> None:
        answer = self._send(form, sent, files, "zh")
        faults = list(self._faults(endpoint, answer, value))
        if answer.status_code == 422:
            faults += self._untold(answer, "zh", value)
            if (endpoint, told.partition("=")[0]) not in self._in_both:
                self._in_both.add((endpoint, told.partition("=")[0]))
                faults += self._untold(self._send(form, sent, files, "en"), "en", value)
        elif answer.status_code in (302, 303):
            shown = self.client.get(answer.headers["Location"], headers=HTML)
            faults += self._faults_of_page(shown)
            shown.close()
        answer.close()
        self.wrong += [f"{endpoint} {told}: {answer.status_code}: {fault}" for fault in faults]
        self._back()

    def _send(self, form: PageForm, sent: dict[str, str], files: Files, language: str) -> TestResponse:
        self._sent += 1
        pass_time(self.clock, 4.0 if form.action in form_steps.SLOWLY else 60 / POSTS_A_MINUTE)
        data: dict[str, Any] = {**sent, **{field: (io.BytesIO(content), name) for field, (name, content) in files.items()}}
        kind = "multipart/form-data" if form.files else None
        where = {"REMOTE_ADDR": f"10.{self._sent >> 16 & 255}.{self._sent >> 8 & 255}.{self._sent & 255}"}
        form_steps.speak(self.client, language, self.store.path)
        return self.client.post(form.action, data=data, content_type=kind, headers=HTML, environ_base=where)

    def _faults(self, endpoint: str, answer: TestResponse, value: str) -> Iterator[str]:
        yield from self._faults_of_page(answer)
        if answer.status_code >= 400:
            changed = self.store.changed() - COUNTED.get(COUNTING.get(endpoint, ""), set())
            if changed:
                yield f"refused, but changed {sorted(changed)}"
        if "Set-Cookie" in value and "x" in {cookie.key for cookie in (self.client._cookies or {}).values()}:
            yield "a header of somebody else's"

    def _faults_of_page(self, answer: TestResponse) -> Iterator[str]:
        if answer.status_code >= 500:
            yield "a fault of the program"
        for raw in RAW:
            if raw in answer.text:
                yield f"shown raw: {raw}"

    def _untold(self, answer: TestResponse, language: str, value: str) -> Iterator[str]:
        """What is wrong is told on the page, in its language."""
        alerts = [re.sub(r"<[^>]+>", " ", text).strip() for text in ALERT.findall(answer.text)]
        told = [text for text in alerts if text]
        if not told:
            yield f"nothing is told ({language})"
        elif language == "zh" and not any(CHINESE.search(text) for text in told):
            yield f"not told in Chinese: {told}"
        elif language == "en" and any(CHINESE.search(text.replace("长", "")) for text in told):
            yield f"not told in English: {told}"


@pytest.fixture
def place(day: Path, tmp_path: Path) -> prepared.Place:
    """With a kiosk in the hall."""
    made = prepared.make_place(tmp_path / "box", template=day)
    made.config.write_text(f'{made.config.read_text()}\n[[web.kiosks]]\nname = "hall"\nsecret = "{form_steps.KIOSK_SECRET}"\n')
    return made


@pytest.fixture
def world(live_app: Flask, agent: ScriptedAgent) -> Flask:
    """With a row behind every form."""
    agent.music_entries = (MusicEntry(name="", path="", chosen=True), MusicEntry(name="lake", path="", chosen=False))
    form_steps.fill()
    return live_app


COVERED: set[str] = set()


def walk(
    app: Flask, place: prepared.Place, client: FlaskClient, starts: tuple[str, ...], steps: list[Callable[[FlaskClient], str]]
) -> list[str]:
    pages = list(forms.found(app, client, starts))
    for step in steps:
        pages += forms.read("/", step(client))[0]
    trial = Trial(app, client, Store(place.data_dir / "careline.db"))
    for form in pages:
        trial.every_value(form)
    COVERED.update(trial.covered)
    return trial.wrong


def test_forms_of_the_staff(world: Flask, place: prepared.Place) -> None:
    assert walk(world, place, form_steps.administrator(world), form_steps.STAFF_PAGES, form_steps.STAFF_STEPS) == []


def test_forms_of_patients(world: Flask, place: prepared.Place) -> None:
    assert walk(world, place, form_steps.patient(world), form_steps.PATIENT_PAGES, form_steps.PATIENT_STEPS) == []


def test_forms_of_strangers(world: Flask, place: prepared.Place) -> None:
    assert walk(world, place, world.test_client(), ("/sign-in", "/p", "/kiosk/set-up"), []) == []


def test_forms_of_the_kiosk(world: Flask, place: prepared.Place) -> None:
    assert walk(world, place, form_steps.kiosk(world), ("/kiosk", "/kiosk/card", "/kiosk/code"), form_steps.KIOSK_STEPS) == []


def test_no_form_was_left_out(world: Flask) -> None:
    """Runs last of this file: whatever can be posted was found above."""
    posted = {rule.endpoint for rule, method in routes(world) if method == "POST"}
    assert sorted(posted - COVERED - set(ELSEWHERE)) == []
