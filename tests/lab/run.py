"""`python -m tests.lab.run [SCENARIO...]`: sets the lab up, boots the guest once, runs scenarios in it,
prints their results.

Runs on the host as root. Names are "module" or "module.function" of tests/lab/scenarios; none means all.
`--keep DIR` keeps console, output, kernel log and results there. Exit code 0 when all passed.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import msgspec

from tests.lab.guest import CHECKOUT, GUEST_SHARE, Guest, GuestError, set_up
from tests.lab.scenario import Outcome

RUN_LIMIT_S = 3600.0


class ResultPrinter:
    """Prints outcomes as the guest writes them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self.outcomes: list[Outcome] = []

    def poll(self) -> None:
        """Read what was added; only whole lines count."""
        if not self._path.exists():
            return
        with self._path.open("rb") as lines:
            lines.seek(self._offset)
            for line in lines:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                self._show(msgspec.json.decode(line, type=Outcome))

    def _show(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        print(f"{'FAIL' if outcome.error else 'ok  '} {outcome.name} {outcome.took_s:.1f} s", flush=True)
        for name, value in outcome.figures.items():
            print(f"       {name} = {value}", flush=True)
        for remark in outcome.remarks:
            print(f"       {remark}", flush=True)
        if outcome.error:
            print(outcome.error, flush=True)


def run_scenarios(names: list[str], share: Path, limit_s: float, own_time: bool = False) -> list[Outcome]:
    """Boot once and run; outcomes in the order run. Raises: GuestError when the guest itself failed."""
    printer = ResultPrinter(share / "results.jsonl")
    python = CHECKOUT / ".venv" / "bin" / "python"
    command = [str(python), "-m", "tests.lab.inside", str(GUEST_SHARE / "results.jsonl"), *names]
    with Guest(share, own_time=own_time) as guest:
        guest.start(command)
        code = guest.wait(limit_s, printer.poll)
        printer.poll()
        if code != 0 and not any(outcome.error for outcome in printer.outcomes):
            raise guest.failure(f"the scenario runner ended with {code}")
    return printer.outcomes


def main() -> int:
    """Command line of the lab."""
    parser = argparse.ArgumentParser(prog="tests.lab.run", description="Run line lab scenarios in the guest.")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO")
    parser.add_argument("--keep", type=Path, help="keep the guest's files in this directory")
    parser.add_argument("--own-time", action="store_true", help="the guest's clock counts instructions: slower, never late")
    parser.add_argument("--limit-s", type=float, default=RUN_LIMIT_S)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="careline-lab-") as scratch:
        share = (options.keep or Path(scratch)).resolve()
        share.mkdir(parents=True, exist_ok=True)
        (share / "results.jsonl").unlink(missing_ok=True)
        try:
            set_up()
            outcomes = run_scenarios(options.scenarios, share, options.limit_s, options.own_time)
        except GuestError as error:
            print(error, file=sys.stderr)
            return 2
    failed = [outcome.name for outcome in outcomes if outcome.error]
    print(f"{len(outcomes) - len(failed)} passed, {len(failed)} failed {' '.join(failed)}")
    return 1 if failed or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
