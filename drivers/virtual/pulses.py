"""Dial pulses, short openings of a closed loop: an exchange's receiver, and the dial of a set. Used from the event loop only."""

from collections.abc import Callable

from drivers.virtual.timer import Timer

LONGEST_BREAK_MS = 200  # open longer is a hang-up. Source: as the kernel counts, dahdi-base.c, DAHDI_MAXPULSETIME
DIGIT_OVER_MS = 250
BREAK_MS, MAKE_MS, BETWEEN_DIGITS_MS = 60, 40, 800  # of a dial. Source: ITU-T Q.23 leaves it to countries; China has 1.5 : 1 at 10 Hz


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


class PulseDial:
    """The dial of a set: `loop` opens (False) and closes (True) it."""

    def __init__(self, loop: Callable[[bool], None]) -> None:
        self._loop = loop
        self._steps: list[tuple[bool, int]] = []
        self._step = Timer(self._next)

    def dial(self, digits: str) -> None:
        """After what is still being dialled."""
        for digit in digits:
            self._steps += [(False, BREAK_MS), (True, MAKE_MS)] * (int(digit) or 10)
            self._steps.append((True, BETWEEN_DIGITS_MS))
        if not self._step.running:
            self._next()

    def stop(self) -> None:
        """The set was put down."""
        self._step.stop()
        self._steps.clear()

    def _next(self) -> None:
        if self._steps:
            closed, for_ms = self._steps.pop(0)
            self._loop(closed)
            self._step.start(for_ms)
