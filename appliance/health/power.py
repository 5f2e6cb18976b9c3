"""What is done when the UPS runs out: callers are told, calls are waited for, then the box service is asked to power off. One thread of its
own while that goes on; when mains comes back in time, all of it is taken back.
"""

import logging
import threading
from pathlib import Path

from appliance.control.client import ControlClient
from appliance.control.messages import SetClosing
from appliance.health.config import UpsConfig
from drivers.errors import CarelineError

BY = "ups"
CALLED_OFF = "SYS-021"
ANSWER_MARGIN_S = 60.0

log = logging.getLogger("careline.health")


class PowerGuard:
    """`look` at every new state of the UPS."""

    def __init__(self, control: Path, system: Path, config: UpsConfig) -> None:
        self._control, self._system, self._config = control, system, config
        self._work: list[threading.Thread] = []
        self._low = False

    def look(self, low: bool) -> None:
        """Begins, or takes back; returns at once."""
        if low is self._low or not self._config.power_off:
            return
        self._low = low
        work = self._go_down if low else self._stay_up
        self._work = [each for each in self._work if each.is_alive()]
        self._work.append(threading.Thread(target=work, name="power", daemon=True))
        self._work[-1].start()

    def wait(self, limit_s: float) -> None:
        """Until what was begun is done."""
        for each in self._work:
            each.join(limit_s)

    def _go_down(self) -> None:
        log.critical("the UPS is nearly empty: the box goes down within %d s", self._config.wait_s)
        self._tell_callers(True)
        try:
            self._power_off(self._config.wait_s)
        except CarelineError as error:
            if error.code == CALLED_OFF or not self._low:
                log.warning("the power-off was called off")
                return
            log.warning("%s", error)
            self._power_off_now()

    def _power_off_now(self) -> None:
        try:
            self._power_off(0)
        except CarelineError as error:
            log.critical("the box cannot be powered off: %s", error)

    def _power_off(self, wait_s: int) -> None:
        """Raises: CarelineError."""
        from appliance.system.client import SystemClient
        from appliance.system.services.messages import RestartBox

        with SystemClient(self._system, "health") as client:
            client.do(RestartBox(power_off=True, wait_s=wait_s, by=BY), wait_s + ANSWER_MARGIN_S)

    def _stay_up(self) -> None:
        from appliance.system.client import SystemClient
        from appliance.system.services.messages import KeepRunning

        log.warning("mains is back: the box stays up")
        try:
            with SystemClient(self._system, "health") as client:
                client.do(KeepRunning(by=BY))
        except CarelineError as error:
            log.warning("%s", error)
        self._tell_callers(False)

    def _tell_callers(self, closing: bool) -> None:
        try:
            with ControlClient(self._control, "health") as client:
                client.request(SetClosing(closing=closing, by=BY))
        except CarelineError as error:
            log.warning("callers are not told: %s", error)
