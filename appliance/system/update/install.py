"""Installing: fetch, check, copy into the slot not in use, write down. In a thread of careline-system."""

import logging
import threading

import msgspec

from appliance.control.client import ControlClient
from appliance.control.messages import Grade
from appliance.system.box import Box, Tell
from appliance.system.errors import BoxError
from appliance.system.update import bundles, rauc, state
from appliance.system.update.messages import BundleChecked, Event, InstallUpdate, Job, Trial
from appliance.system.update.places import Places
from drivers.errors import CarelineError

FETCHING, CHECKING, COPYING = (0, 10), 10, (15, 99)

log = logging.getLogger("careline.system")


class Installation:
    """One, from its request to its note in the history. `run` raises BoxError, after that is noted."""

    def __init__(self, box: Box, places: Places, asked: InstallUpdate, tell: Tell) -> None:
        self._box, self._places, self._asked, self._tell = box, places, asked, tell
        self._job = Job(bundle=asked.bundle, by=asked.by, started_at=box.clock.now())

    def run(self) -> None:
        with state.installing(self._places):
            self._run()

    def begin(self) -> None:
        """In a thread of its own, once it is sure that no other runs. Raises: BoxError SYS-076."""
        begun: list[BoxError] = []
        known = threading.Event()

        def work() -> None:
            try:
                with state.installing(self._places):
                    known.set()
                    self._run()
            except CarelineError as error:
                if not known.is_set():
                    begun.append(BoxError(error.code, error.what, error.remedy))
                known.set()

        threading.Thread(target=work, name="install", daemon=True).start()
        known.wait(state.LOCK_LIMIT_S)
        for error in begun:
            raise error

    def _run(self) -> None:
        try:
            self._written(self._job)
            checked = self._install()
        except CarelineError as error:
            self._settle(Event.NOT_INSTALLED, self._job.version, error)
            raise
        self._settle(Event.INSTALLED, checked.version)

    def _install(self) -> BundleChecked:
        with bundles.at_hand(self._places, self._asked.bundle, self._fetching) as path:
            self._step("checking", CHECKING)
            checked = bundles.check(self._places, self._asked.bundle, path)
            self._job = msgspec.structs.replace(self._job, version=checked.version)
            self._refuse_older(checked)
            bundles.need_room_for_store(self._places, checked)
            failed = failing(self._box)
            self._step("copying", COPYING[0])
            self._give_up(rauc.state(self._places.rauc))
            rauc.install(self._places.rauc, path, self._copying)
        trial = self._trial(checked, failed)
        state.change(self._places, lambda was: msgspec.structs.replace(was, trial=trial))
        if self._asked.bundle.startswith(f"{bundles.UPLOAD}:"):
            path.unlink(missing_ok=True)
        return checked

    def _give_up(self, known: rauc.State) -> None:
        """The slot not in use is from now on neither good nor what was on trial."""
        other = known.other.name
        slots = tuple(msgspec.structs.replace(slot, good=slot.good and slot.name != other, next=slot.booted) for slot in known.slots)
        state.change(self._places, lambda was: msgspec.structs.replace(was, trial=None, slots=slots))
        rauc.forget_good(self._places.grub_env, other)

    def _refuse_older(self, checked: BundleChecked) -> None:
        if checked.newer or self._asked.older:
            return
        here = bundles.version_here(self._places)
        raise BoxError(
            "SYS-074", f"version {checked.version} is no newer than {here}, which runs", "Say that it is to be installed all the same"
        )

    def _trial(self, checked: BundleChecked, failed: tuple[str, ...]) -> Trial:
        return Trial(
            version=checked.version,
            slot=rauc.state(self._places.rauc).other.name,
            from_version=bundles.version_here(self._places),
            by=self._asked.by,
            at=self._box.clock.now(),
            boot=state.boot(self._places),
            failed_before=failed,
        )

    def _fetching(self, percent: int) -> None:
        self._step("fetching", FETCHING[0] + percent * (FETCHING[1] - FETCHING[0]) // 100)

    def _copying(self, percent: int) -> None:
        self._step("copying", COPYING[0] + percent * (COPYING[1] - COPYING[0]) // 100)

    def _step(self, step: str, percent: int) -> None:
        """Told and written down, when it is news."""
        if (step, percent) != (self._job.step, self._job.percent):
            self._job = msgspec.structs.replace(self._job, step=step, percent=percent)
            self._written(self._job)
            self._tell(percent, step)

    def _written(self, job: Job) -> None:
        state.change(self._places, lambda was: msgspec.structs.replace(was, job=job))

    def _settle(self, event: Event, version: str, fault: CarelineError | None = None) -> None:
        state.change(self._places, state.without_job)
        state.note(self._places, event, self._box.clock.now(), by=self._asked.by, version=version, fault=fault)
        log.log(logging.ERROR if fault else logging.INFO, "update %s: %s %s", self._asked.bundle, event.value, fault or version)
        self._tell(100, "done")


def failing(box: Box) -> tuple[str, ...]:
    """The checks that fail now; what an update finds so is not its fault. Everything is unknown while the call agent is not there."""
    try:
        with ControlClient(box.config.paths.control_socket, "system") as client:
            health = client.ask_health().health
    except CarelineError:
        return ()
    return tuple(check.name for check in health.checks if check.grade is Grade.FAILED)


def interrupted(places: Places, box: Box) -> None:
    """At the start: an installation that was running then runs no more."""
    job = state.read(places).job
    if job is None or state.is_installing(places):
        return
    state.change(places, state.without_job)
    fault = BoxError("SYS-092", "the installation was cut off by a restart; the version in use is untouched", "Install the update again")
    state.note(places, Event.INTERRUPTED, box.clock.now(), by=job.by, version=job.version, fault=fault)
