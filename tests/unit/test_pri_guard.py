"""What libpri is not shown: messages about calls nobody knows, and what cannot be read."""

import pytest

from drivers.signalling.pri.guard import shown

HEAD = b"\x02\x01\x06\x0a"
KNOWN = {0x0005, 0x8007}
ENQUIRY = b"\x75"


@pytest.mark.parametrize(
    "message",
    [
        b"\x08\x02\x00\x05\x6e\x27\x01\xf9",  # NOTIFY of a call we know
        b"\x08\x02\x80\x07\x31",
        b"\x08\x02\x12\x34\x05\x04\x03\x80\x90\xa3",  # SETUP of a new one
        b"\x08\x02\x12\x34\x4d",
        b"\x08\x02\x12\x34\x5a",
        b"\x08\x02\x00\x00\x46\x18\x03\xa9\x83\x81",  # RESTART
        b"\x08\x00\x62",
    ],
)
def test_shown_as_it_is(message: bytes) -> None:
    for head in (HEAD, b"\x02\x01\x03"):
        assert shown(head + message, KNOWN, service=False) == head + message


@pytest.mark.parametrize(
    "message",
    [
        b"\x08\x02\x12\x34\x6e\x27\x01\xf9",
        b"\x08\x02\x92\x34\x05\x04\x03\x80\x90\xa3",
        b"\x08\x02\x12\x34\x05\x04\x30\x80",
        b"\x08\x02\x12\x34\x7d",
    ],
)
def test_about_a_call_nobody_knows(message: bytes) -> None:
    assert shown(HEAD + message, KNOWN, service=False) == HEAD + message[:4] + ENQUIRY


@pytest.mark.parametrize(
    "message",
    [
        b"\x08",
        b"\x08\x02\x00",
        b"\x08\x03\x00\x00\x01\x05",
        b"\x08\x0f\x00\x00",
        b"\x08\x01\x05\x05",
        b"\x08\x02\x00\x05",
        b"\x08\x02\x12\x34\x46",
        b"\x08\x02\x00\x00\x05",
        b"\x43\x02\x00\x05\x07",
        b"\x99\x02\x00\x05\x07",
    ],
)
def test_what_cannot_be_meant(message: bytes) -> None:
    assert shown(HEAD + message, KNOWN, service=True) == HEAD + b"\x00\x00\x00"


def test_service_messages_where_they_are_used() -> None:
    message = b"\x43\x02\x00\x00\x0f\x01\x01\xc0"
    assert shown(HEAD + message, KNOWN, service=True) == HEAD + message
    assert shown(HEAD + message, KNOWN, service=False) == HEAD + b"\x00\x00\x00"


@pytest.mark.parametrize("frame", [b"", b"\x02", b"\x02\x01\x7f", b"\x02\x01\x01\x0a", b"\x02\x01\x06\x0a"])
def test_frames_without_a_message(frame: bytes) -> None:
    assert shown(frame, KNOWN, service=False) == frame
