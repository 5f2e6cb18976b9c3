"""The store on a PostgreSQL server: what is wrong is said, passwords never; who writes is alone; a server that goes away costs nothing."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from peewee import Database, OperationalError

from appliance.checks import stores
from appliance.config import Config
from appliance.doctor.store import examine_store
from appliance.store import postgresql as server_store
from appliance.store.database import connect, fault_of, open_store
from appliance.store.errors import StoreError
from appliance.store.hospital_tables import Department, Patient
from appliance.store.models import CallEvent, CallRecord, database
from appliance.store.money_tables import LedgerAccount
from appliance.store.place import Server, place_of
from appliance.store.transaction import read_transaction, write_transaction
from appliance.store.writer import Store
from drivers.clock import RealClock
from drivers.errors import ConfigError, DoubtfulConfigError
from drivers.settings import Paths
from tests.postgresql import SHARED, TestServer
from tests.unit.hospital_rig import NOW
from tests.unit.test_store_writer import A_CALL, offered

PASSWORD = "Gänse/lief@rung"


@pytest.fixture
def own(postgresql: TestServer) -> Iterator[Server]:
    with postgresql.own_store() as place:
        yield place


@pytest.fixture
def store(own: Server) -> Iterator[Database]:
    opened = open_store(own)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "url",
    [
        "mysql://amy:s3cret@db/careline",
        "postgresql://amy:s3cret@db/careline?colour=blue",
        "postgresql://amy:s3c@ret@db/careline",
        "postgresql://amy:s3c/ret@db/careline",
        "postgresql://amy:s3cret@db:54x2/careline",
        "postgresql://amy:s3cret@[db/careline",
        "postgresql://amy:s3cret%zz@db/careline",
        "postgresql://amy:s3cret@db/care\0line",
    ],
)
def test_an_address_that_is_none_is_told_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError, match=r"CFG-069.*postgresql://user@host") as caught:
        Server(url)
    assert "s3c" not in str(caught.value)
    assert "s3c" not in str(caught.value.__cause__)


def test_a_password_is_in_nothing_that_is_shown() -> None:
    place = Server("postgresql://amy:G%C3%A4nse%2Flief%40rung@db.example:5433/careline")
    assert place.parameters["password"] == PASSWORD
    assert str(place) == "postgresql://amy@db.example:5433/careline"
    assert (PASSWORD in repr(place), PASSWORD in place.hide(f"failed: {PASSWORD}")) == (False, False)


def test_without_an_address_the_store_is_a_file_of_the_data_folder() -> None:
    assert place_of(Paths(data_dir="/data")) == Path("/data/careline.db")
    assert str(place_of(Paths(database_url="postgresql:///careline"))) == "postgresql:///careline"


def refusal(place: Server) -> StoreError:
    with pytest.raises(StoreError) as caught:
        open_store(place)
    return caught.value


def test_what_keeps_the_store_from_being_opened_is_told_apart(postgresql: TestServer) -> None:
    assert refusal(Server("postgresql://amy@127.0.0.1:1/careline")).code == "STO-007"
    assert refusal(Server("postgresql://amy@/careline?host=/nowhere")).code == "STO-007"
    assert refusal(postgresql.place("nothing")).code == "STO-009"
    assert refusal(postgresql.place(SHARED, "nobody")).code == "STO-008"


def test_a_database_of_another_encoding_is_of_no_use(postgresql: TestServer) -> None:
    postgresql.say("create database latin encoding 'LATIN1' locale 'C' locale_provider libc template template0")
    error = refusal(postgresql.place("latin"))
    assert (error.code, "LATIN1" in error.what, "createdb" in error.remedy) == ("STO-009", True, True)


@pytest.mark.parametrize(
    ("url", "code", "is_doubt"),
    [
        ("", None, False),
        (SHARED, None, False),
        ("nothing", "STO-009", False),
        ("postgresql://amy:s3c@ret@db/careline", "CFG-069", False),
        ("postgresql://amy@127.0.0.1:1/careline", "STO-007", True),
    ],
)
def test_check_and_doctor_know_of_it(postgresql: TestServer, tmp_path: Path, url: str, code: str | None, is_doubt: bool) -> None:
    url = postgresql.place(url).url if url and "://" not in url else url
    paths = Paths(run_dir=str(tmp_path), data_dir=str(tmp_path), database_url=url)
    told = list(stores.reached(Config(paths=paths)))
    assert [fault.code for fault in told] == ([code] if code else [])
    assert [isinstance(fault, DoubtfulConfigError) for fault in told] == ([is_doubt] if code else [])
    found = examine_store(paths)
    assert [finding.code for finding in found] == ([code or ""] if url else [])
    assert not url or code or "PostgreSQL" in found[0].detail["en"]


@pytest.fixture
def strict(postgresql: TestServer) -> Iterator[None]:
    """A user who needs a password."""
    postgresql.say(f"create role strict login password '{PASSWORD}'")
    postgresql.say(f"grant all on database {SHARED} to strict")
    yield
    postgresql.say(f"revoke all on database {SHARED} from strict")
    postgresql.say("drop role strict")


@pytest.mark.usefixtures("strict")
def test_a_password_comes_from_a_file_and_a_wrong_one_is_told(
    postgresql: TestServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, libpqs = tmp_path / "password", tmp_path / "pgpass"
    place = postgresql.place(SHARED, "strict", password_file=str(own))
    assert (refusal(place).code, refusal(postgresql.place(SHARED, "strict")).code) == ("STO-008", "STO-008")
    own.write_text("wrong-one\n")
    error = refusal(place)
    assert (error.code, "wrong-one" in str(error), "PGPASSFILE" in error.remedy) == ("STO-008", False, True)
    own.write_text(f"{PASSWORD}\n")
    connect(place).close()
    libpqs.write_text(f"*:*:*:strict:{PASSWORD}\n")
    libpqs.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(libpqs))
    connect(postgresql.place(SHARED, "strict")).close()


def test_who_writes_is_alone_and_others_wait_for_their_turn(store: Database, own: Server) -> None:
    begun, let_go = threading.Event(), threading.Event()

    def write_long() -> None:
        other = connect(own)
        with other.bind_ctx([Department]), write_transaction(other):
            Department.create(code="1", name_zh="内科", name_en="Internal medicine")
            begun.set()
            let_go.wait(20)
        other.close()

    thread = threading.Thread(target=write_long)
    thread.start()
    assert begun.wait(20)
    hasty = connect(Server(f"{own.url}&options=-c%20lock_timeout%3D50"))
    with pytest.raises(OperationalError, match="lock timeout") as caught, write_transaction(hasty):
        pass
    assert fault_of(own, caught.value).code == "STO-004"
    assert not hasty.in_transaction()
    hasty.close()
    threading.Timer(0.1, let_go.set).start()
    with write_transaction(store):
        assert Department.select().count() == 1  # what was committed while we waited
    thread.join(20)


def test_what_is_read_together_is_of_one_moment_and_nothing_is_written(store: Database, own: Server) -> None:
    other = connect(own)
    with read_transaction(store):
        assert Department.select().count() == 0
        with other.bind_ctx([Department]):
            Department.create(code="1", name_zh="内科", name_en="Internal medicine")
        assert Department.select().count() == 0
    assert Department.select().count() == 1
    with pytest.raises(Exception, match="read-only"), read_transaction(store):
        Department.create(code="2", name_zh="外科", name_en="Surgery")
    other.close()


def test_a_server_that_does_not_answer_is_not_waited_for(store: Database, own: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_store, "ANSWER_LIMIT_S", 0.1)
    with pytest.raises(OperationalError) as caught:
        store.execute_sql("select pg_sleep(30)")
    fault = fault_of(own, caught.value)
    assert (fault.code, "does not answer" in fault.what) == ("STO-007", True)


@pytest.mark.usefixtures("store")
def test_columns_hold_what_sqlites_hold_and_are_ordered_alike() -> None:
    LedgerAccount.create(kind="bank", code="bank", balance_fen=-(10**15))
    assert LedgerAccount.get().balance_fen == -(10**15)
    for number, name in enumerate(("b", "Ä", "a", "B", "张", "丁")):
        Patient.create(number=str(number), name=name * 300, name_key=name, created_at=NOW)
    assert [row.name_key for row in Patient.select().order_by(Patient.name_key)] == sorted(["b", "Ä", "a", "B", "张", "丁"])
    assert Patient.get(Patient.name_key == "张").name == "张" * 300
    row = Patient.create(number="9", name="a\0b", name_key="z", created_at=NOW)
    assert Patient.get_by_id(row.id).name == "a\ufffdb"


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # another thread's, which knows no asyncio.Event
            await asyncio.sleep(0.02)


def test_a_server_that_goes_away_costs_nothing(postgresql: TestServer, own: Server) -> None:
    async def main() -> list[str]:
        store = Store(own, RealClock())
        store.start()
        store.append(offered())
        await store.flush()
        postgresql.stop("immediate")
        for event in A_CALL[1:]:
            store.append(event)
        wanted = asyncio.create_task(store.run(lambda: CallRecord.select().count(), limit_s=60))
        await until(lambda: store.fault)
        fault = store.fault
        with pytest.raises(StoreError, match="STO-007"):
            await store.read(lambda: 1)
        postgresql.start()
        await store.mended()
        counted = await wanted
        store.close()
        return [fault.code if fault else "", str(counted), str(store.fault)]

    assert asyncio.run(main()) == ["STO-007", "1", "None"]
    with contextlib.closing(open_store(own)):
        assert CallEvent.select().count() == len(A_CALL)
    assert database.is_closed()


def test_without_a_server_everything_starts_and_waits(postgresql: TestServer, own: Server) -> None:
    async def main() -> str:
        postgresql.stop("fast")
        store = Store(own, RealClock())
        store.start()
        code = store.fault.code if store.fault else ""
        store.append(offered())
        postgresql.start()
        await store.mended()
        await store.flush()
        store.close()
        return code

    assert asyncio.run(main()) == "STO-007"
    with contextlib.closing(open_store(own)):
        assert CallRecord.select().count() == 1
