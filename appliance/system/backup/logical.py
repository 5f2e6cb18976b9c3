"""What a box knows, as one hash for each table of the store and each folder of what staff made: the same before a backup and after it is
restored. Independent of how the database lays its pages out, and the same for SQLite and PostgreSQL. Reads only; any thread.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from appliance.store.database import connect
from appliance.store.place import StorePlace

ROWS = 1000
FOLDERS = ("prompts", "music", "recordings")


def of_store(place: StorePlace) -> dict[str, str]:
    """By table: SHA-256 over its rows in the order of their own sorting. Raises: StoreError."""
    with contextlib.closing(connect(place, read_only=True)) as database:
        return {name: _hashed(_rows(database, name)) for name in sorted(database.get_tables())}


def of_folders(data: Path) -> dict[str, str]:
    """By folder: SHA-256 over the names and contents of its files."""
    return {name: _hashed(_files(data / name)) for name in FOLDERS if (data / name).is_dir()}


def of_box(place: StorePlace, data: Path) -> str:
    """All of it in one."""
    parts = {**of_store(place), **{f"{name}/": each for name, each in of_folders(data).items()}}
    return hashlib.sha256(msgspec.json.encode(sorted(parts.items()))).hexdigest()


def _rows(database: Any, table: str) -> Iterator[bytes]:
    columns = sorted(column.name for column in database.get_columns(table))
    listed = ", ".join(f'"{name}"' for name in columns)
    keys = database.get_primary_keys(table) or columns
    order = ", ".join(f'"{name}"' for name in keys)
    cursor = database.execute_sql(f'select {listed} from "{table}" order by {order}')
    yield msgspec.json.encode(columns)
    while rows := cursor.fetchmany(ROWS):
        for row in rows:
            yield msgspec.json.encode([bytes(value) if isinstance(value, memoryview) else value for value in row])


def _files(folder: Path) -> Iterator[bytes]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield str(path.relative_to(folder)).encode()
        yield hashlib.sha256(path.read_bytes()).digest()


def _hashed(pieces: Iterator[bytes]) -> str:
    found = hashlib.sha256()
    for piece in pieces:
        found.update(len(piece).to_bytes(8, "big"))
        found.update(piece)
    return found.hexdigest()
