"""The store on a PostgreSQL server: a connection per thread, every wait with a limit, and the same rules that SQLite gives us.

One writer at a time: whoever writes takes one advisory lock of the database first, held until the commit. Each statement then sees all that
was committed before it, as after BEGIN IMMEDIATE. What reads in one transaction reads one moment (REPEATABLE READ).
Any thread; raises peewee's errors, StoreError from `connect` alone.
"""

from typing import Any, TypeVar

import psycopg
from peewee import DatabaseError, InterfaceError, PostgresqlDatabase, Psycopg3Adapter
from psycopg.abc import PQGen
from psycopg.adapt import Buffer, Loader
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.types.json import Json, Jsonb
from psycopg.types.string import StrDumper

from appliance.store.causes import chain, first_of
from appliance.store.errors import StoreError
from appliance.store.place import Server

CONNECT_LIMIT_S = 5
LOCK_LIMIT_MS = 5_000  # as long as SQLite's busy_timeout
STATEMENT_LIMIT_MS = 60_000
ANSWER_LIMIT_S = STATEMENT_LIMIT_MS / 1000 + 5  # a server that is stopped, or whose network is gone, answers nothing at all
WRITER_LOCK = 0x43415245  # "CARE"; advisory locks are of one database
OLDEST_SERVER = 14_00_00  # CREATE OR REPLACE TRIGGER
DEFAULTS: dict[str, str | int] = {
    "connect_timeout": CONNECT_LIMIT_S,
    "application_name": "careline",
    "client_encoding": "UTF8",
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""What holds where the address says nothing else. Source: www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-PARAMKEYWORDS"""
OPTIONS = (
    f"-c lock_timeout={LOCK_LIMIT_MS} -c statement_timeout={STATEMENT_LIMIT_MS} "
    f"-c idle_in_transaction_session_timeout={STATEMENT_LIMIT_MS} -c timezone=UTC -c synchronous_commit=on -c jit=off"
)
AWAY = ("08", "57P")
NOT_OURS = ("3D000", "42501")
"""SQLSTATEs, or how they begin. Source: www.postgresql.org/docs/15/errcodes-appendix.html"""

R = TypeVar("R")


class _Connection(psycopg.Connection[Any]):
    """A connection that waits for no answer longer than ANSWER_LIMIT_S."""

    def wait(self, gen: PQGen[R], interval: float = 0.1, timeout: float | None = None) -> R:
        try:
            return super().wait(gen, interval=interval, timeout=timeout or ANSWER_LIMIT_S)
        except psycopg.errors._WaitTimeout:
            self.pgconn.finish()  # whatever comes now belongs to nobody
            raise psycopg.OperationalError("the server does not answer") from None

    def __del__(self, _warn: Any = None, /) -> None:
        """A thread that has ended may have left it open, as it may SQLite's."""
        if hasattr(self, "pgconn"):
            self.pgconn.finish()


class _Text(StrDumper):
    """PostgreSQL's text has no NUL; what somebody typed with one is kept with the sign for what cannot be shown."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\ufffd"))


class _Number(Loader):
    """Sums of integers are integers, as SQLite has them, not decimals."""

    def load(self, data: Buffer) -> int | float:
        text = bytes(data)
        return int(text) if text.lstrip(b"-").isdigit() else float(text)


class _Adapter(Psycopg3Adapter):
    """peewee's, which was loaded without psycopg (drivers_on_demand.py) and so lacks what it would have taken from it."""

    txn_idle, txn_inerror, txn_unknown = TransactionStatus.IDLE, TransactionStatus.INERROR, TransactionStatus.UNKNOWN

    def __init__(self) -> None:
        super().__init__()
        self.json_type, self.jsonb_type = Json, Jsonb

    def check_driver(self) -> None:
        return

    def get_binary_type(self) -> Any:
        return psycopg.Binary


class PostgresqlStore(PostgresqlDatabase):
    """peewee's, with our limits, types and transactions."""

    def __init__(self, server: Server, *, read_only: bool = False) -> None:
        super().__init__(server.url)
        self._adapter = _Adapter()
        self.place = server
        self._read_only = read_only

    def _connect(self) -> Any:
        given = self.place.parameters
        read_only = " -c default_transaction_read_only=on" if self._read_only else ""
        unsaid = {name: value for name, value in DEFAULTS.items() if name not in given} | self.place.secret()
        address = make_conninfo(self.place.url, **unsaid, options=f"{OPTIONS}{read_only} {given.get('options', '')}")
        opened = _Connection.connect(address, autocommit=True, cursor_factory=psycopg.ClientCursor)
        opened.adapters.register_dumper(str, _Text)
        opened.adapters.register_loader("numeric", _Number)
        return opened

    def begin(self, kind: str | None = None) -> None:
        """`kind` "deferred": nothing is written. Any other is a writer's. Raises: OperationalError when others take too long."""
        if kind == "deferred":
            self._say("begin isolation level repeatable read read only")
            return
        self._say("begin isolation level read committed")
        try:
            self._say(f"select pg_advisory_xact_lock({WRITER_LOCK})")
        except BaseException:
            self.rollback()
            raise

    def _say(self, text: str) -> None:
        PostgresqlDatabase.execute_sql(self, text)


def connect(server: Server, *, read_only: bool = False) -> PostgresqlDatabase:
    """A database of ours, open in this thread. Raises: StoreError STO-007 not reached, STO-008 refused, STO-009 not of use."""
    database: PostgresqlDatabase = PostgresqlStore(server, read_only=read_only)
    try:
        database.connect()
        (encoding,) = database.execute_sql("select current_setting('server_encoding')").fetchone()
    except (DatabaseError, InterfaceError) as error:
        database.close()
        raise fault_of(server, error) from error
    if encoding != "UTF8" or database.server_version < OLDEST_SERVER:
        version = database.server_version // 10_000
        database.close()
        raise _not_of_use(server, f"it has the encoding {encoding}, on a server of version {version}")
    return database


def is_gone(error: BaseException | None) -> bool:
    """Whether the server, or the way to it, was lost: nothing of the transaction was done, or at its very end all of it."""
    lost = (cause for cause in chain(error) if isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError))
    return any(not _state(cause) or _state(cause).startswith(AWAY) for cause in lost)


def fault_of(server: Server, error: Exception) -> StoreError:
    """STO-007, STO-008 or STO-009 for one that cannot be opened, or is lost."""
    first = first_of(error)
    said, state = server.hide(" ".join(str(first).split())), _state(first)
    if state in NOT_OURS or ("database" in said and "does not exist" in said):
        return _not_of_use(server, said)
    if state.startswith("28") or any(word in said for word in ("password", "pg_hba.conf", "authentication", "role ")):
        remedy = "Put the password into a file that PGPASSFILE or ?passfile=… of the address names, and allow the user in pg_hba.conf"
        return StoreError("STO-008", f"the server does not let us into the store {server} ({said})", remedy)
    remedy = "See that the server runs and can be reached; nothing is lost meanwhile, and all goes on by itself"
    return StoreError("STO-007", f"the store {server} cannot be reached ({said})", remedy)


def _not_of_use(server: Server, said: str) -> StoreError:
    remedy = f"Make it on a server from 14 on: createdb --encoding=UTF8 --template=template0 --owner=USER {server.name}"
    return StoreError("STO-009", f"the database {server} cannot be used as the store ({said})", remedy)


def _state(error: BaseException) -> str:
    return (error.sqlstate or "") if isinstance(error, psycopg.Error) else ""
