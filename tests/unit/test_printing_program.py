"""`careline printers` as a process: prints what it is offered, and ends when it is told to."""

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from appliance.hospital.dispatch import desks, items, offering
from appliance.store.case_tables import WorkItem
from appliance.store.database import open_store
from tests.unit.cases_rig import LIMITS, desk, item
from tests.unit.fake_printer import printer

LIMIT_S = 30.0


def test_what_is_offered_is_printed_and_the_process_ends_when_told_to(tmp_path: Path) -> None:
    config = tmp_path / "careline.toml"
    config.write_text(f'[paths]\ndata_dir = "{tmp_path}"\nrun_dir = "{tmp_path}"\n')
    store, now = open_store(tmp_path / "careline.db"), datetime.now(UTC)
    with printer() as fake:
        of = desk("p", printer="yes", address=fake.address)
        item("a")
        desks.beat(of.id, now)
        offering.offer_waiting(LIMITS, now)
        process = subprocess.Popen([sys.executable, "-m", "appliance.printing", "--config", str(config)])
        try:
            until = time.monotonic() + LIMIT_S
            while WorkItem.get().state != items.State.DONE and time.monotonic() < until:
                time.sleep(0.05)
            second = subprocess.run(process.args, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        finally:
            process.send_signal(signal.SIGTERM)
            status = process.wait(LIMIT_S)
        assert ([paper.codes for paper in fake.papers], status) == ([["a"]], 0)
        assert (second.returncode, "HOS-237" in second.stderr) == (1, True)
    store.close()
