"""How everybody writes: one writer at a time, from the first statement to the commit, whatever the database.

SQLite says it by BEGIN IMMEDIATE, PostgreSQL by a lock every writer takes (postgresql.py). What a writer has read therefore stays true
until it has written. Any thread, with its own connection; inside another transaction it is a savepoint of that one.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from peewee import Database, DatabaseProxy


def write_transaction(database: Database | DatabaseProxy) -> AbstractContextManager[Any]:
    """Alone with the store until the end of the block. Raises: peewee's OperationalError when others write for longer than the limit."""
    transaction: AbstractContextManager[Any] = database.atomic("immediate")
    return transaction


def read_transaction(database: Database | DatabaseProxy) -> AbstractContextManager[Any]:
    """All that is read in the block is of one moment. Nothing is written in it."""
    transaction: AbstractContextManager[Any] = database.atomic("deferred")
    return transaction


@contextmanager
def savepoint(database: Database | DatabaseProxy, name: str) -> Iterator[None]:
    """A part of the transaction that is open: what is raised in it undoes it alone.

    peewee gives each a name of its own, which is a statement more for the database to read, and one fewer that it remembers.
    """
    database.execute_sql(f"SAVEPOINT {name}")
    try:
        yield
        database.execute_sql(f"RELEASE SAVEPOINT {name}")
    except BaseException:
        database.execute_sql(f"ROLLBACK TO SAVEPOINT {name}")
        database.execute_sql(f"RELEASE SAVEPOINT {name}")
        raise
