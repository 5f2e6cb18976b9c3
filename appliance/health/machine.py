"""Facts of the machine: disk, memory, temperature, clock, certificates. Reads /proc and /sys, asks the kernel; never waits."""

import ctypes
import os
import time
from datetime import datetime
from pathlib import Path

from appliance.health.certificate import end_of
from drivers.clock import Clock

ADJUST = ctypes.CDLL(None, use_errno=True)
TIMEX_BYTES = 512  # more than any struct timex. Source: adjtimex(2)
TIME_ERROR = 5  # the clock is not synchronised. Source: adjtimex(2)
STEP_LEAST_S = 0.5
STEP_TOLD_S = 300.0


def disk_free_percent(folders: tuple[Path, ...]) -> dict[str, float]:
    """Of each file system once, by the first folder on it; one that cannot be asked is not in it."""
    found: dict[int, tuple[str, float]] = {}
    for folder in folders:
        try:
            asked = os.statvfs(folder)
            device = os.stat(folder).st_dev
        except OSError:
            continue
        if asked.f_blocks:
            found.setdefault(device, (str(folder), 100.0 * asked.f_bavail / asked.f_blocks))
    return dict(found.values())


def memory_free_percent(proc: Path = Path("/proc")) -> float | None:
    """What programs can still have, of all there is."""
    try:
        lines = dict(line.split(":", 1) for line in (proc / "meminfo").read_text().splitlines() if ":" in line)
        return 100.0 * int(lines["MemAvailable"].split()[0]) / int(lines["MemTotal"].split()[0])
    except (OSError, KeyError, ValueError, IndexError, ZeroDivisionError):
        return None


def temperatures(sys: Path = Path("/sys")) -> dict[str, float]:
    """°C by sensor; each chip's label, or its name and the input's. Source: kernel.org, hwmon/sysfs-interface."""
    found: dict[str, float] = {}
    for file in sorted((sys / "class/hwmon").glob("hwmon*/temp*_input")):
        try:
            label = file.with_name(file.name.replace("_input", "_label"))
            chip = (file.parent / "name").read_text().strip()
            name = label.read_text().strip() if label.exists() else file.name.removesuffix("_input")
            found[f"{chip} {name}"] = int(file.read_text()) / 1000
        except (OSError, ValueError):
            continue
    return found


def clock_is_synchronised() -> bool | None:
    """What the kernel says; None when it may not be asked."""
    timex = ctypes.create_string_buffer(TIMEX_BYTES)  # modes 0: nothing is set
    state = ADJUST.adjtimex(timex)
    return None if state < 0 else state != TIME_ERROR


def days_left(certificate: Path, now: datetime) -> float | None:
    """Of the first one in a PEM file; None for a file that is none."""
    try:
        ends = end_of(certificate.read_bytes())
    except (OSError, ValueError):
        return None
    return (ends - now).total_seconds() / 86_400


class StepWatch:
    """Notices that the wall clock was stepped: it and the monotonic clock part. Told for STEP_TOLD_S."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._apart_s = self._apart()
        self._step_s, self._until_s = 0.0, 0.0

    def look(self) -> float:
        """Seconds of the last step, without sign."""
        apart_s, now_s = self._apart(), self._clock.monotonic_s()
        if abs(apart_s - self._apart_s) >= STEP_LEAST_S:
            self._step_s, self._until_s = abs(apart_s - self._apart_s), now_s + STEP_TOLD_S
        self._apart_s = apart_s
        return self._step_s if now_s < self._until_s else 0.0

    def _apart(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic_s()


def uptime_s() -> float:
    """Since the machine started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
