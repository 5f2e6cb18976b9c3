"""`python -m tests.unit.r2_soak [MINUTES]`: fuzz of R2 bits and register signals for so long (10); prints rounds, events and how memory
grew.

Each round lies to one end of a trunk, then both must be idle and carry a call. Exit code 1 and the round's number when one fails.
"""

import gc
import sys
import time
import traceback
from pathlib import Path

from tests.unit.test_r2_calls import fuzzed

EVENTS = 400
WARM_ROUNDS = 2000


def main(minutes: float) -> int:
    end_s = time.monotonic() + 60 * minutes
    rounds, before_kb = 0, 0
    while time.monotonic() < end_s:
        try:
            fuzzed(rounds, EVENTS)
        except AssertionError:
            traceback.print_exc()
            print(f"round {rounds} went wrong")
            return 1
        rounds += 1
        if rounds == WARM_ROUNDS:
            before_kb = _resident_kb()
    print(
        f"{rounds} rounds, {rounds * EVENTS} events, resident memory grew by {_resident_kb() - before_kb} kB after the first {WARM_ROUNDS}"
    )
    return 0


def _resident_kb() -> int:
    gc.collect()
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 10))
