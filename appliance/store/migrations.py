"""The store's versions, oldest first. Each step is one transaction; the number of the last one done stands in `schema_version`.

A step, once released, is never edited: a new one is added.
"""

from collections.abc import Callable
from typing import Any

from peewee import Database, PostgresqlDatabase

from appliance.store import append_only, columns, models, money_tables, tables, voice_tables
from appliance.store.alarms import ALARM_TABLES
from appliance.store.case_tables import PendingStatement
from appliance.store.errors import StoreError
from appliance.store.keeping_tables import KEEPING_TABLES
from appliance.store.outgoing import OUTGOING_TABLES
from appliance.store.peripheral_tables import PERIPHERAL_TABLES
from appliance.store.place import StorePlace
from appliance.store.transaction import write_transaction


def _first(database: Database) -> None:
    _make(database, models.FIRST_TABLES)


def _transfers(database: Database) -> None:
    _add_texts(database, "transferred_to", "transfer_outcome")


def _lines(database: Database) -> None:
    _make(database, models.LINE_TABLES)


def _callers(database: Database) -> None:
    _add_texts(database, "presentation", "ani_source")


def _hospital(database: Database) -> None:
    _make(database, tables.HOSPITAL)
    append_only.keep(database)
    database.execute_sql("create index if not exists audit_subject on audit (subject)")  # who looked at a patient


def _prompts(database: Database) -> None:
    _make(database, voice_tables.PROMPT_TABLES)


def _office(database: Database) -> None:
    """Batches of scratch cards, prices that wait for a second person, why bans were lifted."""
    _make(database, money_tables.OFFICE_TABLES)
    _add_texts(database, "note", "lifted_by", "lifted_why", table="ban")


def _one_way_out(database: Database) -> None:
    """What goes out to people is in one table; statements that callers have begun."""
    _make(database, (*OUTGOING_TABLES, PendingStatement))
    if "outgoing" in database.get_tables():
        database.execute_sql(
            "insert into outgoing_message (channel, number, text, language, call_id, once_key, asked_at, state, error)"
            """ select kind, "to", text, 'zh', '', once_key, made_at, state, '' from outgoing"""
            " where once_key not in (select once_key from outgoing_message)"
        )
        database.execute_sql("drop table outgoing")


def _box_alarms(database: Database) -> None:
    """Alarms of lines and of the box are one history; what may be changed about them, and by whom it was."""
    if "line_alarm" in database.get_tables():
        database.execute_sql("alter table line_alarm rename to alarm")
    _add_texts(database, "rule", "severity", "detail", "acknowledged_by", table="alarm")
    _add_times(database, "raised_at", "over_at", "acknowledged_at", "escalated_at", table="alarm")
    _make(database, ALARM_TABLES)


def _keeping(database: Database) -> None:
    """How long recordings are kept, and which must be."""
    _make(database, KEEPING_TABLES)


def _peripherals(database: Database) -> None:
    """Text messages by a modem, records of another switch; messages that go before others."""
    _make(database, PERIPHERAL_TABLES)
    if "urgent" not in {column.name for column in database.get_columns("outgoing_message")}:
        database.execute_sql("alter table outgoing_message add column urgent boolean not null default false")


def _make(database: Database, of: tuple[Any, ...]) -> None:
    with database.bind_ctx(of):
        database.create_tables(of)
    if isinstance(database, PostgresqlDatabase):
        columns.suit(database)


def _add_texts(database: Database, *names: str, table: str = "call_record") -> None:
    """Columns of a table; one that an earlier step of this program made has them already."""
    there = {column.name for column in database.get_columns(table)}
    for name in names:
        if name not in there:
            database.execute_sql(f"alter table {table} add column {name} varchar(255) not null default ''")


def _add_times(database: Database, *names: str, table: str) -> None:
    there = {column.name for column in database.get_columns(table)}
    for name in names:
        if name not in there:
            database.execute_sql(f"alter table {table} add column {name} text")


STEPS: tuple[Callable[[Database], None], ...] = (
    _first,
    _transfers,
    _lines,
    _callers,
    _hospital,
    _prompts,
    _office,
    _one_way_out,
    _peripherals,
    _box_alarms,
    _keeping,
)


def migrate(database: Database, place: StorePlace) -> int:
    """Bring the store to this program's version; returns that version.

    Raises: StoreError STO-003 when a newer program made it.
    """
    with write_transaction(database):
        database.execute_sql("create table if not exists schema_version (version integer not null)")
        version = current_version(database)
        if version > len(STEPS):
            raise _newer(place, version)
        if version < len(STEPS):  # otherwise nothing is written: the disk may be full
            _upgrade(database, version)
    return len(STEPS)


def _upgrade(database: Database, version: int) -> None:
    for step in STEPS[version:]:
        step(database)
    if isinstance(database, PostgresqlDatabase):
        columns.suit(database)  # those that steps added to tables
    database.execute_sql("delete from schema_version")
    database.execute_sql(f"insert into schema_version (version) values ({len(STEPS)})")


def current_version(database: Database) -> int:
    row = database.execute_sql("select version from schema_version").fetchone()
    return row[0] if row else 0


def _newer(place: StorePlace, version: int) -> Exception:
    return StoreError(
        "STO-003",
        f"the store {place} is of version {version}, this program knows {len(STEPS)}",
        "Install the newer Careline again",
    )
