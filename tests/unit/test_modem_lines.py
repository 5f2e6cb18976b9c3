"""What a modem says, sorted: lines nobody asked for at any place of an answer, PDUs that belong to one head or the other, noise."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modem.lines import PROMPT, Cutter, Expected, Kind, Line, Sorter

LISTING = Expected("AT+CMGL=4", re.compile(r"\+CMGL: *\d"), with_pdu=True)
UNASKED = ("RING", '+CMTI: "SM",3', "^RSSI:17", "+CREG: 1", '+CDSI: "SM",9', "+CIEV: 2,4", "+CPIN: NOT READY")


def pdu(octets: int, filling: str = "AB") -> str:
    return "00" + filling * octets


def sort(expected: Expected | None, *lines: str) -> list[Line]:
    sorter = Sorter()
    sorter.expect(expected)
    return [found for line in lines if (found := sorter.sort(line))]


def test_an_answer_with_its_end() -> None:
    expected = Expected("AT+CSQ", re.compile(r"\+CSQ: "))
    assert sort(expected, "AT+CSQ", "+CSQ: 21,0", "OK") == [Line(Kind.ANSWER, "+CSQ: 21,0"), Line(Kind.FINAL, "OK")]


@pytest.mark.parametrize("end", ["OK", "ERROR", "+CMS ERROR: 38", "+CME ERROR: 10"])
def test_ends(end: str) -> None:
    assert sort(Expected("AT"), end) == [Line(Kind.FINAL, end)]


def test_without_a_command_nothing_is_an_answer() -> None:
    assert [line.kind for line in sort(None, "OK", "+CSQ: 1,0", "+CMGL: 1,0,,5")] == [Kind.UNASKED] * 3


def test_a_told_report_between_a_head_and_its_message() -> None:
    found = sort(LISTING, "+CMGL: 1,0,,20", "+CDS: 12", pdu(12), pdu(20), "OK")
    assert found == [Line(Kind.UNASKED, "+CDS: 12", pdu(12)), Line(Kind.ANSWER, "+CMGL: 1,0,,20", pdu(20)), Line(Kind.FINAL, "OK")]


def test_of_equal_length_the_last_head_goes_first() -> None:
    found = sort(LISTING, "+CMGL: 1,0,,12", "+CDS: 12", pdu(12, "CD"), pdu(12, "AB"), "OK")
    assert [(line.text, line.pdu[2:4]) for line in found[:2]] == [("+CDS: 12", "CD"), ("+CMGL: 1,0,,12", "AB")]


def test_a_head_without_its_message_is_no_answer() -> None:
    assert sort(LISTING, "+CMGL: 1,0,,12", "OK", pdu(12)) == [Line(Kind.FINAL, "OK"), Line(Kind.UNASKED, pdu(12))]


@given(st.lists(st.tuples(st.integers(8, 170), st.lists(st.sampled_from(UNASKED), max_size=3)), max_size=12), st.randoms())
def test_unasked_lines_anywhere_in_a_listing(stored: list[tuple[int, list[str]]], chance: object) -> None:
    lines, told = ["AT+CMGL=4"], []
    for index, (octets, between) in enumerate(stored, 1):
        lines += [f"+CMGL: {index},1,,{octets}", *between, pdu(octets)]
        told += between
    found = sort(LISTING, *lines, "OK")
    answers = [line for line in found if line.kind is Kind.ANSWER]
    assert [line.pdu for line in answers] == [pdu(octets) for octets, _ in stored]
    assert [line.text for line in found if line.kind is Kind.UNASKED] == told
    assert found[-1] == Line(Kind.FINAL, "OK")


@given(st.lists(st.sampled_from(["+CSQ: 1,0", "OK", "RING", "+CMGL: 1,0,,9", "0011223344"])), st.data())
def test_lines_come_out_however_the_bytes_are_cut(lines: list[str], data: st.DataObject) -> None:
    octets = "".join(f"\r\n{line}\r\n" for line in lines).encode()
    cutter, found = Cutter(), []
    while octets:
        size = data.draw(st.integers(1, len(octets)))
        found += cutter.feed(octets[:size])
        octets = octets[size:]
    assert found == lines


def test_the_prompt_has_no_end() -> None:
    assert Cutter().feed(b"\r\n> ") == [PROMPT]
    assert sort(Expected("AT+CMGS=20", prompt=True), PROMPT) == [Line(Kind.FINAL, PROMPT)]


@given(st.binary(max_size=5_000))
def test_noise_is_cut_into_lines_or_nothing(octets: bytes) -> None:
    for line in Cutter().feed(octets):
        sort(LISTING, line)


def test_a_line_without_end_is_given_up() -> None:
    cutter = Cutter()
    cutter.feed(b"x" * 5_000)
    assert cutter.feed(b"\r\nOK\r\n") == ["OK"]
