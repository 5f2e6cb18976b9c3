"""Work items at a desk's page, desks and what nobody could take; the rules of booking and their tester."""

import pytest
from flask.testing import FlaskClient

from appliance.hospital.booking import rules
from appliance.hospital.dispatch.limits import DispatchLimits
from appliance.hospital.dispatch.offering import offer_waiting
from appliance.store.booking_tables import BookingRules
from appliance.store.case_tables import Desk, WorkItem
from appliance.store.models import database
from tests.web.conftest import HTML, NOW, SignIn, post, text_of
from webui import store


def offer() -> None:
    with store.connection(), database.atomic():
        offer_waiting(DispatchLimits(), NOW)


def item() -> WorkItem:
    with store.connection():
        return WorkItem.get_by_id(1)


def sit(client: FlaskClient) -> None:
    assert post(client, "/work", {"desk": "1"}, follow_redirects=True).status_code == 200


def test_an_item_arrives_is_taken_and_done(sign_in: SignIn) -> None:
    client = sign_in("registrar")
    assert "一号台" in client.get("/work", headers=HTML).text
    sit(client)
    assert "现在没有任务" in client.get("/work", headers=HTML).text
    offer()
    polled = client.get("/work/items?seen=none", headers=HTML)
    assert "投诉" in polled.text
    seen = polled.text.split("seen=")[1].split('"')[0]
    assert client.get(f"/work/items?seen={seen}", headers=HTML).status_code == 204
    post(client, "/work/items/1/take", {})
    assert item().state == "taken"
    post(client, "/work/items/1/done", {})
    assert (item().state, item().ended_by) == ("done", "huang")
    assert "已经不在这里" in post(client, "/work/items/999/take", {}, follow_redirects=True).text


def test_an_item_is_given_back(sign_in: SignIn) -> None:
    client = sign_in("registrar")
    sit(client)
    offer()
    post(client, "/work/items/1/back", {})
    assert item().state == "waiting"


def test_who_leaves_is_there_no_more(sign_in: SignIn) -> None:
    client = sign_in("registrar")
    sit(client)
    with store.connection():
        assert Desk.get_by_id(1).seen_at is not None
    post(client, "/work/left", {})
    with store.connection():
        assert Desk.get_by_id(1).seen_at is None
    assert client.get("/work/items", headers=HTML).status_code == 404


@pytest.mark.parametrize("desk", ["", "x", "99", "-1", "9" * 30])
def test_desks_that_are_none(sign_in: SignIn, desk: str) -> None:
    assert post(sign_in("registrar"), "/work", {"desk": desk}).status_code == 400


def test_what_nobody_took_is_sent_again(sign_in: SignIn) -> None:
    client = sign_in("supervisor")
    with store.connection():
        WorkItem.update(state="dead", fault="HOS-222: <b>nobody</b>").execute()
    shown = client.get("/work/desks", headers=HTML).text
    assert "HOS-222: &lt;b&gt;nobody" in shown
    post(client, "/work/undelivered/1/resent", {})
    assert item().state == "waiting"
    assert post(client, "/work/undelivered/99/resent", {}).status_code == 404


def test_desks_are_made_and_changed(sign_in: SignIn) -> None:
    client = sign_in("supervisor")
    assert post(client, "/work/desks/new", {"name": "二号台", "kinds": "booking", "department": "12"}).status_code == 303
    assert client.get("/work/desks/2", headers=HTML).status_code == 200
    assert post(client, "/work/desks/2", {"name": "二号台", "kinds": "booking", "closed": "yes"}).status_code == 303
    for bad in (
        {"name": "", "kinds": "booking"},
        {"name": "一号台", "kinds": "booking"},
        {"name": "x", "kinds": ""},
        {"name": "x", "kinds": "king"},
        {"name": "😀", "kinds": "vip"},
        {"name": "x", "kinds": "vip", "department": "99"},
        {"name": "x", "kinds": "vip", "printer": "yes", "address": ""},
        {"name": "x", "kinds": "vip", "printer": "yes", "address": "<script>"},
    ):
        assert post(client, "/work/desks/new", bad).status_code == 422, bad
    with store.connection():
        assert Desk.select().count() == 2


# --- the rules of booking ---


def form(**changed: str) -> dict[str, str]:
    with store.connection():
        return rules.form_of(rules.rules_for(None)) | changed


def test_rules_are_saved_for_the_hospital_and_a_department(sign_in: SignIn) -> None:
    client = sign_in("business")
    assert client.get("/rules?department=12", headers=HTML).status_code == 200
    assert post(client, "/rules", form(last_day="21") | {"of": "", "do": "save"}).status_code == 303
    assert post(client, "/rules", form(last_day="7") | {"of": "12", "do": "save"}).status_code == 303
    with store.connection():
        assert (rules.rules_for(None).last_day, rules.rules_for(1).last_day) == (21, 7)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("last_day", "x"),
        ("last_day", "-1"),
        ("last_day", "9999"),
        ("release", "25:00"),
        ("channels", ""),
        ("late_cancel", "king"),
        ("hold_s", "😀"),
    ],
)
def test_bad_rules_are_told_and_not_saved(sign_in: SignIn, field: str, value: str) -> None:
    answer = post(sign_in("business"), "/rules", form(**{field: value}) | {"of": "", "do": "save"})
    assert answer.status_code == 422
    assert "invalid-feedback" in answer.text
    with store.connection():
        assert BookingRules.select().count() == 0


def test_rules_are_tried_without_saving(sign_in: SignIn) -> None:
    client = sign_in("supervisor")
    ask = {"of": "", "do": "try", "try_day": "2026-03-10", "try_channel": "agent", "try_holder": "10000001"}
    assert "可以预约" in text_of(post(client, "/rules", form() | ask).text)
    assert "年龄太小" in text_of(post(client, "/rules", form(age_least="100") | ask).text)
    assert post(client, "/rules", form() | ask | {"try_day": "x"}).status_code == 422
    assert post(client, "/rules", form() | ask | {"try_holder": "999"}).status_code == 422
    with store.connection():
        assert BookingRules.select().count() == 0
