"""What a port can measure of its line: levels, echo, bit errors, tones to send, and what is heard as stretches of tone and pause.

A base of `drivers.ports.Port`; line server's event loop only. Everything switched on here is switched off when the port rests.
"""

from collections.abc import Callable

from drivers.errors import LineError
from drivers.media import Cadence, Engine, ToneStep
from drivers.media.measuring import MILLIWATT, BitErrors, Levels, Segment, sweep

TEST_HZ = (200.0, 3400.0)
TEST_DBM0 = (-60.0, 3.0)


class MeasuringPort:
    """The measuring half of a port."""

    number: int
    _engine: Engine
    _on: set[str]

    def meter(self, on: bool) -> None:
        """Measure levels from now on; `levels` tells those of the last 200 ms."""
        self._engine.meter(self.number, on)
        self._on.add("meter")

    def levels(self) -> Levels:
        """Raises: MediaError MED-015 when the meter is off."""
        return self._engine.levels(self.number)

    def echo(self, on: bool) -> None:
        """Let the far side hear itself."""
        self._engine.echo(self.number, on)
        self._on.add("echo")

    def bit_error_test(self, on: bool) -> None:
        """Send the pattern of ITU-T O.151 and look for it in what comes back; `bit_errors` tells how it goes.

        Only over digital channels whose octets nobody changes: a loop, or a far end that sends the same.
        """
        self._engine.bit_error_test(self.number, on)
        self._on.add("bit_error_test")

    def bit_errors(self) -> BitErrors:
        """Raises: MediaError MED-015 when no test runs."""
        return self._engine.bit_errors(self.number)

    def test_tone(self, hz: float = 1004.0, dbm0: float = 0.0) -> None:
        """Sound one frequency until `tone("")`; as it stands, a milliwatt. Raises: LineError LIN-046."""
        if not (TEST_HZ[0] <= hz <= TEST_HZ[1] and TEST_DBM0[0] <= dbm0 <= TEST_DBM0[1]):
            raise LineError("LIN-046", f"no test tone of {hz:g} Hz at {dbm0:g} dBm0", "Allowed are 200 to 3400 Hz at -60 to 3 dBm0")
        self._sound(MILLIWATT if (hz, dbm0) == (1004.0, 0.0) else Cadence((ToneStep(hz, dbm0=dbm0),)))

    def test_sweep(self, dbm0: float = -10.0, each_ms: int = 1000) -> None:
        """Sound eight frequencies from 300 to 3400 Hz, one after another, over and over, until `tone("")`."""
        self._sound(sweep(dbm0, each_ms))

    def _sound(self, cadence: Cadence) -> None:
        self._engine.tone(self.number, cadence)
        self._on.add("tone")

    def capture(self, ms: int) -> None:
        """Keep what is heard for so long (up to 60 000 ms); `segments` tells at any time what it was."""
        self._engine.capture(self.number, ms)
        self._on.add("capture")

    def segments(self) -> list[Segment]:
        """Stretches of pause, tone and other sound; takes up to 2 ms for each second heard. Raises: MediaError MED-015."""
        return self._engine.segments(self.number)

    def _measuring_off(self) -> dict[str, Callable[[], None]]:
        return {
            "meter": lambda: self.meter(False),
            "echo": lambda: self.echo(False),
            "bit_error_test": lambda: self.bit_error_test(False),
            "capture": lambda: self.capture(0),
        }
