"""What the hospital is, edited by its staff: good and bad values of each subject, notices, clinics, files that are tried first."""

import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.store.booking_tables import Booking, Clinic, Slot
from appliance.store.hospital_tables import Department, Doctor, Drug, Notice, Patient, StaffMember, Vip
from tests.web import prepared
from tests.web.conftest import HTML, SignIn, post, text_of, token
from webui import store

GOOD: dict[str, tuple[Any, dict[str, str]]] = {
    "departments": (Department, {"code": "44", "name_zh": "皮肤科", "name_en": "Dermatology", "closed": "no"}),
    "staff": (StaffMember, {"code": "9001", "name_zh": "何平", "name_en": "He Ping", "department": "15", "account": "qian"}),
    "doctors": (Doctor, {"number": "4401", "name_zh": "周杰", "name_en": "Zhou Jie", "department": "12", "fee": "30"}),
    "drugs": (Drug, {"number": "77", "name_zh": "布洛芬", "name_en": "Ibuprofen", "price": "9.90"}),
    "notices": (Notice, {"kind": "health", "title_zh": "流感", "title_en": "Flu", "text_zh": "多喝水", "text_en": "Drink water"}),
    "vips": (Vip, {"patient": "10000001", "level": "2", "valid_from": "2026-03-01", "valid_until": "2027-03-01"}),
}
SCRIPT = "<script>alert(1)</script>"
BAD = [
    *(("departments", "code", value) for value in ("", "x", "12", "123456789", "😀", SCRIPT)),
    *(("departments", "name_zh", value) for value in ("", "x" * 65, "骨😀", SCRIPT)),
    ("departments", "heads", "chen nobody"),
    *(("staff", "account", value) for value in ("nobody", SCRIPT)),
    *(("staff", "code", value) for value in ("", "1001", "x")),
    *(("doctors", "number", value) for value in ("", "1001", "-1")),
    *(("doctors", "department", value) for value in ("", "99", "x")),
    *(("doctors", "fee", value) for value in ("-5", "abc", "1.234", "9" * 12)),
    ("doctors", "profile_zh", "长" * 601),
    *(("drugs", "price", value) for value in ("", "-1", "free", "1e3", SCRIPT)),
    *(("drugs", "number", value) for value in ("1203", "", "abc")),
    *(("notices", "kind", value) for value in ("king",)),
    *(("notices", "ends_at", value) for value in ("2020-01-01T00:00", "soon")),
    *(("notices", "text_zh", value) for value in ("", "长" * 1001, SCRIPT, "好😀")),
    *(("vips", "patient", value) for value in ("", "999", "x")),
    *(("vips", "valid_until", value) for value in ("2020-01-01", "never")),
]
CLINIC = {"doctor": "1001", "day": "2026-03-20", "starts": "08:00", "ends": "10:00", "minutes": "15"}


def count(table: Any) -> int:
    with store.connection():
        return int(table.select().count())


def upload(client: FlaskClient, content: bytes, kind: str = "departments") -> TestResponse:
    form = {"csrf": token(client), "kind": kind, "file": (io.BytesIO(content), "file.csv")}
    return client.post("/hospital/import", data=form, content_type="multipart/form-data", headers=HTML)


@pytest.mark.parametrize("subject", GOOD)
def test_listed_found_and_open(sign_in: SignIn, subject: str) -> None:
    client = sign_in("business")
    assert client.get(f"/hospital/{subject}", headers=HTML).status_code == 200
    assert client.get(f"/hospital/{subject}?q=zz", headers=HTML).status_code == 200
    form = client.get(f"/hospital/{subject}/1", headers=HTML)
    assert form.status_code == 200
    assert client.get(f"/hospital/{subject}/999", headers=HTML).status_code == 404


@pytest.mark.parametrize("subject", GOOD)
def test_made_and_changed(sign_in: SignIn, subject: str) -> None:
    client, (table, form) = sign_in("business"), GOOD[subject]
    before = count(table)
    assert post(client, f"/hospital/{subject}/new", form).status_code == 303
    assert count(table) == before + 1
    assert post(client, f"/hospital/{subject}/{before + 1}", form).status_code == 303
    assert count(table) == before + 1


@pytest.mark.parametrize(("subject", "field", "value"), BAD)
def test_bad_values_are_told_at_the_field(sign_in: SignIn, subject: str, field: str, value: str) -> None:
    table, form = GOOD[subject]
    before = count(table)
    answer = post(sign_in("business"), f"/hospital/{subject}/new", form | {field: value})
    assert answer.status_code == 422
    assert f'id="f-{field}-fault"' in answer.text
    assert SCRIPT not in answer.text
    assert count(table) == before


def test_an_account_is_one_persons(sign_in: SignIn) -> None:
    client, form = sign_in("business"), GOOD["staff"][1]
    assert post(client, "/hospital/staff/new", form).status_code == 303
    assert post(client, "/hospital/staff/new", form | {"code": "9002"}).status_code == 422
    assert post(client, "/hospital/staff/4", form | {"account": ""}).status_code == 303
    assert post(client, "/hospital/staff/new", form | {"code": "9002"}).status_code == 303


def test_heads_of_a_department_see_no_complaint_about_it(sign_in: SignIn) -> None:
    chief = sign_in("supervisor")
    assert "儿科" in text_of(chief.get("/complaints", headers=HTML).text)
    form = {"code": "15", "name_zh": "儿科", "name_en": "Paediatrics", "heads": "wu chen"}
    assert post(sign_in("business"), "/hospital/departments/2", form).status_code == 303
    assert "儿科" not in text_of(chief.get("/complaints", headers=HTML).text)
    assert 'value="chen wu"' in sign_in("business").get("/hospital/departments/2", headers=HTML).text


def test_what_there_is_not(sign_in: SignIn) -> None:
    assert sign_in("business").get("/hospital/ghosts", headers=HTML).status_code == 404


def test_a_notice_is_closed_and_opened_live(sign_in: SignIn) -> None:
    client = sign_in("business")
    for wanted in ("no", "yes"):
        post(client, "/hospital/notices/1/open", {"open": wanted})
        with store.connection():
            assert Notice.get_by_id(1).open is (wanted == "yes")
    assert "可以听到" in client.get("/hospital/notices/1", headers=HTML).text


def test_a_vip_is_removed(sign_in: SignIn) -> None:
    post(sign_in("business"), "/hospital/vips/1/removed", {})
    assert count(Vip) == 0


def test_a_clinic_is_made_with_its_places(sign_in: SignIn) -> None:
    before = count(Slot)
    assert post(sign_in("business"), "/clinics/new", CLINIC).status_code == 303
    assert count(Slot) == before + 8


def test_a_timetable_of_weeks(sign_in: SignIn) -> None:
    before = count(Clinic)
    form = {"until": "2026-04-02", "weekdays": "friday"}
    assert post(sign_in("business"), "/clinics/new", CLINIC | form).status_code == 303
    assert count(Clinic) == before + 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("doctor", "9999"),
        ("doctor", ""),
        ("day", ""),
        ("day", "soon"),
        ("starts", "25:00"),
        ("ends", "07:00"),
        ("minutes", "0"),
        ("places", "9999"),
        ("fee", "-3"),
        ("until", "2026-03-01"),
        ("until", "2036-03-01"),
        ("minutes", "😀"),
    ],
)
def test_bad_clinics(sign_in: SignIn, field: str, value: str) -> None:
    before = count(Clinic), count(Slot)
    answer = post(sign_in("business"), "/clinics/new", CLINIC | {field: value})
    assert answer.status_code == 422
    assert 'class="invalid-feedback' in answer.text
    assert (count(Clinic), count(Slot)) == before


def test_an_overlap_anywhere_makes_nothing_of_the_timetable(sign_in: SignIn) -> None:
    client = sign_in("business")
    post(client, "/clinics/new", CLINIC | {"day": "2026-03-27"})
    before = count(Clinic), count(Slot)
    answer = post(client, "/clinics/new", CLINIC | {"until": "2026-04-10", "weekdays": "friday", "starts": "09:00", "ends": "11:00"})
    assert answer.status_code == 422
    assert "重叠" in answer.text
    assert (count(Clinic), count(Slot)) == before


def test_a_clinic_is_stopped_with_its_bookings(sign_in: SignIn) -> None:
    client = sign_in("business")
    assert "李娜" in client.get("/clinics/5", headers=HTML).text
    assert "1 个预约" in post(client, "/clinics/5/stopped", {}, follow_redirects=True).text
    with store.connection():
        assert Booking.get(Booking.once_key == "prepared booking").state == "cancelled"


def test_a_place_is_blocked_and_put_back(sign_in: SignIn) -> None:
    client = sign_in("business")
    with store.connection():
        place = Slot.select().where(Slot.clinic == 5, Slot.state == "free").first().id
    for wanted, state in (("yes", "blocked"), ("no", "free")):
        post(client, f"/clinics/5/places/{place}", {"blocked": wanted})
        with store.connection():
            assert Slot.get_by_id(place).state == state
    assert post(client, "/clinics/4/places/99999", {"blocked": "yes"}).status_code == 404


def test_a_file_is_tried_then_applied(sign_in: SignIn, place: prepared.Place) -> None:
    client, content = sign_in("business"), "科室编号,科室名称,英文名称\n12,大内科,Internal medicine\n77,眼科,Eyes\n".encode()
    tried = upload(client, content)
    assert tried.status_code == 200, text_of(tried.text)
    assert "新增 1，修改 1" in text_of(tried.text)
    assert "大内科" in tried.text
    assert count(Department) == 3
    key = tried.text.split('name="key" value="')[1].split('"')[0]
    assert post(sign_in("administrator"), "/hospital/import/applied", {"kind": "departments", "key": key}).status_code == 303
    assert count(Department) == 3  # it is somebody else's
    assert post(client, "/hospital/import/applied", {"kind": "departments", "key": key}).status_code == 303
    assert count(Department) == 4
    assert list((place.data_dir / "imports").iterdir()) == []


def test_faults_of_a_file_by_line_and_nothing_saved(sign_in: SignIn) -> None:
    answer = upload(sign_in("business"), "科室编号,科室名称,英文名称\nx,眼科,Eyes\n77,,Eyes\n78,<script>,E\n".encode())
    shown = text_of(answer.text)
    assert answer.status_code == 422
    assert "错误 3" in shown
    assert "确认导入" not in shown
    assert "<script>," not in answer.text
    assert count(Department) == 3


@pytest.mark.parametrize("content", [b"", b"\x00\xff\x00", b"a,b\n1,2\n", b"PK\x03\x04 no spreadsheet"])
def test_files_that_will_not_do(sign_in: SignIn, content: bytes) -> None:
    assert upload(sign_in("business"), content).status_code == 422


def test_who_may_not_change_patients_imports_none(sign_in: SignIn) -> None:
    assert upload(sign_in("business"), b"x", "patients").status_code == 403
    assert upload(sign_in("business"), b"x", "king").status_code == 400
    for key in ("", "../../careline.db", "0" * 31):
        assert post(sign_in("business"), "/hospital/import/applied", {"kind": "drugs", "key": key}).status_code == 400
    assert count(Patient) == 4
