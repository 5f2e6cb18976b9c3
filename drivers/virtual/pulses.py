"""An exchange's receiver of dial pulses: short openings of a closed loop, counted. Used from the event loop only."""

from collections.abc import Callable

from drivers.virtual.timer import Timer

LONGEST_BREAK_MS = 200  # open longer is a hang-up. Source: as the kernel counts, dahdi-base.c, DAHDI_MAXPULSETIME
DIGIT_OVER_MS = 250


class PulseReceiver:
    """`digit` gets each digit, `opened` is told that the loop is open for good."""

    def __init__(self, digit: Callable[[str], None], opened: Callable[[], None]) -> None:
        self._digit = digit
        self._count = 0
        self._break = Timer(opened)
        self._over = Timer(self._digit_over)

    def loop(self, closed: bool) -> None:
        """The loop was closed or opened."""
        if not closed:
            self._over.stop()
            self._break.start(LONGEST_BREAK_MS)
        elif self._break.running:
            self._break.stop()
            self._count += 1
            self._over.start(DIGIT_OVER_MS)

    def reset(self) -> None:
        """A new call: nothing was dialled."""
        self._break.stop()
        self._over.stop()
        self._count = 0

    def _digit_over(self) -> None:
        count, self._count = self._count, 0
        if count <= 10:
            self._digit(str(count % 10))
