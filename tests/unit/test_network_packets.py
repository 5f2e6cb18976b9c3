"""Packets of other hosts: read as they should be, and whatever somebody sends is no fault of the program."""

import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.system.network import paths, taken
from appliance.system.network.lockout import FAILURES, Failures, is_never_locked, plain_address
from drivers.clock import VirtualClock

MAC = bytes.fromhex("020000000001")
OTHER = bytes.fromhex("020000000002")


def test_an_arp_answer_tells_who_has_the_address() -> None:
    body = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 2, OTHER, bytes((10, 0, 0, 9)), MAC, bytes(4))
    assert taken.answer(MAC + OTHER + b"\x08\x06" + body) == (OTHER, "10.0.0.9")


@pytest.mark.parametrize("text", ["10.0.0.9", "fd00::9"])
def test_a_question_is_a_whole_frame(text: str) -> None:
    frame = taken.question(MAC, ip_address(text))
    assert frame[6:12] == MAC
    assert len(frame) == (42 if "." in text else 14 + 40 + 24)


def test_the_checksum_of_a_neighbour_solicitation_is_right() -> None:
    frame = taken.question(MAC, ip_address("fd00::9"))
    head, message = frame[14:54], frame[54:]
    pseudo = head[8:40] + struct.pack("!II", len(message), taken.ICMPV6)
    assert taken._checksum(pseudo + message) == 0


@given(frame=st.binary(max_size=120))
def test_any_frame_may_come(frame: bytes) -> None:
    assert len(taken.answer(frame)) == 2


@given(packet=st.binary(max_size=120), six=st.booleans())
def test_any_reply_may_come(packet: bytes, six: bool) -> None:
    assert len(paths._read(packet, six)) == 2


@given(message=st.binary(max_size=200), kind=st.sampled_from((paths.TYPE_A, paths.TYPE_AAAA)))
def test_any_answer_of_a_name_server_may_come(message: bytes, kind: int) -> None:
    try:
        found = paths.read_answer(b"\x12\x34" + message, 0x1234, kind)
    except (ValueError, struct.error, IndexError):
        return
    assert all(ip_address(each) for each in found)


def test_an_answer_with_pointers_is_read() -> None:
    question = b"\x04ward\x00" + struct.pack("!HH", 1, 1)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes((10, 1, 2, 3))
    message = struct.pack("!HHHHHH", 7, 0x8180, 1, 1, 0, 0) + question + record
    assert paths.read_answer(message, 7, paths.TYPE_A) == ("10.1.2.3",)
    with pytest.raises(ValueError, match="no answer"):
        paths.read_answer(message, 8, paths.TYPE_A)


def test_failures_are_counted_by_address_and_forgotten_in_time() -> None:
    clock = VirtualClock()
    failures = Failures(clock)
    assert not any(failures.is_too_many("10.0.0.9") for _ in range(FAILURES - 1))
    assert not failures.is_too_many("10.0.0.8")
    until_s = clock.monotonic_s() + 601
    while clock.monotonic_s() < until_s:
        clock.advance(None)
    assert not any(failures.is_too_many("10.0.0.9") for _ in range(FAILURES - 1))
    assert failures.is_too_many("10.0.0.9")
    assert not failures.is_too_many("10.0.0.9")  # counting began anew


def test_who_is_never_locked() -> None:
    own = {"10.0.0.5", "10.0.0.1", "fd00::1"}
    assert all(is_never_locked(each, own) for each in ("127.0.0.1", "::1", "10.0.0.1", "fd00::1", "0.0.0.0"))
    assert not is_never_locked("10.0.0.66", own)
    assert plain_address("::ffff:10.0.0.66") == "10.0.0.66"
    assert plain_address("fe80::1%card1") == "fe80::1"
