"""How everybody writes: one writer at a time, from the first statement to the commit, whatever the database.

SQLite says it by BEGIN IMMEDIATE, PostgreSQL by a lock every writer takes (postgresql.py). What a writer has read therefore stays true
until it has written. Any thread, with its own connection; inside another transaction it is a savepoint of that one.
"""

from contextlib import AbstractContextManager
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
