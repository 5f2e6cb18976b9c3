"""The codec of text messages: alphabets, addresses, parts, times, reports. Known PDUs, and whatever text there can be."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modem import body, gsm7, pdu
from drivers.modem.body import Concat, bodies, joined
from drivers.modem.numbers import address, is_number, is_same, read_address
from drivers.modem.pdu import Deliver, Fate, PduError, StatusReport
from tests.sms_network import deliver_pdu, report_pdu, sent_back, taken_apart

GSM7_LETTERS = "".join(gsm7.decode(bytes((code,))) for code in range(128) if code != gsm7.ESCAPE) + "^{}\\[~]|€\f"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=900)
OURS = "+8613800138000"


def carried(text: str, reference: int = 7) -> list[Deliver]:
    """Through SUBMIT and the network, as who is called gets it."""
    submits = [pdu.submit(OURS, part) for part in bodies(text, reference)]
    found = [pdu.read(sent_back(taken_apart(submit.hex, 1))) for submit in submits]
    return [each for each in found if isinstance(each, Deliver)]


def test_a_submit_as_known() -> None:
    """Source: the message "hellohello" of 3GPP-based PDU tutorials, with relative validity and a report asked for."""
    submit = pdu.submit("+46708251358", bodies("hellohello", 0)[0])
    assert (submit.hex, submit.octets) == ("0031000B916407281553F80000A80AE8329BFD4697D9EC37", 23)


def test_a_deliver_as_known() -> None:
    found = pdu.read("07917283010010F5040BC87238880900F10000993092516195800AE8329BFD4697D9EC37")
    assert found == Deliver("27838890001", "hellohello", datetime(2099, 3, 29, 13, 16, 59, tzinfo=UTC))


def test_a_sender_with_a_name() -> None:
    septets = gsm7.encode("Hospital")
    found = pdu.read(deliver_pdu(bytes((14, 0xD0)) + gsm7.pack(septets), 0, 2, gsm7.pack(gsm7.encode("ok"))))
    assert isinstance(found, Deliver)
    assert (found.sender, found.text) == ("Hospital", "ok")


@given(TEXTS)
def test_any_text_arrives(text: str) -> None:
    parts = carried(text)
    assert joined([part.text for part in parts]) == text
    assert {part.sender for part in parts} == {OURS}
    if len(parts) > 1:
        assert [part.concat for part in parts] == [Concat(7, len(parts), number) for number in range(1, len(parts) + 1)]
    assert all(len(part.text.encode("utf-16-be", "surrogatepass")) <= 306 for part in parts)


@given(st.text(st.sampled_from(GSM7_LETTERS), max_size=700))
def test_any_text_of_the_small_alphabet_arrives(text: str) -> None:
    assert all(part.coding == body.GSM7 for part in bodies(text, 3))
    assert joined([part.text for part in carried(text)]) == text


@given(st.lists(st.sampled_from("药😀a"), min_size=71, max_size=300))
def test_no_letter_is_cut(letters: list[str]) -> None:
    text = "".join(letters) + "药"
    for part in carried(text):
        part.text.encode("utf-8")  # half a letter cannot be
        assert len(part.text.encode("utf-16-be")) <= 2 * 67 or part.concat is None


@pytest.mark.parametrize(("letter", "count", "parts"), [("a", 160, 1), ("a", 161, 2), ("a", 306, 2), ("a", 307, 3), ("€", 80, 1)])
def test_how_many_parts_in_the_small_alphabet(letter: str, count: int, parts: int) -> None:
    assert len(bodies(letter * count, 0)) == parts


@pytest.mark.parametrize(("count", "parts"), [(70, 1), (71, 2), (134, 2), (135, 3)])
def test_how_many_parts_in_chinese(count: int, parts: int) -> None:
    assert len(bodies("诊" * count, 0)) == parts


def test_an_escaped_letter_is_not_cut() -> None:
    parts = bodies("a" * 152 + "€" + "b" * 10, 0)
    assert [len(part.octets) for part in parts] == [140, 17]
    assert [part.text for part in carried("a" * 152 + "€" + "b" * 10)] == ["a" * 152, "€" + "b" * 10]


def test_a_text_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="256 parts"):
        bodies("诊" * (67 * 255 + 1), 0)


def test_halves_of_a_letter_that_another_sender_cut() -> None:
    assert joined(["一\ud83d", "\ude00二"]) == "一😀二"
    assert joined(["一\ud83d", "二"]) == "一\ufffd二"


@given(st.binary(max_size=200))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    try:
        found = pdu.read(octets.hex())
    except PduError:
        return
    assert isinstance(found, Deliver | StatusReport)


@given(st.integers(0, 255), st.binary(max_size=140), st.integers(0, 255), st.booleans())
def test_any_coding_is_read_or_refused(coding: int, content: bytes, length: int, has_header: bool) -> None:
    try:
        pdu.read(deliver_pdu(address(OURS), coding, length, content, has_header=has_header))
    except PduError:
        return


def test_octets_are_kept_as_they_are() -> None:
    found = pdu.read(deliver_pdu(address(OURS), 0xF5, 3, b"\x01\x02\x03"))
    assert isinstance(found, Deliver)
    assert (found.text, found.binary) == ("", b"\x01\x02\x03")


def test_a_16_bit_reference() -> None:
    content = b"\x06\x08\x04\x12\x34\x02\x01" + "药".encode("utf-16-be")
    found = pdu.read(deliver_pdu(address(OURS), 8, len(content), content, has_header=True))
    assert isinstance(found, Deliver)
    assert (found.concat, found.text) == (Concat(0x1234, 2, 1), "药")


@pytest.mark.parametrize(
    ("status", "fate"), [(0, Fate.DELIVERED), (2, Fate.DELIVERED), (0x20, Fate.TRYING), (0x41, Fate.FAILED), (0x62, Fate.FAILED)]
)
def test_reports(status: int, fate: Fate) -> None:
    submit = pdu.submit("13800138000", bodies("好", 0)[0])
    found = pdu.read(report_pdu(taken_apart(submit.hex, 201), status))
    assert isinstance(found, StatusReport)
    assert (found.reference, found.number, found.fate) == (201, "13800138000", fate)
    assert found.at == datetime(2026, 3, 7, 18, 0, tzinfo=UTC)


@given(st.from_regex(r"\+?[0-9]{3,20}", fullmatch=True))
def test_any_number(number: str) -> None:
    assert is_number(number)
    octets = address(number)
    assert read_address(octets[0], octets[1:]) == number


@pytest.mark.parametrize("text", ["", "+", "12", "1" * 21, "１３８０", "138-0013", "+86 138"])
def test_what_is_no_number(text: str) -> None:
    assert not is_number(text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("13800138000", "+8613800138000", True),
        ("01088886666", "+861088886666", True),
        ("10086", "10086", True),
        ("10086", "+8613810086", False),
        ("13800138000", "13800138001", False),
    ],
)
def test_numbers_of_one_telephone(one: str, other: str, same: bool) -> None:
    assert is_same(one, other) is is_same(other, one) is same
