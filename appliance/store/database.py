"""Opening the store: SQLite in WAL mode, so that the web reads while the call agent writes, or a database on a PostgreSQL server.

Raises StoreError with what, where and remedy; nothing here waits longer than BUSY_LIMIT_MS for another process
(for a server: postgresql.py, which is loaded for one only).
"""

import os
import sqlite3
from pathlib import Path

from peewee import Database, DatabaseError, InterfaceError, OperationalError, SqliteDatabase

from appliance.store import causes, kept, migrations, models
from appliance.store.errors import StoreError
from appliance.store.opening import beside_others
from appliance.store.place import Server, StorePlace

BUSY_LIMIT_MS = 5_000
LOG_PAGES = 256  # the write-ahead log is written anew after 1 MB, so that it takes little of a full disk
FAULTS = (DatabaseError, InterfaceError)
"""What peewee raises when a store cannot be used."""


def open_store(place: StorePlace) -> Database:
    """Open (and make or migrate) the store at `place` and bind the models to it.

    Raises: StoreError STO-001 cannot be opened, STO-002 damaged, STO-003 made by a newer version, STO-007 to STO-009 of a server, STO-010
    and STO-012 of the copies that updates keep (kept.py).
    """
    database = connect(place)
    try:
        if isinstance(place, Path) and _is_of_another_version(database):
            database.close()
            kept.prepare(place, len(migrations.STEPS))
            database.connect()
        migrations.migrate(database, place)
    except FAULTS as error:
        database.close()
        raise broken(place, error) from error
    except StoreError:
        database.close()
        raise
    models.database.initialize(database)
    return database


def _is_of_another_version(database: Database) -> bool:
    return database.table_exists("schema_version") and migrations.current_version(database) != len(migrations.STEPS)


def connect(place: StorePlace, *, read_only: bool = False) -> Database:
    """A connection per thread. Raises: StoreError as `open_store`."""
    if isinstance(place, Path):
        return _connect_file(place, read_only)
    from appliance.store import postgresql

    return postgresql.connect(place, read_only=read_only)


def _connect_file(path: Path, read_only: bool) -> SqliteDatabase:
    """`synchronous=full`: what was committed is there after a power cut. Source: sqlite.org/pragma."""
    pragmas: dict[str, int | str] = {"busy_timeout": BUSY_LIMIT_MS, "foreign_keys": 1}
    if not read_only:
        pragmas |= {"journal_mode": "wal", "synchronous": 2, "wal_autocheckpoint": LOG_PAGES}
    target = f"file:{path}?mode=ro" if read_only else str(path)
    database = SqliteDatabase(target, pragmas=pragmas, uri=read_only)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite makes files of mode 0644, whatever the umask would allow; the web, another user of our group, writes here too.
        if not read_only:
            os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o660))
        with beside_others(path):
            database.connect()
            database.execute_sql("select count(*) from sqlite_master").fetchone()
    except DatabaseError as error:
        database.close()
        raise broken(path, error) from error
    except OSError as error:
        raise StoreError("STO-001", f"cannot make the folder of {path}: {error}", "Check [paths] data_dir and who owns it") from error
    return database


def is_damage(error: Exception) -> bool:
    """True when the file itself is not what it should be: neither busy nor full."""
    return isinstance(error, DatabaseError) and any(word in str(error) for word in ("not a database", "malformed"))


def first_of(error: Exception) -> BaseException:
    """What went wrong first: SQLite undoes a transaction by itself when the disk is full, and our own undoing then fails too."""
    cause: BaseException = causes.first_of(error)
    while isinstance(cause.__context__, OperationalError | sqlite3.OperationalError):
        cause = cause.__context__
    return cause


def broken(place: StorePlace, error: Exception) -> StoreError:
    """STO-002 for a damaged file, STO-001 for one that cannot be opened; of a server as postgresql.fault_of."""
    if isinstance(place, Server):
        from appliance.store import postgresql

        return postgresql.fault_of(place, error)
    if is_damage(error):
        return StoreError("STO-002", f"the store {place} is damaged ({error})", "Move it away and restore the last backup")
    return StoreError(
        "STO-001",
        f"cannot open the store {place} ({first_of(error)})",
        "Check [paths] data_dir, its owner and free space",
    )


def fault_of(place: StorePlace, error: Exception) -> StoreError:
    """Of a store that was open: STO-002 damaged, STO-007 to STO-009 as `broken`, STO-004 for what else keeps it from being written."""
    if is_damage(error) or (isinstance(place, Server) and _is_gone(error)):
        return broken(place, error)
    remedy = "See the server's disk and log" if isinstance(place, Server) else "Free disk space"
    return StoreError("STO-004", f"the store {place} cannot be written ({first_of(error)})", f"{remedy}; nothing is lost meanwhile")


def _is_gone(error: Exception) -> bool:
    from appliance.store import postgresql

    return postgresql.is_gone(error)
