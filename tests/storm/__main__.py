"""`python -m tests.storm`: 10 000 calls on 240 lines for the last 100 places, the call agent killed ten times. Prints what came of it; its
exit status is 1 when anything is not as it must be. About 15 minutes, and 3 GB of recordings in the folder for temporary files meanwhile.
"""

import argparse
import sys
import tempfile
from dataclasses import fields
from pathlib import Path

from tests.storm.storm import Plan, run


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.storm", description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--places", type=int, default=100)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--lines", type=int, default=240, help="a multiple of 30")
    parser.add_argument("--every-s", type=float, default=0.05, help="between two calls")
    parser.add_argument("--first-kill-s", type=float, default=8.0)
    parser.add_argument("--kill-every-s", type=float, default=20.0)
    parser.add_argument("--hesitates-every", type=int, default=5, help="of the first half; 0: nobody hangs up at the price")
    parser.add_argument("--minutes", type=float, default=60, help="nobody rings after that")
    parser.add_argument("--keep", type=Path, help="a new folder to leave store, logs and recordings in")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    plan = Plan(
        options.calls,
        options.places,
        options.kills,
        options.lines,
        options.every_s,
        options.first_kill_s,
        options.kill_every_s,
        options.hesitates_every,
        limit_s=options.minutes * 60,
    )
    if options.keep:
        options.keep.mkdir()
        outcome = run(plan, options.keep)
    else:
        with tempfile.TemporaryDirectory() as folder:
            outcome = run(plan, Path(folder))
    for each in fields(outcome):
        print(f"{each.name:14} {getattr(outcome, each.name)}")
    return 0 if outcome.is_well(plan) else 1


sys.exit(main())
