"""Files nobody would wish for: every hostile value in every column of every kind, as CSV and XLSX; files that are larger than they look.

Each is refused with its line and column in both languages and nothing is saved, or it is taken as text; never a fault of the program.
"""

import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from appliance.hospital.imports import reading, spreadsheet
from appliance.hospital.imports.kinds import KINDS
from appliance.hospital.imports.row import TEXTS, FileRefused
from appliance.hospital.imports.subjects import Setting
from appliance.hospital.imports.trial import FileRead, Trial, read_file, save
from appliance.hospital.ledger import bank_file
from appliance.hospital.ledger.posting import Cause
from appliance.store.models import database
from appliance.store.money_tables import BankLine, Posting
from tests.unit.hospital_rig import BEIJING, NOW, ZONE, card, department, doctor, new_store, patient

pytestmark = pytest.mark.usefixtures("people")

SETTING = Setting(now=NOW, zone=ZONE, by="desk", normalise=BEIJING)
HOSTILE = (
    *("", "   ", "0", "-1", "-0.01", "1e309", "9" * 40, "１２", "99999999999999999999.99", "2026-99-99", "25:61", "长" * 5_000, "😀"),
    *("<script>alert(1)</script>", "=cmd|' /C calc'!A0", "+1", "@x", "'; drop table patient; --", "\u202egnp", "\ufffe", "\x07", "a\tb"),
)
NO_XML = ("\ufffe", "\x07")
GOOD = {
    "departments": {"code": "77", "name_zh": "眼科", "name_en": "Eyes", "place_zh": "一楼", "place_en": "First floor", "closed": "no"},
    "doctors": {"number": "2001", "name_zh": "王芳", "name_en": "Wang Fang", "department": "12", "fee": "50", "expert": "yes"},
    "drugs": {"number": "0012", "name_zh": "阿莫西林", "name_en": "Amoxicillin", "price": "12.50", "unit_zh": "盒", "use_zh": "消炎"},
    "patients": {"number": "10000009", "name": "钱多", "phones": "13700001111", "birth_date": "1980-01-01", "sex": "m"},
    "cards": {"number": "6001009992", "patient": "10000001"},
    "vip": {"patient": "10000001", "level": "2", "valid_from": "2026-03-01"},
    "schedules": {"doctor": "1001", "day": "2026-03-20", "starts": "08:00", "ends": "10:00", "fee": "50"},
}
"""A row of each kind that would be taken; the other columns are left empty."""
NS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RSS_MB_MOST = 160
"""Above what the program needs without a file; 20 MB of CSV are 50 MB as text."""


@pytest.fixture
def people(tmp_path: Path) -> Iterator[None]:
    opened = new_store(tmp_path / "careline.db")
    with database.atomic():
        department()
        doctor()
        card(patient())
        yield
    opened.close()


def cells_of(kind: str) -> dict[str, str]:
    return dict.fromkeys(KINDS[kind].columns, "") | GOOD[kind]


def as_csv(rows: list[list[str]]) -> bytes:
    return "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows).encode()


def as_xlsx(rows: list[list[str]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def everything() -> dict[str, int]:
    names = [name for name in database.get_tables() if name != "schema_version"]
    return {name: database.execute_sql(f'select count(*) from "{name}"').fetchone()[0] for name in names}


def outcome_of(kind: str, content: bytes) -> Trial | FileRefused:
    """As if applied, and taken back."""
    read = read_file(kind, content, SETTING)
    if isinstance(read, FileRefused):
        return read
    before = everything()
    with database.atomic() as transaction:
        trial = save(read, SETTING)
        assert trial.saved or everything() == before, (kind, trial.faults)
        transaction.rollback()
    return trial


def test_every_kind_has_a_row() -> None:
    assert set(GOOD) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_row_would_be_taken(kind: str) -> None:
    cells = cells_of(kind)
    for content in (as_csv([list(cells), list(cells.values())]), as_xlsx([list(cells), list(cells.values())])):
        trial = outcome_of(kind, content)
        assert isinstance(trial, Trial)
        assert trial.saved, trial.faults


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_in_every_column(kind: str) -> None:
    """All values of a column in one file, a line each; what no line says is wrong is then taken by itself."""
    for column in KINDS[kind].columns:
        rows = [list(cells_of(kind)), *(list((cells_of(kind) | {column: value}).values()) for value in HOSTILE)]
        wrong_of_csv, wrong_of_xlsx = wrong_lines(kind, as_csv(rows)), wrong_lines(kind, as_xlsx([as_cells(row) for row in rows]))
        assert wrong_of_csv - beyond_xlsx() == wrong_of_xlsx - beyond_xlsx(), column
        for line in set(range(2, len(rows) + 1)) - wrong_of_csv:
            outcome = outcome_of(kind, as_csv([rows[0], rows[line - 1]]))
            assert isinstance(outcome, Trial)
            assert outcome.saved or outcome.faults, (column, HOSTILE[line - 2])


def wrong_lines(kind: str, content: bytes) -> set[int]:
    """Lines with a fault of their own, which both languages tell."""
    trial = outcome_of(kind, content)
    assert isinstance(trial, Trial), trial
    assert all(fault.text("zh") and fault.text("en") for fault in trial.faults)
    return {fault.line for fault in trial.faults if fault.fault.code != "repeated"}


def as_cells(row: list[str]) -> list[str]:
    return ["?" if any(letter in cell for letter in NO_XML) else cell for cell in row]


def beyond_xlsx() -> set[int]:
    """Lines with what no spreadsheet can have in a cell."""
    return {line for line, value in enumerate(HOSTILE, start=2) if any(letter in value for letter in NO_XML)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_encodings_of_spreadsheets(kind: str, encoding: str) -> None:
    cells = cells_of(kind)
    outcome = outcome_of(kind, as_csv([list(cells), list(cells.values())]).decode().encode(encoding))
    assert isinstance(outcome, Trial)
    assert outcome.saved


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32"])
def test_encodings_nobody_can_tell(encoding: str) -> None:
    cells = cells_of("departments")
    assert isinstance(outcome_of("departments", as_csv([list(cells), list(cells.values())]).decode().encode(encoding)), FileRefused)


def test_formulas_are_no_values() -> None:
    """A formula is taken for what it is, not for what somebody's spreadsheet made of it."""
    cells = cells_of("drugs") | {"price": "=12+0.5", "name_zh": "=A1"}
    content = as_xlsx([list(cells), list(cells.values())])
    outcome = outcome_of("drugs", content)
    assert isinstance(outcome, Trial)
    assert {fault.column for fault in outcome.faults} == {"price", "name_zh"}


def test_merged_cells_are_empty_but_the_first() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    cells = cells_of("departments")
    for row in (list(cells), list(cells.values()), list((cells | {"code": "78"}).values())):
        sheet.append(row)
    sheet.merge_cells("B2:B3")
    file = io.BytesIO()
    book.save(file)
    outcome = outcome_of("departments", file.getvalue())
    assert isinstance(outcome, Trial)
    assert [(fault.line, fault.column, fault.fault.code) for fault in outcome.faults] == [(3, "name_zh", "required")]


def test_values_in_every_column_of_a_bank_file() -> None:
    good = dict.fromkeys(bank_file.COLUMNS, "") | {"reference": "B1", "card": "6001000014", "amount": "5"}
    for column in good:
        for value in HOSTILE:
            cells = good | {column: value}
            titles = [bank_file.COLUMNS[name][1] for name in cells]
            read = bank_file.read_file("b.csv", as_csv([titles, list(cells.values())]))
            if isinstance(read, FileRefused):
                continue
            with database.atomic() as transaction:
                before = Posting.select().count()
                bank_file.take(read, NOW, Cause(by="qian"))
                booked = BankLine.select().where(BankLine.transaction.is_null(False)).count()
                assert Posting.select().count() == before + 2 * booked
                transaction.rollback()


def packed(sheet: bytes, strings: bytes = b"") -> bytes:
    """A spreadsheet with that sheet, as no program would write it."""
    empty = openpyxl.Workbook()
    file, made = io.BytesIO(), io.BytesIO()
    empty.save(file)
    with zipfile.ZipFile(file) as parts, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out:
        for name in parts.namelist():
            replaced = sheet if name == "xl/worksheets/sheet1.xml" else strings if "sharedStrings" in name and strings else None
            out.writestr(name, parts.read(name) if replaced is None else replaced)
    return made.getvalue()


def a_sheet(inside: bytes) -> bytes:
    return f'<worksheet xmlns="{NS}"><sheetData>'.encode() + inside + b"</sheetData></worksheet>"


LAUGH = b'<!DOCTYPE x [<!ENTITY a "ha">' + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)) + b"]>"
BOMBS = {
    "too_big": lambda: packed(a_sheet(b" " * (spreadsheet.UNPACKED_BYTES_MOST + 1))),
    "too_many_rows": lambda: packed(a_sheet(b"<row><c><v>1</v></c></row>" * 1_000_000)),
    "too_wide": lambda: packed(a_sheet(b"<row>" + b"<c><v>1</v></c>" * 1_000_000 + b"</row>")),
    "xlsx": lambda: packed(LAUGH + a_sheet(b'<row><c t="inlineStr"><is><t>&j;</t></is></c></row>')),
}


@pytest.mark.parametrize("code", BOMBS)
def test_files_that_are_larger_than_they_look(code: str) -> None:
    refused = reading.read_rows(BOMBS[code](), 20_000)
    assert isinstance(refused, FileRefused)
    assert refused.code == code


def test_more_shared_texts_than_a_list_has() -> None:
    strings = f'<sst xmlns="{NS}">'.encode() + b"<si><t>a</t></si>" * 2_000_000 + b"</sst>"
    refused = reading.read_rows(packed(a_sheet(b"<row><c><v>1</v></c></row>"), strings), 20_000)
    assert not isinstance(refused, FileRefused) or refused.code == "too_many_rows"


def test_a_row_far_below_the_others() -> None:
    found = reading.read_rows(packed(a_sheet(b'<row r="1048576"><c r="A1048576"><v>1</v></c></row>')), 20_000)
    assert not isinstance(found, FileRefused)
    assert [row.line for row in found] == [1_048_576]


def huge(folder: Path) -> Iterator[Path]:
    csv, xlsx, line = folder / "rows.csv", folder / "rows.xlsx", folder / "line.csv"
    csv.write_bytes("科室编号,科室名称,英文名称\n".encode() + "77,眼科,Eyes and so\n".encode() * 1_000_000)
    xlsx.write_bytes(BOMBS["too_many_rows"]())
    line.write_bytes(b"," * (30 << 20))
    yield from (csv, xlsx, line)


def test_a_million_rows_are_refused_early_and_in_little_memory(tmp_path: Path) -> None:
    """Each in a process of its own, whose highest memory is measured."""
    program = (
        "import resource, sys, time; from appliance.hospital.imports.reading import read_rows\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; began = time.monotonic()\n"
        "found = read_rows(open(sys.argv[1], 'rb').read(), 20_000); took_s = time.monotonic() - began\n"
        "print(found.code, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, took_s)"
    )
    for file in huge(tmp_path):
        answer = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True, timeout=60, check=True)
        code, grown_mb, took_s = answer.stdout.split()
        assert code in TEXTS
        assert int(grown_mb) <= RSS_MB_MOST, file.name
        assert float(took_s) < 10, file.name  # half a second where nobody else works


def test_a_file_read_is_a_file_read() -> None:
    """The bank's files go the same way."""
    assert isinstance(bank_file.read_file("b.csv", "流水号,卡号,金额\nB1,9999,5".encode()), bank_file.FileRead)
    assert isinstance(read_file("departments", as_csv([list(GOOD["departments"]), list(GOOD["departments"].values())]), SETTING), FileRead)
