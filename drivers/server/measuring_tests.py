"""Tests of one channel that measure its audio: level, tone, echo, loopback, bit errors. Line server's event loop only."""

from drivers.errors import MediaError
from drivers.io import Hook, LineEvent, Signalling
from drivers.media.measuring import Levels
from drivers.protocol import Figure, LineTestPhase
from drivers.server.running_test import RunningTest

SENT_HZ, SENT_DBM0 = 1004.0, -10.0  # Source: O.133, and a level that no line clips
LEAST_RETURN_DBM0 = -40.0

EXCHANGE_LINES = frozenset({Signalling.FXSKS, Signalling.FXSLS})


class Metered(RunningTest):
    """Shows the level received, once a second."""

    def begin(self) -> None:
        if self.channel.spec.signalling in EXCHANGE_LINES:
            self.hook(Hook.OFF)
        self.channel.port.meter(True)

    def measure(self) -> tuple[Figure, ...]:
        levels = self.levels()
        if levels is None or not levels.windows:
            return self.state.figures
        return Figure("level", round(levels.rx_dbm0, 1), "dBm0"), Figure("peak", round(levels.rx_peak_dbm0, 1), "dBm0")

    def levels(self) -> Levels | None:
        try:
            return self.channel.port.levels()
        except MediaError:  # the port rests already
            return None

    def line_event(self, event: LineEvent) -> None:
        if event is LineEvent.ONHOOK and self.channel.spec.signalling in EXCHANGE_LINES:
            self.end(LineTestPhase.FAILED, "battery_dropped")


class LevelTest(Metered):
    """Meters what comes in until the time is up."""

    timed_out = "measured"

    def limit(self) -> None:
        self.end(LineTestPhase.PASSED, "measured")


class ToneTest(Metered):
    """Sends a tone and measures what comes back. Passed when it does: the far end has a loop on."""

    timed_out = "no_tone_back"

    def begin(self) -> None:
        super().begin()
        self.channel.port.test_tone(SENT_HZ, SENT_DBM0)

    def limit(self) -> None:
        levels = self.levels()
        back = levels is not None and levels.rx_dbm0 >= LEAST_RETURN_DBM0
        self.end(LineTestPhase.PASSED if back else LineTestPhase.FAILED, "tone_back" if back else "no_tone_back")

    def measure(self) -> tuple[Figure, ...]:
        received = super().measure()
        loss = tuple(Figure("loss", round(SENT_DBM0 - each.value, 1), "dB") for each in received if each.name == "level")
        return received + loss


class LoopbackTest(Metered):
    """Sends back what comes in, for a test of the far end's."""

    timed_out = "looped"

    def begin(self) -> None:
        super().begin()
        self.channel.port.echo(True)

    def limit(self) -> None:
        self.end(LineTestPhase.PASSED, "looped")


class EchoTest(Metered):
    """Rings a set; who picks up hears the own voice until the receiver is put down. Passed when something was said."""

    timed_out = "not_answered"
    lifted = False
    _loudest_dbm0 = -90.0

    def begin(self) -> None:
        self.channel.port.meter(True)
        self.hook(Hook.RING)

    def line_event(self, event: LineEvent) -> None:
        if event is LineEvent.RINGOFFHOOK and not self.lifted:
            self.lifted = True
            self.hook(Hook.OFF)
            self.channel.port.echo(True)
        elif event is LineEvent.ONHOOK and self.lifted:
            self.lifted = False
            self._over()

    def measure(self) -> tuple[Figure, ...]:
        levels = self.levels()
        if self.lifted and levels is not None and levels.windows:
            self._loudest_dbm0 = max(self._loudest_dbm0, levels.rx_dbm0)
        return (Figure("loudest", round(self._loudest_dbm0, 1), "dBm0"),)

    def limit(self) -> None:
        if self.lifted:
            self._over()
        else:
            super().limit()

    def is_settled(self) -> bool:
        return not self.lifted

    def _over(self) -> None:
        heard = self._loudest_dbm0 >= LEAST_RETURN_DBM0
        self.end(LineTestPhase.PASSED if heard else LineTestPhase.FAILED, "heard" if heard else "nothing_heard")


class BitErrorTest(RunningTest):
    """Sends the pattern of O.151 and compares what comes back. Passed when it came back without an error."""

    timed_out = "no_pattern"

    def begin(self) -> None:
        self.channel.port.bit_error_test(True)

    def measure(self) -> tuple[Figure, ...]:
        try:
            found = self.channel.port.bit_errors()
        except MediaError:  # the port rests already
            return self.state.figures
        rate = found.errors / found.bits if found.bits else 0.0
        return (
            Figure("bits", found.bits),
            Figure("errors", found.errors),
            Figure("error_rate", rate),
            Figure("sync_losses", found.sync_losses),
        )

    def limit(self) -> None:
        figures = {figure.name: figure.value for figure in self.measure()}
        if not figures.get("bits"):
            self.end(LineTestPhase.FAILED, "no_pattern")
        elif figures["errors"] or figures["sync_losses"]:
            self.end(LineTestPhase.FAILED, "bit_errors")
        else:
            self.end(LineTestPhase.PASSED, "no_bit_errors")
