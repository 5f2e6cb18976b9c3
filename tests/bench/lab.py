"""The figures of the lab guest (real DAHDI drivers): scenarios of tests/lab, run in a guest of their own."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT_S = 1800
FIGURES = {
    "speed": ("lab_cpu_ms_per_call_s",),
    "bridging.native_15_s": ("native_bridge_cpu_pct", "native_bridge_damaged_ms", "handover_silent_ms_each"),
}
"""Of each scenario."""


def measure() -> dict[str, float]:
    """What the scenarios tell. Raises: CalledProcessError when one failed."""
    return {name: value for scenario, names in FIGURES.items() for name, value in _run(scenario).items() if name in names}


def _run(scenario: str) -> dict[str, float]:
    """A guest for each: the one does not wait for what the other leaves behind."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "tests.lab.run", "--keep", name, scenario]
        subprocess.run(command, check=True, timeout=LIMIT_S, stdout=sys.stderr)
        lines = (Path(name) / "results.jsonl").read_text().splitlines()
    figures: dict[str, float] = json.loads(lines[-1])["figures"]
    return figures
