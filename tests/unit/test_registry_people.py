"""Departments, staff, doctors, patients: made, changed, found."""

from datetime import date

import pytest

from appliance.hospital.registry import departments, doctors, patient_search, patients, pinyin, staff
from appliance.store.hospital_tables import PatientPhone, StaffMember
from tests.unit.hospital_rig import BEIJING, NOW, TODAY, card, codes, department, doctor, patient, store, taken

pytestmark = pytest.mark.usefixtures("store")
__all__ = ["store"]
ID_NUMBER = "11010519491231002X"


def test_a_code_belongs_to_one_department() -> None:
    first = department("12")
    entry = taken(departments.read({"code": "12", "name_zh": "外科", "name_en": "Surgery"}))
    assert codes(departments.save(entry)) == {"code": "duplicate"}
    assert taken(departments.save(entry, first.id)).name_zh == "外科"


def test_every_wrong_field_is_told_at_once() -> None:
    form = {"code": "x", "name_zh": "内科😀", "name_en": "", "closed": "perhaps"}
    assert codes(departments.read(form)) == {"code": "digits", "name_zh": "emoji", "name_en": "required", "closed": "flag"}


def test_a_closed_department_is_not_offered_nor_are_its_doctors() -> None:
    row = department()
    doctor()
    assert [found.code for found in departments.offered()] == ["12"]
    taken(departments.save(taken(departments.read({"code": "12", "name_zh": "内科", "name_en": "x", "closed": "yes"})), row.id))
    assert departments.offered() == []
    assert doctors.by_number("1001") is None


def test_a_doctor_is_found_by_number_and_by_the_keys_of_the_initials() -> None:
    department()
    doctor("1001", "张伟")
    doctor("1002", "王勇")
    doctor("1003", "赵文华")
    found = doctors.by_number("1002")
    assert found is not None
    assert found.staff.name_zh == "王勇"
    assert [row.number for row in doctors.by_keys("99")] == ["1001", "1002", "1003"]  # zw, wy, zwh
    assert [row.number for row in doctors.by_keys("994")] == ["1003"]
    assert doctors.by_keys("") == []
    assert [row.number for row in doctors.by_name("文")] == ["1003"]


def test_an_unlisted_doctor_and_one_who_left_are_not_offered() -> None:
    row = department()
    first, second = doctor("1001"), doctor("1002", "王勇")
    doctors.set_listed(first.id, listed=False)
    StaffMember.update(left=True).where(StaffMember.id == second.staff_id).execute()
    assert doctors.of_department(row.id) == []
    doctors.set_listed(first.id, listed=True)
    assert [found.number for found in doctors.of_department(row.id)] == ["1001"]
    assert doctors.of_department(row.id, experts_only=True) == []


def test_a_doctor_brings_a_member_of_the_staff_along() -> None:
    department()
    row = doctor("1001", staff_code="77")
    assert staff.by_code("77") == row.staff
    entry = taken(doctors.read({"number": "1002", "staff_code": "77", "name_zh": "王勇", "name_en": "W", "department": "12"}))
    assert codes(doctors.save(entry)) == {"staff_code": "duplicate"}
    assert codes(doctors.save(taken(doctors.read({"number": "9", "name_zh": "王", "name_en": "W", "department": "99"})))) == {
        "department": "unknown"
    }
    assert doctors.entry_of(row).staff_code == "77"


def test_a_changed_doctor_keeps_number_and_person() -> None:
    department()
    row = doctor("1001")
    changed = taken(doctors.save(taken(doctors.read({"number": "1001", "name_zh": "张维", "name_en": "Z", "department": "12"})), row.id))
    assert (changed.id, changed.staff.name_zh, StaffMember.select().count()) == (row.id, "张维", 1)


@pytest.mark.parametrize(("name", "initials"), [("曾国藩", "zgf"), ("单雄信", "sxx"), ("欧阳修", "oyx"), ("John Smith", "js")])
def test_initials(name: str, initials: str) -> None:
    assert pinyin.initials(name) == initials


def test_an_account_is_one_persons() -> None:
    department()
    one, two = (taken(staff.save(staff.StaffEntry(code=code, name_zh="甲", name_en="A", department="12"))) for code in ("1", "2"))
    assert staff.of_account(1) is None
    staff.link_account(one.id, None)
    assert two.account is None


def test_a_patient_is_numbered_and_known_by_every_number() -> None:
    row = patient(phones="010-88886666, 13800138000; 88886666", id_number=ID_NUMBER)
    assert (row.number, row.birth_date, row.sex) == ("10000001", date(1949, 12, 31), "f")
    assert patients.phones_of(row.id) == ["01088886666", "13800138000"]
    assert patient("王伟").number == "10000002"


@pytest.mark.parametrize(
    ("form", "faults"),
    [
        ({"name": ""}, {"name": "required"}),
        ({"name": "甲", "birth_date": "2027-01-01"}, {"birth_date": "future"}),
        ({"name": "甲", "birth_date": "1950-01-01", "id_number": ID_NUMBER}, {"birth_date": "id_birthday"}),
        ({"name": "甲", "phones": "12"}, {"phones": "phone"}),
        ({"name": "甲", "phones": "call me"}, {"phones": "phone"}),
        ({"name": "甲", "phones": " ".join(f"1380013800{n}" for n in range(9))}, {"phones": "too_many"}),
        ({"name": "甲", "sex": "x", "language": "fr"}, {"sex": "choice", "language": "choice"}),
    ],
)
def test_a_patients_form(form: dict[str, str], faults: dict[str, str]) -> None:
    assert codes(patients.read(form, BEIJING, TODAY)) == faults


def test_identity_and_number_belong_to_one_patient() -> None:
    first = patient(id_number=ID_NUMBER, number="5")
    again = taken(patients.read({"name": "乙", "id_number": ID_NUMBER}, BEIJING, TODAY))
    assert codes(patients.save(again, NOW)) == {"id_number": "duplicate"}
    assert codes(patients.save(taken(patients.read({"name": "乙", "number": "5"}, BEIJING, TODAY)), NOW)) == {"number": "duplicate"}
    assert taken(patients.save(again, NOW, first.id)).number == "5"


def test_numbers_that_stay_are_not_touched() -> None:
    row = patient(phones="13800138000 13800138001")
    PatientPhone.update(label="home").where(PatientPhone.number == "13800138000").execute()
    patients.set_phones(row.id, ["13800138000", "13800138002"])
    there = PatientPhone.select().where(PatientPhone.patient == row)
    assert {phone.number: phone.label for phone in there} == {"13800138000": "home", "13800138002": ""}


def test_families() -> None:
    mother, child = patient("李娜"), patient("王小明")
    assert taken(patients.add_relative(mother.id, child.id, "son")).relation == "son"
    assert taken(patients.add_relative(mother.id, child.id, "child")).relation == "child"
    assert [row.relative.name for row in patients.relatives_of(mother.id)] == ["王小明"]
    assert codes(patients.add_relative(mother.id, mother.id)) == {"relative": "itself"}
    patients.remove_relative(mother.id, child.id)
    assert patients.relatives_of(mother.id) == []


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("6001001007", "card"),
        ("10000001", "number"),
        (ID_NUMBER.lower(), "id_number"),
        ("010 8888 6666", "phone"),
        ("+86 10 88886666", "phone"),
        ("李 娜", "name"),
        ("李", "name"),
        ("李娜 1949-12-31", "name"),
        ("Anna O'Neil", ""),
        ("", ""),
        ("%", ""),
        ("😀", ""),
    ],
)
def test_a_patient_is_found_by_whatever_is_typed(text: str, by: str) -> None:
    row = patient("李娜", id_number=ID_NUMBER, phones="88886666")
    card(row, "6001001007")
    patient("王伟")
    found = patient_search.find(text, BEIJING)
    assert found.ids == ((row.id,) if by else ())
    assert found.by == by or not by


def test_namesakes_are_told_apart_by_birthday() -> None:
    rows = [patient("李娜", birth_date=f"198{n}-05-06") for n in range(3)]
    assert patient_search.by_name("李娜").ids == tuple(row.id for row in rows)
    assert [row.id for row in patient_search.find("李娜 19810506", BEIJING).rows()] == [rows[1].id]
    assert patient_search.by_name("李娜", date(1990, 1, 1)).ids == ()


def test_many_are_told_as_many() -> None:
    for _ in range(patient_search.MOST + 1):
        patient("李娜", phones="13800138000")
    found = patient_search.by_phone("13800138000")
    assert (len(found.ids), found.more) == (patient_search.MOST, True)


def test_identity_keyed_on_a_telephone() -> None:
    row = patient(id_number=ID_NUMBER, phones="13800138000")
    assert patient_search.by_identity_keys("11010519491231002*", "13800138000") == row.id
    assert patient_search.by_identity_keys("11010519491231002*", "13800138001") is None
