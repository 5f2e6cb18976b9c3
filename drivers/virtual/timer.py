"""One-shot timers on the running event loop, real or virtual. Everything of the card that waits waits here."""

import asyncio
from collections.abc import Callable


class Timer:
    """Calls `expired` once, `ms` after the last `start`. Belongs to the loop that runs when it is started."""

    def __init__(self, expired: Callable[[], None]) -> None:
        self._expired = expired
        self._handle: asyncio.TimerHandle | None = None
        self._started_s = 0.0

    @property
    def running(self) -> bool:
        return self._handle is not None

    def start(self, ms: float) -> None:
        """Start afresh; a run under way is forgotten."""
        self.stop()
        loop = asyncio.get_running_loop()
        self._started_s = loop.time()
        self._handle = loop.call_later(ms / 1000, self._fire)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def elapsed_ms(self) -> float:
        """Since the last start."""
        return (asyncio.get_running_loop().time() - self._started_s) * 1000

    def _fire(self) -> None:
        self._handle = None
        self._expired()
