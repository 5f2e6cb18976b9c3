"""Whole calls with the store on a PostgreSQL server: told as they went, and paid for once whenever the call agent is killed."""

from collections.abc import Iterator

import msgspec
import pytest

from appliance.config import Config
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.database import open_store
from appliance.store.models import CallRecord, database
from appliance.store.place import Server
from appliance.store.projections import fold_call
from tests.postgresql import TestServer
from tests.scenarios.hotline_rig import Hospital, fill, one_call
from tests.scenarios.test_hotline_services import booked, money_on, paying, said
from tests.unit.booking_rig import ledger_balances

HOTLINE = "hotline"
KILLED_AT = range(20, 260, 24)
PAID_FEN = 1_500


@pytest.fixture(scope="module")
def made(postgresql: TestServer) -> Hospital:
    """A database with the hospital that tests copy."""
    postgresql.say(f"create database {HOTLINE}")
    opened = open_store(postgresql.place(HOTLINE))
    with database.atomic():
        found = fill(6)
    opened.close()
    return found


@pytest.fixture
def box(postgresql: TestServer, made: Hospital, config: Config) -> Iterator[Config]:
    with postgresql.own_store(HOTLINE) as own:
        yield on_server(config, own)


def on_server(config: Config, place: Server) -> Config:
    paths = msgspec.structs.replace(config.paths, database_url=place.url)
    return msgspec.structs.replace(config, paths=paths)


def test_paid_registration_and_its_record(box: Config, prompts: PromptLibrary, made: Hospital) -> None:
    left = one_call(box, prompts, paying(made), lambda: (said(), booked(), money_on(made.rich), told_alike()))
    assert (left.wrong, "technical_fault" in left.found[0]) == ([], False)
    assert {"paid", "receipt_number_is", "booking_code_is"} <= set(left.found[0])
    assert [(row["paid_fen"], row["state"]) for row in left.found[1]] == [(PAID_FEN, "booked")]
    assert (left.found[2], left.found[3]) == (10_000 - PAID_FEN, True)
    assert not box.paths.database.exists()


def told_alike() -> bool:
    """Whether the call's record is what its events make of it."""
    record = CallRecord.get()
    cdr = fold_call(record.call_id)
    return cdr is not None and all(getattr(record, name) == getattr(cdr, name) for name in cdr.__struct_fields__)


@pytest.mark.parametrize("message", KILLED_AT)
def test_killed_at_any_message_the_place_is_paid_for_once(box: Config, prompts: PromptLibrary, made: Hospital, message: int) -> None:
    left = one_call(box, prompts, paying(made), lambda: (booked(), money_on(made.rich), ledger_balances()), kill_after=message)
    assert left.wrong == []
    bookings, left_fen, balances = left.found
    assert ([row["state"] for row in bookings], left_fen, balances) == (["booked"], 10_000 - PAID_FEN, True)
