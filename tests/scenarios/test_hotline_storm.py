"""The small storm: real programs in real time. The whole one, 10 000 calls, is `python -m tests.storm`."""

import subprocess
import sys
from pathlib import Path

LIMIT_S = 180
SMALL = ("--calls", "240", "--places", "40", "--kills", "2", "--first-kill-s", "7", "--kill-every-s", "8", "--hesitates-every", "0")


def test_the_last_places_sold_by_240_lines_at_once_to_callers_of_a_call_agent_that_is_killed(folder: Path) -> None:
    """40 places, 240 callers who key card, password and choices as sound; SIGKILL twice."""
    command = [sys.executable, "-m", "tests.storm", *SMALL, "--keep", str(folder / "storm")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
