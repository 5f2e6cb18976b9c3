"""The store as it was at one moment, copied while everything runs. SQLite: its online backup out of one read transaction, which holds
nobody up. PostgreSQL: pg_dump, which does the same on the server. Runs in the thread of a job.
"""

import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from appliance.store.database import connect
from appliance.store.models import Recording
from appliance.store.place import Server, StorePlace
from appliance.system.backup.work import Work
from appliance.system.errors import BoxError

PAGES = 1024  # 4 MB between two looks whether it was cancelled
BUSY_S = 5.0
DUMP_LIMIT_S = 6 * 3600
LOOK_S = 0.5
REFUSED = 3  # Source: psql(1), exit status with ON_ERROR_STOP
NO_TOOLS = "Install postgresql-client of the server's version on this box, or back the server up with its own means"


def size_of(place: StorePlace) -> int:
    """Bytes a snapshot will take at most; for a server a guess from its own figure. Raises: StoreError."""
    if isinstance(place, Server):
        with contextlib.closing(connect(place, read_only=True)) as database:
            return int(database.execute_sql("select pg_database_size(current_database())").fetchone()[0])
    return sum(path.stat().st_size for path in (place, place.with_name(f"{place.name}-wal")) if path.exists())


def take(place: StorePlace, target: Path, work: Work) -> None:
    """A copy of `place` at `target`. Raises: BoxError SYS-123, SYS-127; StoreError."""
    if isinstance(place, Server):
        dump(place, target, work)
        return
    try:
        _copy_file(place, target, work)
    except (sqlite3.Error, OSError) as error:
        target.unlink(missing_ok=True)
        what = f"the store {place} cannot be copied ({error})"
        raise BoxError("SYS-123", what, "Free disk space below data_dir; if it is damaged, restore the last good backup") from error


def _copy_file(place: Path, target: Path, work: Work) -> None:
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with _opened(place) as source, contextlib.closing(sqlite3.connect(target)) as copy:
        source.execute("begin")
        source.execute("select count(*) from sqlite_master").fetchone()  # from here on it stands still for us
        size = int(source.execute("pragma page_size").fetchone()[0])
        left = [0]

        def moved(_: int, remaining: int, total: int) -> None:
            done = total - remaining
            work.moved((done - left[0]) * size)
            left[0] = done

        source.backup(copy, pages=PAGES, progress=moved)
        copy.execute("pragma journal_mode = delete")
        fault = copy.execute("pragma quick_check(1)").fetchone()[0]
    if fault != "ok":
        raise sqlite3.DatabaseError(f"it is damaged: {fault}")


@contextlib.contextmanager
def _opened(place: Path) -> Iterator[sqlite3.Connection]:
    """Not read-only: that would want the write-ahead log's index to be there."""
    connection = sqlite3.connect(f"{place.as_uri()}?mode=rw", timeout=BUSY_S, isolation_level=None, uri=True)
    try:
        yield connection
    finally:
        connection.close()


def counts_of(place: StorePlace) -> tuple[int, dict[str, int]]:
    """Version of the store, and the rows of each table. Raises: StoreError."""
    with contextlib.closing(connect(place, read_only=True)) as database:
        tables = database.get_tables()
        counts = {name: int(database.execute_sql(f'select count(*) from "{name}"').fetchone()[0]) for name in sorted(tables)}
        version = database.execute_sql("select version from schema_version").fetchone() if "schema_version" in tables else None
    return (int(version[0]) if version else 0), counts


def ended_recordings(place: StorePlace, since: datetime) -> frozenset[str]:
    """Paths of recordings, messages among them, whose files were closed in order at `since` or later. Raises: StoreError."""
    with contextlib.closing(connect(place, read_only=True)) as database, database.bind_ctx((Recording,)):
        ended = Recording.select(Recording.path).where(Recording.ended_at >= since, Recording.error == "")
        return frozenset(row.path for row in ended)


# --- a server -----------------------------------------------------------------------------------------------------------


def dump(server: Server, target: Path, work: Work) -> None:
    """pg_dump's own form. Raises: BoxError SYS-123, SYS-127."""
    run_tool(server, ["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}"], work)


def run_tool(server: Server, command: list[str], work: Work) -> None:
    """One of PostgreSQL's programs, connected to `server`.

    Raises: BoxError SYS-114 the server refused what is in a script (psql in one transaction has done nothing then), SYS-117, SYS-123,
    SYS-127.
    """
    status, said = _run([*command, "--dbname", address(server)], environment(server), work)
    if command[0] == "psql" and status == REFUSED:
        raise BoxError(
            "SYS-114", f"{server} does not take the store of the backup: {server.hide(said)}", "See the server's log and version"
        )
    if status:
        raise BoxError("SYS-123", f"{command[0]} of {server}: {server.hide(said)}", NO_TOOLS)


def run_local(command: list[str]) -> None:
    """One that asks no server. Raises: BoxError SYS-123, SYS-127."""
    status, said = _run(command, dict(os.environ), Work(lambda percent, step: None))
    if status:
        raise BoxError("SYS-123", f"{command[0]}: {said}", NO_TOOLS)


def _run(command: list[str], variables: dict[str, str], work: Work) -> tuple[int, str]:
    """Its exit status, and the first line of what it said."""
    try:
        started = subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    except FileNotFoundError as error:
        raise BoxError("SYS-127", f"there is no {command[0]} on this box", NO_TOOLS) from error
    try:
        said = _waited(started, work)
    finally:
        if started.poll() is None:
            started.kill()
            started.wait()
    lines = said.decode(errors="replace").strip().splitlines()
    return started.returncode, lines[0] if lines else "it failed"


def _waited(started: "subprocess.Popen[bytes]", work: Work) -> bytes:
    for _ in range(round(DUMP_LIMIT_S / LOOK_S)):
        with contextlib.suppress(subprocess.TimeoutExpired):
            return started.communicate(timeout=LOOK_S)[1]
        work.check()
    return b"it did not end in time"


def address(server: Server) -> str:
    """Without the password: that is nobody's business who lists processes."""
    from psycopg.conninfo import make_conninfo  # there only where a server is, and it takes 7 MB

    known: dict[str, Any] = {name: value for name, value in server.parameters.items() if name != "password"}
    return make_conninfo(**known)


def environment(server: Server) -> dict[str, str]:
    secret = {"password": str(server.parameters.get("password") or ""), **server.secret()}["password"]
    return {**os.environ, **({"PGPASSWORD": secret} if secret else {})}
