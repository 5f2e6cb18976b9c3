"""Timers by name, as signallers ask for them. Event loop only."""

import asyncio
from collections.abc import Callable


class Timers:
    """`fired` is told the name of each that runs out."""

    def __init__(self, fired: Callable[[str], None]) -> None:
        self._fired = fired
        self._running: dict[str, asyncio.TimerHandle] = {}

    def start(self, name: str, ms: int) -> None:
        """From now on, also when it runs already."""
        self.stop(name)
        self._running[name] = asyncio.get_running_loop().call_later(ms / 1000, self._run_out, name)

    def stop(self, name: str) -> None:
        """Harmless when it does not run."""
        if timer := self._running.pop(name, None):
            timer.cancel()

    def close(self) -> None:
        """Stop all."""
        for name in tuple(self._running):
            self.stop(name)

    def _run_out(self, name: str) -> None:
        del self._running[name]
        self._fired(name)
