"""Call records taken from a line or a connection: stored before they are read, kept while the store cannot be written, read anew."""

import os
import resource
import shutil
import socket
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec
import pytest
from peewee import Database

from appliance.peripherals import records, wishes
from appliance.peripherals.config import RecordSource
from appliance.peripherals.smdr_work import LineCutter, SmdrWork
from appliance.peripherals.spool import Came, Spool
from appliance.store.models import database as bound
from appliance.store.peripheral_tables import PeripheralState, SwitchRecord
from appliance.store.transaction import write_transaction
from drivers.clock import RealClock
from drivers.smdr.models import LONG, MODELS
from drivers.smdr.table import Table
from tests.terminals import terminal_pair
from tests.unit.hospital_rig import NOW, ZONE, new_store
from tests.unit.sms_rig import until


def line(number: int) -> str:
    return f"08.03.26 10:15:{number % 60:02d}   1 {number:6d} 00:05 00:01:23 01088886666                 1,20  2"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = new_store(tmp_path / "careline.db")
    yield opened
    opened.close()


@contextmanager
def at_work(database: Database, source: RecordSource, folder: Path, table: Table = LONG) -> Iterator[SmdrWork]:
    work = SmdrWork(database, source, table, folder, ZONE, RealClock(), lambda: None)
    ending = threading.Event()
    thread = threading.Thread(target=work.run, args=(ending,))
    thread.start()
    try:
        yield work
    finally:
        ending.set()
        thread.join(30)
        assert not thread.is_alive()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def listener() -> RecordSource:
    return RecordSource(name="pbx", table="hicom150_long", listen=f"127.0.0.1:{free_port()}")


def connected(source: RecordSource) -> socket.socket:
    port = int(source.listen.rpartition(":")[2])
    made: list[socket.socket] = []

    def there() -> bool:
        try:
            made.append(socket.create_connection(("127.0.0.1", port), 5))
        except ConnectionRefusedError:
            return False
        return True

    assert until(there, 20)
    return made[0]


def stored() -> list[str]:
    return [row.line for row in SwitchRecord.select().order_by(SwitchRecord.id)]


def states() -> list[str]:
    return [row.state for row in SwitchRecord.select().order_by(SwitchRecord.id)]


def test_lines_cut_anywhere_over_two_connections_and_told_twice(database: Database, tmp_path: Path) -> None:
    source = listener()
    with at_work(database, source, tmp_path):
        for begin, end in ((0, 30), (20, 50)):
            with connected(source) as switch:
                octets = "".join(f"{line(number)}\r\n" for number in range(begin, end)).encode()
                for place in range(0, len(octets), 7):
                    switch.sendall(octets[place : place + 7])
            assert until(partial(has_lines, end), 20)
        assert until(lambda: "raw" not in states(), 20)
    assert SwitchRecord.select().where(SwitchRecord.double_of.is_null(False)).count() == 10
    kept = [row.line for row in SwitchRecord.select().where(SwitchRecord.double_of.is_null()).order_by(SwitchRecord.id)]
    assert kept == [line(number) for number in range(50)]
    assert set(states()) == {"read"}


def has_lines(count: int) -> bool:
    return len(set(stored())) >= count


def test_a_serial_line_with_noise_loses_no_line(database: Database, tmp_path: Path) -> None:
    master, slave, path = terminal_pair()
    tty.setraw(slave)
    source = RecordSource(name="pbx", table="hicom150_long", device=path)
    with at_work(database, source, tmp_path):
        assert until(lambda: PeripheralState.select().exists(), 20)
        os.write(
            master, b"\x00\x00\xff\xfe~noise\r\n" + line(1).encode() + b"\r\n\x0c\r\n" + b"x" * 1300 + b"\r\n" + line(2).encode() + b"\r\n"
        )
        assert until(lambda: line(2) in stored() and "raw" not in states(), 20)
    os.close(master)
    os.close(slave)
    assert stored()[0].endswith("~noise")
    assert "".join(stored()).count("x") == 1300
    assert [state for row, state in zip(stored(), states(), strict=True) if row.startswith("08")] == ["read", "read"]


def test_a_wrong_table_loses_nothing_and_is_corrected(database: Database, tmp_path: Path) -> None:
    source = listener()
    with at_work(database, source, tmp_path, MODELS["hicom150_compressed"]), connected(source) as switch:
        switch.sendall(f"{line(1)}\r\n".encode())
        assert until(lambda: states() == ["unread"], 20)
        assert until(lambda: PeripheralState.get().code in ("", "SDR-004"), 20)
    with write_transaction(bound):
        assert wishes.read_anew("pbx") == 1
    with at_work(database, source, tmp_path):
        assert until(lambda: states() == ["read"], 20)
    row = SwitchRecord.get()
    with write_transaction(bound):
        wishes.read_anew("pbx")
        records.read_new("pbx", msgspec.structs.replace(LONG, ends=False), ZONE)
    assert (SwitchRecord.get().ended_at - row.ended_at).total_seconds() == 83
    assert (row.station, row.duration_s, row.line, row.error) == ("1", 83, line(1), "")


def test_lines_wait_beside_a_store_that_cannot_be_written(database: Database, tmp_path: Path) -> None:
    source = listener()
    database.execute_sql("create trigger full before insert on switch_record begin select raise(abort, 'disk full'); end")
    with at_work(database, source, tmp_path) as work, connected(source) as switch:
        switch.sendall("".join(f"{line(number)}\r\n" for number in range(20)).encode())
        assert until(lambda: not work._spool.is_empty, 20)
        database.execute_sql("drop trigger full")
        assert until(lambda: len(stored()) == 20, 20)
    assert stored() == [line(number) for number in range(20)]


def test_what_waited_is_stored_by_the_next_run_once(database: Database, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "smdr" / "pbx.spool")
    came = [Came(NOW, line(1)), Came(NOW, line(2))]
    assert spool.put(came)
    spool.close()
    with database.atomic():  # killed after it was stored, before the spool was empty
        records.keep("pbx", came[:1], records.watch("pbx"))
    with at_work(database, listener(), tmp_path):
        assert until(lambda: len(stored()) == 2, 20)
    assert stored() == [line(1), line(2)]
    assert Spool(tmp_path / "smdr" / "pbx.spool").is_empty


def test_a_spool_is_made_whole_bounded_and_survives(tmp_path: Path) -> None:
    path = tmp_path / "a.spool"
    spool = Spool(path, 4096)
    lines = [Came(NOW, line(number)) for number in range(20)]
    assert spool.put(lines)
    assert not spool.put(lines * 3)
    assert (path.stat().st_size, Spool(path, 4096).lines()) == (4096, lines)
    shutil.copy(path, tmp_path / "cut.spool")
    with (tmp_path / "cut.spool").open("r+b") as file:
        file.seek(len(b"".join(f"{came.at.isoformat()}\t{came.line}\n".encode() for came in lines)) - 10)
        file.write(b"\0" * 10)
    assert Spool(tmp_path / "cut.spool", 4096).lines() == lines[:-1]
    spool.clear()
    assert (spool.is_empty, Spool(path, 4096).lines()) == (True, [])


def test_a_spool_on_a_full_disk_takes_what_it_has_room_for(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # no file may be longer: as a disk without room
    try:
        spool = Spool(tmp_path / "a.spool", 4096)
        assert not spool.put([Came(NOW, line(1))])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert spool.is_empty
    assert Spool(tmp_path / "a.spool", 4096).put([Came(NOW, line(1))])


@pytest.mark.parametrize(
    ("encoding", "octets", "text"),
    [("gb18030", "内线".encode("gb18030"), "内线"), ("utf-8", b"\xff1", "\\xff1"), ("latin-1", b"\xe9", "é")],
)
def test_letters_of_another_alphabet(encoding: str, octets: bytes, text: str) -> None:
    cutter = LineCutter(encoding)
    assert cutter.feed(octets) == []
    assert cutter.feed(b"\r\nrest") == [text]
    assert cutter.rest() == ["rest"]


def test_a_source_is_a_value() -> None:
    assert msgspec.to_builtins(listener().where)["baud"] == 9600
