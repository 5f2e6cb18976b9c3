"""Every route and every role: who gets in. The table is written apart from the application's own; a new route must be added here."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from drivers.clock import VirtualClock
from tests.web import prepared
from tests.web.at_home import csrf
from tests.web.conftest import HTML, pass_time, signed_in, token
from webui.app import POSTS_A_MINUTE
from webui.sessions import area_of

ADMIN, TECH, INSP = "administrator", "technician", "inspector"
DESK, CASH, OFFICE, CHIEF = "registrar", "cashier", "business", "supervisor"
MEMBERS = {ADMIN, TECH, INSP, DESK, CASH, OFFICE, CHIEF}
EVERYONE = MEMBERS | {"nobody"}
NO_ACCOUNT: set[str] = set()  # whatever the account: only a device that was set up, see test_kiosk.py
WATCHERS = {ADMIN, TECH, INSP, CHIEF}
LISTENERS = {ADMIN, INSP, CHIEF}
COUNTERS = {ADMIN, DESK, CASH, CHIEF}
DESKS = {ADMIN, DESK, CHIEF}
CHIEFS = {ADMIN, CHIEF}
EDITORS = {ADMIN, OFFICE}
ADMINS = {ADMIN}
TILLS = {ADMIN, CASH, CHIEF}
FLOW_READERS = {ADMIN, OFFICE, CHIEF}
PRICE_READERS = {ADMIN, OFFICE, CHIEF}

MAY = {
    "static": EVERYONE,
    "start.alive": EVERYONE,
    "start.favicon": EVERYONE,
    "start.home": MEMBERS,
    "setup.first": EVERYONE,
    "setup.make_first": EVERYONE,
    **dict.fromkeys((f"setup_restore.{name}" for name in ("show", "check_code", "take")), EVERYONE),
    "account.sign_in": EVERYONE,
    "account.check_sign_in": EVERYONE,
    "account.choose_language": EVERYONE,
    "account.sign_out": MEMBERS,
    "account.show": MEMBERS,
    "account.change_password": MEMBERS,
    **{f"alarms.{name}": {ADMIN, TECH} for name in ("show", "feed", "acknowledge", "call_itself")},
    **{f"alarm_settings.{name}": {ADMIN} for name in ("rules", "change_rule", "undo_rule")},
    **{f"alarm_settings.{name}": {ADMIN} for name in ("receivers", "put_receiver", "remove_receiver", "undo_receivers")},
    **{f"alarm_settings.{name}": {ADMIN} for name in ("set_mail", "undo_mail", "try_receiver")},
    "dashboard.show": WATCHERS,
    "dashboard.today": WATCHERS,
    "dashboard.feed": WATCHERS,
    "channels.show": WATCHERS,
    "channels.feed": WATCHERS,
    "channels.set_blocked": {ADMIN, TECH},
    "channels.reset_counters": {ADMIN, TECH},
    "channels.run_test": {ADMIN, TECH},
    "channels.end_test": {ADMIN, TECH},
    "line_setup.show": {ADMIN, TECH},
    "line_setup.edit": {ADMIN, TECH},
    "line_setup.check": {ADMIN, TECH},
    "line_setup.apply": {ADMIN, TECH},
    "line_setup.settle": {ADMIN, TECH},
    "smdr.show": WATCHERS,
    "smdr.export": WATCHERS,
    "smdr.read_anew": {ADMIN},
    "sms.show": {ADMIN},
    "sms.send_test": {ADMIN},
    "sms.send_again": {ADMIN},
    "sms.leave": {ADMIN},
    "sms.have_read": {ADMIN},
    "lines.show": WATCHERS,
    "lines.feed": WATCHERS,
    "lines.set_blocked": {ADMIN, TECH},
    "lines.reset_counters": {ADMIN, TECH},
    "channels.hang_up": {ADMIN, TECH},
    "calls.show": WATCHERS,
    "calls.story": WATCHERS,
    "recordings.play": LISTENERS,
    "recordings.outline": LISTENERS,
    "recordings.download": {ADMIN},
    "messages.show": WATCHERS,
    "messages.one": WATCHERS,
    "messages.play": LISTENERS,
    "messages.outline": LISTENERS,
    "messages.download": {ADMIN},
    "messages.set_heard": LISTENERS,
    "health.show": {ADMIN, TECH},
    "health.feed": {ADMIN, TECH},
    "music.show": {ADMIN},
    "music.play": {ADMIN},
    "music.upload": {ADMIN},
    "music.choose": {ADMIN},
    "music.remove": {ADMIN},
    **{f"cards.{name}": {ADMIN} for name in ("show", "load", "upload", "remove")},
    **{f"network.{name}": {ADMIN} for name in ("show", "edit", "edit_again", "check", "apply", "undo", "settle", "release", "look")},
    **{f"network.{name}": EVERYONE for name in ("ask_confirm", "confirm")},
    **dict.fromkeys((f"update.{name}" for name in ("show", "upload", "check", "install", "discard")), ADMINS),
    **dict.fromkeys((f"update.{name}" for name in ("restart", "cancel", "go_back", "stay", "settle_left")), ADMINS),
    **dict.fromkeys((f"backup.{name}" for name in ("show", "make", "verify", "cancel", "restore", "recordings", "confirm")), ADMINS),
    **dict.fromkeys((f"backup.{name}" for name in ("undo", "remove", "download", "upload", "show_words")), ADMINS),
    **dict.fromkeys((f"retention.{name}" for name in ("show", "save", "undo", "vouch")), ADMINS),
    **dict.fromkeys(("retention.hold", "retention.end"), CHIEFS),
    **dict.fromkeys((f"backup_places.{name}" for name in ("show", "change", "undo", "add")), ADMINS),
    **dict.fromkeys((f"backup_places.{name}" for name in ("remove", "set_password", "probe", "eject")), ADMINS),
    "handset.show": {ADMIN, TECH, DESK},
    "handset_line": {ADMIN, TECH, DESK},
    "people.show": {ADMIN},
    "people.create": {ADMIN},
    "people.change_role": {ADMIN},
    "people.disable": {ADMIN},
    "people.unlock": {ADMIN},
    "people.reset_password": {ADMIN},
    "people.audit_log": {ADMIN},
    "patients.show": COUNTERS,
    "patients.one": COUNTERS,
    "patients.new": DESKS,
    "patients.make": DESKS,
    "patients.edit": DESKS,
    "patients.change": DESKS,
    "patients.add_relative": DESKS,
    "patients.remove_relative": DESKS,
    "money.show": TILLS,
    "money.card": TILLS,
    "money.asked": TILLS,
    "money.top_up": {ADMIN, CASH},
    "money.refund": {ADMIN, CASH},
    "money.correct": {ADMIN, CASH},
    "money.approve": {ADMIN, CHIEF},
    "money.refuse": {ADMIN, CHIEF},
    "ledger.bank": {ADMIN, CASH},
    "ledger.take_bank": {ADMIN, CASH},
    "ledger.assign": {ADMIN, CASH},
    "ledger.sheet": TILLS,
    "ledger.close": {ADMIN, CASH},
    **dict.fromkeys(("hospital.home", "hospital.show", "hospital.new", "hospital.make", "hospital.edit", "hospital.change"), EDITORS),
    **dict.fromkeys(("hospital.set_open", "hospital.remove_vip", "imports.show", "imports.try_file", "imports.apply"), EDITORS),
    **dict.fromkeys(("clinics.show", "clinics.new", "clinics.make", "clinics.one", "clinics.stop", "clinics.set_blocked"), EDITORS),
    **dict.fromkeys(("flows.show", "flows.one", "flows.version", "flows.place", "flow_walk.show"), FLOW_READERS),
    **dict.fromkeys(("flow_versions.edit", "flow_versions.save", "flow_versions.discard"), EDITORS),
    **dict.fromkeys((f"flow_editor.{name}" for name in ("ask_new", "make_new", "begin", "show", "saved", "edit")), EDITORS),
    "flow_versions.publish": {ADMIN, CHIEF},
    "flow_versions.roll_back": {ADMIN, CHIEF},
    **dict.fromkeys(("prompts.show", "prompts.voice", "prompts.one"), FLOW_READERS),
    **dict.fromkeys(("prompt_audio.play", "prompt_audio.outline", "prompt_audio.order"), FLOW_READERS),
    **dict.fromkeys(("prompts.new", "prompts.make", "prompts.write", "prompts.remove"), EDITORS),
    **dict.fromkeys(("prompt_audio.upload", "prompt_audio.shape_it", "prompt_audio.speak", "prompt_audio.record"), EDITORS),
    "prompt_audio.take_back": EDITORS,
    "prompts.use": CHIEFS,
    "prompts.use_ready": CHIEFS,
    "complaints.show": {ADMIN, CHIEF},
    "complaints.one": {ADMIN, CHIEF},
    "complaints.new": DESKS,
    "complaints.make": DESKS,
    "complaints.act": {ADMIN, CHIEF},
    "complaints.play": LISTENERS,
    **dict.fromkeys(("work.show", "work.poll", "work.sit_down", "work.leave", "work.act"), DESKS),
    **dict.fromkeys(("work.all_desks", "work.resend", "work.new", "work.make", "work.edit", "work.change"), CHIEFS),
    "rules.show": {ADMIN, OFFICE, CHIEF},
    "rules.save_or_try": {ADMIN, OFFICE, CHIEF},
    "desk.show": DESKS,
    "desk.book": DESKS,
    "bookings.show": DESKS,
    "bookings.one": DESKS,
    "bookings.arrive": DESKS,
    "bookings.cancel": DESKS,
    "bookings.move": DESKS,
    "patient_cards.issue": DESKS,
    "patient_cards.replace": DESKS,
    "patient_cards.release": {ADMIN, CHIEF},
    "patient_cards.stop": DESKS,
    "patient_cards.set_password": DESKS,
    "patient_entry.show": EVERYONE,
    "patient_entry.enter": EVERYONE,
    "patient_entry.leave": EVERYONE,
    "patient_entry.choose_language": EVERYONE,
    "patient_entry.password": EVERYONE,
    "patient_entry.change_password": EVERYONE,
    "patient_visits.show": EVERYONE,
    "patient_visits.one": EVERYONE,
    "patient_visits.ask_cancel": EVERYONE,
    "patient_visits.cancel": EVERYONE,
    "patient_choosing.departments": EVERYONE,
    "patient_choosing.doctors": EVERYONE,
    "patient_choosing.times": EVERYONE,
    "patient_booking.keep": EVERYONE,
    "patient_booking.show": EVERYONE,
    "patient_booking.confirm": EVERYONE,
    "patient_account.show": EVERYONE,
    **dict.fromkeys(("prices.show", "prices.one"), PRICE_READERS),
    **dict.fromkeys(("prices.approve", "prices.refuse"), CHIEFS),
    **dict.fromkeys(("scratch_cards.show", "scratch_cards.one", "day_ends.show", "day_ends.one"), TILLS),
    **dict.fromkeys(("scratch_cards.make", "scratch_cards.void"), CHIEFS),
    "scratch_cards.sell": {ADMIN, CASH},
    **dict.fromkeys(("bans.show", "bans.of_patient"), COUNTERS),
    **dict.fromkeys(("bans.make", "bans.lift"), CHIEFS),
    **dict.fromkeys(("waiting.show", "waiting.one", "waiting.join", "waiting.offer", "waiting.remove"), DESKS),
    **dict.fromkeys(("patient_family.show", "patient_family.choose"), EVERYONE),
    **dict.fromkeys(("patient_waiting.show", "patient_waiting.join", "patient_waiting.leave", "patient_waiting.take"), EVERYONE),
    "kiosk.set_up": EVERYONE,
    "kiosk.begin": EVERYONE,
    "kiosk.show": NO_ACCOUNT,
    "kiosk.leave": NO_ACCOUNT,
    "kiosk.choose_language": NO_ACCOUNT,
    "kiosk.ask": NO_ACCOUNT,
    "kiosk.enter_card": NO_ACCOUNT,
    "kiosk.enter_code": NO_ACCOUNT,
    "kiosk.bookings": NO_ACCOUNT,
    "kiosk.print_slip": NO_ACCOUNT,
    "kiosk.slip": NO_ACCOUNT,
}
VALUES = {
    "rule": "disk_low",
    "department": 1,
    "doctor": 1,
    "kind": "card",
    "call_id": prepared.STORY_CALL,
    "recording_id": "R7",
    "number": 1,
    "relative": 2,
    "flow": "drugs",
    "version": 0,
    "subject": "departments",
    "place": 1,
    "day": "2026-03-07",
    "code": "00000000",
    "step": "unlock",
    "filename": "css/careline.css",
    "prompt": "greeting",
    "lang": "zh",
}
SOCKET_HEADERS = {"Upgrade": "websocket", "Connection": "Upgrade", "Origin": "http://localhost"}


def routes(app: Flask) -> list[tuple[Rule, str]]:
    return [(rule, method) for rule in app.url_map.iter_rules() for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]


def test_table_names_every_route(app: Flask) -> None:
    assert {rule.endpoint for rule, _ in routes(app)} == set(MAY)


@pytest.mark.parametrize("who", sorted(EVERYONE))
def test_matrix(app: Flask, clock: VirtualClock, who: str) -> None:
    """Refused means 403 for a member and the way to the log-in for a stranger; allowed means the view itself answered."""
    wrong = []
    for rule, method in routes(app):
        pass_time(clock, 60 / POSTS_A_MINUTE)
        client = app.test_client() if who == "nobody" else _fresh(app, clock, who)
        if rule.endpoint == "handset_line" and who in MAY["handset_line"]:
            continue  # the socket itself is tested with a browser
        status, location = _ask(app, client, rule, method)
        refused = status == 403 or (status == 303 and "/sign-in" in location) or status == 401
        if refused == (who in MAY[rule.endpoint]) and not _is_own_refusal(rule, who):
            wrong.append((who, method, rule.rule, status, location))
    assert wrong == []


def test_stranger_cannot_change_anything_without_token(app: Flask) -> None:
    """Every route that changes something refuses a request without the token of the session, whoever sends it."""
    client = signed_in(app, ADMIN)
    for rule, method in routes(app):
        if method == "GET":
            continue
        answer = client.open(_address(app, rule), method=method, data={"csrf": "wrong"})
        assert answer.status_code == 400, rule.rule
        assert client.open(_address(app, rule), method=method).status_code == 400


def test_socket_from_another_site_is_refused(app: Flask) -> None:
    client = signed_in(app, ADMIN)
    answer = client.get("/handset/line", headers={**SOCKET_HEADERS, "Origin": "http://evil.example"}, base_url="ws://localhost")
    assert answer.status_code == 403


def _fresh(app: Flask, clock: VirtualClock, who: str) -> FlaskClient:
    """A session of its own for each route: signing out or a new password would end a shared one."""
    pass_time(clock, 10.0)
    return signed_in(app, who)


def _is_own_refusal(rule: Rule, who: str) -> bool:
    """Signing out leads to the log-in page; a wrong log-in is told so with 401."""
    return rule.endpoint in ("account.sign_out", "account.check_sign_in") or rule.endpoint.startswith("setup")


def _ask(app: Flask, client: FlaskClient, rule: Rule, method: str) -> tuple[int, str]:
    headers = HTML
    if rule.websocket:
        answer = client.get(rule.rule, headers={**headers, **SOCKET_HEADERS}, base_url="ws://localhost")
    else:
        form = {"csrf": _token(client, rule)} if method == "POST" else None
        answer = client.open(_address(app, rule), method=method, headers=headers, data=form)
    location = answer.headers.get("Location", "")
    answer.close()
    return answer.status_code, location


def _token(client: FlaskClient, rule: Rule) -> str:
    """Of the session that the address has."""
    area = area_of(rule.rule)
    return csrf(client, area) if area else token(client)


def _value(rule: Rule, name: str) -> object:
    steps = {"patient_cards.stop": "freeze", "work.act": "take", "complaints.act": "note"}
    return steps.get(rule.endpoint, VALUES[name]) if name == "step" else VALUES[name]


def _address(app: Flask, rule: Rule) -> str:
    method = "POST" if "POST" in (rule.methods or ()) else "GET"
    return app.url_map.bind("localhost").build(rule.endpoint, {name: _value(rule, name) for name in rule.arguments}, method=method)
