"""The patient record: newest first, page by page, masked, and not what is said about whoever looks."""

from datetime import timedelta

import pytest

from appliance.hospital.ledger.accounts import cash_desk
from appliance.hospital.ledger.posting import Cause, Movement, transfer
from appliance.hospital.record import AUDIT_ACTION, looked_by, open_record, subject
from appliance.hospital.record_sections import SECTIONS, Viewer, bookings, calls, complaints, money
from appliance.hospital.registry import patients, staff
from appliance.store.booking_tables import Booking, Clinic, Slot
from appliance.store.case_tables import Complaint
from appliance.store.hospital_tables import HistoryEntry, Patient
from appliance.store.models import Account, Audit, CallRecord, Recording
from appliance.store.money_tables import LedgerAccount
from tests.unit.hospital_rig import NOW, TODAY, card, department, doctor, patient, store, taken

pytestmark = pytest.mark.usefixtures("store")
__all__ = ["store"]
ANI = "13800138000"
ALL = Viewer(unmask=True)


def entries(of: Patient, count: int) -> None:
    for n in range(count):
        HistoryEntry.create(patient=of, at=NOW + timedelta(minutes=n // 2), kind="visit", subject=f"visit {n}")


def walked(section: str, patient_id: int, size: int) -> list[int | str]:
    """Every page in turn."""
    seen: list[int | str] = []
    cursor = ""
    while True:
        page = SECTIONS[section](patient_id, ALL, cursor, size)
        seen += [line.id for line in page.lines]
        cursor = page.next
        if not cursor:
            return seen


def test_nobody_has_no_record() -> None:
    assert open_record(1, ALL) is None


def test_the_person_masked_and_whole() -> None:
    row = patient(phones=ANI, id_number="11010519491231002X", note="糖尿病")
    used = card(row)
    taken(patients.add_relative(row.id, patient("王小明").id, "child"))
    whole, masked = open_record(row.id, ALL), open_record(row.id, Viewer())
    assert whole is not None
    assert masked is not None
    assert (whole.phones, whole.id_number, whole.cards[0].number) == ((ANI,), "11010519491231002X", used.number)
    assert (masked.phones, masked.id_number, masked.cards[0].number) == (("138****8000",), "110****002X", "60****0014")
    assert [kin.name for kin in whole.family] == ["王小明"]
    assert all(page.lines == () for page in whole.sections.values())


@pytest.mark.parametrize("size", [1, 2, 3, 20])
def test_history_is_paged_without_gaps_or_repeats(size: int) -> None:
    row, other = patient(), patient("王伟")
    entries(row, 11)
    entries(other, 3)
    assert walked("history", row.id, size) == [
        entry.id for entry in HistoryEntry.select().order_by(HistoryEntry.id.desc()).where(HistoryEntry.patient == row)
    ]


@pytest.mark.parametrize("cursor", ["x", "x 1", "2026-03-08 1", "2026-03-08T00:00:00+00:00 x", "9", " "])
@pytest.mark.parametrize("section", SECTIONS)
def test_a_cursor_that_is_none(section: str, cursor: str) -> None:
    row = patient()
    assert SECTIONS[section](row.id, ALL, cursor, 20).lines == ()


def test_calls_from_every_number_with_their_recordings() -> None:
    row = patient(phones=f"{ANI} 01088886666")
    for n, ani in enumerate((ANI, "01088886666", "13900000000")):
        at = NOW + timedelta(minutes=n)
        CallRecord.create(call_id=f"c{n}", direction="inbound", group="trunk", channel=1, ani=ani, started_at=at)
        Recording.create(recording_id=f"r{n}", call=f"c{n}", path="x.wav", started_at=at)
    page = calls(row.id, Viewer(), "", 20)
    assert [(line.id, line.ani, line.recordings) for line in page.lines] == [("c1", "010****6666", ("r1",)), ("c0", "138****8000", ("r0",))]
    assert walked("calls", row.id, 1) == ["c1", "c0"]


def test_bookings_say_where_and_with_whom() -> None:
    row, place = patient(), department()
    by_doctor, by_department = (
        Clinic.create(department=place, doctor=who, day=TODAY, starts="08:00", ends="12:00") for who in (doctor(), None)
    )
    for n, clinic in enumerate((by_doctor, by_department)):
        slot = Slot.create(clinic=clinic, number=1, at=NOW)
        made = NOW + timedelta(minutes=n)
        Booking.create(
            code=f"{n}", once_key=f"{n}", slot=slot, slot_of=slot, patient=row, name=row.name, channel="ivr", made_at=made, day=TODAY
        )
    lines = bookings(row.id, ALL, "", 20).lines
    assert [(line.code, line.department_zh, line.doctor_zh) for line in lines] == [("1", "内科", ""), ("0", "内科", "张伟")]
    assert len(walked("bookings", row.id, 1)) == 2


def test_money_of_all_cards() -> None:
    row = patient()
    for n, used in enumerate((card(row), card(row), card(patient("王伟")))):
        account = LedgerAccount.get_by_id(used.account_id)
        transfer(Movement.TOP_UP, cash_desk("1"), account, 5_000 + n, f"k{n}", NOW, Cause(by="desk"))
    lines = money(row.id, ALL, "", 20).lines
    assert [line.amount_fen for line in lines] == [5_001, 5_000]
    assert len(walked("money", row.id, 1)) == 2
    shown = open_record(row.id, ALL)
    assert shown is not None
    assert [used.balance_fen for used in shown.cards] == [5_001, 5_000]


def test_nobody_sees_what_is_said_about_them() -> None:
    row, place = patient(), department()
    account = Account.create(name="zhang", password_hash="", role="registrar", created_at=NOW)
    member = taken(staff.save(staff.StaffEntry(code="7", name_zh="张", name_en="Z", department=place.code)))
    staff.link_account(member.id, account.id)
    for n, about in enumerate((member, None)):
        Complaint.create(number=f"{n}", once_key=f"{n}", channel="ivr", patient=row, staff=about, made_at=NOW, due_at=NOW)
    assert [line.number for line in complaints(row.id, Viewer(account_id=account.id), "", 20).lines] == ["1"]
    assert len(complaints(row.id, Viewer(account_id=account.id + 1), "", 20).lines) == 2
    assert len(complaints(row.id, ALL, "", 20).lines) == 2


def test_who_looked() -> None:
    row = patient()
    account = Account.create(name="zhang", password_hash="", role="registrar", created_at=NOW)
    Audit.create(at=NOW, account=account, action=AUDIT_ACTION, subject=subject(row.id))
    Audit.create(at=NOW, account=account, action="other", subject=subject(row.id))
    assert [look.account for look in looked_by(row.id)] == ["zhang"]
