"""Complaints as the staff handles them; and that those whom one is about find nothing of it."""

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.hospital.registry import staff
from appliance.store.case_tables import Complaint, ComplaintStep
from appliance.store.models import Account
from appliance.store.outgoing import OutgoingMessage
from tests.web.conftest import HTML, SignIn, post, text_of
from tests.web.prepared_hospital import COMPLAINT_KEY
from webui import store

SCRIPT = "<script>alert(1)</script>"
BAD = (
    ("text", ""),
    ("text", "x" * 4001),
    ("text", SCRIPT),
    ("text", "😀"),
    ("phone", "abc"),
    ("patient", "999"),
    ("department", "x"),
    ("staff", "-1"),
)


def complaint() -> Complaint:
    with store.connection():
        return Complaint.get(Complaint.once_key == COMPLAINT_KEY)


def count() -> int:
    with store.connection():
        return int(Complaint.select().count())


def do(client: FlaskClient, step: str, **form: str) -> TestResponse:
    return post(client, f"/complaints/{complaint().number}/{step}", form)


def test_listed_and_opened(sign_in: SignIn) -> None:
    client = sign_in("supervisor")
    assert complaint().number in client.get("/complaints", headers=HTML).text
    for which in ("all", "mine", "overdue", "closed", "without_owner", "king"):
        assert client.get(f"/complaints?which={which}&q=等候", headers=HTML).status_code == 200
    shown = text_of(client.get(f"/complaints/{complaint().number}", headers=HTML).text)
    assert "等候太久" in shown
    assert "儿科" in shown
    assert client.get("/complaints/000", headers=HTML).status_code == 404


def test_filed_once_by_the_desk_which_sees_no_others(sign_in: SignIn) -> None:
    client = sign_in("registrar")
    for _ in range(2):
        answer = post(client, "/complaints/new", {"text": "电话没人接", "department": "12", "once": "k", "patient": "10000001"})
        assert answer.headers["Location"] == "/complaints/new"
    assert count() == 2
    assert client.get(f"/complaints/{complaint().number}", headers=HTML).status_code == 403


@pytest.mark.parametrize(("field", "value"), BAD)
def test_bad_fields_are_told(sign_in: SignIn, field: str, value: str) -> None:
    answer = post(sign_in("registrar"), "/complaints/new", {"text": "x", field: value})
    assert answer.status_code == 422
    assert f'id="f-{field}-fault"' in answer.text
    assert SCRIPT not in answer.text
    assert count() == 1


def test_not_closed_without_a_contact_then_reopened(sign_in: SignIn) -> None:
    client = sign_in("supervisor")
    refused = do(client, "closed", text="已道歉")
    assert refused.status_code == 422
    assert "还没有联系过投诉人" in refused.text
    assert "已道歉" in refused.text
    assert do(client, "contact", text="打了电话", result="not_reached").status_code == 303
    assert do(client, "closed", text="已道歉").status_code == 303
    assert complaint().state == "closed"
    assert do(client, "note", text="x").status_code == 422
    assert do(client, "reopened", text="不满意").status_code == 303
    assert do(client, "closed", text="再次道歉").status_code == 422
    assert complaint().state == "in_hand"


def test_each_step_is_told_and_bad_ones_refused(sign_in: SignIn) -> None:
    client = sign_in("supervisor")
    assert do(client, "note", text=f"看过 {SCRIPT}").status_code == 303
    assert SCRIPT not in client.get(f"/complaints/{complaint().number}", headers=HTML).text
    for step, form in (
        ("note", {"text": ""}),
        ("note", {"text": "x" * 4001}),
        ("due", {"due_at": "2020-01-01T00:00", "text": "x"}),
        ("due", {"due_at": "soon", "text": "x"}),
        ("owner", {"owner": "nobody"}),
        ("about", {"department": "99"}),
    ):
        assert do(client, step, **form).status_code == 422, step
    assert do(client, "due", due_at="2026-04-01T12:00", text="休假").status_code == 303
    assert do(client, "owner", owner="chen").status_code == 303
    assert do(client, "king").status_code == 404
    with store.connection():
        assert ComplaintStep.select().where(ComplaintStep.kind == "due").count() == 1


def test_the_outcome_is_sent_once(sign_in: SignIn) -> None:
    client = sign_in("supervisor")
    for _ in range(2):
        assert do(client, "sent", text="我们已处理", once="k").status_code == 303
    with store.connection():
        assert OutgoingMessage.select().count() == 1


def test_whom_it_is_about_finds_nothing(sign_in: SignIn) -> None:
    """Also of the department; and not through the patient's record."""
    client = sign_in("supervisor")
    with store.connection():
        doctor = staff.by_code("1501")
        assert doctor is not None
        staff.link_account(doctor.id, Account.get(Account.name == "wu").id)
    number = complaint().number
    assert number not in client.get("/complaints?which=all", headers=HTML).text
    assert client.get(f"/complaints/{number}", headers=HTML).status_code == 404
    assert do(client, "note", text="x").status_code == 404
    assert client.get(f"/complaints/{number}/sound.wav", headers=HTML).status_code == 404
    assert number not in client.get("/patients/2", headers=HTML).text
    assert number in sign_in("administrator").get("/patients/2", headers=HTML).text
