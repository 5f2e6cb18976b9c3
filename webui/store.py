"""The web's own connections to the store: one per request, closed after it. Reads everything, writes accounts, audit and "heard"."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from peewee import SqliteDatabase

from appliance.store import migrations
from appliance.store.database import connect
from appliance.store.models import database
from webui.errors import WebError


def bind(path: Path) -> SqliteDatabase:
    """Bind the models to the store that the call agent made at `path`. Raises: WebError WEB-002, WEB-004; StoreError."""
    if not path.exists():
        raise WebError("WEB-002", f"there is no store at {path}", "Start careline-calls first: it makes the store")
    opened = connect(path)
    try:
        _check_version(opened, path)
    finally:
        opened.close()
    database.initialize(opened)
    return opened


def _check_version(opened: SqliteDatabase, path: Path) -> None:
    known, version = len(migrations.STEPS), migrations.current_version(opened)
    if version != known:
        raise WebError(
            "WEB-004", f"the store {path} is of version {version}, this program knows {known}", "Restart careline-calls, or upgrade both"
        )


@contextlib.contextmanager
def connection() -> Iterator[None]:
    """A connection of this thread for as long as the block lasts; none is opened twice."""
    opened = database.connect(reuse_if_open=True)
    try:
        yield
    finally:
        if opened:
            database.close()
