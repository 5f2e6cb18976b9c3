"""The media core alone, in real time, in a process of its own: `tests/media/measure.py`, quiet and with a hogged interpreter."""

import json
import subprocess
import sys
from typing import Any

HOG_S = 5
LIMIT_S = 120


def measure(channels: int, seconds: float) -> dict[str, float]:
    """Figures of `channels` channels over `seconds`, and lateness while Python is busy."""
    quiet = _run(channels, seconds)
    hogged = _run(channels, HOG_S, "--hog")
    return {
        "engine_core_pct_240": quiet["engine_core_pct"],
        "tick_late_ms_p999": quiet["tick_late_ms_p999"],
        "underruns": quiet["underruns"],
        "late_ticks_hogged": hogged["late_ticks"],
        "underruns_hogged": hogged["underruns"],
    }


def _run(channels: int, seconds: float, *more: str) -> Any:
    command = [sys.executable, "-m", "tests.media.measure", "--channels", str(channels), "--seconds", str(seconds), *more]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + LIMIT_S)
    return json.loads(done.stdout)
