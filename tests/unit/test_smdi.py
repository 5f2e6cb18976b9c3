"""SMDI against a switch of our own script: calls forwarded to us, message lamps with their answers, noise, a link that breaks."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peewee import Database

from appliance.peripherals import smdi_work
from appliance.peripherals.config import SmdiConfig
from appliance.peripherals.smdi_work import SmdiWork
from appliance.store.models import VoiceMessage
from appliance.store.peripheral_tables import ForwardedCall, PeripheralState
from drivers.clock import RealClock
from drivers.smdi import Forwarded, LampRefused, SmdiReader, is_station, lamp
from tests.unit.hospital_rig import NOW, new_store
from tests.unit.sms_rig import until
from tests.unit.test_smdr_work import free_port


def read(octets: bytes) -> list[Forwarded | LampRefused]:
    return list(SmdiReader().feed(octets))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("MD0010002A2345678 13800138000 ", Forwarded(1, 2, "all", "2345678", "13800138000")),
        ("MD0010002B2345678  ", Forwarded(1, 2, "busy", "2345678", "")),
        ("MD0010002N2001 2002 ", Forwarded(1, 2, "no_answer", "2001", "2002")),
        ("MD0011234D 2002 ", Forwarded(1, 1234, "direct", "", "2002")),
        ("MD0011234U  ", Forwarded(1, 1234, "unknown", "", "")),
        ("MWI 2001 INV", LampRefused("2001", "INV")),
        ("MWI2001 BLK", LampRefused("2001", "BLK")),
    ],
)
def test_what_the_switch_says(said: str, expected: Forwarded | LampRefused) -> None:
    assert read(f"\r\n{said}\r\n\x19".encode()) == [expected]


def test_parity_bits_and_noise_are_not_part_of_it() -> None:
    octets = bytes(octet | 0x80 for octet in b"~~\x00MD0010002A2345678 138 ") + b"\r\n\x19\xff\xffMD00x\r\nMWI 2001 INV\r\n\x19"
    assert read(octets) == [Forwarded(1, 2, "all", "2345678", "138"), LampRefused("2001", "INV")]


@given(st.binary(max_size=3_000))
def test_any_bytes(octets: bytes) -> None:
    assert all(isinstance(said, Forwarded | LampRefused) for said in read(octets))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_however_the_bytes_are_cut(sizes: list[int]) -> None:
    octets, reader = b"\r\nMD0010002A2345678 13800138000 \r\n\x19" * 5, SmdiReader()
    found: list[Forwarded | LampRefused] = []
    for size in sizes:
        found += reader.feed(octets[:size])
        octets = octets[size:]
    found += reader.feed(octets)
    assert found == [Forwarded(1, 2, "all", "2345678", "13800138000")] * 5


def test_lamps() -> None:
    assert (lamp("2001", lit=True), lamp("2001", lit=False)) == (b"OP:MWI 2001!\x04", b"RMV:MWI 2001!\x04")
    for wrong in ("", "20 01", "abc", "1" * 16, "２００１", "2001\n"):
        assert not is_station(wrong)
        with pytest.raises(ValueError, match="no station"):
            lamp(wrong, lit=True)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = new_store(tmp_path / "careline.db")
    yield opened
    opened.close()


class Switch:
    """The other switch: it calls us, and shows what lamps it was told."""

    def __init__(self, port: int) -> None:
        self.told = b""
        self._socket = self._called(port)

    def _called(self, port: int) -> socket.socket:
        made: list[socket.socket] = []

        def there() -> bool:
            with suppress(ConnectionRefusedError):
                made.append(socket.create_connection(("127.0.0.1", port), 5))
            return bool(made)

        assert until(there, 20)
        made[0].settimeout(0.05)
        return made[0]

    def say(self, text: str) -> None:
        self._socket.sendall(f"\r\n{text}\r\n\x19".encode())

    def has_told(self, octets: bytes) -> bool:
        with suppress(TimeoutError):
            self.told += self._socket.recv(4096)
        return octets in self.told

    def hang_up(self) -> None:
        self._socket.close()


@contextmanager
def at_work(database: Database, port: int) -> Iterator[None]:
    config = SmdiConfig(listen=f"127.0.0.1:{port}", message_lamps=("2001", "2002"))
    ending = threading.Event()
    thread = threading.Thread(target=SmdiWork(database, config, RealClock(), lambda: None).run, args=(ending,))
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(30)
        assert not thread.is_alive()


def test_calls_are_written_down_and_lamps_follow_the_messages(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smdi_work, "LAMPS_EVERY_S", 0.1)
    port = free_port()
    with at_work(database, port):
        switch = Switch(port)
        assert until(lambda: switch.has_told(b"RMV:MWI 2001!\x04RMV:MWI 2002!\x04"), 20)
        switch.say("MD0010002B2345678 13800138000 ")
        assert until(lambda: ForwardedCall.select().exists(), 20)
        VoiceMessage.create(call="1", reference="1001", path="a", language="zh", left_at=NOW, duration_ms=1000)
        assert until(lambda: switch.has_told(b"OP:MWI 2001!\x04OP:MWI 2002!\x04"), 20)
        switch.say("MWI 2002 INV")
        assert until(lambda: PeripheralState.get().code == "SDI-003", 20)
        switch.hang_up()
        again = Switch(port)
        assert until(lambda: again.has_told(b"OP:MWI 2001!\x04OP:MWI 2002!\x04"), 20)
        VoiceMessage.update(heard_at=NOW).execute()
        assert until(lambda: again.has_told(b"RMV:MWI 2001!\x04RMV:MWI 2002!\x04"), 20)
        again.hang_up()
    row = ForwardedCall.get()
    assert (row.desk, row.terminal, row.reason, row.station, row.caller, row.used_at) == (1, 2, "busy", "2345678", "13800138000", None)


def test_calls_wait_for_a_store_that_cannot_be_written(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smdi_work, "LAMPS_EVERY_S", 0.1)
    port = free_port()
    database.execute_sql("create trigger full before insert on forwarded_call begin select raise(abort, 'disk full'); end")
    with at_work(database, port):
        switch = Switch(port)
        switch.say("MD0010002A2001 1 ")
        assert until(lambda: switch.has_told(b"RMV"), 20)
        database.execute_sql("drop trigger full")
        assert until(lambda: ForwardedCall.select().exists(), 20)
        switch.hang_up()
