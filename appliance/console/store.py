"""The store as the console sees it: reads calls and accounts; writes only what a log-in writes (failures, the audit's line).

Imported once somebody is there: with the database's library it takes 25 MB.
"""

import contextlib
from collections.abc import Iterator

from peewee import Database

from appliance.store import migrations, models
from appliance.store.database import FAULTS, broken, connect
from appliance.store.errors import StoreError
from appliance.store.place import place_of
from drivers.settings import Paths

_bound: list[Database] = []


@contextlib.contextmanager
def reading(paths: Paths) -> Iterator[None]:
    """A connection of this thread for as long as the block lasts.

    Raises: StoreError STO-001, STO-002, STO-003.
    """
    place = place_of(paths)
    database = _database(paths)
    try:
        database.connect(reuse_if_open=True)
        yield
    except FAULTS as error:
        raise broken(place, error) from error
    finally:
        if not database.is_closed():
            database.close()


def _database(paths: Paths) -> Database:
    """Bound once for this process: it has one store."""
    if not _bound:
        if not paths.database_url and not paths.database.exists():
            raise StoreError("STO-001", f"there is no store at {paths.database}", "Start careline-calls: it makes the store")
        opened = connect(place_of(paths))
        try:
            if migrations.current_version(opened) != len(migrations.STEPS):
                raise StoreError("STO-003", "the store is of another version than this program", "Restart careline-calls, or upgrade both")
        finally:
            opened.close()
        models.database.initialize(opened)
        _bound.append(opened)
    return _bound[0]
