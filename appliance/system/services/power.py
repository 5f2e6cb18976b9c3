"""Restarting the box and shutting it down, at once or when no call is left."""

import threading
from typing import Protocol

from appliance.control.client import ControlClient
from appliance.control.messages import LiveSnapshot
from appliance.system.box import Box, Tell
from appliance.system.errors import BoxError
from appliance.system.services.messages import KeepRunning, RestartBox
from appliance.system.services.programs import run
from drivers.errors import CarelineError

LOOK_EVERY_S = 2.0
WAIT_MOST_S = 4 * 3600


class Wait(Protocol):
    """A threading.Event's wait."""

    def wait(self, timeout: float | None = None) -> bool: ...


_called_off = threading.Event()
_one_at_a_time = threading.Lock()


def restart_box(box: Box, request: RestartBox, tell: Tell) -> None:
    """Raises: BoxError SYS-020 calls are left, SYS-021 called off, SYS-022 waits already, SYS-023 nobody knows of the calls."""
    if request.wait_s:
        _when_calls_are_over(box, request.wait_s, tell)
    run(["systemctl", "--no-block", "poweroff" if request.power_off else "reboot"])


def keep_running(box: Box, request: KeepRunning, tell: Tell) -> None:
    _called_off.set()


def _when_calls_are_over(box: Box, wait_s: int, tell: Tell) -> None:
    if not _one_at_a_time.acquire(blocking=False):
        raise BoxError("SYS-022", "a restart waits for calls to end already", "Call that one off first")
    try:
        _called_off.clear()
        _wait(box, min(wait_s, WAIT_MOST_S), tell, _called_off)
    finally:
        _one_at_a_time.release()


def _wait(box: Box, wait_s: int, tell: Tell, called_off: Wait) -> None:
    until_s = box.clock.monotonic_s() + wait_s
    while calls := calls_now(box):
        tell(0, f"calls:{calls}")
        if box.clock.monotonic_s() >= until_s:
            raise BoxError("SYS-020", f"after {wait_s} s there are still {calls} calls", "Try again later, or restart at once")
        if called_off.wait(LOOK_EVERY_S):
            raise BoxError("SYS-021", "the restart was called off", "Ask for it again when it suits")


def calls_now(box: Box) -> int:
    """How many calls there are. Raises: BoxError SYS-023 when nobody can say."""
    try:
        with ControlClient(box.config.paths.control_socket, "system") as client:
            live = next(message for message in client.subscribe() if isinstance(message, LiveSnapshot))
    except CarelineError as error:
        raise BoxError(
            "SYS-023", f"nobody can say whether there are calls ({error.what})", "Restart at once, or start careline-calls"
        ) from error
    return len(live.calls)
