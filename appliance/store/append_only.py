"""What the database itself keeps from being changed: postings never, their transactions only to say on which day's sheet they stand.

The same sentences for SQLite and PostgreSQL, each in its own form. Called by a step of migrations.py.
"""

from peewee import Database, PostgresqlDatabase

FIXED = "id, once_key, at, kind, memo, by, call_id, recording_id, reverses_id"
RULES: tuple[tuple[str, str, str, str], ...] = (
    ("posting_changed", "update", "posting", ""),
    ("posting_deleted", "delete", "posting", ""),
    ("transaction_changed", "update of " + ", ".join(f'"{name}"' for name in FIXED.split(", ")), "ledger_transaction", ""),
    ("transaction_closed_again", 'update of "closing_id"', "ledger_transaction", "when (old.closing_id is not null)"),
    ("transaction_deleted", "delete", "ledger_transaction", ""),
)
"""Name, what, of which table, when: is refused."""


def keep(database: Database) -> None:
    """Whoever tries gets an error that names the rule; the transaction is undone."""
    is_postgresql = isinstance(database, PostgresqlDatabase)
    if is_postgresql:
        database.execute_sql(
            "create or replace function append_only() returns trigger language plpgsql as "
            "$$ begin raise exception using message = 'the ledger only grows: ' || tg_name, errcode = '23000'; end $$"
        )
    for name, what, table, when in RULES:
        body = "execute function append_only()" if is_postgresql else f"begin select raise(abort, 'the ledger only grows: {name}'); end"
        begin = "create or replace trigger" if is_postgresql else "create trigger if not exists"
        database.execute_sql(f"{begin} {name} before {what} on {table} for each row {when} {body}")
