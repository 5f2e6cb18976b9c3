"""How long recordings are kept, and the hold on those of one call: pages, forms, rights, what is written down."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.store import keeping
from appliance.store.keeping import Retention
from appliance.store.keeping_tables import DeletedRecording, LegalHold, RetentionNight
from appliance.store.models import Audit, CallRecord
from tests.web import prepared
from tests.web.conftest import HTML, NOW, SignIn, post
from webui import store

CALL = f"/calls/{prepared.STORY_CALL}"
DAYS = {"operator": "365", "box": "90", "message": "0", "only_saved": "yes"}


@pytest.fixture
def administrator(app: Flask, sign_in: SignIn) -> FlaskClient:
    client = sign_in("administrator")
    with client.session_transaction() as session:
        session["language"] = "en"
    return client


def page(client: FlaskClient, address: str) -> str:
    answer = client.get(address, headers=HTML)
    assert answer.status_code == 200
    return answer.text


def told(client: FlaskClient, address: str, form: dict[str, str]) -> str:
    return post(client, address, form, follow_redirects=True).text


def stored(question: Any) -> Any:
    with store.connection():
        return question()


def audited(action: str) -> list[tuple[str, str, str]]:
    rows = Audit.select().where(Audit.action == action).order_by(Audit.id)
    found: list[tuple[str, str, str]] = stored(lambda: [(row.account.name if row.account else "", row.subject, row.detail) for row in rows])
    return found


def test_nothing_is_deleted_until_somebody_sets_it(administrator: FlaskClient) -> None:
    shown = page(administrator, "/recordings/keeping")
    assert shown.count('value="0"') == 3
    assert "No night has done anything yet." in shown


def test_the_setting_is_saved_undone_and_audited(administrator: FlaskClient) -> None:
    assert "Saved." in told(administrator, "/recordings/keeping", DAYS)
    assert stored(keeping.retention) == Retention(operator=365, box=90)
    told(administrator, "/recordings/keeping", {**DAYS, "only_saved": "", "message": "30"})
    assert stored(keeping.retention) == Retention(operator=365, box=90, message=30, only_saved=False)
    assert "Changed by" in told(administrator, "/recordings/keeping/undo", {})
    assert stored(keeping.retention) == Retention(operator=365, box=90)
    assert len(audited("keeping_changed")) == 3


@pytest.mark.parametrize("days", ["6", "-1", "36501", "99999", "999999", "", "x", "１０", "1.5"])
def test_days_that_cannot_be(administrator: FlaskClient, days: str) -> None:
    assert "REC-001" in told(administrator, "/recordings/keeping", {**DAYS, "box": days})
    assert stored(keeping.retention) == Retention()


def test_a_call_is_held_and_let_go_with_reason_and_name(administrator: FlaskClient) -> None:
    assert "It is kept." in told(administrator, f"{CALL}/hold", {"reason": " court case <7> "})
    (one,) = stored(lambda: keeping.holds_of(prepared.STORY_CALL))
    assert (one.reason, one.by, one.ended_at) == ("court case <7>", prepared.NAMES["administrator"], None)
    assert "court case &lt;7&gt;" in page(administrator, CALL)
    assert "court case &lt;7&gt;" in page(administrator, "/recordings/keeping")
    assert "REC-002" in told(administrator, f"{CALL}/hold/{one.id}/end", {"reason": " "})
    assert "The hold is over." in told(administrator, f"{CALL}/hold/{one.id}/end", {"reason": "settled"})
    assert "REC-004" in told(administrator, f"{CALL}/hold/{one.id}/end", {"reason": "again"})
    assert "settled" in page(administrator, CALL)
    subject = f"call {prepared.STORY_CALL}"
    assert audited("recordings_held") == [(one.by, subject, "court case <7>")]
    assert audited("recordings_released") == [(one.by, subject, "settled")]


def test_a_hold_without_reason_call_or_number(administrator: FlaskClient) -> None:
    assert "REC-002" in told(administrator, f"{CALL}/hold", {"reason": "  "})
    assert post(administrator, "/calls/nobody/hold", {"reason": "x"}).status_code == 404
    assert post(administrator, f"{CALL}/hold/77/end", {"reason": "x"}).status_code == 404
    assert stored(lambda: LegalHold.select().count()) == 0


@pytest.mark.parametrize(("role", "may_hold"), [("supervisor", True), ("inspector", False), ("technician", False)])
def test_who_may_hold_and_who_may_set(sign_in: SignIn, role: str, may_hold: bool) -> None:
    client = sign_in(role)
    assert post(client, f"{CALL}/hold", {"reason": "court"}).status_code == (303 if may_hold else 403)
    assert client.get("/recordings/keeping", headers=HTML).status_code == 403
    assert post(client, "/recordings/keeping", DAYS).status_code == 403
    assert ('action="/calls/' in page(client, CALL)) is may_hold


def test_what_the_nights_did_and_what_is_gone(administrator: FlaskClient) -> None:
    with store.connection():
        RetentionNight.create(at=NOW - timedelta(days=1), state="done", deleted=3, freed_kb=2048, unsaved=4, left=5)
        RetentionNight.create(at=NOW, state="refused", code="REC-010", fault="the clock jumped")
        recorded = CallRecord.get(CallRecord.call_id == prepared.STORY_CALL).started_at
        gone = {"path": "2026/r7.wav", "call": prepared.STORY_CALL, "kind": "operator", "recorded_at": recorded}
        DeletedRecording.create(deleted_at=NOW, days=365, size_kb=10, **gone)
    shown = page(administrator, "/recordings/keeping")
    assert "3 deleted (2 MB), 4 kept for want of a backup, 5 left for later" in shown
    assert "the clock jumped" in shown
    assert "2026/r7.wav" in shown
    of_call = page(administrator, CALL)
    assert "it is kept for 365 days" in of_call
    assert "/download" not in of_call
    assert "tonight" in told(administrator, "/recordings/keeping/clock", {})
    assert stored(lambda: [row.by for row in RetentionNight.select().where(RetentionNight.by != "")]) == [prepared.NAMES["administrator"]]
    assert "REC-010" not in page(administrator, "/recordings/keeping").split("keeping-nights")[0]
