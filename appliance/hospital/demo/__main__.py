"""`python -m appliance.hospital.demo --config FILE`: fills the store with the demo hospital beside a call agent that runs.

A process of its own, of low priority; it pauses between its transactions, so that nobody waits for it.
"""

import argparse
import contextlib
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from peewee import DatabaseError

from appliance import config as configuration
from appliance.calendar import Calendar
from appliance.hospital.demo import PASSWORD, SEED
from appliance.hospital.demo.filling import BY, batches
from appliance.hospital.imports.subjects import Setting
from appliance.hospital.registry import card_password
from appliance.hospital.registry.telephone import normaliser
from appliance.store.database import open_store
from appliance.store.models import database
from appliance.store.place import place_of
from appliance.store.transaction import write_transaction
from drivers.errors import CarelineError

PAUSE_S = 0.02
NICE = 5


def main() -> int:
    """Exit status 1 and one line on standard error when the store cannot be used."""
    parser = argparse.ArgumentParser(prog="careline demo hospital", description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    config = configuration.load(parser.parse_args().config)
    os.nice(NICE)
    try:
        opened = open_store(place_of(config.paths))
        with contextlib.closing(opened):
            made = fill(config)
    except (CarelineError, DatabaseError) as error:
        print(f"HOS-040: the demo hospital could not be filled in: {error}. It goes on with the next start", file=sys.stderr)
        return 1
    if made:
        print("The demo hospital is complete.", flush=True)
    return 0


def fill(config: configuration.Config) -> int:
    """How many batches were not there."""
    zone = Calendar(config.hospital.calendar).zone
    setting = Setting(now=datetime.now(UTC), zone=zone, by=BY, normalise=normaliser(config.lines))
    made = 0
    for batch in batches(SEED, setting, card_password.hashed(PASSWORD)):
        with write_transaction(database):
            if batch.is_there():
                continue
            batch.fill()
        made += 1
        time.sleep(PAUSE_S)
    return made


sys.exit(main())
