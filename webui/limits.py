"""How often one address may try something. In memory, so a restart forgets; accounts lock in the store besides.

Used by every request thread.
"""

import threading
from collections import OrderedDict, deque

from drivers.clock import Clock

KEYS_KEPT = 4096


class RateLimit:
    """At most `most` tries in `window_s` seconds for one key; the keys longest unused are forgotten."""

    def __init__(self, most: int, window_s: float, clock: Clock) -> None:
        self._most = most
        self._window_s = window_s
        self._clock = clock
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, key: str) -> bool:
        """Count one try; False when it is one too many."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            tries = self._tries_of(key)
            while tries and tries[0] <= now_s - self._window_s:
                tries.popleft()
            if len(tries) >= self._most:
                return False
            tries.append(now_s)
            return True

    def _tries_of(self, key: str) -> deque[float]:
        tries = self._tries.setdefault(key, deque())
        self._tries.move_to_end(key)
        while len(self._tries) > KEYS_KEPT:
            self._tries.popitem(last=False)
        return tries


class Once:
    """True the first time a key is seen in `window_s` seconds: one line of audit for a recording that is fetched in many pieces."""

    def __init__(self, window_s: float, clock: Clock) -> None:
        self._limit = RateLimit(1, window_s, clock)

    def first(self, key: str) -> bool:
        return self._limit.allows(key)
