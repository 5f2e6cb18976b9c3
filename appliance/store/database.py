"""Opening the store: SQLite in WAL mode, so that the web reads while the call agent writes.

Raises StoreError with what, where and remedy; nothing here waits longer than BUSY_LIMIT_MS for another process.
"""

import os
import sqlite3
from pathlib import Path

from peewee import DatabaseError, OperationalError, SqliteDatabase

from appliance.store import migrations, models
from appliance.store.errors import StoreError

BUSY_LIMIT_MS = 5_000
LOG_PAGES = 256  # the write-ahead log is written anew after 1 MB, so that it takes little of a full disk


def open_store(path: Path) -> SqliteDatabase:
    """Open (and make or migrate) the store at `path` and bind the models to it.

    Raises: StoreError STO-001 cannot be opened, STO-002 damaged, STO-003 made by a newer version.
    """
    database = connect(path)
    try:
        migrations.migrate(database, path)
    except DatabaseError as error:
        database.close()
        raise broken(path, error) from error
    except StoreError:
        database.close()
        raise
    models.database.initialize(database)
    return database


def connect(path: Path, *, read_only: bool = False) -> SqliteDatabase:
    """A connection per thread. `synchronous=full`: what was committed is there after a power cut. Source: sqlite.org/pragma."""
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


def first_of(error: DatabaseError) -> BaseException:
    """What went wrong first: SQLite undoes a transaction by itself when the disk is full, and our own undoing then fails too."""
    cause: BaseException = error
    while isinstance(cause.__context__, OperationalError | sqlite3.OperationalError):
        cause = cause.__context__
    return cause


def broken(path: Path, error: DatabaseError) -> StoreError:
    """STO-002 for a damaged file, STO-001 for one that cannot be opened."""
    if is_damage(error):
        return StoreError("STO-002", f"the store {path} is damaged ({error})", "Move it away and restore the last backup")
    return StoreError(
        "STO-001",
        f"cannot open the store {path} ({first_of(error)})",
        "Check [paths] data_dir, its owner and free space",
    )
