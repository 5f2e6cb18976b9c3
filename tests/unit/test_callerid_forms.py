"""Caller id read and written: messages of FSK and keys of DTMF, as tables; and that nothing read ever raises."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.protocol import Caller, NumberSource, Presentation
from drivers.signalling import callerid

ALLOWED, RESTRICTED, UNAVAILABLE = Presentation.ALLOWED, Presentation.RESTRICTED, Presentation.UNAVAILABLE


def mdmf(*parts: tuple[int, bytes]) -> bytes:
    content = b"".join(bytes([kind, len(value)]) + value for kind, value in parts)
    return bytes([0x80, len(content)]) + content


def fsk_caller(number: str = "", presentation: Presentation = UNAVAILABLE, name: str = "") -> Caller:
    return Caller(number, presentation, NumberSource.FSK, name)


MESSAGES = [
    (mdmf((1, b"03171656"), (2, b"2156430144")), fsk_caller("2156430144", ALLOWED)),
    (mdmf((2, b"13800138000"), (7, "张医生".encode("gbk"))), fsk_caller("13800138000", ALLOWED, "张医生")),
    (mdmf((7, b"ZHANG WEI  "), (2, b"8005")), fsk_caller("8005", ALLOWED, "ZHANG WEI")),
    (mdmf((1, b"03171656"), (4, b"P"), (8, b"P")), fsk_caller("", RESTRICTED)),
    (mdmf((4, b"O")), fsk_caller("", UNAVAILABLE)),
    (mdmf((2, b"P")), fsk_caller("", RESTRICTED)),
    (mdmf((2, b"010-6666 8888")), fsk_caller("01066668888", ALLOWED)),
    (mdmf((2, b"12\x00\xff")), fsk_caller()),
    (mdmf((7, b"\xc4\xe3\xba")), fsk_caller(name="你")),
    (mdmf((0x11, b"\x01"), (2, b"110"), (0x50, b"x")), fsk_caller("110", ALLOWED)),
    (mdmf((2, b"8005"))[:-2], fsk_caller()),
    (b"\x80\x0a\x02\x04" + b"8005" + b"\x07\x09ab", fsk_caller()),  # a name longer than the message
    (mdmf((1, b"03171656"), (2, b"8005")) + b"junk", fsk_caller("8005", ALLOWED)),
    (b"\x04\x12" + b"031716562156430144", fsk_caller("2156430144", ALLOWED)),
    (b"\x04\x09" + b"03171656P", fsk_caller("", RESTRICTED)),
    (b"\x04\x09" + b"03171656O", fsk_caller("", UNAVAILABLE)),
    (b"\x04\x03" + b"031", fsk_caller()),
    (b"\x82\x03\x0b\x01\xff", None),
    (b"\x06\x03\x42\x42\x42", None),
    (b"", None),
]


@pytest.mark.parametrize(("message", "caller"), MESSAGES)
def test_messages_read(message: bytes, caller: Caller | None) -> None:
    assert callerid.from_message(message) == caller


def dtmf_caller(number: str = "", presentation: Presentation = UNAVAILABLE) -> Caller:
    return Caller(number, presentation, NumberSource.DTMF)


@pytest.mark.parametrize(
    ("keys", "caller"),
    [
        ("A13800138000C", dtmf_caller("13800138000", ALLOWED)),
        ("D13800138000C", dtmf_caller("13800138000", ALLOWED)),
        ("D13800138000#", dtmf_caller("13800138000", ALLOWED)),
        ("A8005#", dtmf_caller("8005", ALLOWED)),
        ("13800138000", dtmf_caller("13800138000", ALLOWED)),
        ("13800138000C", dtmf_caller("13800138000", ALLOWED)),
        ("*13800138000#", dtmf_caller("13800138000", ALLOWED)),
        ("A8005D13900139000C", dtmf_caller("8005", ALLOWED)),
        ("D8005B10C", dtmf_caller("", RESTRICTED)),
        ("B10C", dtmf_caller("", RESTRICTED)),
        ("B00C", dtmf_caller("", UNAVAILABLE)),
        ("D10C", dtmf_caller("", RESTRICTED)),
        ("D1#", dtmf_caller("", RESTRICTED)),
        ("D2#", dtmf_caller("", UNAVAILABLE)),
        ("D12C", dtmf_caller("12", ALLOWED)),
        ("AC", dtmf_caller()),
        ("DC", dtmf_caller()),
        ("", dtmf_caller()),
        ("AAAA", dtmf_caller()),
        ("A" + "9" * 60 + "C", dtmf_caller("9" * 20, ALLOWED)),
    ],
)
def test_keys_read(keys: str, caller: Caller) -> None:
    assert callerid.from_dtmf(keys) == caller


@pytest.mark.parametrize(
    ("keys", "complete"), [("A", False), ("A1", False), ("A1C", True), ("D1#", True), ("C", False), ("138", False), ("#", False)]
)
def test_end_code(keys: str, complete: bool) -> None:
    assert callerid.dtmf_is_complete(keys) is complete


@pytest.mark.parametrize(
    ("caller", "keys"),
    [
        (Caller("8005", ALLOWED), "A8005C"),
        (Caller("8005", RESTRICTED), "B10C"),
        (Caller(), "B00C"),
        (Caller("+86-10", ALLOWED), "A8610C"),
    ],
)
def test_keys_written(caller: Caller, keys: str) -> None:
    assert callerid.to_dtmf(caller) == keys


@pytest.mark.parametrize(
    "caller",
    [fsk_caller("13800138000", ALLOWED, "张医生"), fsk_caller("8005", ALLOWED), fsk_caller("", RESTRICTED), fsk_caller("", UNAVAILABLE)],
)
def test_what_is_written_is_read_again(caller: Caller) -> None:
    message = callerid.to_message(caller, datetime(2026, 11, 23, 8, 12))  # noqa: DTZ001 - local time of a set's clock
    assert callerid.from_message(message) == caller
    assert b"\x01\x0811230812" in message


def test_a_withheld_number_is_never_sent() -> None:
    caller = Caller("13800138000", RESTRICTED, NumberSource.NETWORK, "Zhang")
    for sent in (callerid.to_message(caller), callerid.to_dtmf(caller).encode()):
        assert b"138" not in sent
        assert b"Zhang" not in sent


def test_a_long_name_is_cut_between_letters() -> None:
    message = callerid.to_message(Caller("8005", ALLOWED, name="院" * 40))
    read = callerid.from_message(message)
    assert read is not None
    assert read.name == "院" * 25


@given(st.binary(max_size=258))
def test_any_bytes_give_a_caller_or_none(message: bytes) -> None:
    caller = callerid.from_message(message)
    assert caller is None or isinstance(caller.number, str)


@given(st.text("0123456789*#ABCD", max_size=64))
def test_any_keys_give_a_caller(keys: str) -> None:
    assert len(callerid.from_dtmf(keys).number) <= callerid.MAX_NUMBER
    callerid.dtmf_is_complete(keys)
