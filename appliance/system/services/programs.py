"""The system's own programs as the box service runs them: looked up on PATH, without a shell, every run with a limit."""

import subprocess
from collections.abc import Sequence

from appliance.system.errors import BoxError

LIMIT_S = 20.0
OUTPUT_MOST = 1_000_000


def run(command: Sequence[str], limit_s: float = LIMIT_S) -> str:
    """What it writes to its output. Raises: BoxError SYS-010 not there, SYS-011 failed, SYS-012 took too long."""
    name = command[0]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit_s, check=False)
    except OSError as error:
        raise BoxError("SYS-010", f"cannot run {name} ({error.strerror})", "This works on the box's own image, with systemd") from error
    except subprocess.TimeoutExpired as error:
        raise BoxError("SYS-012", f"{name} was not done within {limit_s:.0f} s", "Try again; see the logs") from error
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or [f"status {done.returncode}"]
        raise BoxError("SYS-011", f"{' '.join(command[:3])} failed: {told[0][:300]}", "See the log of careline-system")
    return done.stdout[:OUTPUT_MOST].decode(errors="replace")
