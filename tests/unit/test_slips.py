"""What stands on slips, as a printer that knows ESC/POS prints it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.hospital.slips import contents, escpos, qr, wire
from appliance.hospital.slips.address import is_address, network_of
from appliance.hospital.slips.slip import Code, Language, Line, Pair, Slip
from appliance.hospital.slips.wire import Printed, PrinterError
from appliance.store.booking_tables import Booking, Clinic, Slot
from tests.unit.cases_rig import item
from tests.unit.fake_printer import Paper, printer
from tests.unit.hospital_rig import NOW, TODAY, ZONE, department, doctor, patient, store

__all__ = ["store"]

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def booking(code: str = "00412233", **more: object) -> Booking:
    """Of 李娜 with Dr Zhang Wei, tomorrow."""
    department(place_zh="二楼", place_en="2nd floor")
    clinic = Clinic.create(department=1, doctor=doctor(title_zh="主任医师"), day=TODAY, starts="08:00", ends="12:00", fee_fen=3_000)
    slot = Slot.create(clinic=clinic, number=7, at=NOW + timedelta(days=1))
    columns = {"patient": patient(), "name": "李娜", "channel": "web", "made_at": NOW, "day": TODAY, "paid_fen": 3_000} | more
    return Booking.create(code=code, once_key=code, slot=slot, **columns)


def printed(slip: Slip, columns: int = 48) -> Paper:
    """What comes out of a printer."""
    with printer() as fake:
        assert wire.print_slip(fake.address, escpos.render(slip, columns)).printed is Printed.YES
        return fake.papers[-1]


@pytest.mark.usefixtures("store")
def test_a_registration_slip_says_who_where_and_when() -> None:
    paper = printed(contents.booking_slip(booking(), "示范医院", ZONE, "zh", NOW))
    for text in (
        "示范医院",
        "预约号: 00412233",
        "姓名: 李娜",
        "科室: 内科",
        "医生: 张伟 主任医师",
        "2026-03-09 10:00",
        "序号: 7",
        "￥30.00",
    ):
        assert text in paper.text
    assert (paper.codes, paper.cut, "补打" in paper.text) == (["00412233"], True, False)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("language", "mark"), [("zh", "补打"), ("en", "COPY")])
def test_a_slip_that_was_printed_before_is_marked(language: Language, mark: str) -> None:
    slip = contents.booking_slip(booking(printed=1), "Demo", ZONE, language, NOW)
    assert slip.copy
    assert mark in printed(slip).text


@pytest.mark.usefixtures("store")
def test_a_booking_that_holds_no_more_has_no_code() -> None:
    paper = printed(contents.booking_slip(booking(state="cancelled", paid_fen=0), "Demo", ZONE, "en", NOW))
    assert ("CANCELLED" in paper.text, "free of charge" in paper.text, paper.codes) == (True, True, [])


@pytest.mark.usefixtures("store")
def test_a_work_item_on_paper() -> None:
    paper = printed(contents.work_slip(item("回电 13800138000"), "示范医院", ZONE, "zh"))
    assert ("待办" in paper.text, paper.codes) == (True, ["回电 13800138000"])


@given(text=ANY_TEXT, columns=st.sampled_from((32, 42, 48)))
def test_no_line_is_wider_than_the_paper_and_nothing_is_lost(text: str, columns: int) -> None:
    lines = list(escpos.wrapped(text, columns))
    assert all(sum(map(escpos.width_of, line)) <= columns for line in lines)
    assert len("".join(lines)) == len(text)


@given(text=ANY_TEXT)
def test_no_text_is_a_command(text: str) -> None:
    """Of one line all bytes but those around it are a text in GB18030, and none begins a command."""
    body = escpos.render(Slip("zh", (Line(text), Pair(text, text))))
    text_bytes = b"".join(line.encode("gb18030") for line in escpos.wrapped(text, 48))
    assert not set(text_bytes) & set(b"\x10\x1b\x1c\x1d\n")
    assert body.count(b"\x1dV") == 1


@pytest.mark.parametrize("name", ["\x1b@\x1dV\x00", "𠮷野家", "Ünal O'Neill", "ａｂｃ"])
def test_names_of_every_kind_come_out(name: str) -> None:
    paper = printed(Slip("zh", (Pair("姓名", name), Code(name))), 32)
    shown = "".join(character if character.isprintable() else " " for character in name)
    assert (shown in paper.text, paper.codes, paper.cut) == (True, [shown], True)


def test_without_a_printer_there_is_no_slip() -> None:
    with printer() as fake:
        address = fake.address
    printing = wire.print_slip(address, escpos.render(Slip("zh", (Line("x"),))))
    assert (printing.printed, printing.fault[:7]) == (Printed.NO, "HOS-230")


@pytest.mark.parametrize(("status", "value", "code"), [("paper_status", 0x72, "HOS-231"), ("cause_status", 0x16, "HOS-232")])
def test_a_printer_that_cannot_print_says_why(status: str, value: int, code: str) -> None:
    with printer() as fake:
        vars(fake)[status] = value
        with pytest.raises(PrinterError, match=code):
            wire.look(fake.address)
        assert wire.print_slip(fake.address, b"x").printed is Printed.NO
        assert fake.papers == []


def test_a_printer_that_answers_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "ANSWER_S", 0.05)
    with printer(answers=False) as fake, pytest.raises(PrinterError, match="HOS-233"):
        wire.look(fake.address)


@pytest.mark.parametrize("faults", [{"dies_after": 40}, {"answers_done": False}])
def test_a_printer_that_goes_in_the_middle_leaves_doubt(faults: dict[str, int | bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PRINT_S", 0.2)
    with printer(**faults) as fake:
        printing = wire.print_slip(fake.address, escpos.render(Slip("zh", (Line("长" * 400),))))
    assert (printing.printed, printing.fault[:7]) == (Printed.UNSURE, "HOS-234")
    assert [paper.cut for paper in fake.papers] == ["answers_done" in faults]


def test_paper_that_ends_on_the_way_leaves_doubt() -> None:
    with printer() as fake:
        fake.done_status = 0x0C
        assert wire.print_slip(fake.address, b"x").fault.startswith("HOS-235")


@pytest.mark.parametrize("text", ["10.0.0.5:9100", "10.0.0.5", "printer-2.local:9101", "/dev/usb/lp0", "/dev/ttyUSB1"])
def test_addresses_of_printers(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text", ["", "10.0.0.5:0", "10.0.0.5:99999", "10.0.0.999", "/dev/sda", "/dev/usb/lp0/../../sda", "a b", "-x", "x:y"]
)
def test_what_is_no_address_of_a_printer(text: str) -> None:
    assert not is_address(text)
    assert wire.print_slip(text, b"x").printed is Printed.NO


def test_the_port_may_be_left_out() -> None:
    assert network_of("10.0.0.5") == ("10.0.0.5", 9100)


def test_a_code_for_a_page_is_an_image() -> None:
    assert qr.svg("00412233").startswith("<svg")
