"""Going forward to a newer store and back to the older one: a copy is kept, and what is only in the newer one is told."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from peewee import Database

from appliance.store import kept, left, migrations
from appliance.store.database import open_store
from appliance.store.errors import StoreError

KNOWN = len(migrations.STEPS)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store of this program's version, with one call."""
    path = tmp_path / "careline.db"
    open_store(path).close()
    add_call(path, "c1")
    return path


def _novelty(database: Database) -> None:
    database.execute_sql("create table novelty (id integer)")


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer program, whose store has a table more."""
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, _novelty))


def add_call(path: Path, call_id: str) -> None:
    columns = {
        "call_id": call_id,
        "direction": "inbound",
        "started_at": "2026-01-01T00:00:00+00:00",
        **dict.fromkeys(("group_name", "dnis", "ani", "language", "cause", "outcome"), ""),
    }
    with closing(sqlite3.connect(path)) as store, store:
        wanted = store.execute("pragma table_info(call_record)").fetchall()
        row = {name: columns.get(name, 0 if kind.startswith("INT") else "") for _, name, kind, *_ in wanted if name != "id"}
        listed = ", ".join(f'"{name}"' for name in row)
        store.execute(f"insert into call_record ({listed}) values ({', '.join('?' * len(row))})", list(row.values()))


def calls(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as store:
        return [row[0] for row in store.execute("select call_id from call_record order by call_id")]


def go_forward(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(migrations, "STEPS", (*migrations.STEPS, _novelty))
        open_store(path).close()


def test_a_copy_is_kept_before_the_store_is_migrated(store: Path, next_version: None) -> None:
    open_store(store).close()
    assert kept.version_of(store) == KNOWN + 1
    copy = kept.copies(store)[KNOWN]
    assert copy.name == f"careline-v{KNOWN}.db"
    assert (kept.version_of(copy), calls(copy)) == (KNOWN, ["c1"])
    assert not list(store.parent.glob("*.part"))


def test_a_new_store_needs_no_copy(tmp_path: Path) -> None:
    open_store(tmp_path / "careline.db").close()
    assert not kept.copies(tmp_path / "careline.db")


def test_an_older_program_takes_its_copy_back_and_tells_what_is_missing(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_forward(store, monkeypatch)
    add_call(store, "c2")
    with closing(sqlite3.connect(store)) as newer, newer:
        newer.execute("update call_record set ani = '139' where call_id = 'c1'")
        newer.execute("insert into novelty values (7)")
    open_store(store).close()
    assert calls(store) == ["c1"]
    (told,) = left.left_behind(store)
    assert (told.version, told.back_to, told.database) == (KNOWN + 1, KNOWN, f"careline-v{KNOWN + 1}-left.db")
    assert (told.new, told.changed, told.removed) == ({"call_record": 1, "novelty": 1}, {"call_record": 1}, {})
    rows = [msgspec.json.decode(line, type=left.Row) for line in (store.parent / told.rows).read_bytes().splitlines()]
    assert {(row.change, row.row["call_id"]) for row in rows if row.table == "call_record"} == {("new", "c2"), ("changed", "c1")}
    assert calls(store.parent / told.database) == ["c1", "c2"]
    assert left.mark_seen(store, told.database)
    assert not left.left_behind(store)
    assert not left.mark_seen(store, told.database)


def test_forward_again_after_going_back(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for call in ("c2", "c3"):
        go_forward(store, monkeypatch)
        add_call(store, call)
        open_store(store).close()
    assert calls(store) == ["c1"]
    assert [told.new for told in left.left_behind(store)] == [{"call_record": 1}, {"call_record": 1}]
    assert len(list(store.parent.glob("careline-v*-left*.db"))) == 2


def test_a_migration_that_fails_leaves_the_store_as_it_was(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(migrations, "STEPS", (*migrations.STEPS, lambda database: database.execute_sql("create nonsense")))
        for _ in range(2):
            with pytest.raises(StoreError, match="STO-001"):
                open_store(store)
    open_store(store).close()
    assert (kept.version_of(store), calls(store)) == (KNOWN, ["c1"])
    assert not left.left_behind(store)


def test_no_way_back_while_somebody_has_the_newer_store_open(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(left, "BUSY_LIMIT_S", 0.1)
    go_forward(store, monkeypatch)
    with closing(sqlite3.connect(store)) as other:
        other.execute("select count(*) from call_record").fetchone()
        with pytest.raises(StoreError, match="STO-012"):
            open_store(store)
        assert kept.version_of(store) == KNOWN + 1
    open_store(store).close()
    assert kept.version_of(store) == KNOWN


def test_once_the_newer_program_has_proved_itself_nobody_goes_back_unasked(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_forward(store, monkeypatch)
    kept.settle(store)
    with pytest.raises(StoreError, match="STO-003"):
        open_store(store)
    assert kept.version_of(store) == KNOWN + 1
    kept.allow(store)
    open_store(store).close()
    assert kept.version_of(store) == KNOWN
    assert not kept.settled(store)


def test_without_room_for_a_copy_nothing_is_migrated(store: Path, next_version: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "FREE_BESIDE_BYTES", 1 << 60)
    with pytest.raises(StoreError, match=r"STO-010.*as it was"):
        open_store(store)
    assert kept.version_of(store) == KNOWN
    assert not kept.copies(store)


def test_two_copies_are_kept_at_most(store: Path) -> None:
    for version in (1, 2, 3):
        store.with_name(f"careline-v{version}.db").touch()
    kept.settle(store)
    assert sorted(kept.settled(store)) == [2, 3]
