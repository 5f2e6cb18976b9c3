"""A line server that cannot start for want of a card or a sound configuration rests before the service manager tries again."""

import os
import subprocess
import sys
import time
from pathlib import Path

from drivers.server import program

LIMIT_S = 30.0


def test_it_rests_where_somebody_starts_it_again(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "drivers.server", "--config", str(tmp_path / "none.toml")]
    environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
    began_s = time.monotonic()
    ended = subprocess.run(command, env=environment, capture_output=True, timeout=LIMIT_S, check=False)
    assert ended.returncode == program.EXIT_CONFIG
    assert time.monotonic() - began_s >= program.REST_S
