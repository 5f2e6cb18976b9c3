"""A PostgreSQL server of the tests' own: Debian's programs, a folder that is gone afterwards, a unix socket and no network.

It speaks Chinese (ICU, zh-CN), so that what relied on the order of SQLite's texts would be found. Nothing of it survives a power cut.
"""

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from appliance.store.database import open_store
from appliance.store.place import SCHEMES, Server, StorePlace

START_LIMIT_S = 60
STOP_LIMIT_S = 30
LOCALE = ("--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=zh-CN")
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0777",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "200",
    "autovacuum": "off",
}
MEMORY = Path("/dev/shm")
TEMPLATE = "made"
SHARED = "shared"


def word_of(place: StorePlace) -> str:
    """As another process is told of it."""
    return place.url if isinstance(place, Server) else str(place)


def place_at(word: str) -> StorePlace:
    return Server(word) if word.startswith(SCHEMES) else Path(word)


def toml_of(place: StorePlace | None) -> str:
    """A line of `[paths]`; nothing for SQLite, whose folder is said already."""
    return f'database = "{place.url}"\n' if isinstance(place, Server) else ""


class PostgresqlMissingError(Exception):
    """Debian's package is not there."""


class TestServer:
    """Running from `start` to `end`; `away` for some time in between. Postgres does not run as root: root becomes the user postgres."""

    __test__ = False

    def __init__(self) -> None:
        self._programs = _programs()
        self._folder = Path(tempfile.mkdtemp(prefix="careline-postgresql-", dir=MEMORY if MEMORY.is_dir() else None))
        self._numbers = itertools.count(1)
        self._running: subprocess.Popen[bytes] | None = None
        self._make()

    def _make(self) -> None:
        self._folder.chmod(0o755)
        for name in ("files", "socket"):
            (self._folder / name).mkdir()
            if os.geteuid() == 0:
                shutil.chown(self._folder / name, "postgres")
        command = [*self._as_user("initdb"), "-D", self._files, "-U", "careline", "-A", "trust", "--no-sync", *LOCALE]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=START_LIMIT_S)
        (self._folder / "files" / "pg_hba.conf").write_text("local all strict scram-sha-256\nlocal all all trust\n")

    def start(self) -> None:
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            command = [*self._as_user("postgres"), "-D", self._files, "-k", str(self._folder / "socket"), *settings]
            self._running = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + START_LIMIT_S
        while not self._answers():
            is_well = self._running.poll() is None and time.monotonic() < until
            assert is_well, (self._folder / "log").read_text()[-2000:]
            time.sleep(0.02)

    def stop(self, how: str = "fast") -> None:
        """Whoever is connected loses it; "immediate": as if the power went."""
        command = [*self._as_user("pg_ctl"), "stop", "-D", self._files, "-m", how, "-w"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=STOP_LIMIT_S)
        if self._running:
            self._running.wait(STOP_LIMIT_S)
        self._running = None

    def end(self) -> None:
        if self._running:
            self.stop("immediate")
        shutil.rmtree(self._folder)

    def place(self, name: str, user: str = "careline", more: str = "", password_file: str = "") -> Server:
        """`user` "strict", should there be one, needs a password."""
        return Server(f"postgresql://{user}@/{name}?host={self._folder / 'socket'}{more}", password_file)

    def say(self, text: str, name: str = "postgres") -> list[tuple[object, ...]]:
        """Rows of a statement, each outside of any transaction."""
        with psycopg.connect(self.place(name).url, autocommit=True) as connection:
            cursor = connection.execute(text)
            return cursor.fetchall() if cursor.description else []

    def make_template(self) -> None:
        """A store without rows, which others are copies of."""
        for name in (TEMPLATE, SHARED):
            self.say(f"create database {name}")
            open_store(self.place(name)).close()

    @contextlib.contextmanager
    def own_store(self, template: str = TEMPLATE) -> Iterator[Server]:
        """A store without rows of which nobody else knows, as long as the block lasts."""
        name = f"own_{next(self._numbers)}"
        self.say(f"create database {name} template {template} strategy file_copy")
        yield self.place(name)
        self.say(f"drop database {name} with (force)")

    @property
    def _files(self) -> str:
        return str(self._folder / "files")

    def _as_user(self, program: str) -> list[str]:
        """Ends when whoever started it is no more."""
        become = ["--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        return ["setpriv", *become, "--pdeathsig", "QUIT", str(self._programs / program)]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.place("postgres").url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


def _programs() -> Path:
    """Raises: PostgresqlMissingError."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    missing = not found or (os.geteuid() == 0 and "postgres" not in {user.pw_name for user in pwd.getpwall()})
    if missing:
        raise PostgresqlMissingError("Debian's package postgresql is not installed: setup/install-packages setup/packages-test.txt")
    return found[-1]
