"""Lines of call records read: the tables of known switches, tables of one's own, headings, noise; lines told twice."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.smdr.models import COMPRESSED, HICOM_112, LONG, MODELS
from drivers.smdr.replay import ReplayWatch
from drivers.smdr.table import Column, Record, Table, Unread, fault_of, read, seconds

ZONE = ZoneInfo("Asia/Shanghai")


def compressed(**fields: str) -> str:
    """A line as Hicom 150 E prints it in the compressed form."""
    line = [" "] * 112
    for column in COMPRESSED.columns:
        text = fields.get(column.field, "")
        width = column.last - column.first + 1
        text = text.ljust(width) if column.field in ("number", "account") else text.rjust(width)
        line[column.first - 1 : column.last] = text
    return "".join(line)


def test_hicom_150_compressed() -> None:
    line = compressed(
        date="08.03.26",
        time="10:15:30",
        trunk="1",
        station="123",
        ring="00:05",
        duration="00:01:23",
        number="13800138000",
        units="4",
        kind="1",
        account="007",
        dialled="8001",
    )
    assert line[:38] == "08.03.2610:15:30  1   12300:0500:01:23"
    assert read(line, COMPRESSED) == Record(
        date=date(2026, 3, 8),
        time=time(10, 15, 30),
        trunk="1",
        station="123",
        ring_s=5,
        duration_s=83,
        number="13800138000",
        units="4",
        kind="1",
        account="007",
        dialled="8001",
    )


def test_hicom_150_long_has_81_columns_with_its_end() -> None:
    line = "08.03.26 10:15:30   1    123 00:05 00:01:23 01088886666                 1,20  2"
    assert len(line) == 79
    found = read(line, LONG)
    assert isinstance(found, Record)
    assert (found.station, found.number, found.units, found.kind, found.duration_s) == ("123", "01088886666", "1,20", "2", 83)


def test_hicom_112() -> None:
    found = read("08.03.26 10:15:30  1   123 00:05 00:01:23 01088886666                  1,20  2", HICOM_112)
    assert isinstance(found, Record)
    assert (found.trunk, found.station, found.number) == ("1", "123", "01088886666")


@pytest.mark.parametrize(
    ("line", "number", "kind"),
    [
        ("08.03.26  10:15:30  01  123  0  0:05  00:01:23  13800138000  I  1,20", "13800138000", "I"),
        ("08.03.26  10:15:30  01  123     0:05  00:01:23", "", ""),
    ],
)
def test_hipath_1100(line: str, number: str, kind: str) -> None:
    found = read(line, MODELS["hipath1100"])
    assert isinstance(found, Record)
    assert (found.station, found.duration_s, found.number, found.kind) == ("123", 83, number, kind)


@pytest.mark.parametrize("line", ["", "   ", "Date     Time     Ln  Ext    Ring  Duration", "-----", "Hicom 150 E  Office"])
def test_headings_are_no_faults(line: str) -> None:
    assert read(line, LONG) == Unread()


@pytest.mark.parametrize("line", ["08.13.26 10:15:30", "08.03.26 25:15:30", "xx.03.26 10:15:30   1", "08.03.26 10:15:30   1    123 0x:05"])
def test_a_line_that_does_not_fit_says_why(line: str) -> None:
    found = read(line, LONG)
    assert isinstance(found, Unread)
    assert found.why


OWN = Table(name="own", columns=(Column(field="time", first=1, last=5), Column(field="station", first=7, last=10)))


def test_without_a_date_it_is_the_day_it_came() -> None:
    found = read("23:59  801", OWN)
    assert isinstance(found, Record)
    assert found.at(datetime(2026, 3, 8, 0, 1, tzinfo=ZONE)) == datetime(2026, 3, 8, 23, 59, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        (Table(name="x"), "columns or a pattern"),
        (Table(name="x", columns=OWN.columns, pattern="a"), "one of them"),
        (Table(name="x", columns=(Column(field="time", first=5, last=1),)), "ends before it begins"),
        (Table(name="x", pattern="("), "its pattern is wrong"),
        (Table(name="x", pattern="(?P<colour>.)"), "colour"),
        (OWN, ""),
    ],
)
def test_tables_of_ones_own_are_checked(table: Table, fault: str) -> None:
    assert fault_of(table) == "" if not fault else fault in fault_of(table)


def test_our_tables_are_good() -> None:
    assert [fault_of(table) for table in MODELS.values()] == [""] * 4


@given(st.text(max_size=200))
def test_any_line_is_read_or_not(line: str) -> None:
    for table in (*MODELS.values(), OWN):
        assert isinstance(read(line, table), Record | Unread)


@pytest.mark.parametrize(("text", "value"), [("", None), ("7", 7), ("02:03", 123), ("1:02:03", 3723)])
def test_durations(text: str, value: int | None) -> None:
    assert seconds(text) == value


def told(watch: ReplayWatch, lines: str, first: int) -> list[int | None]:
    """What each line is told again of; those that are new are kept."""
    found = []
    for record, line in enumerate(lines, first):
        double = watch.double_of(line)
        if double is None:
            watch.keep(record, line)
        found.append(double)
    return found


def test_a_run_of_lines_told_again_after_the_link_was_broken() -> None:
    watch = ReplayWatch()
    assert told(watch, "abcde", 1) == [None] * 5
    watch.connected()
    assert told(watch, "cdefg", 6) == [3, 4, 5, None, None]
    watch.connected()
    assert told(watch, "hg", 20) == [None, None]


def test_without_a_broken_link_equal_lines_are_two_calls() -> None:
    assert told(ReplayWatch(), "aab", 1) == [None, None, None]


def test_the_last_lines_of_an_earlier_run_are_known() -> None:
    watch = ReplayWatch([(7, "a"), (8, "b")])
    watch.connected()
    assert told(watch, "bc", 9) == [8, None]


@given(st.lists(st.integers(0, 9_999).map(lambda number: f"line {number}"), max_size=30, unique=True), st.data())
def test_whatever_is_told_again_every_line_is_there_once(lines: list[str], data: st.DataObject) -> None:
    watch, kept = ReplayWatch(), []
    place = 0
    while place < len(lines):
        end = data.draw(st.integers(place, len(lines)))
        begin = data.draw(st.integers(0, place))
        watch.connected()
        for line in lines[begin:end]:
            if watch.double_of(line) is None:
                kept.append(line)
                watch.keep(len(kept), line)
        place = max(place, end)
    assert kept == lines
