"""Two processes want the same things at the same moment: one gets each."""

import subprocess
import sys

from appliance.hospital.dispatch import offering
from appliance.hospital.dispatch.items import State, Step
from appliance.store.case_tables import WorkItem, WorkStep
from appliance.store.database import open_store
from appliance.store.models import database
from appliance.store.place import StorePlace
from tests.postgresql import word_of
from tests.unit.cases_rig import LIMITS, complaint, desk, item
from tests.unit.hospital_rig import NOW

ITEMS = 60
LIMIT_S = 60
# Takes, ends or gives back whatever is at the desk, in its own transactions, as fast as it can; prints what it ended.
TAKER = """
import sys
from datetime import UTC, datetime
from appliance.hospital.dispatch import items
from appliance.hospital.dispatch.items import Outcome
from appliance.store.database import open_store
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from tests.postgresql import place_at

open_store(place_at(sys.argv[1]))
for number in range(1, int(sys.argv[2]) + 1):
    with write_transaction(database):
        took = items.take(number, 1, sys.argv[3], datetime.now(UTC)) is Outcome.DONE
    with write_transaction(database):
        if took and items.done(number, 1, sys.argv[3], datetime.now(UTC)) is Outcome.DONE:
            print(number)
"""
FILER = """
import sys
from datetime import UTC, datetime
from appliance.store.database import open_store
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from tests.postgresql import place_at
from tests.unit.cases_rig import complaint

open_store(place_at(sys.argv[1]))
for number in range(int(sys.argv[2])):
    with write_transaction(database):
        print(complaint(f"call {number}").number)
"""


def both(program: str, *arguments: str) -> list[list[str]]:
    """What two processes of that program printed, running at once."""
    command = [sys.executable, "-c", program, *arguments]
    running = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True) for name in ("li", "zhao")]
    printed = [process.communicate(timeout=LIMIT_S)[0].split() for process in running]
    assert [process.returncode for process in running] == [0, 0]
    return printed


def test_of_two_at_one_desk_one_ends_each_item(store_place: StorePlace) -> None:
    store = open_store(store_place)
    with database.atomic():
        desk("1")
        for n in range(ITEMS):
            item(str(n), n, urgent=True)
        offering.offer_waiting(LIMITS, NOW)
    first, second = both(TAKER, word_of(store_place), str(ITEMS))
    assert sorted(map(int, first + second)) == list(range(1, ITEMS + 1))
    assert WorkStep.select().where(WorkStep.what == Step.DONE).count() == ITEMS
    assert WorkItem.select().where(WorkItem.state == State.DONE).count() == ITEMS
    store.close()


def test_a_complaint_filed_by_two_processes_under_one_key_is_one(store_place: StorePlace) -> None:
    store = open_store(store_place)
    first, second = both(FILER, word_of(store_place), "40")
    assert first == second
    assert len(set(first)) == 40
    assert WorkItem.select().count() == 40
    assert complaint("call 0").number == first[0]
    store.close()
