"""What a switch makes of a loop that its extension opens: a dial pulse, a flash, or the end. Used from the event loop only."""

from collections.abc import Callable

from drivers.virtual.pulses import LONGEST_BREAK_MS
from drivers.virtual.timer import Timer

FLASH_LEAST_MS = 60
HANG_UP_MS = 800  # open that long is a hang-up; switches take 500 to 1300


class FlashReceiver:
    """`flashed` is told of a loop open for FLASH_LEAST_MS or more and less than HANG_UP_MS, `opened` when it is open for good.

    While numbers are dialled by pulses, only openings longer than a pulse are flashes.
    """

    def __init__(self, flashed: Callable[[], None], opened: Callable[[], None]) -> None:
        self._flashed = flashed
        self._open = Timer(opened)

    def loop(self, closed: bool, least_ms: int = FLASH_LEAST_MS) -> None:
        """The loop was closed or opened."""
        if not closed:
            self._open.start(HANG_UP_MS)
        elif self._open.running:
            open_ms = self._open.elapsed_ms()
            self._open.stop()
            if open_ms >= least_ms:
                self._flashed()

    def pulse_or_flash(self, closed: bool) -> None:
        """As `loop`, while digits are awaited."""
        self.loop(closed, LONGEST_BREAK_MS)

    def reset(self) -> None:
        self._open.stop()
