"""A booted box and the exchange at the far end of its lines. Host side, over the test shell; every wait has a limit."""

import json
import time
from typing import Any

from tests.image.shell import LabShell
from tests.image.vm import Machine

SERVICES = ("careline-lines", "careline-calls", "careline-web", "careline-system", "careline-health")
SETTLE_LIMIT_S = 900.0  # half a minute on a quiet machine
FAR_END = "cd /run/lab && exec /opt/careline/.venv/bin/python -m tests.image.inside.far_end"
OUTPUT = "/run/careline-lab.out"


class Box:
    """`machine` is on and its test shell answers."""

    EXTRA = "careline.lab modules_load=dahdi_dynamic,dahdi_dynamic_loc"

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.shell: LabShell = machine.shell()
        self.shell.run("mkdir -p /run/lab && { mountpoint -q /run/lab || mount -o ro /dev/disk/by-id/virtio-lab /run/lab; }")

    def run(self, command: str, limit_s: float = 300.0) -> str:
        return self.shell.run(command, limit_s)

    def settle(self, limit_s: float = SETTLE_LIMIT_S) -> None:
        """Until nothing starts any more and all services run. Raises: MachineError with what is wrong."""
        deadline_s = time.monotonic() + limit_s
        while self.run("systemctl list-jobs --no-legend | wc -l") != "0" or not self.is_well():
            if time.monotonic() > deadline_s:
                raise self.machine.failure(f"not in service within {limit_s:.0f} s\n{self.state()}")
            time.sleep(2)

    def is_well(self) -> bool:
        status, _ = self.shell.status(f"systemctl is-active --quiet {' '.join(SERVICES)}")
        return status == 0

    def state(self) -> str:
        return self.run(
            "systemctl --failed --plain --no-legend; systemctl list-jobs --no-legend; journalctl -b -p notice -n 60 -o short-monotonic"
        )

    # --- the far end ---------------------------------------------------------------------------------------------------------

    def begin(self, what: str) -> None:
        """Start the far end (see inside/far_end.py) in the background, as a unit of its own so that nobody waits for it."""
        self.run(f"rm -f {OUTPUT}; systemctl reset-failed lab-far-end 2>/dev/null; true")
        setting = "-p PYTHONDONTWRITEBYTECODE=1 -p LimitRTPRIO=50 -p LimitMEMLOCK=infinity -p TimeoutStopSec=5"
        self.run(
            f"systemd-run -q --unit=lab-far-end {setting.replace('-p PYTHON', '-E PYTHON', 1)} sh -c '{FAR_END} {what} >{OUTPUT} 2>&1'"
        )

    def told(self, limit_s: float, **wanted: object) -> dict[str, Any]:
        """The first line of the far end's that has these; wait for it. Raises: MachineError with all it said."""
        deadline_s = time.monotonic() + limit_s
        while True:
            for line in self.lines():
                if all(line.get(name) == value for name, value in wanted.items()):
                    return line
            status, _ = self.shell.status("systemctl is-active --quiet lab-far-end")
            if time.monotonic() > deadline_s or (status != 0 and not any(self._has(line, wanted) for line in self.lines())):
                raise self.machine.failure(f"the far end did not say {wanted}:\n{self.run(f'tail -n 60 {OUTPUT}; true')}\n{self.state()}")
            time.sleep(1)

    @staticmethod
    def _has(line: dict[str, Any], wanted: dict[str, object]) -> bool:
        return all(line.get(name) == value for name, value in wanted.items())

    def lines(self) -> list[dict[str, Any]]:
        """All that the far end has told by now."""
        text = self.run(f"cat {OUTPUT} 2>/dev/null; true")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def finish(self, limit_s: float) -> list[dict[str, Any]]:
        """Wait until the far end has ended; all it told. Raises: MachineError when it ended with a fault."""
        deadline_s = time.monotonic() + limit_s
        while self.shell.status("systemctl is-active --quiet lab-far-end")[0] == 0:
            if time.monotonic() > deadline_s:
                raise self.machine.failure(f"the far end did not end:\n{self.run(f'tail -n 60 {OUTPUT}')}")
            time.sleep(2)
        if self.shell.status("systemctl is-failed --quiet lab-far-end")[0] == 0:
            raise self.machine.failure(f"the far end found a fault:\n{self.run(f'tail -n 80 {OUTPUT}')}\n{self.state()}")
        return self.lines()

    # --- services ------------------------------------------------------------------------------------------------------------

    def pid(self, service: str) -> int:
        return int(self.run(f"systemctl show -P MainPID {service}"))

    def signal(self, service: str, name: str) -> None:
        """To the main process. (Never by its number: it is 0 while the service is down, and 0 is our own group.)"""
        self.run(f"systemctl kill -s {name} --kill-who=main {service}")

    def wait_restarted(self, service: str, old_pid: int, limit_s: float = 300.0) -> float:
        """Until the service runs as another process; how long that took."""
        began_s = time.monotonic()
        while True:
            state = self.run(f"systemctl show -P ActiveState -P MainPID {service}").split()
            if state[0] == "active" and int(state[1]) not in (0, old_pid):
                return time.monotonic() - began_s
            if time.monotonic() - began_s > limit_s:
                raise self.machine.failure(f"{service} did not come back within {limit_s:.0f} s\n{self.state()}")
            time.sleep(0.3)


def first_start(machine: Machine) -> Box:
    """Start a machine made from the image and give it its lines, as a technician would: a configuration, and the services anew."""
    machine.power_on()
    box = Box(machine)
    box.run("for each in $(seq 120); do [ -e /etc/careline/careline.toml ] && break; sleep 1; done; ls /etc/careline/careline.toml")
    box.run("cat /run/lab/careline.toml >/etc/careline/careline.toml && sync")
    box.run("systemctl --no-block restart careline-cards careline-lines careline-calls careline-web careline-system")
    box.settle()
    return box
