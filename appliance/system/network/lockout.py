"""Who gives wrong passwords again and again is shut out by the firewall for a while. Used by any thread of careline-system.

Open connections stay, and what the box and its routers are called is never shut out: nobody locks a whole house out by mistake for good.
"""

import threading
from collections import OrderedDict, deque
from ipaddress import ip_address

from appliance.system.errors import BoxError
from appliance.system.network import addresses
from drivers.clock import Clock

FAILURES, WITHIN_S = 10, 600.0
ADDRESSES_KEPT = 4096


class Failures:
    """Failed log-ins, by address; the addresses longest unheard of are forgotten."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._at_s: OrderedDict[str, deque[float]] = OrderedDict()

    def is_too_many(self, address: str) -> bool:
        """Count one; whether it is time to lock. Counting begins anew then."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            times = self._at_s.setdefault(address, deque())
            self._at_s.move_to_end(address)
            while len(self._at_s) > ADDRESSES_KEPT:
                self._at_s.popitem(last=False)
            times.append(now_s)
            while times[0] <= now_s - WITHIN_S:
                times.popleft()
            if len(times) < FAILURES:
                return False
            del self._at_s[address]
            return True

    def forget(self, address: str) -> None:
        """ "" for all."""
        with self._lock:
            if address:
                self._at_s.pop(address, None)
            else:
                self._at_s.clear()


def plain_address(text: str) -> str:
    """Raises: BoxError SYS-065."""
    try:
        return addresses.plain(text)
    except ValueError as error:
        raise BoxError("SYS-065", f"{text[:80]!r} is no address", "Write an IP address") from error


def is_never_locked(address: str, own_and_routers: set[str]) -> bool:
    read = ip_address(address)
    return read.is_loopback or read.is_unspecified or read.is_multicast or address in own_and_routers
