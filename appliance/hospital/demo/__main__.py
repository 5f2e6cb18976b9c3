"""`python -m appliance.hospital.demo --config FILE`: fills the store with the demo hospital beside a call agent that runs.

A process of its own, of low priority; it pauses between its transactions, so that nobody waits for it.
"""

import argparse
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from appliance import config as configuration
from appliance.calendar import Calendar
from appliance.hospital.demo import PASSWORD, SEED
from appliance.hospital.demo.filling import BY, batches
from appliance.hospital.imports.subjects import Setting
from appliance.hospital.registry import card_password
from appliance.hospital.registry.telephone import normaliser
from appliance.store.database import open_store
from appliance.store.models import database

PAUSE_S = 0.02
NICE = 5


def main() -> None:
    parser = argparse.ArgumentParser(prog="careline demo hospital", description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    config = configuration.load(parser.parse_args().config)
    os.nice(NICE)
    opened = open_store(config.paths.database)
    try:
        made = fill(config)
    finally:
        opened.close()
    if made:
        print("The demo hospital is complete.", flush=True)


def fill(config: configuration.Config) -> int:
    """How many batches were not there."""
    zone = Calendar(config.hospital.calendar).zone
    setting = Setting(now=datetime.now(UTC), zone=zone, by=BY, normalise=normaliser(config.lines))
    made = 0
    for batch in batches(SEED, setting, card_password.hashed(PASSWORD)):
        with database.atomic("immediate"):
            if batch.is_there():
                continue
            batch.fill()
        made += 1
        time.sleep(PAUSE_S)
    return made


main()
