"""The step of the store that brings text messages and records of another switch."""

from pathlib import Path

from appliance.store.database import open_store
from appliance.store.migrations import STEPS
from appliance.store.outgoing import OutgoingMessage, enqueue
from tests.unit.hospital_rig import NOW


def test_a_store_of_before_gets_urgent_messages(tmp_path: Path) -> None:
    database = open_store(tmp_path / "careline.db")
    enqueue("sms", "13800138000", "一", "one", NOW)
    database.execute_sql("alter table outgoing_message drop column urgent")
    database.execute_sql("drop table sms_part")
    step = next(number for number, each in enumerate(STEPS) if each.__name__ == "_peripherals")
    STEPS[step](database)
    enqueue("sms", "13800138001", "二", "two", NOW, urgent=True)
    assert [(row.text, row.urgent) for row in OutgoingMessage.select().order_by(OutgoingMessage.id)] == [("一", False), ("二", True)]
    database.close()
