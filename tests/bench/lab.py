"""The figure of the lab guest (real DAHDI drivers): scenario `speed` of tests/lab, run in a guest of its own."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT_S = 1800


def measure() -> dict[str, float]:
    """CPU of our processes per call-second in the guest. Raises: CalledProcessError when the scenario failed."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "tests.lab.run", "--keep", name, "speed"]
        subprocess.run(command, check=True, timeout=LIMIT_S, stdout=sys.stderr)
        lines = (Path(name) / "results.jsonl").read_text().splitlines()
    figures = json.loads(lines[-1])["figures"]
    return {"lab_cpu_ms_per_call_s": float(figures["lab_cpu_ms_per_call_s"])}
