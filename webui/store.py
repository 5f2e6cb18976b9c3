"""The web's own connections to the store: one per request, closed after it. Reads everything, writes accounts, audit and "heard"."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from peewee import Database

from appliance.store import migrations
from appliance.store.database import connect
from appliance.store.models import database
from appliance.store.place import Server, StorePlace
from webui.errors import WebError


def bind(place: StorePlace) -> Database:
    """Bind the models to the store that the call agent made at `place`. Raises: WebError WEB-002, WEB-004; StoreError."""
    if isinstance(place, Path) and not place.exists():
        raise _no_store(place)
    opened = connect(place)
    try:
        _check_version(opened, place)
    finally:
        opened.close()
    database.initialize(opened)
    return opened


def _no_store(place: StorePlace) -> WebError:
    return WebError("WEB-002", f"there is no store at {place}", "Start careline-calls first: it makes the store")


def _check_version(opened: Database, place: StorePlace) -> None:
    if isinstance(place, Server) and not opened.table_exists("schema_version"):
        raise _no_store(place)
    known, version = len(migrations.STEPS), migrations.current_version(opened)
    if version != known:
        raise WebError(
            "WEB-004", f"the store {place} is of version {version}, this program knows {known}", "Restart careline-calls, or upgrade both"
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
