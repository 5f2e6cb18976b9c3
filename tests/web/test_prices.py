"""Prices take two persons: asked for by a form or a file, hold once another approves; what is new waits out of the patients' sight."""

import io

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.store.booking_tables import Clinic, Slot
from appliance.store.hospital_tables import Doctor, Drug
from appliance.store.models import Audit
from appliance.store.money_tables import PriceLine, PriceRequest
from drivers.clock import VirtualClock
from tests.web import prepared
from tests.web.at_home import hidden
from tests.web.conftest import HTML, SignIn, post, signed_in, text_of, token
from webui import store
from webui.app import create_app
from webui.settings import load_config

DOCTOR = {"number": "1001", "name_zh": "张伟", "name_en": "Zhang Wei", "department": "12", "fee": "80", "listed": "yes", "expert": "no"}
CLINIC = {"doctor": "1001", "day": "2026-03-20", "starts": "08:00", "ends": "09:00", "minutes": "10", "fee": "90"}


def fee(number: str = "1001") -> tuple[int, bool]:
    with store.connection():
        row = Doctor.get(Doctor.number == number)
        return row.fee_fen, row.listed


def requests() -> list[str]:
    with store.connection():
        return [row.state for row in PriceRequest.select().order_by(PriceRequest.id)]


def lines() -> list[tuple[str, str, int | None, int, str]]:
    with store.connection():
        return [(row.what, row.item, row.before_fen, row.after_fen, row.state) for row in PriceLine.select().order_by(PriceLine.id)]


def upload(client: FlaskClient, kind: str, content: str) -> TestResponse:
    form = {"csrf": token(client), "kind": kind, "file": (io.BytesIO(content.encode()), "file.csv")}
    tried = client.post("/hospital/import", data=form, content_type="multipart/form-data", headers=HTML)
    return post(client, "/hospital/import/applied", hidden(tried.text), follow_redirects=True)


def test_a_fee_holds_once_somebody_else_approves_it(sign_in: SignIn) -> None:
    office, chief = sign_in("business"), sign_in("supervisor")
    assert "另一人批准后生效" in post(office, "/hospital/doctors/1", DOCTOR, follow_redirects=True).text
    assert fee() == (5_000, True)
    assert lines() == [("fee", "1001", 5_000, 8_000, "asked")]
    for address in ("/prices", "/prices/1"):
        shown = text_of(office.get(address, headers=HTML).text)
        assert "50.00" in shown
        assert "80.00" in shown
    assert "已申请，等待批准" in office.get("/hospital/doctors/1", headers=HTML).text
    assert post(office, "/prices/1/approved", {}).status_code == 403
    assert "新价已生效" in post(chief, "/prices/1/approved", {}, follow_redirects=True).text
    assert fee() == (8_000, True)
    assert "已有人处理过" in post(chief, "/prices/1/approved", {}, follow_redirects=True).text
    with store.connection():
        assert Audit.select().where(Audit.action == "prices_approved").count() == 1


def test_who_asked_does_not_approve(sign_in: SignIn) -> None:
    client = sign_in("administrator")
    post(client, "/hospital/doctors/1", DOCTOR)
    assert "不能自己批准" in post(client, "/prices/1/approved", {}, follow_redirects=True).text
    assert fee() == (5_000, True)


@pytest.mark.parametrize("why", ["", " ", "x" * 201, "😀", "<script>alert(1)</script>"])
def test_refused_with_a_reason(sign_in: SignIn, why: str) -> None:
    chief = sign_in("supervisor")
    post(sign_in("business"), "/hospital/doctors/1", DOCTOR)
    answer = post(chief, "/prices/1/refused", {"reason": why})
    assert answer.status_code == 422
    assert 'id="f-reason-fault"' in answer.text
    assert "<script>alert" not in answer.text
    assert requests() == ["asked"]
    post(chief, "/prices/1/refused", {"reason": "太贵"})
    assert (requests(), fee()) == (["refused"], (5_000, True))
    assert "太贵" in chief.get("/prices", headers=HTML).text


def test_a_later_request_replaces_an_earlier_one(sign_in: SignIn) -> None:
    office = sign_in("business")
    post(office, "/hospital/doctors/1", DOCTOR)
    post(office, "/hospital/doctors/1", DOCTOR | {"fee": "70"})
    assert requests() == ["replaced", "asked"]
    chief = sign_in("supervisor")
    assert "已有人处理过" in post(chief, "/prices/1/approved", {}, follow_redirects=True).text
    post(chief, "/prices/2/approved", {})
    assert fee() == (7_000, True)


def test_a_price_that_became_another_one_is_left(sign_in: SignIn) -> None:
    post(sign_in("business"), "/hospital/doctors/1", DOCTOR)
    with store.connection():
        Doctor.update(fee_fen=6_000).execute()
    post(sign_in("supervisor"), "/prices/1/approved", {})
    assert fee() == (6_000, True)
    assert lines()[0][4] == "differs"


def test_a_new_doctor_waits_unlisted(sign_in: SignIn) -> None:
    office = sign_in("business")
    new = DOCTOR | {"number": "1009", "name_zh": "王五", "name_en": "Wang Wu"}
    post(office, "/hospital/doctors/new", new)
    assert fee("1009") == (0, False)
    with store.connection():
        number = Doctor.get(Doctor.number == "1009").id
    post(office, f"/hospital/doctors/{number}", new | {"fee": "0"})  # is not listed behind the second person's back
    assert fee("1009") == (0, False)
    post(sign_in("supervisor"), "/prices/1/approved", {})
    assert fee("1009") == (8_000, True)


def test_a_clinic_with_a_fee_of_its_own_cannot_be_booked_before(sign_in: SignIn) -> None:
    office, chief = sign_in("business"), sign_in("supervisor")
    assert "不能预约" in post(office, "/clinics/new", CLINIC, follow_redirects=True).text
    with store.connection():
        clinic = Clinic.select().order_by(Clinic.id.desc()).first()
        place = Slot.get(Slot.clinic == clinic)
    assert place.state == "blocked"
    assert "没有修改" in post(office, f"/clinics/{clinic.id}/places/{place.id}", {"blocked": "no"}, follow_redirects=True).text
    post(chief, "/prices/1/approved", {})
    with store.connection():
        assert {row.state for row in Slot.select().where(Slot.clinic == clinic)} == {"free"}


def test_a_refused_clinic_does_not_take_place(sign_in: SignIn) -> None:
    post(sign_in("business"), "/clinics/new", CLINIC)
    post(sign_in("supervisor"), "/prices/1/refused", {"reason": "x"})
    with store.connection():
        assert Clinic.select().order_by(Clinic.id.desc()).first().cancelled


def test_a_clinic_with_the_doctors_fee_waits_for_nobody(sign_in: SignIn) -> None:
    post(sign_in("business"), "/clinics/new", CLINIC | {"fee": ""})
    assert requests() == []


def test_fees_of_a_file_wait_together(sign_in: SignIn) -> None:
    rows = "医生编号,姓名,英文姓名,科室编号,挂号费\n1001,张伟,Zhang Wei,12,60\n1002,王芳,Wang Fang,12,30\n1010,新人,Xin Ren,12,40"
    answer = upload(sign_in("business"), "doctors", rows)
    assert "3 个价格要等另一人批准" in answer.text
    assert requests() == ["asked"]
    assert [fee("1001")[0], fee("1002")[0], fee("1010")[0]] == [5_000, 0, 0]
    post(sign_in("supervisor"), "/prices/1/approved", {})
    assert [fee("1001")[0], fee("1002")[0], fee("1010")] == [6_000, 3_000, (4_000, True)]


def test_a_file_of_clinics_waits_too(sign_in: SignIn) -> None:
    upload(
        sign_in("business"),
        "schedules",
        "医生编号,日期,开始时间,结束时间,挂号费\n1001,2026-03-20,08:00,09:00,99\n1001,2026-03-21,08:00,09:00,",
    )
    assert [(what, after) for what, _, _, after, _ in lines()] == [("clinic", 9_900)]


def test_drug_prices_hold_at_once_by_default(sign_in: SignIn) -> None:
    drug = {"number": "1203", "name_zh": "阿司匹林", "name_en": "Aspirin", "price": "99", "listed": "yes"}
    post(sign_in("business"), "/hospital/drugs/1", drug)
    with store.connection():
        assert Drug.get_by_id(1).price_fen == 9_900
    assert requests() == []


@pytest.fixture
def strict(place: prepared.Place, clock: VirtualClock) -> Flask:
    """The other way round: drugs by two persons, fees by one."""
    place.config.write_text(place.config.read_text() + "\n[hospital.four_eyes]\nregistration_fees = false\ndrug_prices = true\n")
    return create_app(load_config(place.config), clock=clock)


def test_the_setting_says_which(strict: Flask) -> None:
    office, chief = signed_in(strict, "business"), signed_in(strict, "supervisor")
    post(office, "/hospital/doctors/1", DOCTOR)
    assert fee() == (8_000, True)
    drug = {"number": "1203", "name_zh": "阿司匹林", "name_en": "Aspirin", "price": "99", "listed": "yes"}
    post(office, "/hospital/drugs/1", drug)
    upload(office, "drugs", "药品编号,药品名称,英文名称,价格\n1204,新药,New,7")
    with store.connection():
        assert [(row.price_fen, row.listed, row.name_zh) for row in Drug.select().order_by(Drug.id)] == [
            (1_250, True, "阿司匹林"),
            (0, False, "新药"),
        ]
    for number in (1, 2):
        post(chief, f"/prices/{number}/approved", {})
    with store.connection():
        rows = list(Drug.select().order_by(Drug.id))
        assert [(row.price_fen, row.listed, row.version) for row in rows] == [(9_900, True, 3), (700, True, 2)]
