"""Files: read whatever they are, every line's faults told, and all of it saved or nothing."""

import csv
import io
import random
from datetime import date
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.hospital.imports import reading
from appliance.hospital.imports import spreadsheet as sheets
from appliance.hospital.imports.kinds import KINDS
from appliance.hospital.imports.reading import read_rows
from appliance.hospital.imports.row import FileRefused, Row
from appliance.hospital.imports.subjects import Setting
from appliance.hospital.imports.template import template
from appliance.hospital.imports.trial import FileRead, Trial, compare, read_file, save
from appliance.hospital.registry import doctors, drugs, patients, spoken
from appliance.store.hospital_tables import Card, Department, Doctor, Drug, Patient, PatientPhone, StaffMember, Vip
from appliance.store.models import database
from appliance.store.money_tables import LedgerAccount
from tests.unit.hospital_rig import BEIJING, NOW, ZONE, department, doctor, patient, store

pytestmark = pytest.mark.usefixtures("store")
__all__ = ["store"]
SETTING = Setting(now=NOW, zone=ZONE, by="desk", normalise=BEIJING)
DRUGS = "number,name_zh,name_en,price\n0012,阿莫西林,Amoxicillin,12.50\n0013,布洛芬,Ibuprofen,8\n"


def read(kind: str, text: str | bytes) -> FileRead:
    outcome = read_file(kind, text if isinstance(text, bytes) else text.encode(), SETTING)
    assert isinstance(outcome, FileRead), outcome
    return outcome


def tried(kind: str, text: str | bytes) -> Trial:
    return compare(read(kind, text))


def imported(kind: str, text: str | bytes) -> Trial:
    return save(read(kind, text), SETTING)


def refusal(kind: str, content: bytes) -> str:
    outcome = read_file(kind, content, SETTING)
    assert isinstance(outcome, FileRefused), outcome
    assert outcome.text("zh")
    assert outcome.text("en")
    return outcome.code


def faults(trial: Trial) -> list[tuple[int, str, str]]:
    assert all(fault.text("zh") and fault.text("en") for fault in trial.faults)
    return [(fault.line, fault.column, fault.fault.code) for fault in trial.faults]


def spreadsheet(*rows: tuple[Any, ...]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def counts(trial: Trial) -> tuple[int, int, int, int]:
    return trial.new, trial.changed, trial.unchanged, trial.absent


def test_a_trial_changes_nothing_and_an_import_all() -> None:
    assert counts(tried("drugs", DRUGS)) == (2, 0, 0, 0)
    assert Drug.select().count() == 0
    assert imported("drugs", DRUGS).saved
    found = drugs.by_number("0012")
    assert found is not None
    assert (found.name_zh, found.price_fen) == ("阿莫西林", 1_250)
    assert spoken.said("drug 0012", 1) is not None
    assert counts(imported("drugs", DRUGS)) == (0, 0, 2, 0)


def test_differences_are_told_and_made() -> None:
    imported("drugs", DRUGS)
    trial = imported("drugs", "number,name_zh,name_en,price\n0012,阿莫西林,Amoxicillin,13\n")
    assert counts(trial) == (0, 1, 0, 1)
    assert (trial.changes[0].key, trial.changes[0].fields) == ("0012", {"price_fen": ("1250", "1300")})
    assert Drug.get(Drug.number == "0012").version == 2
    assert Drug.select().count() == 2


def test_a_column_that_is_not_in_the_file_is_left_alone() -> None:
    imported("drugs", "number,name_zh,name_en,price,use_zh,listed\n0012,甲,A,1,退烧,no\n")
    assert counts(imported("drugs", "number,name_zh,name_en,price\n0012,甲,A,1\n")) == (0, 0, 1, 0)
    imported("drugs", "number,name_zh,name_en,price\n0012,乙,A,1\n")
    row = Drug.get()
    assert (row.name_zh, row.use_zh, row.listed) == ("乙", "退烧", False)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters(encoding: str, delimiter: str) -> None:
    assert imported("drugs", DRUGS.replace(",", delimiter).encode(encoding)).new == 2
    assert Drug.get(Drug.number == "0013").name_zh == "布洛芬"


def test_chinese_titles_and_line_ends_inside_quotes() -> None:
    text = '药品编号,药品名称,英文名称,价格,注意事项\r\n1,甲,A,1,"饭后\r\n服用"\r\n2,😀,B,1,\r\n'
    trial = tried("drugs", text)
    assert faults(trial) == [(4, "药品名称", "emoji")]
    imported("drugs", text.replace("😀", "乙"))
    assert Drug.get(Drug.number == "1").caution_zh == "饭后\n服用"


def test_every_fault_has_its_line_and_column_and_nothing_is_saved() -> None:
    department()
    text = (
        "number,name_zh,name_en,department,fee\n"
        "1001,张伟,Zhang Wei,12,50\n"
        "1002,<script>,B,12,-5\n"
        "1001,王勇,C,12,1\n"
        "x,李娜,,99,1\n"
        "1003,赵敏,D,99,1\n"
        "1004,=1+1,E,12,1\n"
    )
    trial = imported("doctors", text)
    assert faults(trial) == [
        (3, "name_zh", "markup"),
        (3, "fee", "negative"),
        (4, "number", "repeated"),
        (4, "staff_code", "repeated"),
        (5, "number", "digits"),
        (5, "name_en", "required"),
        (6, "department", "unknown"),
        (7, "name_zh", "formula"),
    ]
    assert (trial.saved, trial.rows, Doctor.select().count(), StaffMember.select().count()) == (False, 6, 0, 0)


def test_doctors_and_departments() -> None:
    imported("departments", "科室编号,科室名称,英文名称\n12,内科,Internal medicine\n13,外科,Surgery\n")
    imported("doctors", "医生编号,姓名,英文姓名,科室编号,专家\n1001,张伟,Zhang Wei,12,是\n")
    assert [row.number for row in doctors.by_keys("99")] == ["1001"]
    assert counts(imported("doctors", "医生编号,姓名,英文姓名,科室编号\n1001,张维,Zhang Wei,13\n")) == (0, 1, 0, 0)
    row = Doctor.get()
    assert (row.staff.name_zh, row.staff.department.code, row.expert) == ("张维", "13", True)
    assert Department.select().count() == 2


def test_a_code_of_the_staff_that_is_anothers() -> None:
    department()
    doctor("1001", staff_code="77")
    trial = tried("doctors", "number,staff_code,name_zh,name_en,department\n1002,77,王勇,W,12\n")
    assert faults(trial) == [(2, "staff_code", "duplicate")]


def test_patients_with_several_numbers() -> None:
    text = "病历号,姓名,证件号码,电话,性别\n20000001,李娜,11010519491231002X,13800138000 88886666,女\n20000002,王伟,,,\n"
    assert counts(imported("patients", text)) == (2, 0, 0, 0)
    row = Patient.get(Patient.number == "20000001")
    assert (patients.phones_of(row.id), row.birth_date, row.sex) == (["13800138000", "01088886666"], date(1949, 12, 31), "f")
    assert counts(imported("patients", text.replace("13800138000 ", ""))) == (0, 1, 1, 0)
    assert [phone.number for phone in PatientPhone.select()] == ["01088886666"]


def test_identity_numbers_belong_to_one_in_the_file_and_in_the_store() -> None:
    patient(number="5", id_number="11010519491231002X")
    header = "number,name,id_number\n"
    assert faults(tried("patients", f"{header}6,甲,11010519491231002X\n")) == [(2, "id_number", "duplicate")]
    assert faults(tried("patients", f"{header}5,甲,11010519491231002X\n")) == []
    assert faults(tried("patients", f"{header}6,甲,E1234567\n7,乙,E1234567\n,丙,\n")) == [
        (3, "id_number", "repeated"),
        (4, "number", "required"),
    ]


def test_cards_have_accounts() -> None:
    patient(number="5")
    patient(number="6")
    assert imported("cards", "卡号,病历号\n60010001,5\n60010002,5\n").saved
    assert (Card.select().count(), LedgerAccount.select().count()) == (2, 2)
    assert LedgerAccount.get_by_id(Card.get(Card.number == "60010002").account_id).code == "card 60010002"
    assert faults(imported("cards", "卡号,病历号\n60010001,6\n60010003,7\n")) == [(2, "卡号", "duplicate"), (3, "病历号", "unknown")]
    assert counts(tried("cards", "卡号,病历号\n60010001,5\n")) == (0, 0, 1, 1)


def test_vips() -> None:
    patient(number="5")
    text = "patient,level,valid_from,valid_until\n5,1,2026-01-01,2026-12-31\n"
    assert imported("vip", text).new == 1
    assert counts(imported("vip", text.replace("5,1", "5,2"))) == (0, 1, 0, 0)
    assert (Vip.get().level, Vip.get().granted_by) == (2, "desk")
    assert faults(tried("vip", text.replace("5,1", "9,9"))) == [(2, "level", "range")]


def test_spreadsheets_keep_what_people_wrote() -> None:
    content = spreadsheet(
        ("number", "name", "birth_date", "phones"), ("00012", "李娜", date(1980, 5, 6), 13800138000), (None, "", None, None)
    )
    assert imported("patients", content).new == 1
    row = Patient.get()
    assert (row.number, row.birth_date, patients.phones_of(row.id)) == ("00012", date(1980, 5, 6), ["13800138000"])


def test_formulas_and_rounded_numbers_of_spreadsheets_are_faults() -> None:
    title = ("number", "name", "id_number")
    content = spreadsheet(title, (1, '=HYPERLINK("http://x")', None), (2, "甲", 110105194912310020), ("=1+1", "乙", None))
    assert faults(tried("patients", content)) == [(2, "name", "formula"), (3, "id_number", "id_number"), (4, "number", "digits")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\n\n , \n", "empty"),
        (b"number,name_zh,name_en,price\n", "no_rows"),
        (b"number,name_zh,name_en,price,prise\n", "column_unknown"),
        (b"number,name_zh,price\n1,a,1\n", "column_missing"),
        ("number,药品编号,name_zh,name_en,price\n".encode(), "column_twice"),
        (b'number,name_zh,name_en,price\n1,"a\n', "csv"),
        (b"\xff\xfe\x00", "encoding"),
        (b"\x81\xff\xff", "encoding"),
        (b"a\x00b", "encoding"),
        (b"PK\x03\x04 no zip", "xlsx"),
        (b"," * 100 + b"x", "too_wide"),
        (b"x" * (reading.FILE_BYTES_MOST + 1), "too_big"),
        (b'number,name_zh\n1,"' + b"x" * 200_000 + b'"\n', "long_line"),
    ],
)
def test_files_that_will_not_do(content: bytes, code: str) -> None:
    assert refusal("drugs", content) == code


def test_a_spreadsheet_cut_short() -> None:
    content = spreadsheet(("number", "name_zh", "name_en", "price"), *(("1", "a", "b", 1) for _ in range(500)))
    for end in random.Random(1).sample(range(4, len(content)), 30):
        assert refusal("drugs", content[:end]) == "xlsx"


def test_a_spreadsheet_that_unpacks_to_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "UNPACKED_BYTES_MOST", 1_000)
    assert refusal("drugs", spreadsheet(("number",))) == "too_big"


def test_a_million_rows_are_refused() -> None:
    content = b"number,name_zh,name_en,price\n" + b"".join(b"%d,a,b,1\n" % n for n in range(1_000_000))
    assert refusal("drugs", content) == "too_many_rows"


def test_an_import_that_fails_half_way_saves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    header = "number,name_zh,name_en,price\n"
    text = header + "".join(f"{n},a,b,1\n" for n in range(1_200))
    monkeypatch.setattr("appliance.hospital.registry.spoken._encode", _fails_after(700))
    with pytest.raises(ZeroDivisionError), database.atomic():
        imported("drugs", text)
    assert Drug.select().count() == 0


def _fails_after(count: int) -> Any:
    left = [count]

    def encode(texts: dict[str, Any]) -> bytes:
        left[0] -= 1
        return b"%d" % (1 // left[0])

    return encode


@given(st.binary(max_size=400))
def test_no_bytes_make_it_fall_over(content: bytes) -> None:
    rows = read_rows(content, 100)
    assert isinstance(rows, FileRefused) or all(isinstance(row, Row) for row in rows)


@given(st.lists(st.lists(st.text(max_size=20), min_size=4, max_size=4), min_size=1, max_size=5))
def test_any_cells_give_faults_or_entries(rows: list[list[str]]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerows([["number", "name_zh", "name_en", "price"], *rows])
    outcome = read_file("drugs", file.getvalue().encode("utf-8", "replace"), SETTING)
    assert isinstance(outcome, FileRefused) or len(outcome.lines) <= len(rows)


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_is_a_file_without_rows(kind: str) -> None:
    assert refusal(kind, template(kind, "zh")) == refusal(kind, template(kind, "en")) == "no_rows"


def test_every_kind_knows_its_titles() -> None:
    for kind, subject in KINDS.items():
        titles = [title.lower() for both in subject.columns.values() for title in both]
        assert len(titles) == len(set(titles)), kind
        assert subject.required <= subject.columns.keys()
