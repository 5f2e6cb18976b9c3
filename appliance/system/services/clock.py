"""The box's clock: what it says, what it follows (chrony), and setting it by hand."""

from datetime import UTC, datetime

from appliance.system.box import Box, Tell
from appliance.system.errors import BoxError
from appliance.system.services.messages import AskTime, SetTime, TimeTold
from appliance.system.services.programs import run

EARLIEST = datetime(2024, 1, 1, tzinfo=UTC)
LATEST = datetime(2099, 1, 1, tzinfo=UTC)
STRATUM_UNSYNCHRONISED = 0


def told_time(box: Box, request: AskTime, tell: Tell) -> TimeTold:
    """Without chrony the clock follows nobody, which is told and no fault."""
    try:
        tracking = run(["chronyc", "-n", "-c", "tracking"]).strip().split(",")
        sources = [line.split(",") for line in run(["chronyc", "-n", "-c", "sources"]).splitlines()]
    except BoxError:
        return TimeTold(now=box.clock.now(), synchronised=False)
    servers = tuple(fields[2] for fields in sources if len(fields) > 2 and fields[0] != "#")
    if len(tracking) < 5 or tracking[2] == str(STRATUM_UNSYNCHRONISED):
        return TimeTold(now=box.clock.now(), synchronised=False, servers=servers)
    return TimeTold(now=box.clock.now(), synchronised=True, source=tracking[1], offset_ms=_milliseconds(tracking[4]), servers=servers)


def set_time(box: Box, request: SetTime, tell: Tell) -> None:
    """Raises: BoxError SYS-014 for a year that cannot be, SYS-011 when the kernel refuses. The hardware clock may be missing."""
    if not EARLIEST <= request.at <= LATEST:
        raise BoxError("SYS-014", f"the time {request.at:%Y-%m-%d} cannot be", f"Give one from {EARLIEST:%Y} to {LATEST:%Y}")
    run(["date", "--utc", f"--set=@{request.at.timestamp():.0f}"])
    try:
        run(["hwclock", "--systohc", "--utc"])
    except BoxError:
        tell(100, "no_hardware_clock")


def _milliseconds(seconds: str) -> float:
    """Source: chronyc(1), tracking: the fifth field of -c is the offset in seconds."""
    try:
        return round(1000.0 * float(seconds), 3)
    except ValueError:
        return 0.0
