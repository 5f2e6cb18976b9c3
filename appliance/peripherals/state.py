"""How each peripheral is, told in the store for the web, the console and the alarms. In the thread of each."""

from datetime import datetime
from typing import Any

import msgspec
from peewee import Database

from appliance.store.peripheral_tables import PeripheralState
from appliance.store.transaction import write_transaction
from drivers.errors import CarelineError

TOLD_EVERY_S = 30.0


def tell(database: Database, name: str, now: datetime, fault: CarelineError | None = None, facts: msgspec.Struct | None = None) -> None:
    """`fault` None: it is well. Facts told before stay when none are given."""
    row: dict[str, Any] = {"name": name, "at": now, "well": fault is None}
    row |= {"code": fault.code, "what": fault.what, "remedy": fault.remedy} if fault else {"code": "", "what": "", "remedy": ""}
    if facts is not None:
        row["facts"] = msgspec.json.encode(facts).decode()
    with write_transaction(database):
        changed = PeripheralState.update(row).where(PeripheralState.name == name).execute()
        if not changed:
            PeripheralState.insert(row).execute()


def forget_others(database: Database, names: set[str]) -> None:
    """Of peripherals that are no longer in careline.toml."""
    with write_transaction(database):
        PeripheralState.delete().where(PeripheralState.name.not_in(names)).execute()
