"""The plug is pulled during calls: the box boots, its database is whole, a recording lacks a second at most, and it answers again."""

import time
from pathlib import Path

import pytest

from tests.image.box import Box, first_start
from tests.image.vm import Machine

CUTS, CUTS_OF_A_SOAK = 1, 20
SPEAK_S = 20.0
MISSING_MOST_S = 1.0
CHECK = (
    '/opt/careline/.venv/bin/python -c "import sqlite3; '
    "print(sqlite3.connect('/var/lib/careline/careline.db').execute('PRAGMA integrity_check').fetchone()[0])\""
)


@pytest.mark.parametrize("cuts", [pytest.param(CUTS, id="once"), pytest.param(CUTS_OF_A_SOAK, id="twenty", marks=pytest.mark.soak)])
def test_power_cut_during_a_call(cuts: int, tmp_path: Path, lab_disk: Path) -> None:
    with Machine(tmp_path, extra=Box.EXTRA, disks={"lab": lab_disk}) as machine:
        box = first_start(machine)
        for _ in range(cuts):
            box.begin("speak_on")
            answered = box.told(600, answered=True)
            time.sleep(SPEAK_S)
            spoke_s = float(box.lines()[-1]["at_s"]) - float(answered["at_s"])
            machine.cut_power()
            machine.power_on()
            box = Box(machine)
            box.settle()
            assert box.run(CHECK) == "ok"
            kept = int(
                box.run(
                    "find /var/lib/careline/recordings -name '*.wav' -newermt '-1 day' -printf '%T@ %s\\n' | sort -n | tail -n 1"
                ).split()[1]
            )
            assert kept / 16000 >= spoke_s - MISSING_MOST_S  # two sides, 8000 bytes a second each
        assert box.run("systemctl --failed --plain --no-legend") == ""
        box.begin("first_call")
        box.told(600, heard=True)
