"""What is asked now and then of the other processes, each in a thread of its own, for none may hold up the rules: whether the pages answer,
how old the backup is, whether an update waits, and the call of the box to itself.
"""

import logging
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from appliance.control.client import ControlClient
from appliance.control.messages import RunSelfCall, SelfCallEnd, SelfCallTold
from appliance.health.config import SelfCallConfig
from drivers.clock import Clock
from drivers.errors import CarelineError

WEB_EVERY_S, WEB_LIMIT_S, WEB_TRIES = 3.0, 2.0, 2
BOX_EVERY_S = 60.0
FIRST_SELF_CALL_S = 20.0
SOON_S = 30.0

log = logging.getLogger("careline.health")
R = TypeVar("R")


class Asked(Generic[R]):
    """Calls `ask` every `every_s`, or soon when `soon` says so of an answer; `latest` is what it answered last, None before."""

    def __init__(
        self, name: str, every_s: float, ask: Callable[[], R], first_s: float = 0.0, soon: Callable[[R | None], bool] | None = None
    ) -> None:
        self.latest: R | None = None
        self._every_s, self._ask, self._first_s, self._soon = every_s, ask, first_s, soon
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()

    def _run(self) -> None:
        try:
            self._ask_again_and_again()
        finally:  # nothing is known any more, whatever ended it
            self.latest = None

    def _ask_again_and_again(self) -> None:
        self._ending.wait(self._first_s)
        while not self._ending.is_set():
            try:
                self.latest = self._ask()
            except (CarelineError, OSError, ValueError) as error:  # the other side is away, or tells what nobody can read
                log.warning("ALM-033: asking about %s failed: %s", self._thread.name, error)
                self.latest = None
            again_s = SOON_S if self._soon and self._soon(self.latest) else self._every_s
            self._ending.wait(again_s)


class WebProbe:
    """Asks the pages for a sign of life; what it finds is a fault, or empty. One answer that is late is none."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._failures = 0
        self._context = ssl.create_default_context()
        self._context.check_hostname = False  # this very machine, by its address; whose certificate it is does not matter here
        self._context.verify_mode = ssl.CERT_NONE

    def __call__(self) -> str:
        fault = self._fault()
        self._failures = self._failures + 1 if fault else 0
        return fault if self._failures >= WEB_TRIES else ""

    def _fault(self) -> str:
        try:
            with urllib.request.urlopen(self._address, timeout=WEB_LIMIT_S, context=self._context) as answer:
                return "" if answer.status == 200 else f"{self._address} answers {answer.status}"
        except urllib.error.HTTPError as error:
            error.close()
            return f"{self._address} answers {error.code}"
        except (OSError, ValueError) as error:
            return f"{self._address}: {error}"


class Told:
    """What the box service told: see Facts."""

    def __init__(self) -> None:
        self.backup_age_h: float | None = None
        self.update: str | None = None
        self.update_detail = ""
        self.clock_synchronised: bool | None = None


class BoxProbe:
    """Asks the box service. Where there is none, nothing is known."""

    def __init__(self, socket: Path, clock: Clock) -> None:
        self._socket, self._clock = socket, clock

    def __call__(self) -> Told:
        told = Told()
        if not self._socket.exists():
            return told
        for ask in (self._backup, self._update, self._time):
            try:
                ask(told)
            except CarelineError as error:
                log.debug("the box service: %s", error)
        return told

    def _backup(self, told: Told) -> None:
        from appliance.system.backup.messages import AskBackupState, BackupState
        from appliance.system.client import SystemClient

        with SystemClient(self._socket, "health") as client:
            state = client.ask(AskBackupState(by="health"), BackupState)
        if state.nightly:
            last = state.last_good_at
            told.backup_age_h = (self._clock.now() - last).total_seconds() / 3600 if last else 10_000.0

    def _time(self, told: Told) -> None:
        from appliance.system.client import SystemClient
        from appliance.system.services.messages import AskTime, TimeTold

        with SystemClient(self._socket, "health") as client:
            told.clock_synchronised = client.ask(AskTime(by="health"), TimeTold).synchronised

    def _update(self, told: Told) -> None:
        from appliance.system.client import SystemClient
        from appliance.system.update.messages import AskUpdate, Event, UpdateTold

        with SystemClient(self._socket, "health") as client:
            state = client.ask(AskUpdate(by="health"), UpdateTold)
        failed = (Event.NOT_INSTALLED, Event.INTERRUPTED, Event.NOT_HEALTHY, Event.DID_NOT_START)
        newest = state.history[0] if state.history else None
        if newest is not None and newest.event in failed:
            told.update, told.update_detail = "failed", f"{newest.event.value} {newest.version} {newest.code}".strip()
        elif any(slot.next and not slot.booted for slot in state.slots):
            told.update, told.update_detail = "waiting", state.trial.version if state.trial else ""
        else:
            told.update = ""


class SelfCaller:
    """Has the call agent make the call; not while very many go on."""

    def __init__(self, socket: Path, config: SelfCallConfig, calls: Callable[[], int | None], clock: Clock) -> None:
        self._socket, self._config, self._calls, self._clock = socket, config, calls, clock
        self._last: SelfCallTold | None = None

    def __call__(self) -> SelfCallTold | None:
        """None while the call agent is away, which is told by itself; what was skipped is as it was before."""
        calls = self._calls()
        if calls is None:
            return None
        config = self._config
        if calls > config.most_calls:
            return self._last
        asked = RunSelfCall(
            limit_ms=config.limit_s * 1000, group=config.group, number=config.number, own_number=config.own_number, by="health"
        )
        try:
            with ControlClient(self._socket, "health") as client:
                told = client.run_self_call(asked)
        except CarelineError as error:
            told = SelfCallTold(end=SelfCallEnd.FAILED, at=self._clock.now(), detail=str(error))
        if told.end is not SelfCallEnd.SKIPPED:
            self._last = told
        log.info("self-call: %s, answered after %s ms, heard after %s ms %s", told.end.value, told.answered_ms, told.heard_ms, told.detail)
        return self._last
