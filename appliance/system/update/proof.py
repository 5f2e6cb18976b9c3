"""`python -m appliance.system.update.proof`, run once at each start by careline-proof.service: is the version that runs to be kept?

A version on trial (installed, never proved) must be well within a limit: then it is marked good, else this exits with 1, and
careline-give-up.service restarts the box; GRUB then takes the other slot, whose own proof writes down what happened. In any other start
nothing is at stake: whatever is wrong is logged, and the slot is marked good, or a box with a dead card would restart for ever.
"""

import argparse
import contextlib
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from appliance import config as configuration
from appliance.config import Config
from appliance.store import kept, migrations
from appliance.store.errors import StoreError
from appliance.system.errors import BoxError
from appliance.system.update import bundles, checks, rauc, state
from appliance.system.update.messages import Event, Trial
from appliance.system.update.places import Places, of_paths
from drivers.clock import Clock, RealClock
from drivers.errors import CarelineError

TRIAL_LIMIT_S = 150.0
EVERY_DAY_LIMIT_S = 60.0
AGAIN_S = 2.0
RESTART_LIMIT_S = 30.0
SWITCHES_MOST = 1
KEEP, RESTART = 0, 1
REINSTALL = "The version before runs; have the new one looked at, or install a corrected one"

log = logging.getLogger("careline.proof")
Looked = Callable[[tuple[str, ...]], str | None]


def main() -> int:
    """The program. Its exit status is 0 to keep what runs, 1 to restart into the other slot."""
    parser = argparse.ArgumentParser(prog="careline-proof", description="Proves that the version that runs is to be kept.")
    parser.add_argument("--config", type=Path, default=Path("/etc/careline/careline.toml"), help="careline.toml (default: %(default)s)")
    parser.add_argument("--limit-s", type=float, default=TRIAL_LIMIT_S, help="How long a new version may take (default: %(default)s)")
    arguments = parser.parse_args()
    logging.basicConfig(level="INFO", format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    config, fault = _configuration(arguments.config)
    looked: Looked = (lambda before: fault) if fault else (lambda before: checks.all_of(config, before))
    return Proof(of_paths(config.paths), RealClock(), looked, arguments.limit_s).run()


def _configuration(path: Path) -> tuple[Config, str | None]:
    """A configuration that the new version does not take is its fault, and no reason to keep it."""
    try:
        return configuration.load(path), None
    except CarelineError as error:
        return Config(), str(error)


class Proof:
    """`looked`: what is wrong now, without what was so before (names of checks); None when all is well."""

    def __init__(self, places: Places, clock: Clock, looked: Looked, limit_s: float, every_day_limit_s: float = EVERY_DAY_LIMIT_S) -> None:
        self._places, self._clock, self._looked = places, clock, looked
        self._limit_s, self._every_day_limit_s = limit_s, every_day_limit_s

    def run(self) -> int:
        """KEEP or RESTART."""
        try:
            return self._judge()
        except (CarelineError, OSError) as error:  # no slots, or a disk that cannot be written: nothing is proved
            log.error("%s", error)
            return RESTART if self._is_trial(state.read(self._places).trial) else KEEP

    def _judge(self) -> int:
        booted = rauc.state(self._places.rauc).booted
        trial = state.read(self._places).trial
        if trial is None or not self._is_trial(trial):
            return self._every_day()
        if trial.slot != booted.name:
            return self._came_back(trial)
        why = self._wrong_until(self._limit_s, trial.failed_before)
        return self._proved(trial) if why is None else self._failed(trial, why)

    def _is_trial(self, trial: Trial | None) -> bool:
        """Not before the first restart."""
        return trial is not None and trial.boot != state.boot(self._places)

    def _wrong_until(self, limit_s: float, failed_before: tuple[str, ...]) -> str | None:
        until_s = self._clock.monotonic_s() + limit_s
        while (why := self._looked(failed_before)) is not None and self._clock.monotonic_s() < until_s:
            time.sleep(min(AGAIN_S, limit_s))
        return why

    def _proved(self, trial: Trial) -> int:
        self._mark_good()
        self._no_trial()
        self._note(Event.PROVED, trial)
        with contextlib.suppress(OSError):  # then an older program would take the copy unasked, which is told
            kept.settle(self._places.store)
        return KEEP

    def _failed(self, trial: Trial, why: str) -> int:
        self._no_trial()
        what = f"version {trial.version} was not well within {self._limit_s:.0f} s: {why}"
        self._note(Event.NOT_HEALTHY, trial, BoxError("SYS-091", what, REINSTALL))
        return RESTART

    def _came_back(self, trial: Trial) -> int:
        """GRUB took this slot, for the other has had its one start."""
        rauc.mark(self._places.rauc, "active", "booted")
        self._mark_good()
        self._no_trial()
        what = f"version {trial.version} did not start, or hung; the box went back to {trial.from_version}"
        self._note(Event.DID_NOT_START, trial, BoxError("SYS-090", what, REINSTALL))
        return KEEP

    def _every_day(self) -> int:
        if self._is_wrong_slot():
            return self._switch()
        why = self._wrong_until(self._every_day_limit_s, ())
        if why is not None:
            log.warning("SYS-093: the box is up, but not well: %s", why)
        self._mark_good()
        if state.read(self._places).switches:
            state.change(self._places, lambda was: msgspec.structs.replace(was, switches=0))
        return KEEP

    def _is_wrong_slot(self) -> bool:
        """An older version was started, by a power cut too many, and finds the data of the one that is proved."""
        known = len(migrations.STEPS)
        try:
            newer = kept.version_of(self._places.store) > known
        except StoreError:
            return False
        other = rauc.state(self._places.rauc).other
        return newer and kept.copy_for(self._places.store, known) is None and bool(other.version) and self._may_switch()

    def _may_switch(self) -> bool:
        return state.read(self._places).switches < SWITCHES_MOST

    def _switch(self) -> int:
        rauc.mark(self._places.rauc, "active", "other")
        state.change(self._places, lambda was: msgspec.structs.replace(was, switches=was.switches + 1))
        other = rauc.state(self._places.rauc).other
        state.note(self._places, Event.SWITCHED, self._clock.now(), version=other.version, slot=other.name)
        subprocess.run(
            self._places.restart, check=False, timeout=RESTART_LIMIT_S, stdin=subprocess.DEVNULL
        )  # this slot was good: no unit does it
        return KEEP

    def _mark_good(self) -> None:
        rauc.mark(self._places.rauc, "good", "booted")

    def _no_trial(self) -> None:
        state.change(self._places, lambda was: msgspec.structs.replace(was, trial=None))

    def _note(self, event: Event, trial: Trial, fault: CarelineError | None = None) -> None:
        state.note(self._places, event, self._clock.now(), version=trial.version, slot=trial.slot, fault=fault)
        log.log(logging.ERROR if fault else logging.INFO, "%s: %s", event.value, fault or bundles.version_here(self._places))


if __name__ == "__main__":
    sys.exit(main())
