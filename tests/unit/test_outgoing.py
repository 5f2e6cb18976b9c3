"""What goes out to people: once for each key, from one table; a store of before that had two."""

from pathlib import Path

import pytest

from appliance.store import migrations
from appliance.store.database import open_store
from appliance.store.outgoing import OutgoingMessage, enqueue
from tests.unit.hospital_rig import NOW, store

__all__ = ["store"]


@pytest.mark.usefixtures("store")
def test_once_for_each_key() -> None:
    assert enqueue("sms", "13800138000", "您好", "k", NOW)
    assert not enqueue("sms", "13800138000", "您好", "k", NOW)
    assert enqueue("email", "li@example.org", "Hello", "k2", NOW, language="en", call="c1")
    assert [(row.channel, row.to, row.language, row.call, row.state) for row in OutgoingMessage.select().order_by(OutgoingMessage.id)] == [
        ("sms", "13800138000", "zh", "", "waiting"),
        ("email", "li@example.org", "en", "c1", "waiting"),
    ]


def test_two_tables_become_one(tmp_path: Path) -> None:
    path = tmp_path / "careline.db"
    database = open_store(path)
    enqueue("fax", "88886666", "two", "both", NOW)
    database.execute_sql('create table outgoing (id integer, once_key text, kind text, "to" text, text text, made_at text, state text)')
    at = "2026-03-08T02:00:00.000000+00:00"
    for key, state in (("both", "waiting"), ("old", "sent")):
        database.execute_sql("insert into outgoing values (1, ?, 'sms', '139', 'one', ?, ?)", (key, at, state))
    database.execute_sql("update schema_version set version = ?", (migrations.STEPS.index(migrations._one_way_out),))
    database.close()
    database = open_store(path)
    rows = [(row.once_key, row.channel, row.to, row.text, row.asked_at, row.state) for row in OutgoingMessage.select()]
    assert sorted(rows) == [("both", "fax", "88886666", "two", NOW, "waiting"), ("old", "sms", "139", "one", NOW, "sent")]
    assert "outgoing" not in database.get_tables()
    database.close()
